#include <fmt/format.h>

#include "server/imap/message_text.h"
#include "server/imap/session.h"
#include "server/store/quota.h"

namespace mailproof::server {
namespace {

/// Only with a defect: what a session set, and on what.
struct FreshFlags {
  std::vector<std::pair<MessagePtr, Flags>> set;
};

enum class FlagChange { replace, add, remove };

struct StoreItem {
  FlagChange change = FlagChange::replace;
  bool silent = false;
};

// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) ...
std::optional<StoreItem> read_store_item(imap::Cursor& c) {
  auto name = c.atom();
  StoreItem item;
  if (name.starts_with('+')) item.change = FlagChange::add;
  if (name.starts_with('-')) item.change = FlagChange::remove;
  if (item.change != FlagChange::replace) name.remove_prefix(1);
  item.silent = iequals(name, "FLAGS.SILENT");
  if (!item.silent && !iequals(name, "FLAGS")) return std::nullopt;
  return item;
}

// ... SP (flag-list / (flag *(SP flag)))
Flags read_flags(imap::Cursor& c) {
  Flags flags;
  c.sp();
  if (c.peek() == '(') {
    c.flag_list(flags);
    return flags;
  }
  do flags.add(c.flag());
  while (c.ok() && c.accept(' '));
  return flags;
}

Flags changed(Flags old, const Flags& given, FlagChange change) {
  if (change == FlagChange::replace) return given;
  if (change == FlagChange::add) {
    old.add(given);
  } else {
    old.remove(given);
  }
  return old;
}

}  // namespace

void ImapSession::keep_permitted(const Mailbox& mailbox, Flags& flags) const {
  const bool few = context().has(latitude("imap.few-permanent-flags"));
  Flags kept;
  flags.for_each([&](std::string_view flag) {
    if (few && !iequals(flag, "\\Seen") && !iequals(flag, "\\Deleted")) return;
    const char right = iequals(flag, "\\Seen") ? 's' : iequals(flag, "\\Deleted") ? 't' : 'w';
    if (permits(mailbox, right)) kept.add(flag);
  });
  flags = std::move(kept);
}

bool ImapSession::refuse_change() {
  if (view_->read_only()) no("[READ-ONLY] The mailbox is open for reading only");
  return view_->read_only();
}

ImapSession::Messages ImapSession::read_messages(imap::Cursor& c) {
  Messages read;
  if (c.accept('$')) {
    for (const auto* extension : extensions_) {
      if (extension->saved_result == nullptr) continue;
      for (const Uid uid : extension->saved_result(*this)) read.set.add(uid);
      if (view_) read.indexes = view_->resolve(read.set, true);
      return read;
    }
    c.fail("a sequence set");
    return read;
  }
  read.set = c.sequence_set();
  if (c.ok() && view_) read.indexes = view_->resolve(read.set, by_uid_);
  return read;
}

std::string_view ImapSession::no_room_for(const AccountState& owner, std::uint64_t octets) {
  if (context().has(defect("quota.not-for-clients"))) return {};
  switch (room_for(context(), owner, octets)) {
    case Room::fits:
      return {};
    case Room::over_account:
      return "[OVERQUOTA] The mailbox is full";
    case Room::over_domain:
      return "[OVERQUOTA] The domain is full";
  }
  return {};
}

void ImapSession::cmd_store(imap::Cursor& c) {
  std::optional<Modseq> unchanged_since;
  c.sp();
  const auto [set, indexes] = read_messages(c);
  c.sp();
  if (c.accept('(')) {
    if (!keeps_modseqs() || !c.accept_word("UNCHANGEDSINCE")) return bad("Unknown STORE modifier");
    c.sp();
    unchanged_since = c.number64();
    c.expect(')');
    c.sp();
  }
  const auto item = read_store_item(c);
  auto flags = read_flags(c);
  if (!c.end()) return bad(c);
  if (!item || !storable(flags)) return bad("STORE wants FLAGS, +FLAGS or -FLAGS and flags it knows");
  if (refuse_change()) return;
  if (!indexes) return bad("No such message number");
  if (unchanged_since) enable_condstore();
  const auto& mailbox = view_->mailbox();
  const bool may_all = permits(mailbox, 's') && permits(mailbox, 'w') && permits(mailbox, 't');
  auto permitted = flags;
  keep_permitted(mailbox, permitted);
  if (!may_all && permitted.empty()) return no("[NOPERM] These flags may not be set here");

  const bool all = context().has(defect("imap.store-changes-all"));
  for (std::size_t i = 0; i < view_->size(); ++i) {
    const bool next = context().has(defect("imap.store-changes-next")) && !indexes->empty() && i == indexes->back() + 1;
    const auto& other = view_->entries()[i].message;
    if (all || next) context().store.set_flags(view_->mailbox(), other, changed(other->flags, permitted, item->change));
  }

  bool gone = false;
  imap::SequenceSet modified;
  for (const auto index : *indexes) {
    auto& entry = view_->entries()[index];
    auto message = entry.message;
    const auto& shared = view_->mailbox().messages();
    if (!by_uid_ && index < shared.size() && context().has(defect("imap.store-numbers-shared")))
      message = shared[index];
    if (message->expunged) {
      gone = true;
      continue;
    }
    if (unchanged_since && message->modseq > *unchanged_since) {
      modified.add(by_uid_ ? message->uid : static_cast<std::uint32_t>(index + 1));
      continue;
    }
    const bool others_change = entry.flags_changed;
    auto wanted = changed(message->flags, permitted, item->change);
    if (!may_all && item->change == FlagChange::replace) {  // what may not be changed stays
      auto others = message->flags;
      auto mine = message->flags;
      keep_permitted(mailbox, mine);
      others.remove(mine);
      wanted.add(others);
    }
    if (index == indexes->front() && indexes->size() > 1 && context().has(defect("imap.store-passes-one-over")) &&
        !message->flags.has(Flag::deleted))
      wanted.remove(Flag::deleted);
    auto kept = wanted;
    if (context().has(defect("imap.flags-forgotten"))) {
      auto fresh = wanted;
      fresh.remove(message->flags);
      own<FreshFlags>().set.emplace_back(message, std::move(fresh));
    }
    if (context().has(defect("imap.seen-forgotten")) && !message->flags.has(Flag::seen)) kept.remove(Flag::seen);
    context().store.set_flags(view_->mailbox(), message, std::move(kept));
    if (!item->silent) {
      report_flags(index, wanted);
      continue;
    }
    if (!others_change) view_->told(entry);
    if (!tells_modseqs() || context().has(defect("imap.silent-store-hides-modseq"))) continue;
    begin_fetch(index);
    print("UID {} MODSEQ ({}))\r\n", message->uid, message->modseq);
  }
  const auto code = modified.empty() ? std::string() : fmt::format("[MODIFIED {}] ", modified.format());
  // RFC 2180 section 4.2: OK where nothing was to be told. By UID it is as if the message had never been there (RFC
  // 3501 section 6.4.8).
  if (gone && !by_uid_ && !item->silent)
    return no(code.empty() ? "[EXPUNGEISSUED] Some messages are gone" : code + "Some are gone");
  ok(code + "Done");
}

void ImapSession::forget_flags() {
  for (const auto& [message, fresh] : std::exchange(own<FreshFlags>().set, {})) {
    auto left = message->flags;
    left.remove(fresh);
    context().store.set_flags(view_->mailbox(), message, std::move(left));
  }
}

void ImapSession::copy_or_move(imap::Cursor& c, bool move) {
  c.sp();
  const auto [set, read] = read_messages(c);
  c.sp();
  const auto name = read_mailbox_name(c);
  if (!c.end()) return bad(c);
  if (move && refuse_change()) return;
  const bool by_number = move && by_uid_ && context().has(defect("imap.move-takes-numbers"));
  const auto indexes = by_number ? view_->resolve(set, false) : read;
  if (!indexes) return bad("No such message number");
  const auto target = existing(name, "[TRYCREATE]", 'i');
  if (!target) return;
  auto& source = view_->mailbox();
  if (move && !(permits(source, 't') && permits(source, 'e'))) return no("[NOPERM] Nothing may be removed here");

  std::vector<MessagePtr> sources;
  std::uint64_t octets = 0;
  for (const auto index : *indexes) {
    const auto& message = view_->entries()[index].message;
    // COPY is all or nothing (RFC 3501 section 6.4.7, RFC 2180 section 4.4.1); unknown UIDs are no error.
    if (message->expunged && !by_uid_) return no("[EXPUNGEISSUED] Some messages are gone");
    if (message->expunged) continue;
    sources.push_back(message);
    octets += message->size();
  }
  if (const auto full =
          move && &source.owner() == &target->owner() ? std::string_view() : no_room_for(target->owner(), octets);
      !full.empty()) {
    for (const auto& message : sources)
      if (context().has(defect("imap.copy-in-part")) && no_room_for(target->owner(), message->size()).empty())
        context().store.copy(target->owner(), *message, *target);
    return no(full);
  }
  if (sources.empty()) return ok("No messages");
  if (!move && context().has(defect("imap.copy-ok-but-absent"))) return ok("Copied");
  if (!move && sources.size() == 1 && context().has(defect("imap.copy-takes-another"))) {
    const auto& all = source.messages();
    const auto at = std::find(all.begin(), all.end(), sources.front());
    context().store.copy(target->owner(), at == all.begin() ? *all.back() : **std::prev(at), *target);
    return ok("Copied");
  }

  const bool twice = move && context().has(defect("imap.move-doubles"));
  const bool mixed = context().has(defect("imap.copy-mixes-flags"));
  Flags before;
  std::vector<Uid> from;
  imap::SequenceSet from_set;
  imap::SequenceSet to_set;
  for (const auto& message : sources) {
    progress(from.size(), sources.size());
    from.push_back(message->uid);
    from_set.add(message->uid);
    const auto made = context().store.copy(target->owner(), *message, *target, move);
    to_set.add(made->uid);
    if (mixed) {
      before.add(message->flags);
      context().store.set_flags(*target, made, before);
    }
    if (&target->owner() != account_) {
      auto kept = made->flags;
      keep_permitted(*target, kept);
      context().store.set_flags(*target, made, std::move(kept));
    }
    if (twice) context().store.copy(target->owner(), *message, *target);
  }
  std::string code;
  if (!context().has(latitude("imap.no-uidplus"))) {
    code = fmt::format("[COPYUID {} {} {}]", target->uid_validity(), from_set.format(), to_set.format());
  }
  if (!move) return ok(code.empty() ? "Copied" : code + " Copied");
  // RFC 6851 section 4.3: COPYUID before the EXPUNGEs, untagged.
  if (!code.empty()) print("* OK {} Moved\r\n", code);
  if (!context().has(defect("imap.move-leaves-source"))) context().store.expunge(source.owner(), source, from);
  ok_expunged();
  const auto trash = source.owner().mailbox("Trash");
  for (const auto& message : sources) {
    if (context().has(defect("imap.moved-comes-back"))) context().store.copy(source.owner(), *message, source);
    if (context().has(defect("imap.move-leaves-copy-in-trash")) && trash && trash != target)
      context().store.copy(source.owner(), *message, *trash);
  }
}

void ImapSession::cmd_expunge(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (refuse_change()) return;
  if (!permits(view_->mailbox(), 'e')) return no("[NOPERM] Nothing may be expunged here");
  expunge_deleted(std::nullopt);
  ok_expunged();
}

void ImapSession::ok_expunged() {
  ok(qresync_ && keeps_modseqs() ? fmt::format("[HIGHESTMODSEQ {}] Done", view_->mailbox().highest_modseq()) : "Done");
}

void ImapSession::expunge_deleted(const std::optional<imap::SequenceSet>& only) {
  std::vector<Uid> removed;
  Uid newest_undeleted = 0;
  for (const auto& message : view_->mailbox().messages()) {
    if (!message->flags.has(Flag::deleted)) {
      newest_undeleted = message->uid;
    } else if (!only || only->contains(message->uid, view_->last_uid())) {
      removed.push_back(message->uid);
    }
  }
  const bool more = context().has(defect("imap.expunge-takes-undeleted")) && !removed.empty() && newest_undeleted != 0;
  if (more) removed.push_back(newest_undeleted);
  if (removed.size() > 1 && context().has(defect("imap.expunge-leaves-one"))) removed.pop_back();
  if (!removed.empty() && context().has(defect("imap.expunge-drops-unseen")))
    for (const auto& message : view_->mailbox().messages())
      if (message->uid > view_->last_uid() && removed.back() != message->uid) removed.push_back(message->uid);
  context().store.expunge(view_->mailbox().owner(), view_->mailbox(), removed);
}

}  // namespace mailproof::server
