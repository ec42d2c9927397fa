#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "play/context.h"
#include "wire/sasl/client.h"

namespace mailproof::play {

/// Of the lines that CAPA, CAPABILITY or EHLO list: what one must log in with where none of the mechanisms offered
/// sends the password, the best that is spoken here. Nothing: the password will do, or nothing was said of mechanisms.
std::optional<sasl::Mechanism> instead_of_password(std::span<const std::string> offered);

/// One exchange of SASL in base64, as a talk says it: a line an answer, without the protocol's framing.
class TalkSasl {
 public:
  TalkSasl(const Context& context, const scenario::PoolAccount& account, const Endpoint& endpoint,
           sasl::Mechanism mechanism);
  /// What answers a challenge: "+ PDE4OTY+" or "334 PDE4OTY+".
  Result<std::string> answer(std::string_view line);
  Result<void> accepted() { return client_->accepted(); }
  std::string_view mechanism() const { return sasl::name(client_->mechanism()); }

 private:
  std::unique_ptr<sasl::Client> client_;
  bool begun_ = false;
};

}  // namespace mailproof::play
