#include "host/foreign_host.h"

#include "net/loop.h"

namespace mailproof::host {

std::optional<std::string> foreign_host(const scenario::Target& target) {
  for (const auto* all : {&target.imap, &target.pop3, &target.smtp, &target.lmtp})
    for (const auto& endpoint : *all)
      if (!net::is_loopback(endpoint.host)) return endpoint.host;
  return std::nullopt;
}

}  // namespace mailproof::host
