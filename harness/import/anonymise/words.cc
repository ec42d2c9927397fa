#include "import/anonymise/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"

namespace mailproof::imports {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Octets of UTF-8 beyond ASCII count as letters: whatever they mean, they go.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool in_word(char c) { return is_letter(c) || is_digit(c); }

std::uint64_t mixed(std::uint64_t x) {  // splitmix64: a permutation
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t key) {
  std::uint64_t out = mixed(key);
  for (const char c : text) out = mixed(out ^ static_cast<unsigned char>(c));
  return out;
}

constexpr std::size_t kShortNumber = 4;  ///< digits: message numbers, hours, reply codes

/// "192.168.1.7" at the beginning of a text: how long it is; 0 = there is none.
std::size_t ipv4_length(std::string_view text) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    std::size_t digits = 0;
    while (at + digits < text.size() && is_digit(text[at + digits])) ++digits;
    if (digits == 0 || digits > 3) return 0;
    at += digits;
    if (part == 3) return at < text.size() && (in_word(text[at]) || text[at] == '.') ? 0 : at;
    if (at >= text.size() || text[at] != '.') return 0;
    ++at;
  }
  return 0;
}

/// "2001:db8::7": at least two colons, and nothing but what an address has.
std::size_t ipv6_length(std::string_view text) {
  std::size_t at = 0, colons = 0;
  bool letters = false;
  for (; at < text.size(); ++at) {
    const char c = to_lower(text[at]);
    if (c == ':')
      ++colons;
    else if (is_digit(c) || (c >= 'a' && c <= 'f'))
      letters = letters || !is_digit(c);
    else
      break;
  }
  const bool ends = at == text.size() || !in_word(text[at]);
  return ends && colons >= 2 && (letters || colons > 2) && at >= 6 ? at : 0;
}

}  // namespace

void Pseudonyms::keep_word(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    if (at > begin) ours_.insert(lower(text.substr(begin, at - begin)));
    if (at < text.size()) ++at;
  }
}

std::uint64_t Pseudonyms::hash(std::uint64_t original) const {
  return original == 0 ? 0 : mixed(original ^ mixed(key_));
}

bool Pseudonyms::stays(std::string_view word, bool digits) const {
  const bool number = std::all_of(word.begin(), word.end(), is_digit);
  if (!number) return is_vocabulary(word) || ours_.contains(std::string(word));
  if (digits) return false;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return word.size() <= kShortNumber ||
         (error == std::errc() && end == word.data() + word.size() && numbers_.contains(value));
}

std::string Pseudonyms::word(std::string_view original, bool digits) {
  const std::string key = lower(original);
  if (stays(key, digits)) return std::string(original);
  auto [known, fresh] = words_.try_emplace(key);
  // Two words never become one, nor a word of the vocabulary; of short ones there may be no other left.
  for (std::uint64_t round = 0; fresh; ++round) {
    std::uint64_t state = hash_of(key, key_ + round);
    std::string made = key;
    for (char& c : made) {
      state = mixed(state);
      c = is_digit(c) ? static_cast<char>('0' + state % 10) : static_cast<char>('a' + state % 26);
    }
    const bool good = made != key && !is_vocabulary(made) && !taken_.contains(made);
    if (!good && round < 1000) continue;
    taken_.insert(made);
    known->second = std::move(made);
    break;
  }
  std::string out = known->second;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (original[i] >= 'A' && original[i] <= 'Z') out[i] = to_upper(out[i]);
  return out;
}

/// Addresses become those that documentation has (RFC 5737, RFC 3849); this machine's own stays.
std::string Pseudonyms::address(std::string_view original) {
  if (original.starts_with("127.") || original == "::1" || original == "0.0.0.0") return std::string(original);
  auto [known, fresh] = addresses_.try_emplace(std::string(original));
  if (fresh) {
    const std::size_t number = addresses_.size();
    known->second = original.find(':') != std::string_view::npos ? fmt::format("2001:db8::{:x}", number)
                                                                 : fmt::format("{}.{}",
                                                                               number < 255   ? "192.0.2"
                                                                               : number < 509 ? "198.51.100"
                                                                                              : "203.0.113",
                                                                               number % 254 + 1);
  }
  return known->second;
}

std::string Pseudonyms::replaced(std::string_view original, bool digits) {
  std::string out;
  out.reserve(original.size());
  for (std::size_t at = 0; at < original.size();) {
    const bool begins = at == 0 || !in_word(original[at - 1]);
    if (begins && (in_word(original[at]) || original[at] == ':')) {
      std::size_t size = ipv4_length(original.substr(at));
      if (size == 0) size = ipv6_length(original.substr(at));
      if (size > 0) {
        out += address(original.substr(at, size));
        at += size;
        continue;
      }
    }
    if (!in_word(original[at])) {
      out += original[at++];
      continue;
    }
    // The escapes of a log are no words: \x0a.
    if (original[at] == 'x' && at > 0 && original[at - 1] == '\\' && at + 2 < original.size()) {
      out += digits ? "x3f" : original.substr(at, 3);
      at += 3;
      continue;
    }
    const std::size_t begin = at;
    while (at < original.size() && in_word(original[at])) ++at;
    out += word(original.substr(begin, at - begin), digits);
  }
  return out;
}

std::set<std::string> Pseudonyms::replaced_words() const {
  std::set<std::string> out;
  for (const auto& [original, made] : words_) {
    const bool number = std::all_of(original.begin(), original.end(), is_digit);
    if (!number || original.size() > kShortNumber) out.insert(original);
  }
  for (const auto& [original, made] : addresses_) out.insert(lower(original));
  return out;
}

}  // namespace mailproof::imports
