#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mailproof::net {

/// An IPv4 or IPv6 address with a port.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  Address with_port(std::uint16_t port) const;
  std::string host() const;  ///< without the port
};

/// An address in numbers ("127.0.0.1", "::1"), never a name.
std::optional<Address> parse_address(std::string_view text);

/// Names to addresses, asked once a host and then pinned: the same list for the whole run, and no look-up in a
/// measured path. The first question may block. Failures are pinned too.
class Resolver {
 public:
  const Result<std::vector<Address>>& resolve(const std::string& host);

 private:
  std::map<std::string, Result<std::vector<Address>>, std::less<>> known_;
};

}  // namespace mailproof::net
