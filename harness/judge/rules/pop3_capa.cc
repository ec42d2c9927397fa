// The lines of CAPA: RFC 2449 sections 3, 5 and 6.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "judge/rules/pop3_rules.h"
#include "wire/text/words.h"

namespace mailproof::judge::pop3_rules {
namespace {

constexpr std::size_t kCapability = 512;  // RFC 2449 section 3, with CRLF

bool whole_list(const Pop3Exchange& exchange) {
  return exchange.keyword == "CAPA" && exchange.multi_line && exchange.whole;
}

/// cchar = %x21-2D / %x2F-7F
bool cchar(unsigned char c) { return c >= 0x21 && c <= 0x7f && c != '.'; }
/// VCHAR = %x21-7E
bool vchar(unsigned char c) { return c >= 0x21 && c <= 0x7e; }

/// capability = capa-tag *(SP param) CRLF ;512 octets maximum
std::string_view what_is_wrong(std::string_view line) {
  if (line.size() + 2 > kCapability) return "is longer than 512 octets";
  if (line.empty()) return "is empty";
  const std::size_t space = line.find(' ');
  const std::string_view tag = line.substr(0, space);
  if (tag.empty()) return "begins with a blank";
  if (!std::all_of(tag.begin(), tag.end(), cchar))
    return "has a tag with a dot or an octet that is not printable ASCII";
  for (std::size_t at = space; at != std::string_view::npos;) {
    const std::size_t next = line.find(' ', at + 1);
    const std::string_view param = line.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    if (param.empty()) return "has a blank with no parameter behind it";
    if (!std::all_of(param.begin(), param.end(), vchar))
      return "has a parameter with an octet that is not printable ASCII";
    at = next;
  }
  return {};
}

using Tags = std::map<std::string, std::string>;  ///< tag in upper case, its parameters

Tags tags_of(const Pop3Exchange& capa) {
  Tags out;
  for (const BodyLine& line : body_lines(capa)) {
    std::string_view rest = line.text;
    const std::string tag = upper(text::take_word(rest));
    if (!tag.empty()) out[tag] = std::string(text::trim(rest));
  }
  return out;
}

bool logs_in(const Pop3Exchange& exchange) {
  if (!exchange.positive()) return false;
  if (exchange.to == Pop3Exchange::To::response) return true;
  return exchange.keyword == "PASS" || exchange.keyword == "APOP" ||
         (exchange.keyword == "AUTH" && !exchange.argument.empty());
}

std::set<std::string> words(std::string_view text) {
  std::set<std::string> out;
  while (!text.empty())
    if (const std::string_view word = text::take_word(text); !word.empty()) out.insert(upper(word));
  return out;
}

/// Days of retention or seconds between logins. NEVER is the longest retention there is.
std::optional<std::uint64_t> number_of(std::string_view parameters) {
  const std::string_view word = text::take_word(parameters);
  if (iequals(word, "NEVER")) return ~std::uint64_t{};
  return text::parse_number<std::uint64_t>(word);
}

/// Whether the parameters after login are those that were promised before it. RFC 2449 lets only LOGIN-DELAY (section
/// 6.5: before login the largest there is) and EXPIRE (6.7: the smallest) differ; of tags that are not looked at here
/// nothing is said.
std::string_view broken_promise(const std::string& tag, const std::string& before, const std::string& after) {
  if (tag == "SASL") {
    const auto promised = words(before), kept = words(after);
    return std::includes(kept.begin(), kept.end(), promised.begin(), promised.end()) ? "" : "lacks a mechanism";
  }
  if (tag != "LOGIN-DELAY" && tag != "EXPIRE") return {};
  const auto first = number_of(before), second = number_of(after);
  if (!first || !second) return {};
  if (tag == "EXPIRE") return *second < *first ? "promises less retention" : "";
  return *second > *first ? "asks for a longer delay" : "";
}

void compare(const Pop3Exchange& before, const Pop3Exchange& after, Found& found) {
  const Tags first = tags_of(before), second = tags_of(after);
  for (const auto& [tag, parameters] : first) {
    if (tag == "STLS") continue;  // RFC 2595 section 9: announced in the AUTHORIZATION state only
    const std::string promised = printable(parameters.empty() ? tag : tag + " " + parameters, 80);
    const auto kept = second.find(tag);
    if (kept == second.end()) {
      found.push_back({fmt::format("{} after login too", promised),
                       fmt::format("CAPA lists {} before login and not after it", promised), after.excerpt()});
    } else if (const auto broken = broken_promise(tag, parameters, kept->second); !broken.empty()) {
      found.push_back({fmt::format("{} after login too", promised),
                       fmt::format("after login {} {}: {}", tag, broken, printable(kept->second, 80)),
                       after.excerpt(tag + " " + kept->second)});
    }
  }
}

}  // namespace

std::optional<bool> announced(const Pop3Exchanges& talk, std::string_view tag) {
  std::optional<bool> out;
  for (const Pop3Exchange& exchange : talk.all()) {
    if (!whole_list(exchange)) continue;
    out = out.value_or(false) || tags_of(exchange).contains(std::string(tag));
  }
  return out;
}

void capa_tag_syntax(const Pop3Exchanges& talk, Found& found) {
  for (const Pop3Exchange& exchange : talk.all()) {
    if (!whole_list(exchange)) continue;
    for (const BodyLine& line : body_lines(exchange)) {
      const std::string_view wrong = what_is_wrong(line.text);
      if (wrong.empty()) continue;
      found.push_back({"a capability of a tag without dots and parameters behind one blank each",
                       fmt::format("a line of CAPA {}: \"{}\"", wrong, printable(line.text, 80)),
                       exchange.excerpt(line.text)});
    }
  }
}

/// The last CAPA before login and the first after it, unless TLS came up between them.
void capa_subset(const Pop3Exchanges& talk, Found& found) {
  const Pop3Exchange* before = nullptr;
  bool logged_in = false;
  for (const Pop3Exchange& exchange : talk.all()) {
    if (before != nullptr && before->secured != exchange.secured) before = nullptr;
    logged_in = logged_in || logs_in(exchange);
    if (!whole_list(exchange)) continue;
    if (!logged_in) {
      before = &exchange;
      continue;
    }
    if (before != nullptr) compare(*before, exchange, found);
    return;
  }
}

}  // namespace mailproof::judge::pop3_rules
