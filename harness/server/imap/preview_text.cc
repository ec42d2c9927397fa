#include "server/imap/preview_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/bytes.h"
#include "wire/mime/structure.h"
#include "wire/mime/transfer_encoding.h"

namespace mailproof::server {
namespace {

constexpr std::size_t kMostCharacters = 200;

/// The first text/plain, else the first text of another kind; never an attachment.
const mime::Part* first_text(const mime::Part& part, bool plain) {
  for (const auto& child : part.parts)
    if (const auto* found = first_text(child, plain)) return found;
  const bool attached = part.disposition && iequals(part.disposition->value, "attachment");
  if (!part.parts.empty() || attached || part.content_type.type != "text") return nullptr;
  return !plain || part.content_type.subtype == "plain" ? &part : nullptr;
}

/// Only what is UTF-8, or its part US-ASCII, can be shown.
bool readable(const mime::Part& part) {
  for (const auto& [name, value] : part.content_type.parameters)
    if (iequals(name, "charset")) return iequals(value, "utf-8") || iequals(value, "us-ascii");
  return true;
}

/// HTML without tags, comments, and what stands in head, style and script.
std::string without_markup(std::string_view html) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kEntities{
      {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "}}};
  std::string out;
  while (!html.empty()) {
    if (html.front() == '<') {
      std::string_view end = ">";
      if (html.starts_with("<!--")) end = "-->";
      const auto name = lower(html.substr(1, 6));
      for (const std::string_view hidden : {"head", "style", "script"})
        if (name.starts_with(hidden)) end = hidden == "head" ? "</head>" : hidden == "style" ? "</style>" : "</script>";
      const auto at = std::search(html.begin(), html.end(), end.begin(), end.end(),
                                  [](char a, char b) { return to_lower(a) == b; });
      html.remove_prefix(at == html.end() ? html.size() : static_cast<std::size_t>(at - html.begin()) + end.size());
      out += ' ';
      continue;
    }
    const auto entity = std::find_if(kEntities.begin(), kEntities.end(),
                                     [&](const auto& one) { return istarts_with(html, one.first); });
    if (entity != kEntities.end()) {
      out += entity->second;
      html.remove_prefix(entity->first.size());
    } else {
      out += html.front();
      html.remove_prefix(1);
    }
  }
  return out;
}

/// Octets of the character of UTF-8 that `text` begins with; 0: it begins with none.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xC2 && lead < 0xE0 ? 2
                           : (lead & 0xF0U) == 0xE0U     ? 3
                           : lead >= 0xF0 && lead < 0xF5 ? 4
                                                         : 0;
  if (size == 0 || size > text.size()) return 0;
  const bool whole = std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(size),
                                 [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; });
  return whole ? size : 0;
}

}  // namespace

std::string preview_text(std::string_view message) {
  const auto structure = mime::parse_structure(message);
  const auto* part = first_text(structure, true);
  if (part == nullptr) part = first_text(structure, false);
  if (part == nullptr || !readable(*part)) return {};
  auto decoded = mime::transfer_decoded(part->encoding, part->body.of(message));
  if (!decoded) return {};
  if (part->content_type.subtype == "html") decoded = without_markup(*decoded);
  std::string out;
  std::size_t characters = 0;
  std::string_view rest = *decoded;
  bool blank = false;
  while (!rest.empty() && characters < kMostCharacters) {
    const auto size = character(rest);
    if (size <= 1 && static_cast<unsigned char>(rest.front()) <= ' ') blank = !out.empty();
    if (size > 1 || (size == 1 && rest.front() > ' ' && rest.front() != 0x7F)) {
      if (std::exchange(blank, false) && ++characters < kMostCharacters) out += ' ';
      if (characters < kMostCharacters) out += rest.substr(0, size);
      ++characters;
    }
    rest.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace mailproof::server
