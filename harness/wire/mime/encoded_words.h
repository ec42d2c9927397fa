#pragma once
#include <string>
#include <string_view>

namespace mailproof::mime {

/// Text for a header (RFC 2047): as it is where it is ASCII, else encoded words of UTF-8 in base64, none longer than 75
/// octets, folded between them. `text` is UTF-8; no character is cut.
std::string encoded_words(std::string_view text);

/// What a header's text means, as far as its words are UTF-8, US-ASCII or ISO 8859-1; other words stay as they are.
/// Unfolded text.
std::string decoded_words(std::string_view text);

}  // namespace mailproof::mime
