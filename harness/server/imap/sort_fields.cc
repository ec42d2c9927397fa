#include "server/imap/sort_fields.h"

#include <optional>

#include "wire/mime/base_subject.h"
#include "wire/mime/date.h"
#include "wire/mime/encoded_words.h"
#include "wire/mime/envelope.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

std::string local_part(const std::vector<mime::Address>& list) {
  return list.empty() ? std::string() : mime::casemapped(list.front().mailbox.value_or(""));
}

/// The display name, else the address, else what a group is called.
std::string shown(const std::vector<mime::Address>& list) {
  if (list.empty()) return {};
  const auto& first = list.front();
  if (first.name && !first.name->empty()) return mime::casemapped(mime::decoded_words(*first.name));
  const auto local = first.mailbox.value_or("");
  return mime::casemapped(first.host ? local + "@" + *first.host : local);
}

/// Takes the next msg-id, `<left@right>`, off the front, without the quoting that RFC 5322 leaves open.
std::optional<std::string> take_id(std::string_view& text) {
  while (true) {
    const auto begin = text.find('<');
    const auto end = text.find('>', begin == std::string_view::npos ? begin : begin + 1);
    if (begin == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
    // "<" in between: the first one began nothing.
    const auto inside = text.substr(begin + 1, end - begin - 1);
    const auto again = inside.rfind('<');
    std::string id;
    bool escaped = false;
    for (const char c : again == std::string_view::npos ? inside : inside.substr(again + 1)) {
      const bool mark = !escaped && (c == '"' || c == '\\');
      escaped = !escaped && c == '\\';
      const bool blank = c == ' ' || c == '\t';
      if (!mark && !blank) id += c;
    }
    text.remove_prefix(end + 1);
    const auto at = id.rfind('@');
    if (at != std::string::npos && at != 0 && at + 1 != id.size()) return id;
  }
}

}  // namespace

SortFields sort_fields(const Message& message) {
  const std::string_view content = *message.content;
  const auto envelope = mime::read_envelope(content.substr(0, mime::header_size(content)));
  const auto date = envelope.date ? mime::parse_message_date(*envelope.date) : std::nullopt;
  auto base = mime::base_subject(envelope.subject.value_or(""));
  SortFields fields;
  fields.arrival = message.date.seconds;
  fields.sent = date ? date->unix_seconds() : message.date.seconds;
  fields.size = message.size();
  fields.subject = mime::casemapped(base.text);
  fields.reply = base.reply;
  fields.from = local_part(envelope.from);
  fields.to = local_part(envelope.to);
  fields.cc = local_part(envelope.cc);
  fields.display_from = shown(envelope.from);
  fields.display_to = shown(envelope.to);
  return fields;
}

ThreadMessage thread_message(const Message& message, std::uint32_t number) {
  const std::string_view content = *message.content;
  const auto header = content.substr(0, mime::header_size(content));
  ThreadMessage made{.number = number, .fields = sort_fields(message), .id = {}, .references = {}};
  const auto each_id = [&](std::string_view field, auto&& use) {
    const auto value = mime::find_field(header, field);
    std::string_view rest = value ? std::string_view(*value) : std::string_view();
    while (auto id = take_id(rest))
      if (!use(std::move(*id))) return;
  };
  each_id("Message-ID", [&](std::string id) {
    made.id = std::move(id);
    return false;
  });
  each_id("References", [&](std::string id) {
    made.references.push_back(std::move(id));
    return true;
  });
  if (made.references.empty())
    each_id("In-Reply-To", [&](std::string id) {
      made.references.push_back(std::move(id));
      return false;
    });
  return made;
}

}  // namespace mailproof::server
