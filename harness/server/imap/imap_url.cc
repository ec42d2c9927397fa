#include "server/imap/imap_url.h"

#include <algorithm>

#include "core/bytes.h"
#include "server/imap/fetch_items.h"
#include "wire/mime/structure.h"
#include "wire/text/words.h"

namespace mailproof::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes ";NAME=value" off the front, behind a slash if there is one.
std::optional<std::string> take_parameter(std::string_view& url, std::string_view name) {
  auto rest = url;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (!rest.starts_with(';') || !istarts_with(rest.substr(1), name)) return std::nullopt;
  rest.remove_prefix(1 + name.size());
  if (!rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  const auto end = std::min(rest.find_first_of("/;"), rest.size());
  auto value = percent_decoded(rest.substr(0, end));
  url = rest.substr(end);
  return value;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += encoded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

std::optional<ImapUrlPath> read_imap_url_path(std::string_view path) {
  ImapUrlPath out;
  if (path.starts_with('/') && !path.starts_with("/;")) {
    path.remove_prefix(1);
    const auto end = std::min(path.find(';'), path.size());
    auto name = path.substr(0, end);
    if (name.ends_with('/')) name.remove_suffix(1);
    out.mailbox = percent_decoded(name);
    path.remove_prefix(end);
  }
  out.validity = take_parameter(path, "UIDVALIDITY");
  const auto uid = text::parse_number<Uid>(take_parameter(path, "UID").value_or(""));
  if (!uid) return std::nullopt;
  out.uid = *uid;
  out.section = take_parameter(path, "SECTION");
  if (const auto range = take_parameter(path, "PARTIAL")) {
    const std::string_view words = *range;
    const auto dot = words.find('.');
    const auto offset = text::parse_number<std::uint32_t>(words.substr(0, dot));
    if (!offset) return std::nullopt;
    out.partial.emplace(*offset, std::nullopt);
    if (dot != std::string_view::npos) {
      out.partial->second = text::parse_number<std::uint32_t>(words.substr(dot + 1));
      if (!out.partial->second) return std::nullopt;
    }
  }
  out.rest = path;
  return out;
}

std::optional<std::string> url_text(const Mailbox& mailbox, const ImapUrlPath& path) {
  if (path.validity && text::parse_number<std::uint32_t>(*path.validity) != mailbox.uid_validity()) return std::nullopt;
  const auto message = mailbox.find(path.uid);
  if (!message) return std::nullopt;
  std::optional<std::string> out = *message->content;
  if (path.section) {
    imap::Cursor c(*path.section);
    std::string label;
    const auto section = read_section(c, label);
    if (!c.end()) return std::nullopt;
    const auto structure = mime::parse_structure(*message->content);
    out = section_text(section, *message->content, &structure);
  }
  if (out && path.partial) {
    const auto [offset, count] = *path.partial;
    *out = out->substr(std::min<std::size_t>(offset, out->size()), count ? *count : std::string::npos);
  }
  return out;
}

}  // namespace mailproof::server
