#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/sasl/client.h"
#include "wire/sasl/server.h"

/// The first octet chooses the mechanism and the side; the rest is what the other side says, a message a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailproof;
  if (size == 0) return 0;
  const auto mechanism = static_cast<sasl::Mechanism>(data[0] & 3U);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Counts of more than two digits only burn time in OpenSSL.
  const std::size_t count = rest.find("i=");
  if (count != std::string_view::npos && rest.substr(count).find_first_not_of("0123456789", 2) > 4) return 0;
  static sasl::SaltedPasswords cache;
  const auto client = sasl::make_client(mechanism, {"user", Secret("pencil"), ""}, "nonce", &cache);
  sasl::ServerFacts facts;
  facts.password_of = [](std::string_view) { return std::optional(Secret("pencil")); };
  facts.nonce = "more";
  facts.salt = "salt";
  facts.iterations = 1;
  facts.cram_challenge = "<1@example.test>";
  facts.cache = &cache;
  const auto server = sasl::make_server(mechanism, facts);
  const bool as_client = (data[0] & 4U) != 0;
  if (as_client) client->initial();
  for (int round = 0; round < 16 && !rest.empty(); ++round) {
    const std::size_t end = rest.find('\n');
    const std::string_view message = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (as_client) {
      if (!client->respond(message)) break;
    } else if (server->step(message).kind != sasl::Step::Kind::challenge) {
      break;
    }
  }
  // Nobody gets a SCRAM client to believe in success without the password.
  if (as_client && mechanism == sasl::Mechanism::scram_sha_256 && client->accepted()) __builtin_trap();
  return 0;
}
