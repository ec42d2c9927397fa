#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mailproof {

/// A word, and the enumerator or other value it stands for. Where several words mean the same, the first one is
/// printed.
template <class E>
struct Word {
  std::string_view word;
  E meaning;
};

template <class E, std::size_t N>
constexpr std::string_view word_for(const Word<E> (&table)[N], E meaning) {
  // A table in the enumeration's order has it at its own place.
  if constexpr (std::is_enum_v<E>)
    if (const auto at = static_cast<std::size_t>(meaning); at < N && table[at].meaning == meaning)
      return table[at].word;
  for (const auto& entry : table)
    if (entry.meaning == meaning) return entry.word;
  return "?";
}

template <class E, std::size_t N>
constexpr std::optional<E> meaning_of(const Word<E> (&table)[N], std::string_view word) {
  for (const auto& entry : table)
    if (entry.word == word) return entry.meaning;
  return std::nullopt;
}

template <class E, std::size_t N>
std::vector<std::string> words_of(const Word<E> (&table)[N]) {
  std::vector<std::string> out;
  for (const auto& entry : table) out.emplace_back(entry.word);
  return out;
}

/// Whether the enumeration has an enumerator of this value: g++ and clang write its name, or else a cast, "(E)7".
template <auto Value>
constexpr bool is_enumerator() {
  constexpr std::string_view told = __PRETTY_FUNCTION__;
  return told.find(" = (") == std::string_view::npos;
}

/// Whether each enumerator from 0 on has its word, in order, none twice and none left out: for a static_assert, which a
/// new enumerator without a word breaks.
template <class E, std::size_t N>
constexpr bool complete(const Word<E> (&table)[N]) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i].meaning != static_cast<E>(i) || table[i].word.empty()) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (table[j].word == table[i].word) return false;
  }
  return is_enumerator<static_cast<E>(N - 1)>() && !is_enumerator<static_cast<E>(N)>();
}

}  // namespace mailproof
