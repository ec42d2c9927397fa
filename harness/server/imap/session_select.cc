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
  std::size_t left_over = 0;  // only with a defect: EXPUNGEs that were not told of the mailbox before
  if (view_) {
    if (context().has(defect("imap.old-mailbox-told"))) left_over = view_->take_removals().size();
    deselect();
    write("* OK [CLOSED] The other mailbox is closed\r\n");  // RFC 7162 section 3.2.11: enabled or not
  }
  const auto mailbox = existing(name, "[NONEXISTENT]", 'r');
  if (!mailbox) return;
  constexpr std::string_view changing = "iswte";
  read_only = read_only || std::none_of(changing.begin(), changing.end(),
                                        [&](char right) { return permits(*mailbox, right); });  // RFC 4314 section 5.2
  read_only = read_only || context().has(latitude("imap.read-only"));
  read_only = read_only || (mailbox->writers() != 0 && context().has(latitude("imap.read-only-to-the-second")));
  view_ = std::make_unique<ImapView>(mailbox->owner(), mailbox, read_only, static_cast<Listener&>(*this));
  Flags used;
  for (const auto flag : {Flag::answered, Flag::flagged, Flag::deleted, Flag::seen, Flag::draft}) used.add(flag);
  for (const auto& entry : view_->entries()) used.add(entry.message->flags);
  print("* FLAGS {}\r\n", used.format());
  const bool few = context().has(latitude("imap.few-permanent-flags"));
  write(read_only ? "* OK [PERMANENTFLAGS ()] Read-only\r\n"
        : few     ? "* OK [PERMANENTFLAGS (\\Deleted \\Seen)] Flags\r\n"
                  : "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags and keywords\r\n");
  tell_size();
  const auto& entries = view_->entries();
  const auto unseen = std::find_if(entries.begin(), entries.end(),
                                   [](const auto& entry) { return !entry.message->flags.has(Flag::seen); });
  if (unseen != entries.end() && tells_numbers() && !enabled("IMAP4REV2"))
    print("* OK [UNSEEN {}] First unseen\r\n", unseen - entries.begin() + 1);
  const bool behind = context().has(defect("imap.uidnext-behind")) && view_->size() > 0;
  const bool falls = context().has(defect("imap.uidvalidity-falls"));
  print("* OK [UIDVALIDITY {}] UIDs valid\r\n* OK [UIDNEXT {}] Next UID\r\n",
        falls ? mailbox->uid_validity() - account_->selects++ : mailbox->uid_validity(),
        behind ? view_->last_uid() : mailbox->uid_next());
  if (!keeps_modseqs())
    write("* OK [NOMODSEQ] None are kept\r\n");
  else if (condstore_ || !context().has(latitude("imap.modseq-when-enabled")))
    print("* OK [HIGHESTMODSEQ {}] Highest\r\n", mailbox->highest_modseq());
  for (const auto* extension : extensions_)
    if (extension->selected != nullptr) extension->selected(*this);
  ok(read_only ? "[READ-ONLY] Examined" : "[READ-WRITE] Selected");
  for (; left_over > 0; --left_over) write("* 1 EXPUNGE\r\n");
}

void ImapSession::cmd_close(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (!view_->read_only() && permits(view_->mailbox(), 'e')) expunge_deleted(std::nullopt);
  forget_flags();
  deselect();
  ok("Closed");  // without HIGHESTMODSEQ: RFC 7162 section 3.2.8
}

}  // namespace mailproof::server
