#include "core/json_text.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/utf8.h"

namespace mailproof {

void write_json_string(std::string_view text, std::string& out) {
  const auto escape = [&](std::uint32_t point) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("\\u{:04x}"), point);
  };
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++i;
    } else if (byte < 0x20 || byte == 0x7f || ((c == ':' || c == '#') && i > 0 && text[i - 1] == c)) {
      escape(byte);
      ++i;
    } else if (byte < 0x80) {
      out += c;
      ++i;
    } else if (const Utf8Point point = utf8_point(text.substr(i)); point.length != 0) {
      if (is_unseen_command(point.value))
        escape(point.value);
      else
        out.append(text.substr(i, point.length));
      i += point.length;
    } else {
      escape(0xfffd);
      ++i;
    }
  }
  out += '"';
}

TextPlace place_in(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(text.size(), byte == 0 ? 0 : byte - 1));
  const auto start = before.rfind('\n');
  return {1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')),
          before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1};
}

}  // namespace mailproof
