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
