#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>

namespace mailproof::net {
namespace {

Result<std::vector<Address>> look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    const char* why = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
    return Error(host, std::string("cannot find this host: ") + why);
  }
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    address.size = entry->ai_addrlen;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

Address Address::with_port(std::uint16_t port) const {
  Address copy = *this;
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&copy.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&copy.storage)->sin_port = htons(port);
  }
  return copy;
}

std::string Address::host() const {
  char text[NI_MAXHOST] = "?";
  getnameinfo(get(), size, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return text;
}

std::optional<Address> parse_address(std::string_view text) {
  auto found = look_up(std::string(text), AI_NUMERICHOST);
  if (!found || found->empty()) return std::nullopt;
  return found->front();
}

const Result<std::vector<Address>>& Resolver::resolve(const std::string& host) {
  auto known = known_.find(host);
  if (known == known_.end()) known = known_.emplace(host, look_up(host, 0)).first;
  return known->second;
}

}  // namespace mailproof::net
