#include "wire/mime/structure.h"

#include <algorithm>

#include "core/bytes.h"
#include "wire/mime/header.h"
#include "wire/mime/tokens.h"

namespace mailproof::mime {
namespace {

std::vector<std::string> parse_languages(std::string_view body) {
  std::vector<std::string> languages;
  while (languages.size() < 16) {
    skip_cfws(body);
    const std::string_view tag = take_until(body, ",(");
    if (!tag.empty()) languages.emplace_back(tag);
    skip_cfws(body);
    if (!body.starts_with(',')) break;
    body.remove_prefix(1);
  }
  return languages;
}

std::string first_token_upper(std::string_view body) {
  skip_cfws(body);
  return upper(take_until(body, "();"));
}

class Builder {
 public:
  Builder(std::string_view message, StructureLimits limits) : message_(message), limits_(limits) {}

  /// `digest`: parts of multipart/digest default to message/rfc822 (RFC 2046 section 5.1.5).
  Part entity(Range where, std::size_t depth, bool digest) {
    Part part;
    const std::size_t header = header_size(where.of(message_));
    part.header = {where.begin, where.begin + header};
    part.body = {where.begin + header, where.end};
    if (digest) {
      part.content_type.type = "message";
      part.content_type.subtype = "rfc822";
    }
    read_fields(part);
    const std::string_view body = part.body.of(message_);
    part.lines = static_cast<std::uint64_t>(std::count(body.begin(), body.end(), '\n'));
    if (depth < limits_.depth) descend(part, depth);
    return part;
  }

 private:
  void read_fields(Part& part) {
    std::string_view rest = part.header.of(message_);
    bool typed = false;
    while (const auto field = take_field(rest)) {
      if (!istarts_with(field->name, "content-")) continue;
      const std::string name = lower(field->name.substr(8));
      if (name == "type" && !typed) {
        part.content_type = parse_content_type(field->body);
        typed = true;
      } else if (name == "transfer-encoding") {
        part.encoding = first_token_upper(field->body);
        if (part.encoding.empty()) part.encoding = "7BIT";
      } else if (name == "id") {
        part.id = unfold(field->body);
      } else if (name == "description") {
        part.description = unfold(field->body);
      } else if (name == "md5") {
        part.md5 = unfold(field->body);
      } else if (name == "disposition") {
        part.disposition = parse_parameterized(field->body);
      } else if (name == "language") {
        part.languages = parse_languages(field->body);
      } else if (name == "location") {
        part.location = unfold(field->body);
      }
    }
  }

  void descend(Part& part, std::size_t depth) {
    if (part.is_multipart()) {
      const std::size_t room = limits_.parts - std::min(limits_.parts, made_);
      const Multipart cut = split_multipart(message_, part.body, part.content_type.parameter("boundary"), room);
      made_ += cut.parts.size();
      const bool digest = part.content_type.subtype == "digest";
      for (const Range range : cut.parts) part.parts.push_back(entity(range, depth + 1, digest));
    } else if (part.is_message() && part.body.size() != 0 && made_ < limits_.parts) {
      ++made_;
      part.parts.push_back(entity(part.body, depth + 1, false));
    }
  }

  std::string_view message_;
  StructureLimits limits_;
  std::size_t made_ = 0;
};

}  // namespace

Part parse_structure(std::string_view message, StructureLimits limits) {
  return Builder(message, limits).entity({0, message.size()}, 0, false);
}

const Part* find_part(const Part& root, std::span<const std::uint32_t> section) {
  const Part* part = &root;
  bool at_message = true;  // a message's own body is numbered from its root; a leaf's only number is 1
  for (const std::uint32_t number : section) {
    if (!at_message && part->is_message() && !part->parts.empty()) {
      part = &part->parts.front();
      at_message = true;
    }
    if (number == 0) return nullptr;
    if (part->is_multipart() && !part->parts.empty()) {
      if (number > part->parts.size()) return nullptr;
      part = &part->parts[number - 1];
    } else if (number != 1 || !at_message) {
      return nullptr;
    }
    at_message = false;
  }
  return part;
}

}  // namespace mailproof::mime
