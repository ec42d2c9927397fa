#include "session/sasl_dialogue.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "core/rng.h"

namespace mailproof::session {

std::string make_nonce(const Endpoint& endpoint, std::string_view user, Time moment) {
  const auto seed = static_cast<std::uint64_t>(moment.time_since_epoch().count());
  const std::uint64_t first = derive_seed(seed, user, 1);
  return fmt::format("{:016x}{:016x}", first, derive_seed(first, endpoint.label(), 2));
}

SaslDialogue::SaslDialogue(sasl::Mechanism mechanism, const ClientConfig& config, Time moment)
    : client_(sasl::make_client(mechanism, {config.login.user, config.login.password, ""},
                                make_nonce(config.endpoint, config.login.user, moment), config.salted_passwords)) {}

void SaslDialogue::begin(Outbox& out, std::size_t line_limit) {
  out.text("AUTH ");
  out.text(mechanism());
  // A challenge that asks for nothing gets the response that did not fit here.
  const std::size_t head = 5 + mechanism().size() + 1 + 2;
  if (auto initial = client_->initial()) {
    const std::string encoded = initial->empty() ? "=" : base64(initial->reveal());
    if (head + encoded.size() <= line_limit) {
      out.text(" ");
      out.secret(encoded);
    } else {
      held_ = Secret(encoded);
    }
  }
  out.text("\r\n");
}

Result<void> SaslDialogue::challenge(std::string_view base64_text, Outbox& out) {
  if (!held_.empty()) {
    out.secret(held_.reveal());
    out.text("\r\n");
    held_ = Secret();
    return {};
  }
  const auto raw = unbase64(base64_text);
  Result<Secret> response = raw ? client_->respond(*raw) : Result<Secret>(Error{"", "the challenge is not base64"});
  if (!response) {
    out.text("*\r\n");
    return response.error();
  }
  out.secret(base64(response->reveal()));
  out.text("\r\n");
  return {};
}

}  // namespace mailproof::session
