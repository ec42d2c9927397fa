#include "wire/sasl/scram_messages.h"

#include <charconv>
#include <cstddef>
#include <optional>

#include "core/hash.h"

namespace mailproof::sasl::scram {
namespace {

Error malformed(std::string_view message, std::string_view why) {
  return Error{"SCRAM", std::string(message) + ": " + std::string(why)};
}

/// Takes "x=value" and the comma behind it off the front of `rest`. Nothing if another attribute stands there.
std::optional<std::string_view> take(std::string_view& rest, char attribute) {
  if (rest.size() < 2 || rest[0] != attribute || rest[1] != '=') return std::nullopt;
  const std::size_t comma = rest.find(',');
  const std::string_view value = rest.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return value;
}

std::string_view text_of(const Key& key) { return as_text(std::span<const std::byte>(key)); }

}  // namespace

std::string encode_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '=') {
      out += "=3D";
    } else if (c == ',') {
      out += "=2C";
    } else {
      out += c;
    }
  }
  return out;
}

Result<std::string> decode_name(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
      continue;
    }
    const std::string_view code = text.substr(i, 3);
    if (code != "=2C" && code != "=3D") return malformed("client-first-message", "bad '=' in a name");
    out += code == "=2C" ? ',' : '=';
    i += 2;
  }
  return out;
}

/// server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
Result<ServerFirst> parse_server_first(std::string_view text) {
  constexpr std::string_view kWhat = "server-first-message";
  if (text.starts_with("m=")) return malformed(kWhat, "a mandatory extension is not understood");
  if (text.starts_with("e=")) return malformed(kWhat, "the server reports an error");
  const auto nonce = take(text, 'r');
  if (!nonce || nonce->empty()) return malformed(kWhat, "no nonce");
  const auto salt64 = take(text, 's');
  if (!salt64) return malformed(kWhat, "no salt");
  const auto salt = unbase64(*salt64);
  if (!salt || salt->empty()) return malformed(kWhat, "salt is not base64");
  const auto count = take(text, 'i');
  if (!count) return malformed(kWhat, "no iteration count");
  ServerFirst first{std::string(*nonce), *salt, 0};
  const auto [end, error] = std::from_chars(count->data(), count->data() + count->size(), first.iterations);
  if (error != std::errc() || end != count->data() + count->size() || first.iterations <= 0)
    return malformed(kWhat, "iteration count is not a positive number");
  return first;
}

/// client-first-message = gs2-cbind-flag "," [authzid] "," [reserved-mext ","] username "," nonce ["," extensions]
Result<ClientFirst> parse_client_first(std::string_view text) {
  constexpr std::string_view kWhat = "client-first-message";
  ClientFirst first;
  const std::string_view all = text;
  if (!text.starts_with("n,") && !text.starts_with("y,")) return malformed(kWhat, "channel binding is not offered");
  text.remove_prefix(2);
  if (text.starts_with("a=")) {
    const auto authzid = decode_name(*take(text, 'a'));
    if (!authzid) return authzid.error();
    first.authzid = *authzid;
  } else if (text.starts_with(",")) {
    text.remove_prefix(1);
  } else {
    return malformed(kWhat, "no gs2-header");
  }
  first.header = all.substr(0, all.size() - text.size());
  first.bare = text;
  if (text.starts_with("m=")) return malformed(kWhat, "a mandatory extension is not understood");
  const auto user = take(text, 'n');
  if (!user || user->empty()) return malformed(kWhat, "no user name");
  const auto name = decode_name(*user);
  if (!name) return name.error();
  first.user = *name;
  const auto nonce = take(text, 'r');
  if (!nonce || nonce->empty()) return malformed(kWhat, "no nonce");
  first.nonce = *nonce;
  return first;
}

/// client-final-message = channel-binding "," nonce ["," extensions] "," proof
Result<ClientFinal> parse_client_final(std::string_view text) {
  constexpr std::string_view kWhat = "client-final-message";
  ClientFinal last;
  const std::size_t proof_at = text.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed(kWhat, "no proof");
  const auto proof = unbase64(text.substr(proof_at + 3));
  if (!proof) return malformed(kWhat, "proof is not base64");
  last.proof = *proof;
  last.without_proof = text.substr(0, proof_at);
  text = text.substr(0, proof_at);
  const auto binding64 = take(text, 'c');
  if (!binding64) return malformed(kWhat, "no channel binding");
  const auto binding = unbase64(*binding64);
  if (!binding) return malformed(kWhat, "channel binding is not base64");
  last.channel_binding = *binding;
  const auto nonce = take(text, 'r');
  if (!nonce) return malformed(kWhat, "no nonce");
  last.nonce = *nonce;
  return last;
}

std::string client_proof(const Key& salted_password, std::string_view auth_message) {
  const Key client_key = hmac_sha256(text_of(salted_password), "Client Key");
  const Key stored_key = sha256(text_of(client_key));
  const Key signature = hmac_sha256(text_of(stored_key), auth_message);
  std::string proof;
  for (std::size_t i = 0; i < client_key.size(); ++i) proof += static_cast<char>(client_key[i] ^ signature[i]);
  return proof;
}

std::string server_signature(const Key& salted_password, std::string_view auth_message) {
  const Key server_key = hmac_sha256(text_of(salted_password), "Server Key");
  return std::string(text_of(hmac_sha256(text_of(server_key), auth_message)));
}

}  // namespace mailproof::sasl::scram
