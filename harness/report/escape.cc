#include "report/escape.h"

#include <fmt/format.h>

#include <cstdint>

#include "core/utf8.h"
#include "core/without_commands.h"

namespace mailproof::report {
namespace {

/// No control character or mark that is obeyed rather than read, and nothing that XML 1.0 forbids.
bool harmless(std::uint32_t point) {
  if (point < 0x20) return point == '\n' || point == '\t';
  return point != 0x7f && !is_unseen_command(point) && point != 0xfffe && point != 0xffff;
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
    const Utf8Point point = utf8_point(text);
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
    const Utf8Point point = utf8_point(json);
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

std::string page_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\' || c == '<' || c == '>' || c == '&')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace mailproof::report
