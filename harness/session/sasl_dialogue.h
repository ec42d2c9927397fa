#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/outbox.h"
#include "session/client.h"
#include "wire/sasl/client.h"

namespace mailproof::session {

/// Differs between two exchanges of one user at different times, and is the same when a run is replayed.
std::string make_nonce(const Endpoint& endpoint, std::string_view user, Time moment);

/// One AUTH exchange as POP3 (RFC 5034) and SMTP (RFC 4954) frame it: base64 lines, "=" for an empty initial response,
/// "*" to cancel. Every response is secret output.
class SaslDialogue {
 public:
  /// `moment` makes the nonce: two exchanges of one user at different times differ, and a run replays.
  SaslDialogue(sasl::Mechanism mechanism, const ClientConfig& config, Time moment);

  /// "AUTH PLAIN AGpvZQ...", with the initial response where the mechanism has one and it fits `line_limit` octets with
  /// CRLF.
  void begin(Outbox& out, std::size_t line_limit);
  /// Answers a challenge, or cancels with "*" and says why.
  Result<void> challenge(std::string_view base64_text, Outbox& out);
  /// The server reported success: an Error if it has not proven itself.
  Result<void> accepted() { return client_->accepted(); }
  std::string_view mechanism() const { return sasl::name(client_->mechanism()); }

 private:
  std::unique_ptr<sasl::Client> client_;
  Secret held_;  ///< an initial response too long for the AUTH line
};

}  // namespace mailproof::session
