#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/secret.h"
#include "wire/sasl/mechanism.h"
#include "wire/sasl/salted_passwords.h"

namespace mailproof::sasl {

/// What the server says next. `data` is raw; for a challenge the protocol layer sends it in base64.
struct Step {
  enum class Kind { challenge, success, failure };
  Kind kind = Kind::failure;
  std::string data;  ///< the challenge, or for a failure why: for the log, not for the wire
};

/// What a server brings to an exchange. All of it is the caller's, so that a run replays.
struct ServerFacts {
  std::function<std::optional<Secret>(std::string_view user)> password_of;  ///< nothing: no such user
  std::string nonce;           ///< SCRAM: appended to the client's; printable ASCII without comma
  std::string salt;            ///< SCRAM: raw octets
  int iterations = 4096;       ///< SCRAM (RFC 7677 section 4: at least 4096)
  std::string cram_challenge;  ///< CRAM-MD5: "<1896.697170952@mail.example.test>"
  SaltedPasswords* cache = nullptr;
};

/// The server's side of one SASL exchange. First challenge(), or step() at once with the client's initial response;
/// then step() with each response until success or failure.
class Server {
 public:
  virtual ~Server() = default;
  virtual Mechanism mechanism() const = 0;
  /// What is sent when the client gave no initial response; may be empty.
  virtual std::string challenge() = 0;
  virtual Step step(std::string_view response) = 0;
  /// Who it was, after success. An authorization identity other than the user itself is a failure: nobody acts for
  /// another here.
  const std::string& user() const { return user_; }

 protected:
  std::string user_;
};

std::unique_ptr<Server> make_server(Mechanism mechanism, ServerFacts facts);

}  // namespace mailproof::sasl
