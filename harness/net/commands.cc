#include "net/commands.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <string_view>

#include "net/fd.h"
#include "net/reactor.h"

extern char** environ;

namespace mailproof::net {
namespace {

using boost::system::error_code;
using Descriptor = asio::posix::stream_descriptor;

constexpr int kReadsATurn = 64;  // four times what a pipe holds

struct Pipe {
  Fd reading, writing;
  bool make() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    reading = Fd(ends[0]);
    writing = Fd(ends[1]);
    return true;
  }
};

int status_of(int wait_status) {
  return WIFEXITED(wait_status)     ? WEXITSTATUS(wait_status)
         : WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                    : -1;
}

/// Starts the program in a process group of its own, with no descriptor of ours and without `secrets`. The pid, or -1
/// with errno set.
pid_t spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& secrets, const Pipe& in,
            const Pipe& out) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry = *variable;
    const auto name = entry.substr(0, entry.find('='));
    if (std::find(secrets.begin(), secrets.end(), name) == secrets.end()) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.reading.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.writing.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.writing.get(), STDERR_FILENO);
  // Asio's sockets are not close-on-exec, and a server restarted this way would hold our connections open.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  errno = error;
  return error == 0 ? pid : -1;
}

}  // namespace

/// A program that runs. Whatever Asio has under way for it holds it.
class Commands::Child : public std::enable_shared_from_this<Child> {
 public:
  Child(Commands& owner, asio::io_context& context, Done done, Unawaited unawaited)
      : owner_(&owner),
        done_(std::move(done)),
        unawaited_(unawaited),
        in_(context),
        out_(context),
        process_(context),
        bound_(context) {}

  void start(const std::vector<std::string>& arguments, const std::vector<std::string>& secrets,
             const std::shared_ptr<const std::string>& input, Duration bound) {
    Pipe in, out;
    if (!in.make() || !out.make()) return fail("no pipe: " + errno_text(errno));
    pid_ = spawn(arguments, secrets, in, out);
    if (pid_ < 0) return fail(arguments.front() + ": " + errno_text(errno));
    const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (process < 0) {
      const std::string why = errno_text(errno);
      kill_and_bury();
      return fail(arguments.front() + ": cannot be told when it ends: " + why);
    }
    process_.assign(process);
    out_.assign(out.reading.release());
    out_.non_blocking(true);
    if (input && !input->empty()) {
      in_.assign(in.writing.release());
      asio::async_write(in_, asio::buffer(*input), [self = shared_from_this(), input](const error_code&, std::size_t) {
        self->close(self->in_);  // all was written, or it reads no more
      });
    }
    listen();
    process_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error) self->ended();
    });
    end_after(bound, SIGTERM);
  }

  /// Its end is nobody's business any more.
  void abandon() {
    owner_ = nullptr;
    if (unawaited_ == Unawaited::killed) {
      kill_and_bury();
    } else if (pid_ >= 0) {
      // It goes on, and what it says has to go somewhere: the end of a closed pipe would be its end.
      out_.release();
      pid_ = -1;
    }
    close_all();
  }
  Unawaited unawaited() const { return unawaited_; }
  void ask_to_end() const {
    if (pid_ >= 0 && unawaited_ == Unawaited::asked_to_end) kill(-pid_, SIGTERM);
  }

  /// For poll(2): that it ended, and what it says.
  std::array<pollfd, 2> awaited() {
    return {pollfd{process_.native_handle(), POLLIN, 0}, pollfd{silent_ ? -1 : out_.native_handle(), POLLIN, 0}};
  }
  void came(bool ended_now, bool said) {
    if (said) silent_ = !hear();
    if (ended_now) ended();
  }
  /// It never ran, and somebody is to be told. Whether that was so.
  bool told_that_it_failed() {
    if (failed_.empty()) return false;
    tell({-1, failed_, false});
    return true;
  }

 private:
  void end_after(Duration time, int number) {
    bound_.expires_after(time);
    bound_.async_wait([self = shared_from_this(), number](const error_code& error) {
      if (error || self->pid_ < 0) return;
      self->in_time_ = false;
      kill(-self->pid_, number);
      if (number == SIGTERM) self->end_after(kGrace, SIGKILL);
    });
  }

  void listen() {
    out_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error && self->hear()) self->listen();
    });
  }

  /// Takes what it has said so far. Whether it may say more.
  bool hear() {
    std::array<char, 4096> buffer;
    error_code error;
    for (int turn = 0; turn < kReadsATurn && !error; ++turn)
      keep({buffer.data(), out_.read_some(asio::buffer(buffer), error)});
    return !error || error == asio::error::would_block;
  }

  void keep(std::string_view text) {
    output_ += text;
    if (output_.size() > kCommandOutput) output_.erase(0, output_.size() - kCommandOutput);
  }

  /// Not waited for: the end of its outputs, which what it started may keep open.
  void ended() {
    if (pid_ < 0) return;
    if (!in_time_) kill(-pid_, SIGKILL);  // what it started and left behind
    const int status = bury();
    hear();
    if (!in_time_) keep("killed: it did not end in time");
    tell({in_time_ ? status_of(status) : -1, std::move(output_)});
  }

  void fail(std::string why) {
    failed_ = std::move(why);
    asio::post(process_.get_executor(), [self = shared_from_this()] { self->told_that_it_failed(); });
  }

  void tell(const CommandResult& result) {
    close_all();
    Commands* owner = std::exchange(owner_, nullptr);
    if (owner == nullptr) return;
    owner->forget(*this);
    done_(result);
  }

  /// Its wait status; it has ended or is about to.
  int bury() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  void kill_and_bury() {
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    bury();
  }

  static void close(Descriptor& descriptor) {
    error_code ignored;
    descriptor.close(ignored);
  }
  void close_all() {
    for (Descriptor* descriptor : {&in_, &out_, &process_}) close(*descriptor);
    bound_.cancel();
  }

  Commands* owner_;
  Done done_;
  Unawaited unawaited_;
  pid_t pid_ = -1;
  Descriptor in_, out_, process_;
  asio::steady_timer bound_;
  std::string output_;
  std::string failed_;  ///< why it never ran
  bool in_time_ = true;
  bool silent_ = false;  ///< it has closed its outputs
};

Commands::Commands(Loop& loop, std::vector<std::string> secrets) : loop_(loop), secrets_(std::move(secrets)) {}

Commands::~Commands() {
  for (const auto& child : children_) child->abandon();
}

void Commands::run(const std::vector<std::string>& arguments, const std::shared_ptr<const std::string>& input,
                   Duration bound, Done done, Unawaited unawaited) {
  auto child = std::make_shared<Child>(*this, loop_.reactor().context(), std::move(done), unawaited);
  children_.push_back(child);
  child->start(arguments, secrets_, input, bound);
}

void Commands::await(Time until) {
  while (!children_.empty()) {
    const auto now_running = children_;
    bool failed = false;
    std::vector<pollfd> awaited;
    for (const auto& child : now_running) {
      failed = child->told_that_it_failed() || failed;
      for (const pollfd& one : child->awaited()) awaited.push_back(one);
    }
    if (failed) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - loop_.now()).count();
    if (left <= 0) return;
    if (poll(awaited.data(), awaited.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0) continue;
    for (std::size_t i = 0; i < now_running.size(); ++i)
      now_running[i]->came(awaited[2 * i].revents != 0, awaited[2 * i + 1].revents != 0);
  }
}

void Commands::ask_to_end() {
  for (const auto& child : children_) child->ask_to_end();
}

void Commands::drop() {
  std::erase_if(children_, [](const auto& child) {
    const bool dropped = child->unawaited() == Unawaited::killed;
    if (dropped) child->abandon();
    return dropped;
  });
}

void Commands::forget(const Child& child) {
  std::erase_if(children_, [&child](const auto& one) { return one.get() == &child; });
}

}  // namespace mailproof::net
