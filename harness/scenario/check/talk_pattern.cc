#include "scenario/check/talk_pattern.h"

#include <utility>

namespace mailproof::scenario {

std::size_t closing_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::vector<TalkPart> cut_pattern(std::string_view text) {
  std::vector<TalkPart> out;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) out.push_back({std::exchange(literal, {}), std::nullopt});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "${") {
      literal += text[i];
      continue;
    }
    const auto end = closing_brace(text, i + 1);
    if (end == std::string_view::npos) {
      literal += text[i];
      continue;
    }
    flush();
    const std::string_view inside = text.substr(i + 2, end - i - 2);
    const auto colon = inside.find(':');
    TalkVariable variable{std::string(inside.substr(0, colon)),
                          colon == std::string_view::npos ? "" : std::string(inside.substr(colon + 1))};
    out.push_back({"", std::move(variable)});
    i = end;
  }
  flush();
  return out;
}

bool is_own_mailbox(std::string_view name) {
  if (name == "sep") return true;
  const bool token = name.starts_with("token");
  if (!token && !name.starts_with("box")) return false;
  std::string_view rest = name.substr(token ? 5 : 3);
  if (!rest.empty() && rest.front() >= '2' && rest.front() <= '9') rest.remove_prefix(1);
  if (token) return rest.empty();
  for (char before = '\0'; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    const bool part = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!part && c != '/') return false;
    if (before == '\0' ? c != '/' : c == '/' && before == '/') return false;
    if (c == '/' && rest.size() == 1) return false;
    before = c;
  }
  return true;
}

std::vector<std::string> pattern_words(std::string_view pattern) {
  std::vector<std::string> out;
  std::string word;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == ' ') {
      if (!word.empty()) out.push_back(std::exchange(word, {}));
      continue;
    }
    const bool opens = pattern[i] == '{' || pattern.substr(i, 2) == "${";
    const auto end = opens ? closing_brace(pattern, pattern[i] == '{' ? i : i + 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      word += pattern[i];
      continue;
    }
    word += pattern.substr(i, end - i + 1);
    i = end;
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

}  // namespace mailproof::scenario
