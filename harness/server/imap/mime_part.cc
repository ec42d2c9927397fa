#include "server/imap/mime_part.h"

#include <algorithm>

#include "core/bytes.h"

namespace mailproof::server {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// token or quoted-string up to one of `stops`, comments left out.
std::string take_value(std::string_view& text, std::string_view stops) {
  std::string value;
  unsigned comment = 0;
  bool quoted = false;
  while (!text.empty()) {
    char c = text.front();
    if (!quoted && comment == 0 && stops.find(c) != std::string_view::npos) break;
    text.remove_prefix(1);
    if (c == '\\' && (quoted || comment > 0) && !text.empty()) {
      c = text.front();
      text.remove_prefix(1);
      if (comment == 0) value.push_back(c);
    } else if (c == '"' && comment == 0) {
      quoted = !quoted;
    } else if (c == '(' && !quoted) {
      ++comment;
    } else if (c == ')' && comment > 0) {
      --comment;
    } else if (comment == 0 && (quoted || kSpace.find(c) == std::string_view::npos)) {
      value.push_back(c);
    }
  }
  return value;
}

// delimiter := "--" boundary; the CRLF before it belongs to it (RFC 2046 section 5.1.1).
struct Delimiter {
  std::size_t before = 0;  ///< where the part before it ends
  std::size_t after = 0;   ///< where the next part begins
  bool last = false;
};

std::optional<Delimiter> next_delimiter(std::string_view body, std::size_t from, std::string_view boundary) {
  for (std::size_t line = from; line < body.size();) {
    const auto eol = std::min(body.find('\n', line), body.size() - 1);
    auto text = body.substr(line, eol + 1 - line);
    if (text.starts_with("--") && text.substr(2).starts_with(boundary)) {
      text = text.substr(2 + boundary.size());
      const bool last = text.starts_with("--");
      if (last || trimmed(text).empty()) {
        std::size_t before = line;
        if (before > from && body[before - 1] == '\n') --before;
        if (before > from && body[before - 1] == '\r') --before;
        return Delimiter{.before = before, .after = eol + 1, .last = last};
      }
    }
    line = eol + 1;
  }
  return std::nullopt;
}

MimePart parse_part(std::string_view text, unsigned depth, bool in_digest) {
  MimePart part;
  const auto size = header_size(text);
  part.header = text.substr(0, size);
  part.body = text.substr(size);
  const auto content_type = parse_parameterised(header_field(part.header, "Content-Type").value_or(""));
  const auto slash = content_type.value.find('/');
  if (slash != std::string::npos && slash > 0 && slash + 1 < content_type.value.size()) {
    part.type = upper(content_type.value.substr(0, slash));
    part.subtype = upper(content_type.value.substr(slash + 1));
    part.parameters = content_type.parameters;
  } else if (in_digest) {
    part.type = "MESSAGE";
    part.subtype = "RFC822";
  }
  if (part.is_multipart()) {
    const auto boundary = content_type.parameter("BOUNDARY");
    auto at = boundary.empty() || depth >= MimePart::kDepth ? std::nullopt : next_delimiter(part.body, 0, boundary);
    while (at && !at->last && part.parts.size() < MimePart::kParts) {
      const auto begin = at->after;
      at = next_delimiter(part.body, begin, boundary);
      const auto end = at ? at->before : part.body.size();
      part.parts.push_back(
          parse_part(part.body.substr(begin, end - std::min(begin, end)), depth + 1, part.subtype == "DIGEST"));
    }
  } else if (part.type == "MESSAGE" && part.subtype == "RFC822" && depth < MimePart::kDepth) {
    part.parts.push_back(parse_part(part.body, depth + 1, false));
  }
  if (part.type.empty() || (part.is_multipart() && part.parts.empty())) {
    part.type = "TEXT";
    part.subtype = "PLAIN";
    part.parameters = {{"CHARSET", "us-ascii"}};
  }
  return part;
}

}  // namespace

std::optional<std::string> header_field(std::string_view header, std::string_view name) {
  std::optional<std::string> found;
  for_each_field(header, [&](const HeaderField& field) {
    if (found || !iequals(field.name, name)) return;
    found.emplace(trimmed(field.body));
    std::erase_if(*found, [](char c) { return c == '\r' || c == '\n'; });
  });
  return found;
}

std::string_view Parameterised::parameter(std::string_view name) const {
  const auto at = std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.first == name; });
  return at == parameters.end() ? std::string_view() : std::string_view(at->second);
}

Parameterised parse_parameterised(std::string_view field) {
  Parameterised parsed;
  parsed.value = take_value(field, ";");
  while (!field.empty()) {
    field.remove_prefix(1);
    auto name = take_value(field, "=;");
    if (field.empty() || field.front() != '=') continue;
    field.remove_prefix(1);
    auto value = take_value(field, ";");
    parsed.parameters.emplace_back(upper(name), std::move(value));
  }
  return parsed;
}

std::size_t header_size(std::string_view text) {
  if (text.starts_with("\r\n")) return 2;
  const auto end = text.find("\r\n\r\n");
  return end == std::string_view::npos ? text.size() : end + 4;
}

std::size_t MimePart::lines() const { return static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n')); }

MimePart MimePart::parse(std::string_view text) { return parse_part(text, 0, false); }

const MimePart* MimePart::find(std::span<const std::uint32_t> numbers) const {
  const MimePart* part = this;
  bool message = true;
  for (const auto number : numbers) {
    if (!message && part->is_message()) {
      part = &part->parts.front();
      message = true;
    }
    if (part->is_multipart()) {
      if (number == 0 || number > part->parts.size()) return nullptr;
      part = &part->parts[number - 1];
    } else if (!message || number != 1) {
      return nullptr;
    }
    message = false;
  }
  return part;
}

}  // namespace mailproof::server
