#include "scenario/yaml/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "scenario/yaml/complaints.h"

namespace mailproof::scenario {
namespace {

constexpr unsigned char octet(char c) { return static_cast<unsigned char>(c); }

/// Length of the UTF-8 character (RFC 3629) at the front, 0 if there is none.
std::size_t utf8_character(std::string_view text) {
  const unsigned char first = octet(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((octet(text[i]) & 0xC0U) != 0x80U) return 0;
  const unsigned char second = octet(text[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

struct Offence {
  std::size_t at;
  std::string text;
  std::string expected;
};

std::optional<Offence> offence(std::string_view line) {
  const auto indent = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  if (const auto tab = indent.find('\t'); tab != std::string_view::npos && indent.size() < line.size())
    return Offence{tab, "a tab", "spaces: YAML is not indented with tabs"};
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t length = utf8_character(line.substr(i));
    const unsigned char c = octet(line[i]);
    if (length == 0) return Offence{i, fmt::format("byte 0x{:02X}", c), "text in UTF-8"};
    if ((c < 0x20 && c != '\t') || c == 0x7F)
      return Offence{i, fmt::format("byte 0x{:02X}", c), "text, without control bytes"};
    i += length;
  }
  return std::nullopt;
}

}  // namespace

Source::Source(std::string_view text) : text_(text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
  for (std::size_t from = 0; from <= text_.size();) {
    const std::size_t to = std::min(text_.find('\n', from), text_.size());
    auto one = text_.substr(from, to - from);
    if (one.ends_with('\r')) one.remove_suffix(1);
    lines_.push_back(one);
    from = to + 1;
  }
}

std::string_view Source::line(int number) const {
  return lines_[static_cast<std::size_t>(std::clamp(number, 0, static_cast<int>(lines_.size()) - 1))];
}

Pos Source::pos(int number, int byte) const {
  const auto before = line(number).substr(0, static_cast<std::size_t>(std::max(byte, 0)));
  const auto characters =
      std::count_if(before.begin(), before.end(), [](char c) { return (octet(c) & 0xC0U) != 0x80U; });
  return {std::clamp(number, 0, static_cast<int>(lines_.size()) - 1) + 1, static_cast<int>(characters) + 1};
}

std::string_view Source::rest_of_line(int number, int byte) const {
  auto rest = line(number);
  rest.remove_prefix(std::min(static_cast<std::size_t>(std::max(byte, 0)), rest.size()));
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  return rest.substr(0, rest.find_last_not_of(" \t") + 1);
}

bool Source::quote_closes(int number, int byte) const {
  const auto one = line(number);
  if (byte < 0 || static_cast<std::size_t>(byte) >= one.size()) return true;
  const char quote = one[static_cast<std::size_t>(byte)];
  if (quote != '"' && quote != '\'') return true;
  const std::string_view stops = quote == '"' ? "\"\\" : "'";
  auto rest = text_.substr(static_cast<std::size_t>(one.data() - text_.data()) + static_cast<std::size_t>(byte) + 1);
  while (true) {
    const auto stop = rest.find_first_of(stops);
    if (stop == std::string_view::npos) return false;
    const bool doubled = quote == '\'' && rest.substr(stop + 1).starts_with(quote);
    if (rest[stop] == quote && !doubled) return true;
    rest.remove_prefix(std::min(stop + 2, rest.size()));
  }
}

bool Source::clean(Complaints& complaints) const {
  const auto before = complaints.size();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const auto found = offence(lines_[i]);
    if (!found) continue;
    complaints.at(pos(static_cast<int>(i), static_cast<int>(found->at)), found->text, found->expected);
    // A file that is not text has more of the same on every line; tabs are worth naming one by one.
    if (found->text != "a tab") break;
  }
  return complaints.size() == before;
}

}  // namespace mailproof::scenario
