#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace mailproof {

/// What a server's certificate says of itself, and what verifying it came to. The texts are the server's own.
struct Certificate {
  std::string subject;             ///< its common name; without one the whole distinguished name
  std::string issuer;              ///< the same of who signed it
  std::vector<std::string> names;  ///< subject alternative names: host names and addresses (RFC 5280 section 4.2.1.6)
  std::chrono::sys_seconds valid_from{};
  std::chrono::sys_seconds valid_until{};
  bool verified = false;
  std::string trouble;  ///< why it was not verified: "has expired", "does not match host mail.example.test"

  /// "certificate of 'mail.example.test' (names: a, b; valid until 2026-01-01)".
  std::string label() const;
};

}  // namespace mailproof
