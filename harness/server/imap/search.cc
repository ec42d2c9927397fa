#include "server/imap/search.h"

#include <algorithm>
#include <optional>

#include "core/bytes.h"
#include "server/imap/searched_text.h"
#include "wire/mime/date.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

using Kind = SearchKey::Kind;

constexpr std::int64_t kDaySeconds = 86400;

bool contains(std::string_view text, std::string_view wanted) {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                     [](char a, char b) { return to_lower(a) == to_lower(b); }) != text.end() ||
         wanted.empty();
}

bool has_field(std::string_view header, const SearchKey& key) {
  while (const auto field = mime::take_field(header)) {
    if (iequals(field->name, key.name) && contains(searched_field(mime::unfold(field->body)), key.text)) return true;
  }
  return false;
}

/// Dates are compared by the calendar of their own zone (RFC 3501 section 6.4.4).
std::int64_t day(std::int64_t unix_seconds, int zone_minutes) {
  const auto local = unix_seconds + zone_minutes * 60;
  return (local - ((local % kDaySeconds) + kDaySeconds) % kDaySeconds) / kDaySeconds;
}

std::optional<std::int64_t> sent_day(std::string_view header) {
  const auto field = mime::find_field(header, "Date");
  const auto date = field ? mime::parse_message_date(*field) : std::nullopt;
  if (!date) return std::nullopt;
  return day(date->unix_seconds(), date->zone_minutes);
}

}  // namespace

bool matches(const SearchKey& key, const ImapView& view, std::size_t index) {
  const auto& entry = view.entries()[index];
  const auto& message = *entry.message;
  const std::string_view content = *message.content;
  const auto header = [&] { return content.substr(0, mime::header_size(content)); };
  const auto child = [&](const SearchKey& one) { return matches(one, view, index); };
  const auto wanted_day = static_cast<std::int64_t>(key.number);
  const auto arrived = [&] { return day(message.date.seconds, message.date.zone_minutes); };
  switch (key.kind) {
    case Kind::all:
      return std::all_of(key.children.begin(), key.children.end(), child);
    case Kind::any:
      return std::any_of(key.children.begin(), key.children.end(), child);
    case Kind::negated:
      return !child(key.children.front());
    case Kind::numbers:
      return key.set.contains(static_cast<std::uint32_t>(index + 1), static_cast<std::uint32_t>(view.size()));
    case Kind::uids:
      return key.set.contains(message.uid, view.last_uid());
    case Kind::flag:
      return message.flags.has(key.wanted);
    case Kind::keyword:
      return message.flags.has(key.text);
    case Kind::recent:
      return entry.recent;
    case Kind::field:
      return has_field(header(), key);
    case Kind::body:
      return contains(searched_body(content), key.text);
    case Kind::text:
      return contains(content, key.text) || contains(searched_field(header()), key.text) ||
             contains(searched_body(content), key.text);
    case Kind::before:
      return arrived() < wanted_day;
    case Kind::on:
      return arrived() == wanted_day;
    case Kind::since:
      return arrived() >= wanted_day;
    case Kind::sent_before:
      return sent_day(header()).value_or(wanted_day) < wanted_day;
    case Kind::sent_on:
      return sent_day(header()) == wanted_day;
    case Kind::sent_since:
      return sent_day(header()).value_or(wanted_day - 1) >= wanted_day;
    case Kind::larger:
      return message.size() > key.number;
    case Kind::smaller:
      return message.size() < key.number;
    case Kind::modseq:
      return message.modseq >= key.number;
    case Kind::extended:
      return key.word->matches(key, view, index);
  }
  return false;
}

}  // namespace mailproof::server
