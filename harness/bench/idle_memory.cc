// Memory of this process for each idle, logged-in IMAP session: plaintext and TLS. The budgets are 2 KiB and 30 KiB.
// Needs fixtures/certs (scripts/make-certs) for the TLS half.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>

#include "bench/imap_clients.h"
#include "net/listener.h"

namespace {
using namespace mailproof;
using namespace mailproof::bench;

/// The sink's answers, served by net::Listener so that they can go through TLS.
class Answerer final : public Peer {
 public:
  void attach(Waker*) override {}
  void opened(Time) override { out_.text(kGreeting); }
  void feed(Bytes in, Time) override {
    unfinished_ += as_text(in);
    for (std::size_t end; (end = unfinished_.find("\r\n")) != std::string::npos; unfinished_.erase(0, end + 2)) {
      const std::string_view line = std::string_view(unfinished_).substr(0, end);
      const std::size_t space = line.find(' ');
      if (space != std::string_view::npos) out_.text(answer_body(line.substr(space + 1)));
      out_.text(line.substr(0, space));
      out_.text(kCompletion);
    }
  }
  std::span<const Output> output() override { return out_.output(); }
  void sent(std::size_t n, Time) override { out_.sent(n); }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts&, Time) override {}
  void ended(EndReason, std::string_view, Time) override {}
  Wants wants() const override { return Wants::nothing; }

 private:
  Outbox out_;
  std::string unfinished_;
};

/// Serves in a child process until it is killed; tells its port through `tell`.
[[noreturn]] void serve(bool tls, int tell) {
  net::Loop loop;
  net::ListenerOptions options;
  if (tls) {
    auto context = net::TlsContext::server("fixtures/certs/good.pem", "fixtures/certs/good.key");
    if (!context) {
      std::fprintf(stderr, "%s (run scripts/make-certs)\n", context.error().message().c_str());
      std::_Exit(3);
    }
    options.tls_first = true;
    options.tls = *context;
  }
  auto listener = net::Listener::listen(loop, options, [](bool) { return std::make_unique<Answerer>(); });
  const std::uint16_t port = (*listener)->port();
  if (write(tell, &port, sizeof port) != sizeof port) std::_Exit(3);
  loop.run([] { return false; });
  std::_Exit(0);
}

void measure(bool tls, std::size_t connections) {
  int tell[2];
  if (pipe(tell) != 0) std::exit(3);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(tls, tell[1]);
  }
  close(tell[1]);
  std::uint16_t port = 0;
  if (read(tell[0], &port, sizeof port) != sizeof port) std::exit(3);
  close(tell[0]);
  {
    net::LoopOptions options;
    options.tls.ca_file = "fixtures/certs/ca.pem";
    net::Loop loop(options);
    Round round;
    stats::Operation operation;
    Endpoint endpoint;
    endpoint.port = port;
    endpoint.tls = tls ? TlsMode::implicit : TlsMode::none;
    std::vector<std::unique_ptr<ImapDevice>> devices;
    const auto open = [&](std::size_t n) {
      for (std::size_t i = 0; i < n; ++i)
        devices.push_back(std::make_unique<ImapDevice>(loop, round, operation, endpoint));
      loop.run([&] { return round.done == devices.size(); });
    };
    devices.reserve(connections + 100);
    open(100);  // what the loop needs once is there now
    malloc_trim(0);
    const auto before = mallinfo2();
    open(connections);
    const auto after = mallinfo2();
    std::printf("%zu idle %s IMAP sessions: %.1f KiB each\n", connections, tls ? "TLS" : "plaintext",
                static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1024.0 /
                    static_cast<double>(connections));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

int main() {
  measure(false, 3000);
  measure(true, 1000);
}
