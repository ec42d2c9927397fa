#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "history/wire_bytes.h"

namespace mailproof::judge {

/// The bytes of a POP3 connection: "C: " and "S: " lines get CRLF, "C!: " and "S!: " are bytes as they are, "TLS" is
/// where it came up. Every entry is a piece of its own.
inline history::WireBytes wire_talk(std::initializer_list<std::string_view> entries) {
  history::WireBytes out;
  out.label = "alice#1";
  bool secured = false;
  for (const std::string_view entry : entries) {
    if (entry == "TLS") {
      secured = true;
      continue;
    }
    const bool raw = entry.substr(1, 1) == "!";
    std::string bytes(entry.substr(raw ? 4 : 3));
    if (!raw) bytes += "\r\n";
    out.pieces.push_back({entry.front() == 'S', secured, Time{}, std::move(bytes)});
  }
  out.end = EndReason::closed;
  return out;
}

}  // namespace mailproof::judge
