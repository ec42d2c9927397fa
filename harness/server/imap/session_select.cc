#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {

// select-param = condstore-param / qresync-param (RFC 7162 section 7)
// qresync-param = "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
void ImapSession::select(imap::Cursor& c, bool read_only) {
  std::optional<imap::SequenceSet> known;
  std::optional<std::pair<std::uint32_t, Modseq>> since;
  bool condstore = false;
  c.sp();
  const auto name = c.astring().text();
  if (c.ok() && c.accept(' ') && c.open_list()) {
    while (c.next_item()) {
      condstore = true;
      if (c.accept_word("CONDSTORE")) continue;
      if (!qresync_ || !c.accept_word("QRESYNC")) return bad("Unknown parameter, or QRESYNC before ENABLE");
      c.sp();
      c.expect('(');
      const auto uid_validity = c.nz_number();
      c.sp();
      since.emplace(uid_validity, c.number64());
      if (c.accept(' ') && c.peek() != '(') {
        known = c.sequence_set();
        c.accept(' ');
      }
      if (c.peek() == '(') c.skip_value();
      c.expect(')');
    }
  }
  if (!c.end()) return bad(c);
  std::size_t left_over = 0;  // only with a defect: EXPUNGEs that were not told of the mailbox before
  if (view_) {
    if (context().has(defect("imap.old-mailbox-told"))) left_over = view_->take_removals().size();
    view_.reset();
    write("* OK [CLOSED] The other mailbox is closed\r\n");  // RFC 7162 section 3.2.11: enabled or not
  }
  const auto mailbox = existing(name, "[NONEXISTENT]");
  if (!mailbox) return;
  if (condstore) condstore_ = true;
  view_ = std::make_unique<ImapView>(*account_, mailbox, read_only, static_cast<Listener&>(*this));
  Flags used;
  for (const auto flag : {Flag::answered, Flag::flagged, Flag::deleted, Flag::seen, Flag::draft}) used.add(flag);
  for (const auto& entry : view_->entries()) used.add(entry.message->flags);
  print("* FLAGS {}\r\n", used.format());
  write(read_only ? "* OK [PERMANENTFLAGS ()] Read-only\r\n"
                  : "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags and keywords\r\n");
  print("* {} EXISTS\r\n* {} RECENT\r\n", view_->size(), view_->recent());
  const auto& entries = view_->entries();
  const auto unseen = std::find_if(entries.begin(), entries.end(),
                                   [](const auto& entry) { return !entry.message->flags.has(Flag::seen); });
  if (unseen != entries.end()) print("* OK [UNSEEN {}] First unseen\r\n", unseen - entries.begin() + 1);
  const bool behind = context().has(defect("imap.uidnext-behind")) && view_->size() > 0;
  const bool falls = context().has(defect("imap.uidvalidity-falls"));
  print("* OK [UIDVALIDITY {}] UIDs valid\r\n* OK [UIDNEXT {}] Next UID\r\n",
        falls ? mailbox->uid_validity() - account_->selects++ : mailbox->uid_validity(),
        behind ? view_->last_uid() : mailbox->uid_next());
  if (condstore_ || !context().has(latitude("imap.modseq-when-enabled")))
    print("* OK [HIGHESTMODSEQ {}] Highest\r\n", mailbox->highest_modseq());
  if (since) resync(since->first, since->second, known);
  ok(read_only ? "[READ-ONLY] Examined" : "[READ-WRITE] Selected");
  for (; left_over > 0; --left_over) write("* 1 EXPUNGE\r\n");
}

void ImapSession::resync(std::uint32_t uid_validity, Modseq modseq, const std::optional<imap::SequenceSet>& known) {
  if (uid_validity != view_->mailbox().uid_validity()) return;
  write_vanished_since(modseq, known ? &*known : nullptr);
  for (std::size_t i = 0; i < view_->size(); ++i) {
    const auto& message = *view_->entries()[i].message;
    if (message.modseq <= modseq || (known && !known->contains(message.uid, view_->last_uid()))) continue;
    report_flags(i, message.flags);
  }
}

void ImapSession::cmd_close(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (!view_->read_only()) expunge_deleted(std::nullopt);
  view_.reset();
  ok("Closed");  // without HIGHESTMODSEQ: RFC 7162 section 3.2.8
}

void ImapSession::cmd_unselect(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  view_.reset();
  ok("Unselected");
}

void ImapSession::cmd_idle(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  idling_ = true;
  write("+ idling\r\n");
  if (view_ && !context().has(defect("imap.idle-silent"))) report_changes(true);
}

void ImapSession::on_idle_line(std::string_view line) {
  idling_ = false;
  if (!iequals(line, "DONE")) return bad("IDLE ends with DONE");
  if (context().has(defect("imap.idle-silent"))) return print("{} OK IDLE over\r\n", tag_);
  ok("IDLE over");
}

}  // namespace mailproof::server
