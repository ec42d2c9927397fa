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
    // At the end of a sentence, or before a name: 192.168.1.7.dsl.example. With a fifth number it is none.
    const bool fifth = at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1]);
    if (part == 3) return fifth || (at < text.size() && in_word(text[at])) ? 0 : at;
    if (at >= text.size() || text[at] != '.') return 0;
    ++at;
  }
  return 0;
}

/// "192-168-1-7", as it stands in the names that providers give their customers; 0 = it is none.
std::size_t joined_length(std::string_view text) {
  const std::size_t first = text.find_first_not_of("0123456789");
  if (first == std::string_view::npos || (text[first] != '-' && text[first] != '_')) return 0;
  std::string dotted(text.substr(0, 16));
  std::replace(dotted.begin(), dotted.end(), text[first], '.');
  const std::size_t size = ipv4_length(dotted);
  return size != 0 && (size == text.size() || (!in_word(text[size]) && size < 16)) ? size : 0;
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
  // The last four octets may be written as of IPv4 (RFC 4291 section 2.2).
  if (colons >= 2 && at < text.size() && text[at] == '.') {
    const std::size_t tail = text.rfind(':', at) + 1;
    const std::size_t dotted = ipv4_length(text.substr(tail));
    if (dotted != 0) return tail + dotted;
  }
  const bool ends = at == text.size() || !in_word(text[at]);
  return ends && colons >= 2 && (letters || colons > 2) && at >= 6 ? at : 0;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The octet of "\\xd0", beyond ASCII; -1 = it is no such escape.
int escaped_octet(std::string_view text) {
  if (text.size() < 4 || text[0] != '\\' || text[1] != 'x') return -1;
  const int high = hex_digit(text[2]), low = hex_digit(text[3]);
  return high >= 8 && low >= 0 ? high * 16 + low : -1;
}

constexpr std::string_view kMonths = " jan feb mar apr may jun jul aug sep oct nov dec ";

/// "02-Mar-2026", "Mar  2": the month of a date, and nobody's name.
bool is_in_date(std::string_view text, std::size_t begin, std::size_t end) {
  const auto digit_at = [&](std::size_t at) { return at < text.size() && is_digit(text[at]); };
  const bool before = begin >= 2 && (text[begin - 1] == ' ' || text[begin - 1] == '-') && digit_at(begin - 2);
  const bool after = end + 1 < text.size() && (text[end] == ' ' || text[end] == '-') &&
                     (digit_at(end + 1) || (text[end + 1] == ' ' && digit_at(end + 2)));
  return before || after;
}

/// What every mailbox, and every flag, is called.
constexpr std::string_view kEverybodys =
    " inbox sent drafts draft trash junk spam archive archives all flagged important deleted answered seen recent mail "
    "nonjunk notjunk forwarded mdnsent phishing items messages ";

bool is_among(std::string_view word, std::string_view list) {
  return list.find(fmt::format(" {} ", word)) != std::string_view::npos;
}

bool is_number(std::string_view word) { return std::all_of(word.begin(), word.end(), is_digit); }

}  // namespace

Word take_word(std::string_view text) {
  Word out;
  while (out.written < text.size()) {
    const std::string_view rest = text.substr(out.written);
    const int octet = escaped_octet(rest);
    if (octet < 0 && !in_word(rest.front())) break;
    out.octets += octet < 0 ? rest.front() : static_cast<char>(octet);
    out.written += octet < 0 ? 1 : 4;
  }
  return out;
}

bool is_number_of_protocol(std::string_view text, std::size_t begin, std::size_t size) {
  if (!is_number(text.substr(begin, size))) return false;
  const std::string_view before = text.substr(0, begin), behind = text.substr(begin + size);
  if (before == "* ") return true;
  if (before.ends_with('{')) return behind.starts_with('}') || behind.starts_with("+}");
  for (const std::string_view word : {"UID ", "SIZE "})
    if (before.size() >= word.size() && iequals(before.substr(before.size() - word.size()), word) &&
        (before.size() == word.size() || !in_word(before[before.size() - word.size() - 1])))
      return true;
  constexpr std::size_t kYear = 4, kMonthAndDay = 6;  // "2-Mar-", "2 Mar "
  if (size != kYear) return false;
  if (before.size() >= kMonthAndDay) {
    const std::string_view date = before.substr(before.size() - kMonthAndDay);
    const bool joined = (date[1] == '-' || date[1] == ' ') && date[1] == date[5];
    if (is_digit(date[0]) && joined && is_among(lower(date.substr(2, 3)), kMonths)) return true;
  }
  // RFC 3339: 2026-03-02T09:15:00. Without a time it may be what a mailbox is called.
  constexpr std::string_view kForm = "-dd-ddTdd:";
  if (behind.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == 'd'   ? is_digit(behind[i])
                      : kForm[i] == 'T' ? behind[i] == 'T' || behind[i] == ' '
                                        : behind[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

void Pseudonyms::name(std::string_view text) {
  constexpr std::size_t kShortestNumber = 3;  // shorter ones are everywhere
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Word next = take_word(text.substr(at));
    const std::string word = lower(next.octets);
    at += next.written;
    if (word.size() > 1 && !is_among(word, kEverybodys) && !(is_number(word) && word.size() < kShortestNumber))
      names_.insert(word);
  }
}

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

bool Pseudonyms::stays(std::string_view word, bool digits, bool of_protocol) const {
  const bool number = is_number(word);
  if (!of_protocol && names_.contains(std::string(word)) && (number || !ours_.contains(std::string(word))))
    return false;
  if (!number) return is_vocabulary(word) || ours_.contains(std::string(word));
  if (digits) return false;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return word.size() <= kShortNumber ||
         (error == std::errc() && end == word.data() + word.size() && numbers_.contains(value));
}

std::string Pseudonyms::word(std::string_view original, bool digits, bool always, bool of_protocol) {
  const std::string key = lower(original);
  if (!always && stays(key, digits, of_protocol)) return std::string(original);
  auto [known, fresh] = words_.try_emplace(key);
  // Two words never become one, nor a word of the vocabulary; of short ones there may be no other left.
  for (std::uint64_t round = 0; fresh; ++round) {
    std::uint64_t state = hash_of(key, key_ + round);
    std::string made = key;
    for (char& c : made) {
      state = mixed(state);
      c = is_digit(c) ? static_cast<char>('0' + state % 10) : static_cast<char>('a' + state % 26);
    }
    const bool good = made != key && !is_vocabulary(made) && !taken_.contains(made) && !names_.contains(made);
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
  const bool ours = original.starts_with("127.") || original == "::1" || original == "0.0.0.0" ||
                    original.find(":127.") != std::string_view::npos;
  if (ours) return std::string(original);
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
    const std::string_view rest = original.substr(at);
    const bool begins = at == 0 || !in_word(original[at - 1]);
    if (begins && (in_word(rest.front()) || rest.front() == ':')) {
      const bool goes_on = at >= 2 && original[at - 1] == '.' && is_digit(original[at - 2]);
      std::size_t size = goes_on ? 0 : ipv4_length(rest);
      if (size == 0) size = ipv6_length(rest);
      if (size > 0) {
        out += address(rest.substr(0, size));
        at += size;
        continue;
      }
      if (size = joined_length(rest); size > 0) {
        const char joint = rest[rest.find_first_not_of("0123456789")];
        std::string dotted(rest.substr(0, size));
        std::replace(dotted.begin(), dotted.end(), joint, '.');
        dotted = address(dotted);
        std::replace(dotted.begin(), dotted.end(), '.', joint);
        out += dotted;
        at += size;
        continue;
      }
    }
    const Word next = take_word(rest);
    if (next.written == 0) {
      out += original[at++];
      continue;
    }
    // The escapes of a log are no words: \x0a.
    if (rest.front() == 'x' && at > 0 && original[at - 1] == '\\' && rest.size() > 2) {
      out += digits ? "x3f" : rest.substr(0, 3);
      at += 3;
      continue;
    }
    const bool month = is_among(lower(next.octets), kMonths);
    const bool dated = month && is_in_date(original, at, at + next.written);
    const bool of_protocol = !digits && is_number_of_protocol(original, at, next.written);
    const std::string made = dated ? next.octets : word(next.octets, digits, month, of_protocol);
    // As long as it was: what was written as an escape is one again.
    for (std::size_t from = at, i = 0; i < made.size(); ++i) {
      const bool escape = escaped_octet(original.substr(from)) >= 0;
      if (escape)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(made[i]));
      else
        out += made[i];
      from += escape ? 4 : 1;
    }
    at += next.written;
  }
  return out;
}

std::set<std::string> Pseudonyms::replaced_words() const {
  std::set<std::string> out;
  for (const auto& [original, made] : words_) {
    if (!is_number(original) || !stays(original, false, true)) out.insert(original);
  }
  return out;
}

std::set<std::string> Pseudonyms::replaced_names() const {
  std::set<std::string> out;
  for (const auto& [original, made] : words_)
    if (names_.contains(original) && !is_among(original, kMonths)) out.insert(original);
  return out;
}

std::set<std::string> Pseudonyms::replaced_addresses() const {
  std::set<std::string> out;
  for (const auto& [original, made] : addresses_) out.insert(lower(original));
  return out;
}

}  // namespace mailproof::imports
