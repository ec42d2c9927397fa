#include "wire/mime/address.h"

#include <cstddef>
#include <utility>

#include "wire/mime/tokens.h"

namespace mailproof::mime {
namespace {

constexpr std::size_t kMost = 10'000;
constexpr std::string_view kSpecials = "()<>[]:;@\\,\"";  // RFC 5322 section 3.2.3, without the dot

bool begins_address(char c) {
  const auto octet = static_cast<unsigned char>(c);
  if (octet <= ' ' || octet == 0x7f) return false;
  return c == '"' || c == '<' || kSpecials.find(c) == std::string_view::npos;
}

/// Words of a phrase or local part, joined by one space; the dots of dot-atoms stay inside their words.
struct Words {
  std::string text;
  std::string comment;
  bool any = false;
};

Words take_words(std::string_view& rest) {
  Words words;
  while (true) {
    skip_cfws(rest, &words.comment);
    if (rest.empty()) return words;
    std::string word;
    if (rest.front() == '"') {
      word = take_quoted(rest);
    } else {
      word = take_until(rest, kSpecials);
      if (word.empty()) return words;
    }
    if (words.any) words.text += ' ';
    words.text += word;
    words.any = true;
  }
}

/// domain = dot-atom / domain-literal
std::string take_domain(std::string_view& rest) {
  std::string comment;
  skip_cfws(rest, &comment);
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    const std::string literal(rest.substr(0, end == std::string_view::npos ? end : end + 1));
    rest.remove_prefix(literal.size());
    return literal;
  }
  return std::string(take_until(rest, kSpecials));
}

/// obs-route = obs-domain-list ":"
std::optional<std::string> take_route(std::string_view& rest) {
  skip_cfws(rest);
  if (!rest.starts_with('@')) return std::nullopt;
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string route(rest.substr(0, colon));
  rest.remove_prefix(colon + 1);
  return route;
}

void take_addr_spec(std::string_view& rest, Words& local, Address& address) {
  address.mailbox = local.text;
  address.host = "";
  skip_cfws(rest, &local.comment);
  if (!rest.starts_with('@')) return;
  rest.remove_prefix(1);
  address.host = take_domain(rest);
}

}  // namespace

/// address = mailbox / group; mailbox = name-addr / addr-spec; group = display-name ":" [group-list] ";"
std::vector<Address> parse_addresses(std::string_view rest) {
  std::vector<Address> list;
  bool in_group = false;
  while (list.size() < kMost) {
    Words words = take_words(rest);
    if (rest.empty() && !words.any) break;
    Address address;
    const char next = rest.empty() ? '\0' : rest.front();
    if (next == ':' && words.any && !in_group) {
      rest.remove_prefix(1);
      in_group = true;
      address.mailbox = words.text;
      list.push_back(std::move(address));
      continue;
    }
    if (next == '<') {
      rest.remove_prefix(1);
      if (words.any) address.name = words.text;
      address.route = take_route(rest);
      Words local = take_words(rest);
      take_addr_spec(rest, local, address);
      const std::size_t close = rest.find_first_of(">,;");
      rest.remove_prefix(close == std::string_view::npos ? rest.size() : close);
      if (rest.starts_with('>')) rest.remove_prefix(1);
      list.push_back(std::move(address));
    } else if (words.any) {
      take_addr_spec(rest, words, address);
      skip_cfws(rest, &words.comment);
      if (!words.comment.empty()) address.name = words.comment;
      list.push_back(std::move(address));
    }
    skip_cfws(rest);
    if (rest.starts_with(';') && std::exchange(in_group, false)) list.emplace_back();
    // What cannot begin an address separates two of them or has no meaning.
    if (!rest.empty() && !begins_address(rest.front())) rest.remove_prefix(1);
  }
  if (in_group) list.emplace_back();
  return list;
}

}  // namespace mailproof::mime
