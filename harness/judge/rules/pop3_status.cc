// How the first line of every response looks, and how lines end.
#include <fmt/format.h>

#include "core/bytes.h"
#include "judge/rules/pop3_rules.h"

namespace mailproof::judge::pop3_rules {

constexpr std::size_t kStatusLine = 512;  // RFC 1939 section 3, with CRLF

/// SASL challenges are of any length (RFC 5034 section 4).
void status_line_512(const Pop3Exchanges& talk, Found& found) {
  for (const Pop3Exchange& exchange : talk.all()) {
    const std::size_t octets = exchange.status.size() + (exchange.ends_in_crlf ? 2 : 1);
    if (octets <= kStatusLine || exchange.challenge()) continue;
    found.push_back({fmt::format("a first line of at most {} octets with CRLF", kStatusLine),
                     fmt::format("the reply to {} begins with a line of {} octets", exchange.said(), octets),
                     exchange.excerpt()});
  }
}

void status_upper_case(const Pop3Exchanges& talk, Found& found) {
  for (const Pop3Exchange& exchange : talk.all()) {
    if (!exchange.positive() && !exchange.negative()) continue;
    const std::string_view expected = exchange.positive() ? "+OK" : "-ERR";
    if (exchange.status.starts_with(expected)) continue;
    found.push_back({fmt::format("{} in upper case", expected),
                     fmt::format("the reply to {} begins with {}", exchange.said(),
                                 printable(exchange.status.substr(0, expected.size()))),
                     exchange.excerpt()});
  }
}

void status_only_two(const Pop3Exchanges& talk, Found& found) {
  for (const Pop3Exchange& exchange : talk.all()) {
    if (exchange.positive() || exchange.negative() || exchange.challenge()) continue;
    found.push_back({"a reply that begins with +OK or -ERR (within AUTH also with \"+ \")",
                     fmt::format("the reply to {} is: {}", exchange.said(), printable(exchange.status, 80)),
                     exchange.excerpt()});
  }
}

/// Messages are passed over: one that was delivered with a lone CR or LF is no Internet text message (RFC 5322 section
/// 2.3), and what a server that was given one sends is nowhere written (RFC 1939 section 11).
void crlf(const Pop3Exchanges& talk, Found& found) {
  const auto check = [&](const Pop3Exchange& exchange, std::string_view line, bool ends_in_crlf, bool first) {
    const bool lone_cr = line.find('\r') != std::string_view::npos;
    if (ends_in_crlf && !lone_cr) return;
    found.push_back({"lines that end in CRLF, and no CR or LF elsewhere",
                     fmt::format("the reply to {} has a line {}", exchange.said(),
                                 ends_in_crlf ? "with a CR that no LF follows" : "that ends in LF without CR"),
                     first ? exchange.excerpt() : exchange.excerpt(line)});
  };
  for (const Pop3Exchange& exchange : talk.all()) {
    check(exchange, exchange.status, exchange.ends_in_crlf, true);
    for (const BodyLine& line : body_lines(exchange)) check(exchange, line.text, line.ends_in_crlf, false);
    check(exchange, ".", exchange.terminator_is_crlf, false);
  }
}

}  // namespace mailproof::judge::pop3_rules
