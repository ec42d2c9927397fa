#include "wire/mime/tokens.h"

#include <cstddef>

namespace mailproof::mime {
namespace {

/// comment = "(" *([FWS] ccontent) [FWS] ")"; ccontent may be a comment
void skip_comment(std::string_view& rest, std::string* text) {
  if (text != nullptr) text->clear();
  std::size_t depth = 0;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '\\' && i + 1 < rest.size()) {
      ++i;
      if (text != nullptr) *text += rest[i];
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) break;
    const bool outermost_paren = c == '(' && depth == 1;
    if (text != nullptr && !outermost_paren && c != '\r' && c != '\n') *text += c;
  }
  rest.remove_prefix(i < rest.size() ? i + 1 : i);
}

}  // namespace

void skip_cfws(std::string_view& rest, std::string* comment) {
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      rest.remove_prefix(1);
    } else if (c == '(') {
      skip_comment(rest, comment);
    } else {
      return;
    }
  }
}

std::string take_quoted(std::string_view& rest) {
  std::string out;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return out;
    if (c == '\\' && !rest.empty()) {
      c = rest.front();
      rest.remove_prefix(1);
    } else if (c == '\r' || c == '\n') {
      continue;
    }
    out += c;
  }
  return out;
}

std::string_view take_until(std::string_view& rest, std::string_view specials) {
  std::size_t end = 0;
  while (end < rest.size()) {
    const auto octet = static_cast<unsigned char>(rest[end]);
    if (octet <= ' ' || octet == 0x7f || specials.find(rest[end]) != std::string_view::npos) break;
    ++end;
  }
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(end);
  return token;
}

}  // namespace mailproof::mime
