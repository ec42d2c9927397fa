#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {

bool ImapSession::idles_in_silence() const {
  if (context().has(defect("imap.idle-silent"))) return true;
  return context().has(defect("imap.idle-of-inbox-only")) && view_ && !iequals(view_->mailbox().name(), "INBOX");
}

void ImapSession::on_view_stale() {
  if (tells_at_once_ == 0 || answering_ || !open() || idles_in_silence()) return;
  if (view_->has_arrivals() && context().has(defect("imap.idle-ends-with-news"))) close();
  report_changes(true);
  wake();
}

void ImapSession::report_changes(bool expunges) {
  for (const auto* extension : extensions_)
    if (extension->telling != nullptr) extension->telling(*this, expunges);
  tell_changes(expunges);
  for (const auto* extension : extensions_)
    if (extension->told != nullptr) extension->told(*this);
}

void ImapSession::tell_changes(bool expunges) {
  if (expunges && view_->has_removals()) report_removals(view_->take_removals());
  if (view_->has_arrivals() && !context().has(defect("imap.arrivals-untold"))) {
    const std::size_t before = view_->size();
    view_->take_arrivals();
    if (context().has(defect("imap.fetch-before-exists")))
      report_flags(before, view_->entries()[before].message->flags);
    tell_size();
  }
  if (!view_->has_flag_changes()) return;
  for (std::size_t i = 0; i < view_->size(); ++i) {
    const auto& entry = view_->entries()[i];
    if (entry.flags_changed && !entry.message->expunged) report_flags(i, entry.message->flags);
  }
}

void ImapSession::tell_size() {
  print("* {} EXISTS\r\n", view_->size());
  if (!enabled("IMAP4REV2")) print("* {} RECENT\r\n", view_->recent());  // RFC 9051 appendix E
}

void ImapSession::begin_fetch(std::size_t index) {
  if (enabled("UIDONLY")) return print("* {} UIDFETCH (", view_->entries()[index].message->uid);
  print("* {} FETCH (", index + 1);
}

void ImapSession::report_removals(const std::vector<ImapView::Removal>& removals) {
  if (context().has(defect("imap.exists-shrinks"))) {
    print("* {} EXISTS\r\n", view_->size());
    return;
  }
  if (context().has(defect("imap.expunge-swallowed"))) return;
  // Section 3.2.10: VANISHED instead, in mailboxes that do not say NOMODSEQ.
  if (!(qresync_ && keeps_modseqs()) && tells_numbers()) {
    const int times = context().has(defect("imap.expunge-told-twice")) ? 2 : 1;
    for (const auto& removal : removals)
      for (int i = 0; i < times; ++i) print("* {} EXPUNGE\r\n", removal.number);
    return;
  }
  imap::SequenceSet gone;
  for (const auto& removal : removals) gone.add(removal.uid);
  if (gone.empty()) return;
  std::string set = gone.format();
  if (context().has(defect("imap.vanished-zero")) && gone.ranges().front().first == 1)
    set = set.starts_with("1:") ? "0" + set.substr(1) : "0:" + set;
  print("* VANISHED {}\r\n", set);
}

void ImapSession::report_flags(std::size_t index, const Flags& flags) {
  auto& entry = view_->entries()[index];
  begin_fetch(index);
  // RFC 7162 section 3.2.4: with CONDSTORE on, a server that has QRESYNC tells the UID, too.
  if (condstore_ || by_uid_) print("UID {} ", entry.message->uid);
  write_flags(flags, entry.recent);
  if (tells_modseqs()) print(" MODSEQ ({})", entry.message->modseq);
  write(")\r\n");
  view_->told(entry);
}

void ImapSession::write_flags(Flags flags, bool recent) {
  if (recent && !enabled("IMAP4REV2")) flags.add(Flag::recent);
  print("FLAGS {}", flags.format());
}

void ImapSession::enable_qresync() {
  qresync_ = true;
  enable_condstore();
}

void ImapSession::enable_condstore(bool tell) {
  if (condstore_) return;
  condstore_ = true;
  if (view_ && tell && keeps_modseqs())
    print("* OK [HIGHESTMODSEQ {}] CONDSTORE is on\r\n", view_->mailbox().highest_modseq());
}

bool ImapSession::keeps_modseqs() const { return !context().has(latitude("imap.no-modseq")); }

Modseq ImapSession::highest_modseq(const Mailbox& mailbox) const {
  return keeps_modseqs() ? mailbox.highest_modseq() : 0;
}

void ImapSession::write_vanished_since(Modseq modseq, const imap::SequenceSet* within) {
  std::vector<Uid> gone;
  const Uid largest = view_->mailbox().uid_next() - 1;
  const bool misses_highest = context().has(defect("imap.qresync-misses-expunge"));
  for (const auto& expunged : view_->mailbox().expunged()) {
    if (misses_highest && expunged.uid == largest) continue;
    if (expunged.modseq > modseq && (within == nullptr || within->contains(expunged.uid, largest))) {
      gone.push_back(expunged.uid);
    }
  }
  if (!view_->entries().empty() && context().has(defect("imap.vanished-lists-living")))
    gone.push_back(view_->entries().front().message->uid);
  if (gone.empty()) return;
  std::sort(gone.begin(), gone.end());
  imap::SequenceSet set;
  for (const Uid uid : gone) set.add(uid);
  print("* VANISHED (EARLIER) {}\r\n", set.format());
}

}  // namespace mailproof::server
