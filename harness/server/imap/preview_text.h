#pragma once
#include <string>
#include <string_view>

namespace mailproof::server {

/// What people see of a message in a list (RFC 8970 section 3.3): its first text, decoded, without markup, blanks and
/// line ends as one blank, at most 200 characters of UTF-8. Empty where there is no text that could be shown.
std::string preview_text(std::string_view message);

}  // namespace mailproof::server
