#include "cli/target_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>

#include "cli/output.h"
#include "core/bytes.h"
#include "core/hash.h"
#include "host/signals.h"
#include "net/loop.h"

namespace mailproof::cli {
namespace {

std::uint64_t hash(std::string_view text) {
  ContentHash out;
  out.add(text);
  return out.value();
}

/// The files that stand for the target's endpoints, in an order that is the same for everybody: by address, as one host
/// has many names. A name that has none now is its own.
std::set<std::string> names(const scenario::Target& target) {
  std::set<std::string> out;
  net::Loop resolver;
  for (const auto* list : {&target.imap, &target.pop3, &target.smtp, &target.lmtp})
    for (const Endpoint& endpoint : *list) {
      const auto found = resolver.resolve(endpoint.host);
      const auto hosts = found && !found->empty() ? *found : std::vector<std::string>{lower(endpoint.host)};
      for (const std::string& host : hosts)
        out.insert(fmt::format("{:016x}-{}", hash(host == "::1" ? "127.0.0.1" : host), endpoint.port));
    }
  return out;
}

/// A byte for each account, far apart. From the end to the beginning: the kernel finds the place of each at once.
std::set<off_t, std::greater<>> places(const scenario::Target& target) {
  std::set<off_t, std::greater<>> out;
  for (const auto& account : target.accounts) out.insert(static_cast<off_t>(hash(lower(account.login)) >> 2U));
  return out;
}

Error failed(const std::filesystem::path& path) { return {path.string(), std::strerror(errno)}; }

/// Of this user only: whoever could write here could keep a run waiting.
Result<std::filesystem::path> directory() {
  std::error_code none;
  const auto path = std::filesystem::temp_directory_path(none) / fmt::format("mailproof-{}", ::getuid());
  if (none) return Error{"the directory for temporary files", none.message()};
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path);
  struct stat seen {};
  if (::lstat(path.c_str(), &seen) != 0) return failed(path);
  if (!S_ISDIR(seen.st_mode) || seen.st_uid != ::getuid())
    return Error{path.string(), "is no directory of this user: remove it"};
  return path;
}

enum class Got { all, other_has_it };

/// Open file description locks: they belong to the descriptor, not to the process.
Result<Got> lock(const std::filesystem::path& path, const std::set<off_t, std::greater<>>& accounts,
                 std::vector<int>& fds) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed(path);
  fds.push_back(fd);
  for (const off_t at : accounts) {
    struct flock one {};
    one.l_type = F_WRLCK;
    one.l_whence = SEEK_SET;
    one.l_start = at;
    one.l_len = 1;
    if (::fcntl(fd, F_OFD_SETLK, &one) == 0) continue;
    if (errno == EAGAIN || errno == EACCES) return Got::other_has_it;
    return failed(path);
  }
  return Got::all;
}

}  // namespace

Result<TargetLock> TargetLock::take(const TargetFlags& flags, const scenario::Target& target) {
  TargetLock out;
  if (flags.sim || flags.sockets) return out;
  const auto in = directory();
  if (!in) return in.error();
  const auto files = names(target);
  const auto accounts = places(target);
  const std::string named = flags.file.empty() ? target.name : flags.file;
  // As long as the other run takes, which no bound of ours can know; looked at often, so that Ctrl-C is heard. Two that
  // wait for each other hold nothing meanwhile.
  for (bool told = false;; told = true) {
    bool all = true;
    for (auto file = files.begin(); all && file != files.end(); ++file) {
      const auto got = lock(*in / *file, accounts, out.fds_);
      if (!got) return got.error();
      all = *got == Got::all;
    }
    if (all) return out;
    for (const int fd : std::exchange(out.fds_, {})) ::close(fd);
    if (!told)
      say_error(
          fmt::format("mailproof: another run plays on the server of {}; this one begins when it is over\n", named));
    if (host::interrupted()) return Error{named, "interrupted while another run had the server"};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

TargetLock::~TargetLock() {
  for (const int fd : fds_) ::close(fd);
}

}  // namespace mailproof::cli
