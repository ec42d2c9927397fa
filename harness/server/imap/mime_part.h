#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailproof::server {

/// One header field as it stands in a message.
struct HeaderField {
  std::string_view name;
  std::string_view body;  ///< behind the colon, folds and the final CRLF still in it
  std::string_view raw;   ///< the whole of it
};

/// Calls f(const HeaderField&) for each field of a header; lines that are none are passed over.
template <class F>
void for_each_field(std::string_view header, F&& f);

/// The body of the first field of that name, unfolded and trimmed; nothing when there is none.
std::optional<std::string> header_field(std::string_view header, std::string_view name);

/// "attachment; filename=x" taken apart: the value in front, and the parameters behind it.
struct Parameterised {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names upper case
  std::string_view parameter(std::string_view name) const;      ///< empty when there is none
};
Parameterised parse_parameterised(std::string_view field);

/// A message, or a part of one (RFC 2045, RFC 2046), as views into the text it was parsed from.
struct MimePart {
  static constexpr unsigned kDepth = 50;       ///< deeper parts are not looked into
  static constexpr std::size_t kParts = 1000;  ///< of one multipart; what follows belongs to the last

  std::string_view header;  ///< with the empty line that ends it
  std::string_view body;
  std::string type;  ///< upper case; "TEXT" where nothing usable is said (RFC 2045 section 5.2)
  std::string subtype;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<MimePart> parts;  ///< of a multipart; of a message/rfc822 the one message within

  bool is_multipart() const { return type == "MULTIPART"; }
  bool is_message() const { return type == "MESSAGE" && subtype == "RFC822" && !parts.empty(); }
  std::size_t lines() const;

  static MimePart parse(std::string_view text);

  /// The part a section's numbers name, counted as RFC 3501 section 6.4.5 says; null when there is none.
  const MimePart* find(std::span<const std::uint32_t> numbers) const;
};

/// Where a header ends and the body begins: behind the first empty line.
std::size_t header_size(std::string_view text);

template <class F>
void for_each_field(std::string_view header, F&& f) {
  while (!header.empty()) {
    std::size_t end = 0;
    do {
      const auto eol = header.find('\n', end);
      end = eol == std::string_view::npos ? header.size() : eol + 1;
    } while (end < header.size() && (header[end] == ' ' || header[end] == '\t'));
    const auto raw = header.substr(0, end);
    header.remove_prefix(end);
    const auto colon = raw.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    auto name = raw.substr(0, colon);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    f(HeaderField{.name = name, .body = raw.substr(colon + 1), .raw = raw});
  }
}

}  // namespace mailproof::server
