#pragma once
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace mailproof::sasl {

using Key = std::array<std::byte, 32>;

/// Remembers what SCRAM's Hi() came to (RFC 5802 section 2.2): thousands of HMACs for a login that is done again and
/// again. Owned by whoever logs in often; holds key material, so it is never printed or copied.
class SaltedPasswords {
 public:
  static constexpr std::size_t kMost = 16384;  ///< entries; then it starts afresh

  SaltedPasswords() = default;
  SaltedPasswords(const SaltedPasswords&) = delete;
  SaltedPasswords& operator=(const SaltedPasswords&) = delete;

  /// `iterations` must be positive.
  const Key& get(const Secret& password, std::string_view salt, int iterations);
  std::size_t computed() const { return computed_; }

 private:
  std::map<std::string, Key, std::less<>> known_;
  std::size_t computed_ = 0;
};

}  // namespace mailproof::sasl
