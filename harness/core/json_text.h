#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace mailproof {

/// Appends a JSON string literal (RFC 8259 section 7), whatever octets the text has. What is not UTF-8 becomes U+FFFD.
/// Control characters, what reorders a line, and the second of "::" and "##", behind which CIs read commands, stand as
/// \uNNNN and read back as what they are.
void write_json_string(std::string_view text, std::string& out);

/// Where in a text its octet number `byte` is, counted from 1, as whoever parses JSON says it.
struct TextPlace {
  std::size_t line = 1, column = 1;
};
TextPlace place_in(std::string_view text, std::size_t byte);

}  // namespace mailproof
