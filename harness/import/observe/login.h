#pragma once
#include <string>
#include <string_view>

#include "core/secret_mask.h"

namespace mailproof::imports {

/// What a client says to log in, listened to: who it is, and what nobody may write down.
class LoginHeard {
 public:
  explicit LoginHeard(SecretMask& secrets) : secrets_(secrets) {}

  /// LOGIN, or USER and PASS: from now on the password is masked wherever it stands.
  void plain(std::string user, std::string password);
  /// AUTH or AUTHENTICATE began; then each response as it was sent, in base64, the initial one too.
  void begin(std::string_view mechanism);
  void response(std::string_view base64);

  const std::string& user() const { return user_; }

  /// A line that is a response of PLAIN (RFC 4616), with the password in it, whatever is known of what came before.
  static bool is_plain(std::string_view line);
  /// ... or of one with a token (RFC 7628, XOAUTH2).
  static bool is_secret(std::string_view line);

 private:
  SecretMask& secrets_;
  std::string mechanism_, user_;
  int responses_ = 0;
};

}  // namespace mailproof::imports
