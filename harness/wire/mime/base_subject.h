#pragma once
#include <string>
#include <string_view>

namespace mailproof::mime {

/// What SORT and THREAD compare of a subject (RFC 5256 section 2.1).
struct BaseSubject {
  std::string text;    ///< UTF-8, without "Re:", "Fwd:", "[list]" and "(fwd)"; may be empty
  bool reply = false;  ///< something was taken away that says "reply" or "forward": what REFERENCES asks in its step 5
};

/// `subject` is an unfolded field body; its encoded words are decoded first.
BaseSubject base_subject(std::string_view subject);

/// A text by which strings are compared without regard to case: i;unicode-casemap (RFC 5051) for the Latin, Greek and
/// Cyrillic letters that have one octet sequence, without the decomposition of accents. What is no UTF-8 stays.
std::string casemapped(std::string_view text);

}  // namespace mailproof::mime
