#include "import/observe/login.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/hash.h"

namespace mailproof::imports {
namespace {

/// The value of "n=" or "user=" up to a comma or a ^A.
std::string attribute(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const char before = at == 0 ? ',' : text[at - 1];
    if (before != ',' && before != '\x01') continue;
    const std::string_view value = text.substr(at + name.size());
    return std::string(value.substr(0, value.find_first_of(std::string_view(",\x01", 2))));
  }
  return {};
}

/// gs2-header ^A auth=...^A, or user=...^Aauth=...^A
bool is_bearer(std::string_view line) {
  if (line.find(' ') != std::string_view::npos) return false;
  const auto decoded = unbase64(line);
  return decoded && !attribute(*decoded, "auth=").empty();
}

}  // namespace

bool LoginHeard::is_plain(std::string_view line) {
  if (line.find(' ') != std::string_view::npos) return false;
  const auto decoded = unbase64(line);
  return decoded && std::count(decoded->begin(), decoded->end(), '\0') == 2;
}

bool LoginHeard::is_secret(std::string_view line) { return is_plain(line) || is_bearer(line); }

void LoginHeard::plain(std::string user, std::string password) {
  user_ = std::move(user);
  if (!password.empty()) secrets_.add(user_, Secret(std::move(password)));
}

void LoginHeard::begin(std::string_view mechanism) {
  mechanism_ = upper(mechanism);
  user_.clear();
  responses_ = 0;
}

void LoginHeard::response(std::string_view base64) {
  ++responses_;
  const auto decoded = unbase64(base64);
  if (!decoded) return;  // "=", "*": an empty one, or it is given up
  const std::string& text = *decoded;
  if (mechanism_ == "PLAIN" || is_plain(base64)) {  // RFC 4616: [authzid] NUL authcid NUL passwd
    const std::size_t first = text.find('\0'), second = first == std::string::npos ? first : text.find('\0', first + 1);
    if (second == std::string::npos) return;
    plain(text.substr(first + 1, second - first - 1), text.substr(second + 1));
    if (first > 0) user_ = text.substr(0, first);
  } else if (mechanism_ == "LOGIN") {
    if (responses_ == 1) user_ = text;
    if (responses_ == 2) plain(user_, text);
  } else if (mechanism_ == "CRAM-MD5") {  // RFC 2195: user SP digest
    user_ = text.substr(0, text.rfind(' '));
  } else if (mechanism_.starts_with("SCRAM-")) {  // RFC 5802: gs2-header n=user,r=nonce
    if (responses_ == 1) user_ = attribute(text, "n=");
  } else if (mechanism_ == "OAUTHBEARER" || mechanism_ == "XOAUTH2" || is_bearer(base64)) {  // RFC 7628
    if (responses_ == 1) user_ = attribute(text, mechanism_ == "OAUTHBEARER" ? "a=" : "user=");
    const std::string token = attribute(text, "auth=");
    if (!token.empty()) secrets_.add(user_, Secret(token.substr(token.rfind(' ') + 1)));
  }
}

}  // namespace mailproof::imports
