// REPLACE (RFC 8508): APPEND of one message and expunge of another in one step.
#include <fmt/format.h>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

// replace = "REPLACE" SP seq-number SP mailbox append-message
void replace(ImapSession& session, imap::Cursor& c) {
  c.sp();
  const auto number = c.nz_number();
  c.sp();
  const auto name = session.read_mailbox_name(c);
  auto message = session.read_append_message(c);
  if (!message) return;
  if (!c.end()) return session.bad(c);
  auto& view = *session.view();
  auto& mailbox = view.mailbox();
  const auto indexes = view.resolve(imap::SequenceSet::of(number), session.by_uid());
  if (!indexes) return session.bad("No such message number");
  if (indexes->empty()) return session.no("[NONEXISTENT] No such message");
  if (session.refuse_change()) return;
  const auto old = view.entries()[indexes->front()].message;
  if (old->expunged) return session.no("[EXPUNGEISSUED] The message is gone");
  const auto target = session.existing(name, "[TRYCREATE]", 'i');
  if (!target) return;
  if (!session.permits(mailbox, 't') || !session.permits(mailbox, 'e'))
    return session.no("[NOPERM] Nothing may be removed here");
  // Quota is looked at as if the old one were gone already (section 3.4).
  const auto size = message->octets->size();
  const auto freed = &target->owner() == &mailbox.owner() ? old->size() : 0;
  if (size > freed) {
    if (const auto full = session.no_room_for(target->owner(), size - freed); !full.empty()) return session.no(full);
  }
  std::vector<AppendMessage> messages;
  messages.push_back(std::move(*message));
  const auto code = session.append(*target, std::move(messages));
  // The new one is told before the old one goes; its UID too (section 3.3).
  if (!code.empty()) session.print("* OK [{}] Replacement\r\n", code);
  const Uid gone = old->uid;
  session.context().store.expunge(mailbox.owner(), mailbox, std::span(&gone, 1));
  session.ok_expunged();
}

}  // namespace

const Extension& replace_extension() {
  static const ImapCommand row{
      .name = "REPLACE", .states = kSelected, .run = replace, .mailbox_argument = 2, .makes_room = true};
  static const Extension extension{.capabilities = "REPLACE", .commands = {row}, .uid_commands = {row}};
  return extension;
}

}  // namespace mailproof::server
