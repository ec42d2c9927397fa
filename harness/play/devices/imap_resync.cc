// A device goes offline, keeps what it knows, and comes back: by a full listing, by CHANGEDSINCE or by QRESYNC (RFC
// 7162).
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "play/devices/imap_device.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Resync;

std::string_view capability(Resync resync) { return resync == Resync::qresync ? "QRESYNC" : "CONDSTORE"; }

using KeptFlags = std::set<std::string>;
using KeptListing = std::map<std::uint32_t, KeptFlags>;

std::string described(std::uint32_t uid, const KeptFlags* flags) {
  if (flags == nullptr) return fmt::format("no UID {}", uid);
  std::string all;
  for (const std::string& flag : *flags) all += (all.empty() ? "" : " ") + flag;
  return all.empty() ? fmt::format("UID {} without flags", uid) : fmt::format("UID {} ({})", uid, all);
}

/// Where two listings differ first, of what is looked at.
struct Difference {
  std::uint32_t uid = 0;  ///< 0 = nowhere
  std::string text = {};
};
template <class Looked>
Difference difference(const KeptListing& believed, const KeptListing& full, const Looked& looked) {
  const auto in = [](const auto& all, std::uint32_t uid) {
    const auto at = all.find(uid);
    return at == all.end() ? nullptr : &at->second;
  };
  for (const auto* all : {&believed, &full})
    for (const auto& entry : *all) {
      const auto* mine = in(believed, entry.first);
      const auto* theirs = in(full, entry.first);
      if ((mine == nullptr) == (theirs == nullptr) && (mine == nullptr || *mine == *theirs)) continue;
      if (!looked(entry)) continue;
      return {entry.first, fmt::format("the device has {}, a full listing has {}", described(entry.first, mine),
                                       described(entry.first, theirs))};
    }
  return {};
}
/// What comes, or changes, behind the resync while all is listed, is no part of what the two listings are compared
/// about.
class BehindResync {
 public:
  /// `uidnext`, `newest`: how far the resync went, as it was told. `others`: another session may have changed flags.
  BehindResync(const MailboxReader& reader, std::uint32_t uidnext, std::uint64_t newest, bool others)
      : items_(reader.items()), uidnext_(uidnext), newest_(newest), others_(others) {}

  bool changed(std::uint32_t uid) const {
    const auto item = items_.find(uid);
    return item != items_.end() && newest_ != 0 && item->second.modseq > newest_;
  }
  /// Also somebody else's mail; and of who tells no UIDNEXT, what may have come.
  void leave_out(KeptListing& all) const {
    std::erase_if(all, [this](const auto& one) {
      const bool came = uidnext_ != 0 && one.first >= uidnext_;
      return not_ours(one.first) || came || ((others_ || uidnext_ == 0) && changed(one.first));
    });
  }

 private:
  bool not_ours(std::uint32_t uid) const {
    const auto item = items_.find(uid);
    return item != items_.end() && item->second.looked_at && item->second.message == 0;
  }

  const std::map<std::uint32_t, MailboxReader::Item>& items_;
  std::uint32_t uidnext_;
  std::uint64_t newest_;
  bool others_;
};

struct Weighed {
  Difference differs;
  bool unclear = false;  ///< nobody knows whether it is the server's
};

/// While another session may have changed flags.
Weighed weigh_beside_others(const KeptListing& believed, const KeptListing& full) {
  Difference differs = difference(believed, full, [](const auto&) { return true; });
  const bool in_both = believed.contains(differs.uid) && full.contains(differs.uid);
  if (in_both) differs.text += ", while another session may have changed flags";
  return {std::move(differs), in_both};
}

/// Nobody of this run has changed anything meanwhile. The server itself may have; or else it tells of less than there
/// is (RFC 7162 section 3.1.2.1). What had been `stored` before the resync is owed.
template <class Stored>
Weighed weigh(const KeptListing& believed, const KeptListing& full, const BehindResync& behind, std::uint64_t newest,
              const Stored& stored) {
  Difference told = difference(believed, full, [&](const auto& one) { return !behind.changed(one.first); });
  if (told.uid != 0) return {std::move(told), false};
  Difference newer = difference(believed, full, [&](const auto& one) { return behind.changed(one.first); });
  if (newer.uid == 0) return {};
  newer.text += fmt::format(", with a MODSEQ above {}, the HIGHESTMODSEQ that the resync was told", newest);
  const auto mine = believed.find(newer.uid), theirs = full.find(newer.uid);
  if (mine == believed.end() || theirs == full.end()) return {std::move(newer), false};
  KeptFlags other;
  std::set_symmetric_difference(mine->second.begin(), mine->second.end(), theirs->second.begin(), theirs->second.end(),
                                std::inserter(other, other.end()));
  const bool unclear = !stored(newer.uid, other);
  return {std::move(newer), unclear};
}

}  // namespace

/// What a quick resync takes must be on while the mailbox is open: some servers tell no HIGHESTMODSEQ before (RFC 7162
/// section 3.1). A target without it has nothing to be tried.
void ImapDevice::enable(Then then) {
  not_enabled_.clear();
  const std::string_view wanted = capability(resync_);
  if (!session_->client().has(wanted) || !session_->client().has("ENABLE")) {
    context_.inapplicable(fmt::format("the target does not offer {} with ENABLE (RFC 7162)", wanted));
    return then(false);
  }
  session_->enable(std::string(wanted), [this, wanted, then = std::move(then)](const Completion& result) {
    if (!result.ok())
      not_enabled_ = fmt::format("ENABLE {} is offered, and was answered {} {}", wanted, result.status, result.text);
    then(result.ok());
  });
}

ImapDevice::Listing ImapDevice::listing() const {
  Listing out;
  for (const auto& [uid, item] : reader_->items()) {
    Flags flags(item.flags.begin(), item.flags.end());
    flags.erase("\\recent");
    out.emplace(uid, std::move(flags));
  }
  return out;
}

void ImapDevice::go_offline(Finish done) {
  cache_ = {};
  const auto leave = [this, done = std::move(done)] {
    log_out([this, done] {
      offline_ = true;
      done();
    });
  };
  if (session_ == nullptr || !session_->ready() || reader_ == nullptr || session_->view().mailbox.empty())
    return leave();
  const auto keep = [this, leave](bool) {
    cache_.mailbox = session_->view().mailbox;
    cache_.uidvalidity = session_->view().uidvalidity;
    cache_.modseq = session_->view().highestmodseq;
    cache_.messages = listing();
    leave();
  };
  if (resync_ == Resync::full) return keep(true);
  // The cursor is the one of the SELECT: what came since belongs to the cache only together with a newer one.
  const std::string mailbox = session_->view().mailbox;
  reader_->open(mailbox, false, keep);
}

/// Comes back as the device would, then holds what it now believes against a full listing: they must be equal (RFC 7162
/// section 3.2.5).
void ImapDevice::go_online(Resync how, const std::string& text, Finish done) {
  offline_ = false;
  const std::string mailbox = cache_.mailbox.empty() ? box() : cache_.mailbox;
  connected([this, how, &text, mailbox, done](bool ok) {
    const bool refused = how != Resync::full && !not_enabled_.empty();
    if (!ok && !refused) return done();
    if (how == Resync::full) return reader_->open(mailbox, false, [done](bool) { done(); });
    const auto expectation = expect(context_, What::agree, {.text = text, .session = session_number()});
    if (!refused && cache_.modseq != 0) return resync(how, mailbox, expectation, done);
    outcome(context_, What::agree, expectation, Type::info, {},
            refused ? not_enabled_
            : cache_.mailbox.empty()
                ? std::string("it had no mailbox open when it went offline, so that there is nothing to catch up with")
                : fmt::format("{} was enabled, and the server told no HIGHESTMODSEQ of {}", capability(how), mailbox),
            session_number());
    reader_->open(mailbox, false, [done](bool) { done(); });
  });
}

void ImapDevice::resync(Resync how, const std::string& mailbox, std::uint32_t expectation, Finish done) {
  const auto believed = std::make_shared<Listing>(cache_.messages);
  session_->hooks.expunged = [believed](std::uint32_t uid) { believed->erase(uid); };
  session_->hooks.vanished = [believed](const imap::SequenceSet& uids) {
    for (const auto& [first, last] : uids.ranges())
      believed->erase(believed->lower_bound(first), believed->upper_bound(last));
  };
  session_->hooks.row = [believed](const session::ImapFetchRow& row) {
    if (row.uid == 0 || !row.flags) return;
    Flags& flags = (*believed)[row.uid];
    flags.clear();
    for (const auto flag : *row.flags)
      if (!iequals(flag, "\\Recent")) flags.insert(lower(flag));
  };
  const std::size_t begun = context_.history.events().size();
  const auto told = [this, how, believed, expectation, done, begun](const Completion& result) {
    session_->hooks = {};
    readers_.push_back(std::make_unique<MailboxReader>(*session_));
    reader_ = readers_.back().get();
    // The listing takes its time: what goes meanwhile the device is told, and what comes the resync could not tell.
    session_->hooks.expunged = [believed, known = std::exchange(session_->hooks.expunged, {})](std::uint32_t uid) {
      believed->erase(uid);
      known(uid);
    };
    const Resynced until{how, expectation, begun, session_->view().uidnext, session_->view().highestmodseq};
    reader_->ask_modseqs();
    if (!result.ok()) {
      outcome(context_, What::agree, expectation, Type::info, {}, fmt::format("{}: {}", capability(how), result.text),
              session_number());
      return done();
    }
    reader_->look_again([this, believed, until, done](bool ok) {
      hold_against_listing(*believed, until, ok);
      done();
    });
  };
  if (how == Resync::qresync) return session_->select_qresync(mailbox, cache_.uidvalidity, cache_.modseq, told);
  session_->select(mailbox, false, [this, told](const Completion& selected) {
    selected.ok() ? session_->changed_since(cache_.modseq, told) : told(selected);
  });
}

/// `listed`: all was.
void ImapDevice::hold_against_listing(Listing believed, const Resynced& until, bool listed) {
  Listing full = listing();
  const bool changed = others().changed_flags_since(until.begun);
  const BehindResync behind(*reader_, until.uidnext, until.highestmodseq, changed);
  behind.leave_out(believed);
  behind.leave_out(full);
  // CHANGEDSINCE tells nothing of what is gone: a client finds that by the UIDs that are left.
  if (until.how == Resync::condstore)
    std::erase_if(believed, [&](const auto& one) { return !full.contains(one.first); });
  const session::ImapView& view = session_->view();
  const auto stored = [&](std::uint32_t uid, const Flags& flags) {
    return others().stored_before(until.begun, view.mailbox, uid, flags);
  };
  const Weighed weighed =
      changed ? weigh_beside_others(believed, full) : weigh(believed, full, behind, until.highestmodseq, stored);
  const Difference& differs = weighed.differs;
  std::vector<std::uint32_t> about;
  if (const std::uint32_t message = context_.ledger.message_at(account_, view.mailbox, view.uidvalidity, differs.uid);
      message != 0)
    about.push_back(message);
  reader_->changed = [this, session = session_] {
    if (session == session_) news();
  };
  outcome(context_, What::agree, until.expectation,
          !listed || weighed.unclear ? Type::info
          : differs.uid == 0         ? Type::ok
                                     : Type::fail,
          about, differs.uid == 0 ? std::string() : fmt::format("after {} {}", capability(until.how), differs.text),
          session_number(), "delta");
}

}  // namespace mailproof::play
