// A device goes offline, keeps what it knows, and comes back: by a full listing, by CHANGEDSINCE or by QRESYNC (RFC
// 7162).
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "history/flags.h"
#include "play/devices/imap_device.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Resync;

std::string_view capability(Resync resync) { return resync == Resync::qresync ? "QRESYNC" : "CONDSTORE"; }

std::string described(std::uint32_t uid, const std::set<std::string>* flags) {
  if (flags == nullptr) return fmt::format("no UID {}", uid);
  std::string all;
  for (const std::string& flag : *flags) all += (all.empty() ? "" : " ") + flag;
  return all.empty() ? fmt::format("UID {} without flags", uid) : fmt::format("UID {} ({})", uid, all);
}

/// Where two listings differ first, of what is looked at.
struct Difference {
  std::uint32_t uid = 0;  ///< 0 = nowhere
  std::string text;
};
template <class Looked>
Difference difference(const std::map<std::uint32_t, std::set<std::string>>& believed,
                      const std::map<std::uint32_t, std::set<std::string>>& full, const Looked& looked) {
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
Difference difference(const std::map<std::uint32_t, std::set<std::string>>& believed,
                      const std::map<std::uint32_t, std::set<std::string>>& full) {
  return difference(believed, full, [](const auto&) { return true; });
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

/// Whether another session of the account asked for what may change flags, or was answered it, since there were so many
/// events: a STORE, a FETCH without PEEK (RFC 3501 section 6.4.5), or what POP3 reads or marks, until its session is
/// over.
bool ImapDevice::others_change_since(std::size_t events) const {
  const auto& history = context_.history;
  const std::uint32_t account = history.session(session_number()).account;
  std::set<std::uint32_t> marks;  // POP3 sessions
  for (const history::Event& e : history.events()) {
    if (e.session == 0 || e.session == session_number() || history.account_of(e) != account) continue;
    const bool pop = e.what == What::retr || e.what == What::top || e.what == What::dele;
    if (pop) marks.insert(e.session);
    if (e.index <= events) continue;
    const history::Event& asked = e.command != 0 ? history.event(e.command) : e;
    const bool reads = e.what == What::fetch && history::sets_seen(asked.text);
    const bool ends = (e.what == What::quit || e.what == What::end) && marks.contains(e.session);
    if (pop || ends || e.what == What::store || reads) return true;
  }
  return false;
}

/// Whether another session had set or cleared one of these flags of that message there, and was answered OK, when there
/// were so many events.
bool ImapDevice::stored_before(std::size_t events, const std::string& mailbox, std::uint32_t uid,
                               const Flags& flags) const {
  const auto& history = context_.history;
  const std::uint32_t account = history.session(session_number()).account;
  for (std::uint32_t index = 1; index <= events && index <= history.events().size(); ++index) {
    const history::Event& e = history.event(index);
    if (e.what != What::store || e.type != Type::ok || e.command == 0 || e.session == session_number() ||
        history.account_of(e) != account || !iequals(e.mailbox, mailbox))
      continue;
    const history::Event& asked = history.event(e.command);
    const auto uids = history::parse_uids(asked.set);
    if (!std::binary_search(uids.begin(), uids.end(), uid)) continue;
    const std::string named = " " + lower(asked.flags) + " ";
    if (std::any_of(flags.begin(), flags.end(),
                    [&](const std::string& flag) { return named.find(" " + flag + " ") != std::string::npos; }))
      return true;
  }
  return false;
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
    const std::uint32_t next = session_->view().uidnext;
    const std::uint64_t newest = session_->view().highestmodseq;
    reader_->ask_modseqs();
    if (!result.ok()) {
      outcome(context_, What::agree, expectation, Type::info, {}, fmt::format("{}: {}", capability(how), result.text),
              session_number());
      return done();
    }
    reader_->look_again([this, how, believed, expectation, done, next, newest, begun](bool ok) {
      Listing full = listing();
      // Somebody else's mail may have come in since, which is no part of what the two are compared about.
      const auto not_ours = [this](const auto& one) {
        const auto item = reader_->items().find(one.first);
        return item != reader_->items().end() && item->second.looked_at && item->second.message == 0;
      };
      const auto came_since = [next](const auto& one) { return next != 0 && one.first >= next; };
      // Nor is what another client has changed since the resync was told how far it goes, while all was listed; nor, of
      // who tells no UIDNEXT, what may have come.
      const bool others = others_change_since(begun);
      const auto changed_since = [this, newest](const auto& one) {
        const auto item = reader_->items().find(one.first);
        return item != reader_->items().end() && newest != 0 && item->second.modseq > newest;
      };
      for (Listing* all : {believed.get(), &full}) {
        std::erase_if(*all, not_ours);
        std::erase_if(*all, came_since);
        if (others || next == 0) std::erase_if(*all, changed_since);
      }
      // CHANGEDSINCE tells nothing of what is gone: a client finds that by the UIDs that are left.
      if (how == Resync::condstore)
        std::erase_if(*believed, [&](const auto& one) { return !full.contains(one.first); });
      Difference differs = difference(*believed, full);
      const auto in_both = [&] { return believed->contains(differs.uid) && full.contains(differs.uid); };
      bool unclear = differs.uid != 0 && in_both() && others;
      if (unclear) differs.text += ", while another session may have changed flags";
      // Nobody of this run has changed anything meanwhile. The server itself may have; or else it tells of less than
      // there is (RFC 7162 section 3.1.2.1). What had been stored before the resync is owed.
      if (const Difference newer = others ? Difference{} : difference(*believed, full, changed_since); newer.uid != 0) {
        const Difference rest = difference(*believed, full, [&](const auto& one) { return !changed_since(one); });
        differs = rest.uid != 0 ? rest : newer;
        unclear = rest.uid == 0 && in_both();
        if (unclear) {
          Flags other;
          const Flags &mine = believed->at(newer.uid), &theirs = full.at(newer.uid);
          std::set_symmetric_difference(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                                        std::inserter(other, other.end()));
          unclear = !stored_before(begun, session_->view().mailbox, newer.uid, other);
        }
        if (rest.uid == 0)
          differs.text += fmt::format(", with a MODSEQ above {}, the HIGHESTMODSEQ that the resync was told", newest);
      }
      std::vector<std::uint32_t> about;
      if (const std::uint32_t message =
              context_.ledger.message_at(context_.history.session(session_number()).account, session_->view().mailbox,
                                         session_->view().uidvalidity, differs.uid);
          message != 0)
        about.push_back(message);
      reader_->changed = [this, session = session_] {
        if (session == session_) news();
      };
      outcome(context_, What::agree, expectation,
              !ok || unclear     ? Type::info
              : differs.uid == 0 ? Type::ok
                                 : Type::fail,
              about, differs.uid == 0 ? std::string() : fmt::format("after {} {}", capability(how), differs.text),
              session_number(), "delta");
      done();
    });
  };
  if (how == Resync::qresync) return session_->select_qresync(mailbox, cache_.uidvalidity, cache_.modseq, told);
  session_->select(mailbox, false, [this, told](const Completion& selected) {
    selected.ok() ? session_->changed_since(cache_.modseq, told) : told(selected);
  });
}

}  // namespace mailproof::play
