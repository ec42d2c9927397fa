#pragma once
#include <string>
#include <string_view>

namespace mailproof::server {

/// What SEARCH compares with (RFC 9051 section 6.4.4: transfer encodings and encoded words "MUST be decoded before
/// comparing text"). Charsets stay as they are: UTF-8 is found by UTF-8.

/// An unfolded header field with its encoded words (RFC 2047) decoded; the blanks between two of them are none.
std::string searched_field(std::string_view field);
/// The text of a message without headers: of each leaf its body decoded from base64 or quoted-printable.
std::string searched_body(std::string_view message);

}  // namespace mailproof::server
