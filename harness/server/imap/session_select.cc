#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {

void ImapSession::select(imap::Cursor& c, bool read_only) {
  c.sp();
  const auto name = read_mailbox_name(c);
  if (c.ok() && c.accept(' ') && c.open_list()) {  // select-param (RFC 4466)
    while (c.next_item()) {
      const auto* parameter = extensions_.find(&Extension::select_parameters, c.atom());
      if (parameter == nullptr) return bad("Unknown parameter");
      if (!parameter->read(*this, c)) return;
    }
  }
  if (!c.end()) return bad(c);
  if (view_) {
    deselect();
    write("* OK [CLOSED] The other mailbox is closed\r\n");  // RFC 7162 section 3.2.11: enabled or not
  }
  const auto mailbox = existing(name, "[NONEXISTENT]", 'r');
  if (!mailbox) return;
  constexpr std::string_view changing = "iswte";
  read_only = read_only || std::none_of(changing.begin(), changing.end(),
                                        [&](char right) { return permits(*mailbox, right); });  // RFC 4314 section 5.2
  view_ = std::make_unique<ImapView>(mailbox->owner(), mailbox, read_only, static_cast<Listener&>(*this));
  Flags used;
  for (const auto flag : {Flag::answered, Flag::flagged, Flag::deleted, Flag::seen, Flag::draft}) used.add(flag);
  for (const auto& entry : view_->entries()) used.add(entry.message->flags);
  print("* FLAGS {}\r\n", used.format());
  write(read_only ? "* OK [PERMANENTFLAGS ()] Read-only\r\n"
                  : "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags and keywords\r\n");
  tell_size();
  const auto& entries = view_->entries();
  const auto unseen = std::find_if(entries.begin(), entries.end(),
                                   [](const auto& entry) { return !entry.message->flags.has(Flag::seen); });
  if (unseen != entries.end() && tells_numbers() && !enabled("IMAP4REV2"))
    print("* OK [UNSEEN {}] First unseen\r\n", unseen - entries.begin() + 1);
  print("* OK [UIDVALIDITY {}] UIDs valid\r\n* OK [UIDNEXT {}] Next UID\r\n", mailbox->uid_validity(),
        mailbox->uid_next());
  if (condstore_ || !context().has(latitude("imap.modseq-when-enabled")))
    print("* OK [HIGHESTMODSEQ {}] Highest\r\n", mailbox->highest_modseq());
  for (const auto* extension : extensions_)
    if (extension->selected != nullptr) extension->selected(*this);
  ok(read_only ? "[READ-ONLY] Examined" : "[READ-WRITE] Selected");
}

void ImapSession::cmd_close(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (!view_->read_only() && permits(view_->mailbox(), 'e')) expunge_deleted(std::nullopt);
  deselect();
  ok("Closed");  // without HIGHESTMODSEQ: RFC 7162 section 3.2.8
}

}  // namespace mailproof::server
