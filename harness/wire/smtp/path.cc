#include "wire/smtp/path.h"

#include <cstddef>

#include "core/bytes.h"

namespace mailproof::smtp {
namespace {

Error bad(std::string_view why) { return Error{"501", std::string(why)}; }

constexpr std::size_t kPathLimit = 256;
constexpr std::size_t kLocalLimit = 64;
constexpr std::size_t kDomainLimit = 255;

bool is_atext(char c) {
  const auto octet = static_cast<unsigned char>(c);
  if (octet >= 0x80) return true;  // RFC 6531 section 3.3
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_let_dig(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Dot-string = Atom *("." Atom)
bool is_dot_string(std::string_view text) {
  bool atom = false;
  for (const char c : text) {
    if (c == '.') {
      if (!atom) return false;
      atom = false;
    } else if (is_atext(c)) {
      atom = true;
    } else {
      return false;
    }
  }
  return atom;
}

/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
bool is_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  const std::string_view inner = text.substr(1, text.size() - 2);
  bool escaped = false;
  for (const char c : inner) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || (c == '"' && !escaped)) return false;
    escaped = c == '\\' && !escaped;
  }
  return !escaped;
}

/// Domain = sub-domain *("." sub-domain); or an address literal "[...]". Underscores are common and let through.
bool is_domain(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    return text.find_first_not_of("0123456789abcdefABCDEF:.IPvg-", 1) == text.size() - 1;
  bool label = false;
  char last = '.';
  for (const char c : text) {
    if (c == '.') {
      if (!label || last == '-') return false;
      label = false;
    } else if (is_let_dig(c) || ((c == '-' || c == '_') && label) || c == '_') {
      label = true;
    } else {
      return false;
    }
    last = c;
  }
  return label && last != '-';
}

/// Where the path that begins behind "<" ends: its ">" outside of quotes.
std::size_t closing_bracket(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == '>') {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Mailbox split_mailbox(std::string_view path) {
  const std::size_t quote = path.rfind('"');
  const std::size_t at = path.rfind('@');
  if (at == std::string_view::npos || (quote != std::string_view::npos && quote > at)) return {path, {}};
  return {path.substr(0, at), path.substr(at + 1)};
}

Result<std::string> take_path(std::string_view& rest) {
  if (!rest.starts_with('<')) return bad("the path must begin with <");
  const std::size_t end = closing_bracket(rest.substr(1));
  if (end == std::string_view::npos) return bad("the path must end with >");
  std::string_view path = rest.substr(1, end);
  if (path.size() + 2 > kPathLimit) return bad("the path is too long");
  rest.remove_prefix(end + 2);
  if (path.empty()) return std::string();
  // A-d-l = At-domain *( "," At-domain ): accepted and ignored (appendix C).
  if (path.front() == '@') {
    const std::size_t colon = path.find(':');
    if (colon == std::string_view::npos) return bad("the source route must end with a colon");
    path.remove_prefix(colon + 1);
  }
  const Mailbox mailbox = split_mailbox(path);
  if (mailbox.domain.empty() && !iequals(path, "postmaster")) return bad("the mailbox needs a domain");
  if (mailbox.local.size() > kLocalLimit) return bad("the local part is too long");
  if (mailbox.domain.size() > kDomainLimit) return bad("the domain is too long");
  if (!is_dot_string(mailbox.local) && !is_quoted_string(mailbox.local)) return bad("the local part is malformed");
  if (!mailbox.domain.empty() && !is_domain(mailbox.domain)) return bad("the domain is malformed");
  return std::string(path);
}

}  // namespace mailproof::smtp
