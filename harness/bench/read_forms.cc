// Three ways to read from many sockets with Boost.Asio, beside the raw epoll loop in one run: what a response costs in
// CPU when nobody looks at it. Decides how net/ waits for its sockets; the figures are in net/reactor.h.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "bench/raw_client.h"
#include "net/handler_memory.h"

namespace {
using namespace mailproof::bench;
using mailproof::net::HandlerMemory;
using mailproof::net::Recycled;
namespace asio = boost::asio;
using Context = asio::io_context;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Context::executor_type>;
using Watched = asio::posix::basic_stream_descriptor<Context::executor_type>;

struct Round {
  std::string_view command;
  std::size_t body = 0, commands = 0, begun = 0, done = 0;
};

/// What every form does with a connection; how it learns that there is something to read is its own.
struct One {
  int fd = -1;
  std::size_t missing = kGreeting.size();
  std::uint32_t number = 0;

  void begin(Round& round) {
    std::array<char, 128> line;
    const int tag = std::snprintf(line.data(), line.size(), "a%u", ++number);
    const int size = std::snprintf(line.data(), line.size(), "a%u %.*s\r\n", number,
                                   static_cast<int>(round.command.size()), round.command.data());
    missing = round.body + static_cast<std::size_t>(tag) + kCompletion.size();
    ++round.begun;
    if (send(fd, line.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) std::exit(3);
  }
  void came(std::size_t n, Round& round) {
    missing -= n;
    if (missing > 0) return;
    ++round.done;
    if (round.begun < round.commands) begin(round);
  }
};

class Clients {
 public:
  Clients(std::uint16_t port, std::size_t connections)
      : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), all_(connections) {
    for (One& one : all_) {
      Socket socket(context_);
      socket.connect({asio::ip::address_v4::loopback(), port});
      socket.set_option(asio::ip::tcp::no_delay(true));
      while (one.missing > 0) one.missing -= socket.read_some(asio::buffer(scratch_));
      one.fd = socket.release();
    }
  }
  virtual ~Clients() = default;

  /// Nanoseconds of CPU a command, over `commands` of them.
  double run(std::string_view command, std::size_t commands) {
    round_ = {command, answer_body(command).size(), commands, 0, 0};
    const auto start = thread_cpu();
    for (One& one : all_) one.begin(round_);
    while (round_.done < commands) context_.run_one();
    return static_cast<double>((thread_cpu() - start).count()) / static_cast<double>(commands);
  }

 protected:
  void take(One& one) {
    const auto n = recv(one.fd, scratch_.data(), scratch_.size(), 0);
    if (n <= 0) std::exit(3);
    one.came(static_cast<std::size_t>(n), round_);
  }
  Context context_;
  std::vector<One> all_;
  Round round_;
  std::array<char, 64 * 1024> scratch_{};
};

/// A buffer for each connection: Asio tries to read at once, in vain, and again when there is something.
class ReadSome final : public Clients {
 public:
  ReadSome(std::uint16_t port, std::size_t connections) : Clients(port, connections) {
    for (One& one : all_) arm(*own_.emplace_back(std::make_unique<Own>(context_, one)));
  }

 private:
  struct Own {
    Own(Context& context, One& o) : one(o), socket(context, asio::ip::tcp::v4(), o.fd) { socket.non_blocking(true); }
    One& one;
    Socket socket;
    HandlerMemory memory;
    std::array<char, 4096> buffer;
  };
  void arm(Own& own) {
    own.socket.async_read_some(
        asio::buffer(own.buffer),
        Recycled(own.memory, [this, &own](const boost::system::error_code& error, std::size_t n) {
          if (error) return;
          own.one.came(n, round_);
          arm(own);
        }));
  }
  std::vector<std::unique_ptr<Own>> own_;
};

/// One buffer for all: Asio says when to read, and is asked again with an epoll_ctl.
class Wait final : public Clients {
 public:
  Wait(std::uint16_t port, std::size_t connections) : Clients(port, connections) {
    for (One& one : all_) arm(*own_.emplace_back(std::make_unique<Own>(context_, one)));
  }

 private:
  struct Own {
    Own(Context& context, One& o) : one(o), socket(context, asio::ip::tcp::v4(), o.fd) {}
    One& one;
    Socket socket;
    HandlerMemory memory;
  };
  void arm(Own& own) {
    own.socket.async_wait(Socket::wait_read, Recycled(own.memory, [this, &own](const boost::system::error_code& error) {
                            if (error) return;
                            take(own.one);
                            arm(own);
                          }));
  }
  std::vector<std::unique_ptr<Own>> own_;
};

/// One buffer for all: the sockets stay armed in a level-triggered set of their own, and Asio waits for the set.
class ArmedSet final : public Clients {
 public:
  ArmedSet(std::uint16_t port, std::size_t connections)
      : Clients(port, connections), set_(context_, epoll_create1(EPOLL_CLOEXEC)) {
    for (One& one : all_) {
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &one}};
      epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, one.fd, &event);
    }
    arm();
  }

 private:
  void arm() {
    set_.async_wait(Watched::wait_read, Recycled(memory_, [this](const boost::system::error_code& error) {
                      if (error) return;
                      const int n =
                          epoll_wait(set_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
                      for (int i = 0; i < n; ++i)
                        take(*static_cast<One*>(events_[static_cast<std::size_t>(i)].data.ptr));
                      arm();
                    }));
  }
  Watched set_;
  HandlerMemory memory_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t connections = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const std::string only = argc > 2 ? argv[2] : "";  // one form, to be counted by strace
  constexpr std::size_t kCommands = 30'000;
  const SinkServer server;
  RawClients raw(server.port(), connections);
  ReadSome read_some(server.port(), connections);
  Wait wait(server.port(), connections);
  ArmedSet armed(server.port(), connections);
  struct Form {
    const char* name;
    std::function<double(std::string_view, std::size_t)> run;
    std::vector<double> cost{}, ratio{};
  };
  for (const char* command : {"NOOP", "UID FETCH 1 (FLAGS BODY.PEEK[])"}) {
    std::vector<Form> forms = {
        {"raw", [&](auto... a) { return raw.run(a...); }},
        {"async_read_some", [&](auto... a) { return read_some.run(a...); }},
        {"async_wait", [&](auto... a) { return wait.run(a...); }},
        {"armed set", [&](auto... a) { return armed.run(a...); }},
    };
    if (!only.empty()) std::erase_if(forms, [&](const Form& form) { return form.name != only; });
    for (auto& form : forms) form.run(command, 10'000);
    for (int round = 0; round < 9; ++round)
      for (auto& form : forms) {
        form.cost.push_back(form.run(command, kCommands));
        form.ratio.push_back(form.cost.back() / forms.front().cost.back());
      }
    for (const auto& form : forms)
      std::printf("%-32s %-16s %6.0f ns of CPU a command: %.2f x raw\n", command, form.name, median(form.cost),
                  median(form.ratio));
  }
}
