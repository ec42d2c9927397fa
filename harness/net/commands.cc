#include "net/commands.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "net/socket.h"

extern char** environ;

namespace mailproof::net {
namespace {

constexpr Duration kKeepAlive = std::chrono::seconds(1);
constexpr int kGlance = 10;  // milliseconds between two looks whether it has ended

/// A thread that writes to a program that reads no more must not bring the process down.
void block_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

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

/// Starts the program in a process group of its own. The pid, or -1 with errno set.
pid_t spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& secrets, const Pipe& in,
            const Pipe& out) {
  std::vector<char*> argv;
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

struct Commands::Child {
  std::vector<std::string> arguments, secrets;
  std::shared_ptr<const std::string> input;
  std::chrono::steady_clock::time_point until;
  Done done;
  std::atomic<bool> abandoned = false;
  std::thread thread;

  CommandResult run();
  CommandResult watch(pid_t pid, Pipe& in, Pipe& out);
  void keep(CommandResult& result, std::string_view text) const {
    result.output += text;
    if (result.output.size() > kCommandOutput) result.output.erase(0, result.output.size() - kCommandOutput);
  }
};

CommandResult Commands::Child::run() {
  block_sigpipe();
  Pipe in, out;
  if (!in.make() || !out.make()) return {-1, "no pipe: " + errno_text(errno)};
  const pid_t pid = spawn(arguments, secrets, in, out);
  if (pid < 0) return {-1, arguments.front() + ": " + errno_text(errno)};
  in.reading.close();
  out.writing.close();
  return watch(pid, in, out);
}

/// Feeds it, listens to it, and waits for its end: not for the end of its outputs, which what it started may keep open.
CommandResult Commands::Child::watch(pid_t pid, Pipe& in, Pipe& out) {
  CommandResult result;
  std::string_view left = input ? std::string_view(*input) : std::string_view();
  if (left.empty()) in.writing.close();
  fcntl(out.reading.get(), F_SETFL, O_NONBLOCK);
  if (in.writing) fcntl(in.writing.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 4096> buffer{};
  const auto listen = [&] {
    ssize_t n = 0;
    while ((n = read(out.reading.get(), buffer.data(), buffer.size())) > 0)
      keep(result, {buffer.data(), static_cast<std::size_t>(n)});
    return n != 0;
  };
  bool heard = true, in_time = true;
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    if (abandoned || now >= until) {
      in_time = false;
      kill(-pid, SIGKILL);
    }
    std::array<pollfd, 2> watched = {pollfd{heard ? out.reading.get() : -1, POLLIN, 0},
                                     pollfd{in.writing ? in.writing.get() : -1, POLLOUT, 0}};
    poll(watched.data(), watched.size(), kGlance);
    if (watched[0].revents != 0) heard = listen();
    if (watched[1].revents != 0) {
      const ssize_t n = write(in.writing.get(), left.data(), left.size());
      if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
      if (left.empty() || (n < 0 && errno != EAGAIN)) in.writing.close();
    }
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid) continue;
    if (heard) listen();
    result.status = in_time ? status_of(status) : -1;
    if (!in_time) keep(result, "killed: it did not end in time");
    return result;
  }
}

Commands::Commands(Loop& loop, std::vector<std::string> secrets) : loop_(loop), secrets_(std::move(secrets)) {}

Commands::~Commands() {
  loop_.set_alarm(*this, std::nullopt);
  for (const auto& child : children_) child->abandoned = true;
  for (const auto& child : children_)
    if (child->thread.joinable()) child->thread.join();
}

void Commands::run(std::vector<std::string> arguments, std::shared_ptr<const std::string> input, Duration bound,
                   Done done) {
  children_.push_back(std::make_unique<Child>());
  Child* child = children_.back().get();
  child->arguments = std::move(arguments);
  child->secrets = secrets_;
  child->input = std::move(input);
  child->until = std::chrono::steady_clock::now() + bound;
  child->done = std::move(done);
  loop_.set_alarm(*this, loop_.now() + kKeepAlive);
  child->thread = std::thread([this, child, alive = std::weak_ptr(alive_)] {
    CommandResult result = child->run();
    loop_.post([this, child, alive, result = std::move(result)]() mutable {
      if (alive.lock()) ended(child, std::move(result));
    });
  });
}

void Commands::ended(Child* child, CommandResult result) {
  child->thread.join();
  const Done done = std::move(child->done);
  children_.remove_if([child](const auto& one) { return one.get() == child; });
  if (children_.empty()) loop_.set_alarm(*this, std::nullopt);
  done(result);
}

/// While a program runs the loop has something to wait for.
void Commands::ring(Time now) { loop_.set_alarm(*this, now + kKeepAlive); }

}  // namespace mailproof::net
