#pragma once
#include <optional>
#include <span>
#include <string_view>

namespace mailproof::sasl {

enum class Mechanism { plain, login, cram_md5, scram_sha_256 };

/// The name as registered and as it is offered: "SCRAM-SHA-256".
std::string_view name(Mechanism mechanism);
/// Case does not matter. Nothing for mechanisms that are not spoken here.
std::optional<Mechanism> parse_mechanism(std::string_view name);
/// Whether the password itself crosses the wire, so that TLS must be up first (RFC 4616 section 1, RFC 8314).
bool sends_password(Mechanism mechanism);

/// The strongest mechanism offered: SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN. Mechanisms that send the password
/// count only if `plaintext_allowed`.
std::optional<Mechanism> choose(std::span<const Mechanism> offered, bool plaintext_allowed);

}  // namespace mailproof::sasl
