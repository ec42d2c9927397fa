#include "report/escape.h"

#include <fmt/format.h>

#include <cstdint>

#include "core/without_commands.h"

namespace mailproof::report {
namespace {

struct Point {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< octets; 0 = not UTF-8
};

/// UTF8-octets of RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
Point decode(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t value = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return {};
    value = value << 6U | (at(i) & 0x3fU);
  }
  if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000)) return {};
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return {};
  return {value, length};
}

/// C0 and C1 controls (U+0085 is a line end to some), the other line ends of Unicode, bidirectional marks and overrides
/// (they reorder what a person reads), and what XML 1.0 forbids.
bool harmless(std::uint32_t point) {
  if (point < 0x20) return point == '\n' || point == '\t';
  if (point >= 0x7f && point <= 0x9f) return false;
  if (point == 0x61c || point == 0x200e || point == 0x200f) return false;
  if ((point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return false;
  return point != 0xfffe && point != 0xffff;
}

std::string replaced(std::string_view text, std::string_view special, std::string_view (*with)(char)) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) == std::string_view::npos)
      out += c;
    else
      out += with(c);
  }
  return out;
}

}  // namespace

std::string plain(std::string_view given) {
  const std::string broken = without_commands(given);
  std::string_view text = broken;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Point point = decode(text);
    const std::size_t length = point.length == 0 ? 1 : point.length;
    if (point.length != 0 && harmless(point.value)) {
      out += text.substr(0, length);
    } else if (text.starts_with("\r\n")) {
      // A line end as the protocols write it is a line end.
    } else {
      for (std::size_t i = 0; i < length; ++i) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[i]));
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto colour = text.find("\x1b[");
    const auto digits = colour == std::string_view::npos ? colour : text.find_first_not_of("0123456789;", colour + 2);
    if (digits != std::string_view::npos && text[digits] == 'm') {
      out += plain(text.substr(0, colour));
      out += text.substr(colour, digits + 1 - colour);
      text.remove_prefix(digits + 1);
    } else {
      const std::size_t taken = colour == std::string_view::npos ? text.size() : colour + 1;
      out += plain(text.substr(0, taken));
      text.remove_prefix(taken);
    }
  }
  return out;
}

std::string harmless_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Point point = decode(json);
    const std::size_t length = point.length == 0 ? 1 : point.length;
    // Two of a kind stand only in texts.
    const bool twice = !out.empty() && out.back() == json.front() && (json.front() == ':' || json.front() == '#');
    if (twice || (point.value >= 0x7f && point.value < 0x10000 && !harmless(point.value)))
      out += fmt::format("\\u{:04x}", point.value);
    else
      out += json.substr(0, length);
    json.remove_prefix(length);
  }
  return out;
}

std::string one_line(std::string_view text, std::string_view between) {
  std::string out;
  for (const char c : plain(text)) {
    if (c == '\n')
      out += between;
    else
      out += c == '\t' ? ' ' : c;
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t most) {
  std::string out = one_line(text);
  if (out.size() <= most) return out;
  std::size_t end = most < 3 ? 0 : most - 3;
  while (end > 0 && (static_cast<std::uint8_t>(out[end]) & 0xc0U) == 0x80) --end;
  return out.substr(0, end) + "...";
}

std::string xml(std::string_view text) {
  return replaced(plain(text), "&<>\"'", [](char c) -> std::string_view {
    switch (c) {
      case '&':
        return "&amp;";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '"':
        return "&quot;";
      default:
        return "&apos;";
    }
  });
}

std::string markdown(std::string_view text) {
  return replaced(one_line(text), "\\`*_[]<>|#&~", [](char c) -> std::string_view {
    switch (c) {
      case '\\':
        return "\\\\";
      case '`':
        return "\\`";
      case '*':
        return "\\*";
      case '_':
        return "\\_";
      case '[':
        return "\\[";
      case ']':
        return "\\]";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '|':
        return "\\|";
      case '#':
        return "\\#";
      case '~':
        return "\\~";
      default:
        return "&amp;";
    }
  });
}

}  // namespace mailproof::report
