// Response codes in brackets: RFC 2449 sections 3 and 8, RFC 3206.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "judge/rules/pop3_rules.h"

namespace mailproof::judge::pop3_rules {
namespace {

bool opens(const Pop3Exchange& exchange) {
  return (exchange.positive() || exchange.negative()) && exchange.text().starts_with('[');
}

/// What stands between the brackets; nothing when they do not close.
std::optional<std::string_view> code_of(const Pop3Exchange& exchange) {
  const std::string_view text = exchange.text();
  const std::size_t end = text.find(']');
  if (!opens(exchange) || end == std::string_view::npos) return std::nullopt;
  return text.substr(1, end - 1);
}

/// rchar = %x21-2E / %x30-5C / %x5E-7F
bool rchar(unsigned char c) { return c >= 0x21 && c <= 0x7f && c != '/' && c != ']'; }

/// resp-level *("/" resp-level); resp-level = 1*rchar
bool grammatical(std::string_view code) {
  while (true) {
    const std::size_t slash = code.find('/');
    const std::string_view level = code.substr(0, slash);
    if (level.empty() || !std::all_of(level.begin(), level.end(), rchar)) return false;
    if (slash == std::string_view::npos) return true;
    code.remove_prefix(slash + 1);
  }
}

}  // namespace

void response_code_bracket(const Pop3Exchanges& talk, Found& found) {
  if (!announced(talk, "RESP-CODES").value_or(false)) return;
  for (const Pop3Exchange& exchange : talk.all()) {
    if (!opens(exchange) || code_of(exchange).has_value()) continue;
    found.push_back({"text that begins with \"[\" to be a response code, closed by \"]\"",
                     fmt::format("CAPA lists RESP-CODES, and the reply to {} is: {}", exchange.said(),
                                 printable(exchange.status, 80)),
                     exchange.excerpt()});
  }
}

void response_code_grammar(const Pop3Exchanges& talk, Found& found) {
  for (const Pop3Exchange& exchange : talk.all()) {
    const auto code = code_of(exchange);
    if (!opens(exchange) || (code && grammatical(*code))) continue;
    found.push_back({"a response code of levels between slashes, printable octets without blank: [AUTH], [SYS/TEMP]",
                     fmt::format("the reply to {} is: {}", exchange.said(), printable(exchange.status, 80)),
                     exchange.excerpt()});
  }
}

/// RFC 3206 asks this of AUTH only: SYS codes stand under RESP-CODES.
void auth_code_announced(const Pop3Exchanges& talk, Found& found) {
  if (announced(talk, "AUTH-RESP-CODE").value_or(true)) return;
  for (const Pop3Exchange& exchange : talk.all()) {
    const auto code = code_of(exchange);
    if (!exchange.negative() || !code || !iequals(code->substr(0, code->find('/')), "AUTH")) continue;
    found.push_back({"AUTH-RESP-CODE in the reply to CAPA of a server that sends the AUTH code",
                     fmt::format("the reply to {} is: {}, and CAPA on this connection does not list AUTH-RESP-CODE",
                                 exchange.said(), printable(exchange.status, 80)),
                     exchange.excerpt()});
  }
}

}  // namespace mailproof::judge::pop3_rules
