#pragma once
#include <string>
#include <string_view>

namespace mailproof {

/// Appends a JSON string literal (RFC 8259 section 7), whatever octets the text has. What is not UTF-8 becomes U+FFFD.
/// Control characters, what reorders a line, and the second of "::" and "##", behind which CIs read commands, stand as
/// \uNNNN and read back as what they are.
void write_json_string(std::string_view text, std::string& out);

}  // namespace mailproof
