#include "wire/sasl/salted_passwords.h"

#include <fmt/format.h>

#include "core/hash.h"

namespace mailproof::sasl {

const Key& SaltedPasswords::get(const Secret& password, std::string_view salt, int iterations) {
  const std::string key = fmt::format("{}:{}:{}{}", iterations, salt.size(), salt, password.reveal());
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kMost) known_.clear();
  ++computed_;
  return known_.emplace(key, pbkdf2_sha256(password.reveal(), salt, iterations)).first->second;
}

}  // namespace mailproof::sasl
