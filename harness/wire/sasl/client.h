#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"
#include "wire/sasl/mechanism.h"
#include "wire/sasl/salted_passwords.h"

namespace mailproof::sasl {

struct Credentials {
  std::string user;  ///< authentication identity
  Secret password;
  std::string authzid;  ///< whom to act as; empty = the user itself. LOGIN and CRAM-MD5 cannot say it.
};

/// The client's side of one SASL exchange (RFC 4422): raw challenge in, raw response out; base64 and framing are the
/// protocol's business. Every response counts as a secret.
class Client {
 public:
  virtual ~Client() = default;
  virtual Mechanism mechanism() const = 0;
  /// What can be said before the first challenge. Nothing: the server speaks first.
  virtual std::optional<Secret> initial() = 0;
  /// The response to a challenge. An Error says why the exchange must be cancelled; the object is then of no more use.
  virtual Result<Secret> respond(std::string_view challenge) = 0;
  /// The server reports success. An Error if it has not proven what the mechanism demands (SCRAM: that it knows the
  /// password).
  virtual Result<void> accepted() = 0;
};

/// `nonce` feeds SCRAM only: printable ASCII without comma, at least 18 characters of the caller's randomness.
/// `cache` may be null; else it must outlive the exchange.
std::unique_ptr<Client> make_client(Mechanism mechanism, Credentials credentials, std::string nonce,
                                    SaltedPasswords* cache);

/// SASLprep (RFC 4013) changes nothing in printable ASCII, and other text is used as it is given.
/// Iteration counts a server may ask for: a larger one is refused, since it would only burn our time.
inline constexpr int kMostIterations = 600'000;

}  // namespace mailproof::sasl
