#include "wire/sasl/mechanism.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"

namespace mailproof::sasl {
namespace {

constexpr std::array kStrongestFirst{Mechanism::scram_sha_256, Mechanism::cram_md5, Mechanism::plain, Mechanism::login};

}  // namespace

std::string_view name(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::plain:
      return "PLAIN";
    case Mechanism::login:
      return "LOGIN";
    case Mechanism::cram_md5:
      return "CRAM-MD5";
    case Mechanism::scram_sha_256:
      return "SCRAM-SHA-256";
  }
  return "";
}

std::optional<Mechanism> parse_mechanism(std::string_view text) {
  for (const Mechanism mechanism : kStrongestFirst)
    if (iequals(text, name(mechanism))) return mechanism;
  return std::nullopt;
}

bool sends_password(Mechanism mechanism) { return mechanism == Mechanism::plain || mechanism == Mechanism::login; }

std::optional<Mechanism> choose(std::span<const Mechanism> offered, bool plaintext_allowed) {
  for (const Mechanism mechanism : kStrongestFirst) {
    if (sends_password(mechanism) && !plaintext_allowed) continue;
    if (std::find(offered.begin(), offered.end(), mechanism) != offered.end()) return mechanism;
  }
  return std::nullopt;
}

}  // namespace mailproof::sasl
