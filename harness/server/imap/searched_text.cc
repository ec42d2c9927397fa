#include "server/imap/searched_text.h"

#include <algorithm>
#include <optional>

#include "core/bytes.h"
#include "wire/mime/structure.h"
#include "wire/mime/transfer_encoding.h"

namespace mailproof::server {
namespace {

/// The Q encoding of RFC 2047 section 4.2.
std::string from_q(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '_', ' ');
  return mime::from_quoted_printable(plain);
}

std::string decoded(std::string_view encoding, std::string_view body) {
  return mime::transfer_decoded(encoding, body).value_or(std::string(body));
}

/// "=?charset?B?text?=" off the front of `rest`.
std::optional<std::string> take_encoded_word(std::string_view& rest) {
  if (!rest.starts_with("=?")) return std::nullopt;
  const auto first = rest.find('?', 2);
  const auto second = first == std::string_view::npos ? first : rest.find('?', first + 1);
  const auto end = second == std::string_view::npos ? second : rest.find("?=", second + 1);
  if (end == std::string_view::npos || second != first + 2) return std::nullopt;
  const char how = to_lower(rest[first + 1]);
  const std::string_view text = rest.substr(second + 1, end - second - 1);
  if (how != 'b' && how != 'q') return std::nullopt;
  rest.remove_prefix(end + 2);
  return how == 'b' ? decoded("BASE64", text) : from_q(text);
}

void leaves(const mime::Part& part, std::string_view message, std::string& out) {
  for (const auto& child : part.parts) leaves(child, message, out);
  if (!part.parts.empty()) return;
  const std::string_view body = part.body.of(message);
  out += decoded(part.encoding, body);
  out += '\n';
}

}  // namespace

std::string searched_field(std::string_view field) {
  std::string out;
  while (!field.empty()) {
    if (auto word = take_encoded_word(field)) {
      out += *word;
      const auto next = std::min(field.find_first_not_of(' '), field.size());
      if (field.substr(next).starts_with("=?")) field.remove_prefix(next);
    } else {
      out += field.front();
      field.remove_prefix(1);
    }
  }
  return out;
}

std::string searched_body(std::string_view message) {
  std::string out;
  leaves(mime::parse_structure(message), message, out);
  return out;
}

}  // namespace mailproof::server
