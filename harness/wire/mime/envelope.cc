#include "wire/mime/envelope.h"

#include "core/bytes.h"
#include "wire/mime/header.h"

namespace mailproof::mime {
namespace {

void add(std::vector<Address>& list, std::string_view body) {
  for (Address& address : parse_addresses(body)) list.push_back(std::move(address));
}

void keep_first(std::optional<std::string>& value, std::string_view body) {
  if (!value) value = unfold(body);
}

}  // namespace

Envelope read_envelope(std::string_view header) {
  Envelope e;
  while (const auto field = take_field(header)) {
    const std::string name = lower(field->name);
    if (name == "date") {
      keep_first(e.date, field->body);
    } else if (name == "subject") {
      keep_first(e.subject, field->body);
    } else if (name == "from") {
      add(e.from, field->body);
    } else if (name == "sender") {
      add(e.sender, field->body);
    } else if (name == "reply-to") {
      add(e.reply_to, field->body);
    } else if (name == "to") {
      add(e.to, field->body);
    } else if (name == "cc") {
      add(e.cc, field->body);
    } else if (name == "bcc") {
      add(e.bcc, field->body);
    } else if (name == "in-reply-to") {
      keep_first(e.in_reply_to, field->body);
    } else if (name == "message-id") {
      keep_first(e.message_id, field->body);
    }
  }
  if (e.sender.empty()) e.sender = e.from;
  if (e.reply_to.empty()) e.reply_to = e.from;
  return e;
}

}  // namespace mailproof::mime
