#pragma once
#include <utility>

#include "core/result.h"
#include "net/address.h"

namespace mailproof::net {

/// Owns one descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

/// Text of an errno as it is shown to people: "connection refused", "too many open files".
std::string errno_text(int error);

/// Takes up a connection without waiting: the descriptor becomes writable when it stands or has failed.
/// On failure returns no descriptor and the errno.
struct Dialled {
  Fd fd;
  int error = 0;
};
Dialled dial(const Address& to, const std::optional<Address>& from);

/// The outcome of a dialled connection: 0 or the errno.
int connect_outcome(int fd);

/// Listens on all that `at` says; port 0 takes a free one. The Error's `where` is the address.
Result<Fd> listen_on(const Address& at, int backlog);
std::uint16_t local_port(int fd);

void set_no_delay(int fd);
void set_reset_on_close(int fd);  ///< close() then sends RST and discards what was not yet sent

/// Sends FIN, then empties the receive queue (1 MiB at most), because close() with unread bytes would send RST instead.
void finish_sending(int fd);

}  // namespace mailproof::net
