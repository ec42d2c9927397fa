#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/context.h"
#include "wire/sasl/mechanism.h"
#include "wire/sasl/server.h"

namespace mailproof::server {

/// Whether AUTH of this mechanism is offered on a connection where passwords may be sent, or may not.
bool offered(sasl::Mechanism mechanism, bool may_send_password);
/// "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", each with `prefix` before it; empty when none is offered.
std::string offered_mechanisms(bool may_send_password, std::string_view prefix = "");

/// The account of that login if the password is right, else null.
AccountState* check_password(const ServerContext& context, std::string_view login, std::string_view password);

/// One AUTH or AUTHENTICATE exchange in the words all three protocols share: lines in base64, "*" cancels,
/// "=" is an empty initial response (RFC 4954 section 4, RFC 5034 section 4, RFC 4959).
class SaslExchange {
 public:
  struct Step {
    enum class Kind { challenge, success, wrong, cancelled, malformed };
    Kind kind = Kind::wrong;
    std::string challenge;            ///< base64, for the line that the client answers
    AccountState* account = nullptr;  ///< who it was, after success
  };
  /// A response longer than this is malformed; no mechanism here needs more.
  static constexpr std::size_t kLongestLine = 12288;

  SaslExchange(ServerContext& context, sasl::Mechanism mechanism);
  Step begin(std::optional<std::string_view> initial_response);
  Step line(std::string_view response);

 private:
  Step respond(std::string_view response);

  ServerContext& context_;
  sasl::Mechanism mechanism_;
  std::unique_ptr<sasl::Server> server_;
};

}  // namespace mailproof::server
