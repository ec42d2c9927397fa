#include "net/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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
  Child(Commands& owner, asio::io_context& context, Done done)
      : owner_(&owner), done_(std::move(done)), in_(context), out_(context), process_(context), bound_(context) {}

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
    bound_.expires_after(bound);
    bound_.async_wait([self = shared_from_this()](const error_code& error) {
      if (error || self->pid_ < 0) return;
      self->in_time_ = false;
      kill(-self->pid_, SIGKILL);
    });
  }

  /// Its end is nobody's business any more.
  void abandon() {
    owner_ = nullptr;
    kill_and_bury();
    close_all();
  }

 private:
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
    const int status = bury();
    hear();
    if (!in_time_) keep("killed: it did not end in time");
    tell({in_time_ ? status_of(status) : -1, std::move(output_)});
  }

  void fail(std::string why) {
    asio::post(process_.get_executor(), [self = shared_from_this(), why = std::move(why)] { self->tell({-1, why}); });
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
  pid_t pid_ = -1;
  Descriptor in_, out_, process_;
  asio::steady_timer bound_;
  std::string output_;
  bool in_time_ = true;
};

Commands::Commands(Loop& loop, std::vector<std::string> secrets) : loop_(loop), secrets_(std::move(secrets)) {}

Commands::~Commands() {
  for (const auto& child : children_) child->abandon();
}

void Commands::run(const std::vector<std::string>& arguments, const std::shared_ptr<const std::string>& input,
                   Duration bound, Done done) {
  auto child = std::make_shared<Child>(*this, loop_.reactor().context(), std::move(done));
  children_.push_back(child);
  child->start(arguments, secrets_, input, bound);
}

void Commands::forget(const Child& child) {
  std::erase_if(children_, [&child](const auto& one) { return one.get() == &child; });
}

}  // namespace mailproof::net
