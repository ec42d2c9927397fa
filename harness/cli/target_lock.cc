#include "cli/target_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "cli/output.h"
#include "host/signals.h"

namespace mailproof::cli {

Result<TargetLock> TargetLock::take(const TargetFlags& flags) {
  if (flags.file.empty()) return TargetLock(-1);
  const int fd = ::open(flags.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{flags.file, std::strerror(errno)};
  TargetLock lock(fd);
  // As long as the other run takes, which no bound of ours can know; looked at often, so that Ctrl-C is heard.
  for (bool told = false; ::flock(fd, LOCK_EX | LOCK_NB) != 0; told = true) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Error{flags.file, std::strerror(errno)};
    if (!told)
      say_error(fmt::format("mailproof: another run plays on the server of {}; this one begins when it is over\n",
                            flags.file));
    if (host::interrupted()) return Error{flags.file, "interrupted while another run had the server"};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return lock;
}

TargetLock::~TargetLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace mailproof::cli
