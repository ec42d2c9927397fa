// What an IMAP device changes on the server, and what of it the server refuses.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/devices/cut_short.h"
#include "play/devices/imap_device.h"
#include "scenario/plan/profile.h"

namespace mailproof::play {
namespace {

using scenario::How;

bool refuses(const Completion& result) {
  return result.outcome == session::Outcome::fail && iequals(result.status, "NO");
}

/// The mailbox may be missing: TRYCREATE says so, and a server that gives no codes may mean it (RFC 3501 section 7.1).
bool may_lack_mailbox(const Completion& result) {
  return refuses(result) && (result.code.empty() || iequals(result.code, "TRYCREATE"));
}

const std::vector<std::string> kDeleted = {"\\Deleted"};

}  // namespace

/// RFC 3501 sections 6.3.3 to 6.3.11 and 6.4.3 to 6.4.7 let a server say NO. BAD to what is right they do not, and what
/// is refused for want of room stories are about.
void ImapDevice::note_refused(const std::vector<std::uint32_t>& messages, const std::string& command,
                              const Completion& result, Leaves leaves) {
  if (!refuses(result) || iequals(result.code, "OVERQUOTA")) return;
  undone(context_, messages, session_number(),
         fmt::format("{} was refused: NO {}{}", command,
                     result.code.empty() ? std::string() : fmt::format("[{}] ", result.code), result.text),
         leaves == Leaves::mail_that_was_to_go ? "refused-removal" : "refused");
}

/// RFC 3501 section 7.1: of a flag outside PERMANENTFLAGS a server ignores the change, or keeps it for the session; and
/// what was opened READ-ONLY (section 6.3.1) is not changed.
bool ImapDevice::keeps(std::string_view flag) const {
  return !session_->view().read_only && session_->view().keeps(flag);
}

void ImapDevice::note_not_kept(std::string_view flag, Leaves leaves) {
  const bool read_only = session_->view().read_only;
  undone(context_, about_, session_number(),
         read_only ? fmt::format("{} was opened READ-ONLY, so that {} does not change", session_->view().mailbox, flag)
                   : fmt::format("{} is none of the PERMANENTFLAGS of {}", flag, session_->view().mailbox),
         leaves == Leaves::mail_that_was_to_go ? "refused-removal" : "refused");
}

/// Of flags that the server does not keep nobody owes the change; it is not asked for.
void ImapDevice::store(const OwnedUids& uids, const std::string& action, const std::vector<std::string>& flags,
                       Leaves leaves, std::function<void(const Completion&)> then) {
  std::vector<std::string> kept;
  for (const std::string& flag : flags) {
    if (session_->view().keeps(flag))
      kept.push_back(flag);
    else
      note_not_kept(flag, leaves);
  }
  if (kept.empty()) return then({session::Outcome::fail, "", "", "none of these flags is kept"});
  session_->store(uids, action, kept, [this, leaves, then = std::move(then)](const Completion& result) {
    note_refused(about_, "UID STORE", result, leaves);
    then(result);
  });
}

/// Ours in the mailbox that is open.
std::vector<std::uint32_t> ImapDevice::messages_in_view() const {
  std::vector<std::uint32_t> out;
  for (const auto& [uid, item] : reader_->items())
    if (item.message != 0) out.push_back(item.message);
  return out;
}

/// Ours that may be in this mailbox, by what was done so far.
std::vector<std::uint32_t> ImapDevice::may_be_in(const std::string& mailbox) const {
  std::vector<std::uint32_t> out;
  for (const history::Cell& cell : context_.ledger.cells())
    if (cell.account == account_ && cell.most() > 0 && iequals(context_.ledger.mailbox_name(cell.mailbox), mailbox))
      out.push_back(cell.message);
  return out;
}

void ImapDevice::flag(const scenario::Flag& flag, bool set, Finish done) {
  with_messages(flag, done, [this, &flag, set, done](const OwnedUids& uids) {
    store(uids, set ? "+FLAGS" : "-FLAGS", flag.flags, Leaves::room_as_it_was, [done](const Completion&) { done(); });
  });
}

void ImapDevice::remove(const scenario::Delete& remove, Finish done) {
  using scenario::Removal;
  const auto* profile = device_.profile.get();
  const How of_profile = profile == nullptr               ? remove.how
                         : profile->how == Removal::trash ? How::trash
                         : profile->how == Removal::flag  ? How::flag
                                                          : How::expunge;
  const bool all = profile != nullptr && profile->how == Removal::expunge_all;
  with_messages(remove, done, [this, how = of_profile, all, done](const OwnedUids& uids) {
    if (how == How::trash) return move(uids, "Trash", done);
    const auto leaves = Leaves::mail_that_was_to_go;
    store(uids, "+FLAGS", kDeleted, leaves, [this, uids, done, how, all](const Completion& result) {
      if (how == How::flag || !result.ok()) return done();
      all ? expunge(done) : expunge(uids, done);
    });
  });
}

/// EXPUNGE, which takes whatever bears \Deleted: only where nothing of that is somebody else's. What others mark
/// between that look and the EXPUNGE would go with it, so beside others all of ours is named, where there is UIDPLUS
/// (RFC 4315).
void ImapDevice::expunge(Finish done) {
  const bool beside_others = !context_.options.alone && !context_.options.own_mailboxes;
  if (beside_others && session_->client().has("UIDPLUS")) {
    reader_->catch_up([this, done = std::move(done)](bool ok) {
      const OwnedUids ours = ok ? reader_->ours(MailboxReader::Leftovers::not_these) : OwnedUids{};
      ours.empty() ? done() : expunge(ours, done);
    });
    return;
  }
  reader_->may_expunge([this, done = std::move(done)](const ExpungePermit* permit) {
    if (permit != nullptr)
      return session_->expunge(*permit, [this, done](const Completion& result) {
        note_refused(about_, "EXPUNGE", result, Leaves::mail_that_was_to_go);
        done();
      });
    if (session_->ready())
      context_.fail("foreign",
                    fmt::format("nothing was expunged from {}: it may hold mail that is not ours and is marked "
                                "as deleted",
                                session_->view().mailbox));
    done();
  });
}

/// UID EXPUNGE of these where there is UIDPLUS (RFC 4315).
void ImapDevice::expunge(const OwnedUids& uids, Finish done) {
  if (!session_->client().has("UIDPLUS")) return expunge(std::move(done));
  session_->expunge(uids, [this, done = std::move(done)](const Completion& result) {
    note_refused(about_, "UID EXPUNGE", result, Leaves::mail_that_was_to_go);
    done();
  });
}

/// What puts messages into a mailbox; a missing one is made first (RFC 3501 sections 6.3.11 and 6.4.7).
void ImapDevice::put_into(const std::string& to, std::vector<std::uint32_t> messages, std::string command,
                          Attempt attempt, std::function<void(const Completion&)> then) {
  attempt([this, to, messages, command, attempt, then](const Completion& result) {
    if (!may_lack_mailbox(result)) {
      note_refused(messages, command, result);
      return then(result);
    }
    session_->create(to, [this, to, messages, command, attempt, then](const Completion& created) {
      attempt([this, to, messages, command, created, then](const Completion& again) {
        // Missing, though it was made just now or is there already (RFC 5530 section 3), is no refusal to respect.
        const bool missing = iequals(again.code, "TRYCREATE");
        if (missing && !iequals(created.code, "ALREADYEXISTS")) note_refused(messages, "CREATE " + to, created);
        if (!missing) note_refused(messages, command, again);
        then(again);
      });
    });
  });
}

/// MOVE where it is offered, else COPY, STORE and EXPUNGE as clients do (RFC 6851 section 1).
void ImapDevice::move(const OwnedUids& uids, const std::string& to, Finish done) {
  const bool moves = session_->client().has("MOVE");
  const auto attempt = [this, uids, to, moves](std::function<void(const Completion&)> then) {
    moves ? session_->move(uids, to, std::move(then)) : session_->copy(uids, to, std::move(then));
  };
  put_into(to, about_, fmt::format("UID {} to {}", moves ? "MOVE" : "COPY", to), attempt,
           [this, uids, moves, done](const Completion& result) {
             if (moves || !result.ok()) return done();
             store(uids, "+FLAGS.SILENT", kDeleted, Leaves::mail_that_was_to_go,
                   [this, uids, done](const Completion& stored) { stored.ok() ? expunge(uids, done) : done(); });
           });
}

void ImapDevice::copy(const OwnedUids& uids, const std::string& to, Finish done) {
  put_into(
      to, about_, "UID COPY to " + to,
      [this, uids, to](std::function<void(const Completion&)> then) { session_->copy(uids, to, std::move(then)); },
      [done](const Completion&) { done(); });
}

void ImapDevice::save(const scenario::Save& save, Finish done) {
  one_by_one(
      static_cast<std::size_t>(save.count),
      [this, &save](std::size_t, Finish next) {
        const std::string& address = context_.accounts.at(account_ - 1).address;
        const auto made = context_.messages.make(save, account_, address, address);
        put(save.to, made.number, made.text, std::move(next));
      },
      std::move(done));
}

/// Mail that the client has kept goes back to the server, the same octets.
void ImapDevice::upload(const scenario::Upload& upload, Finish done) {
  const auto messages = context_.messages.numbers(upload.messages);
  one_by_one(
      messages.size(),
      [this, &upload, messages](std::size_t i, Finish next) {
        put(upload.to, messages[i], context_.messages.again(messages[i]), std::move(next));
      },
      std::move(done));
}

void ImapDevice::put(const std::string& to, std::uint32_t message, std::shared_ptr<const std::string> text,
                     Finish done) {
  put_into(
      to, {message}, "APPEND to " + to,
      [this, to, message, text](std::function<void(const Completion&)> then) {
        session_->append(to, message, text, std::move(then));
      },
      [done](const Completion&) { done(); });
}

void ImapDevice::rename(const scenario::Rename& rename, Finish done) {
  if_ours(rename.mailbox, done, [this, &rename, done](const OwnedMailbox& mailbox) {
    session_->rename(mailbox, rename.to, [this, &rename, done](const Completion& result) {
      note_refused(may_be_in(rename.mailbox), fmt::format("RENAME {} to {}", rename.mailbox, rename.to), result);
      done();
    });
  });
}

void ImapDevice::remove_mailbox(const std::string& name, Finish done) {
  if_ours(name, done, [this, name, done](const OwnedMailbox& mailbox) {
    session_->remove(mailbox, [this, name, done](const Completion& result) {
      note_refused(may_be_in(name), "DELETE " + name, result, Leaves::mail_that_was_to_go);
      done();
    });
  });
}

}  // namespace mailproof::play
