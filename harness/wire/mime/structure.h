#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/mime/content_type.h"
#include "wire/mime/multipart.h"

namespace mailproof::mime {

/// One MIME entity of a message, as offsets into it: all that BODYSTRUCTURE, BODY[section] and reports need.
struct Part {
  Range header;  ///< with the empty line
  Range body;
  ContentType content_type;
  std::optional<std::string> id;  ///< Content-ID
  std::optional<std::string> description;
  std::string encoding = "7BIT";  ///< upper-case
  std::optional<std::string> md5;
  std::optional<ParameterizedValue> disposition;
  std::vector<std::string> languages;
  std::optional<std::string> location;
  std::uint64_t lines = 0;  ///< of the body: line ends in it
  std::vector<Part> parts;  ///< of a multipart; of message/rfc822 exactly one: the enclosed message
  bool is_multipart() const { return content_type.type == "multipart"; }
  bool is_message() const { return content_type.is("message", "rfc822"); }
};

struct StructureLimits {
  std::size_t depth = 32;    ///< deeper entities stay whole: their text is not looked into
  std::size_t parts = 1000;  ///< in all
};

/// Never fails: what is malformed becomes a leaf. A multipart without a single part is read as text/plain would be,
/// with its type kept. Time is linear in size times depth.
Part parse_structure(std::string_view message, StructureLimits limits = {});

/// The part that a section number means (RFC 3501 section 6.4.5): {} is the message, {2, 1} the first part of the
/// second. Numbers below message/rfc822 go into the enclosed message; of an entity that has no parts, 1 is the entity
/// itself.
const Part* find_part(const Part& root, std::span<const std::uint32_t> section);

}  // namespace mailproof::mime
