#pragma once
#include <string>
#include <string_view>

/// The lexical pieces of RFC 5322 section 3.2 and RFC 2045 section 5.1, each taken off the front of `rest`.
namespace mailproof::mime {

/// CFWS: blanks, line ends and comments, nested to any depth without recursion. The text of the last comment goes to
/// `comment`.
void skip_cfws(std::string_view& rest, std::string* comment = nullptr);

/// quoted-string with its quotes removed and quoted pairs undone; one that has no end runs to the end.
/// `rest` must begin with the quote.
std::string take_quoted(std::string_view& rest);

/// Everything up to a blank, a control or one of `specials`; bytes outside ASCII are let through.
std::string_view take_until(std::string_view& rest, std::string_view specials);

}  // namespace mailproof::mime
