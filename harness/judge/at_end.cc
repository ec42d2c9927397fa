#include "judge/at_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/excuses.h"
#include "judge/leaving.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

struct Verdicts {
  const Miss& on_miss;
  std::string unclear;
  template <class F>
  void missed(std::uint32_t message, std::uint32_t event, const F& words) const {
    on_miss(message, event, std::cref(words));
  }
};

using history::Cell;
using history::Event;
using history::Fate;
using history::Type;
using history::What;

std::set<std::uint32_t> accounts_of(const Case& c, const Event& e, std::uint32_t message) {
  if (e.account != 0) return {e.account};
  std::set<std::uint32_t> out;
  for (const auto& attempt : c.ledger.attempts_of(message)) out.insert(attempt.account);
  for (const Cell& cell : c.ledger.cells_of(message))
    if (cell.adds + cell.maybe_adds > 0) out.insert(cell.account);
  return out;
}

const Event* removal_of(const Case& c, std::uint32_t message, std::uint32_t account) {
  const Event* newest = nullptr;
  for (const Cell& cell : c.ledger.cells_of(message))
    if (cell.account == account && cell.removed_by != 0 && (newest == nullptr || newest->index < cell.removed_by))
      newest = &c.history.event(cell.removed_by);
  return newest;
}

/// Devices that fetched all of it and are still there. `for_good`: only those whose copy does not go when the server's
/// does, as an IMAP client's cache would.
std::set<std::string, std::less<>> holders(const Case& c, const Vanished& gone, std::uint32_t message, bool for_good) {
  std::set<std::string, std::less<>> out;
  for (const std::uint32_t sight : c.sights(message)) {
    const Event& e = c.history.event(sight);
    if (e.code != "full" || e.session == 0 || c.by_audit(e)) continue;
    if (for_good && c.history.session(e.session).protocol != Protocol::pop3) continue;
    const auto end = gone.find(c.history.device_name(e));
    if (end == gone.end() || end->second < e.index) out.emplace(c.history.device_name(e));
  }
  return out;
}

/// Device of the scenario that an event came from; 0 = none.
std::uint32_t device_of(const Case& c, const Event& e) {
  return e.session == 0 ? 0 : c.history.session(e.session).device;
}

std::string_view name_of_device(const Case& c, std::uint32_t device) {
  return device == 0 || device > c.history.info.devices.size() ? std::string_view("a device that is not listed")
                                                               : c.history.device(device).name;
}

/// What these clients asked the removal of by themselves: by DELE, in a session that ended with QUIT, or by \Deleted
/// that nobody took away. Whoever else expunges takes it along, for an EXPUNGE without UIDs takes all that is marked
/// (RFC 3501 section 6.4.3), and is then the last who asked, or the one that the server heard first.
class Askers {
 public:
  Askers(const Case& c, const history::FateFacts& wanted) {
    struct Session {
      std::string mailbox;
      std::uint32_t uidvalidity = 0;
      std::vector<std::uint32_t> dele;
    };
    std::map<std::uint32_t, Session> sessions;
    for (const Event& e :
         c.history.about(What::select, What::examine, What::store, What::dele, What::rset, What::quit)) {
      if (!completes(e) || e.type == Type::fail || e.session == 0 || e.command == 0) continue;
      const auto& of = c.history.session(e.session);
      const bool theirs = (wanted.by == 0 || of.device == wanted.by) && (!wanted.over || of.protocol == *wanted.over);
      const Event& asked = c.invoke(e);
      const std::uint32_t account = c.history.account_of(e);
      Session& at = sessions[e.session];
      if (e.what == What::dele) {
        at.dele.push_back(asked.message);
      } else if (e.what == What::rset) {
        if (e.type == Type::ok) at.dele.clear();
      } else if (e.what == What::quit) {
        for (const std::uint32_t message : at.dele)
          if (theirs) over_pop_.emplace(account, message);
      } else if (e.what == What::store) {
        for (const std::uint32_t uid : history::parse_uids(asked.set))
          stored(e, asked, {account, c.ledger.message_at(account, at.mailbox, at.uidvalidity, uid)}, theirs);
      } else if (e.type == Type::ok) {
        at = {asked.mailbox, e.uidvalidity, {}};
      }
    }
  }

  bool asked(std::uint32_t account, std::uint32_t message) const {
    return over_pop_.contains({account, message}) || over_imap_.contains({account, message});
  }

 private:
  using Of = std::pair<std::uint32_t, std::uint32_t>;  ///< account and message

  void stored(const Event& e, const Event& asked, Of of, bool theirs) {
    const auto what = history::to_deleted(asked.code, asked.flags);
    if (what == history::ToDeleted::sets) {
      if (theirs) over_imap_[of] = e.type == Type::ok ? e.index : Leaving::kNever;
    } else if (what == history::ToDeleted::clears && e.type == Type::ok) {
      // Of two that overlap nobody knows which came last.
      const auto mark = over_imap_.find(of);
      if (mark != over_imap_.end() && mark->second < asked.index) over_imap_.erase(mark);
    }
  }

  std::set<Of> over_pop_;
  std::map<Of, std::uint32_t> over_imap_;  ///< and the answer; kNever: it may be done at any time
};

/// Other people's mail fills a mailbox, too: what a quota refuses then proves nothing.
bool may_be_full(Fate fate) { return fate == Fate::refused || fate == Fate::deferred || fate == Fate::bounced; }

void fate(const Case& c, const Vanished& gone, const Strangers& strangers, const Event& e, Verdicts& out) {
  const auto& wanted = e.get<history::FateFacts>();
  std::optional<Askers> askers;  // looked for when another one removed it
  for (const std::uint32_t message : history::parse_numbers(e.set)) {
    if (message == 0 || message > c.history.messages().size()) continue;
    const auto name = [&] { return c.name_of(message); };
    for (const std::uint32_t account : accounts_of(c, e, message)) {
      const Fate seen = c.ledger.fate(message, account);
      const auto expected = [&] { return fmt::format("{} for {}: {} {}", name(), c.account(account), e.code, e.text); };
      if (seen != wanted.fate) {
        const Event* stranger = may_be_full(seen) ? strangers.in(account) : nullptr;
        if (seen == Fate::unknown || seen == Fate::queued)
          out.unclear = fmt::format("the fate of {} is {}", name(), history::name(seen));
        else if (stranger != nullptr)
          out.unclear = fmt::format("the fate of {} is {}; {}", name(), history::name(seen), came_in(c, *stranger));
        else
          out.missed(message, 0, [&] {
            return Words{expected(), fmt::format("{} for {}: {}", name(), c.account(account), history::name(seen))};
          });
        continue;
      }
      const Event* removal = removal_of(c, message, account);
      const bool wrong_by = wanted.by != 0 && (removal == nullptr || device_of(c, *removal) != wanted.by);
      const bool wrong_over = wanted.over && (removal == nullptr || removal->session == 0 ||
                                              c.history.session(removal->session).protocol != *wanted.over);
      if ((wrong_by || wrong_over) && !askers) askers.emplace(c, wanted);
      if ((wrong_by || wrong_over) && !askers->asked(account, message))
        out.missed(message, removal == nullptr ? 0 : removal->index, [&] {
          return Words{expected(),
                       fmt::format("{} for {}: {}, {}", name(), c.account(account), history::name(seen),
                                   removal == nullptr ? "asked for by nobody" : "asked for by " + c.who(*removal))};
        });
      if (!wanted.nobody_has_copy && wanted.copy_on == 0) continue;
      const auto held_by = holders(c, gone, message, wanted.nobody_has_copy);
      if (wanted.nobody_has_copy) {
        for (const std::string& device : held_by)
          out.missed(message, 0, [&] { return Words{expected(), fmt::format("{} has a copy of {}", device, name())}; });
      } else if (!held_by.contains(name_of_device(c, wanted.copy_on))) {
        out.missed(message, 0, [&] {
          return Words{expected(), fmt::format("{} holds no copy of {}", name_of_device(c, wanted.copy_on), name())};
        });
      }
    }
  }
}

/// What the audit saw there, and its own QUIT took, so that its next listing lacks it.
std::uint32_t gone_with_audit(const Case& c, std::uint32_t account, std::string_view mailbox) {
  std::uint32_t out = 0;
  for (const Cell& cell : c.ledger.cells())
    if (cell.gone_with_audit && cell.account == account && iequals(c.ledger.mailbox_name(cell.mailbox), mailbox))
      out += cell.present;
  return out;
}

/// Only what is ours counts; that something else is there is not the server's doing.
void count(const Case& c, const Strangers& strangers, const Pop3Policy& policy, const Event& e, Verdicts& out) {
  const std::uint32_t account = e.account != 0 ? e.account : 1;
  const std::string mailbox = e.mailbox.empty() ? "INBOX" : e.mailbox;
  const Event* listing = nullptr;
  for (const Event& other : c.history.about(What::enumerated)) {
    if (!c.by_audit(other) || c.history.account_of(other) != account) continue;
    if (iequals(other.mailbox.empty() ? "INBOX" : other.mailbox, mailbox) &&
        (listing == nullptr || other.code == "imap" || listing->code != "imap"))
      listing = &other;
  }
  if (listing == nullptr) {
    out.unclear = fmt::format("no complete listing of {}'s {} in the audit", c.account(account), mailbox);
  } else if (const auto wanted = e.get<history::CountFacts>().messages,
             there = listing->get<history::CountFacts>().messages -
                     std::min(listing->get<history::CountFacts>().messages,
                              static_cast<std::uint32_t>(strangers.listed(*listing)));
             there != wanted && there != wanted + policy.beside(account, mailbox) &&
             there + gone_with_audit(c, account, mailbox) != wanted &&
             there + static_cast<std::uint32_t>(kept_where_they_were_saved(c, e, account)) != wanted) {
    out.missed(0, listing->index, [&] {
      return Words{fmt::format("{} messages in {}'s {}", wanted, c.account(account), mailbox),
                   fmt::format("{}", there)};
    });
  }
}

void intact(const Case& c, const Event& e, Verdicts& out) {
  for (const std::uint32_t message : history::parse_numbers(e.set)) {
    if (message == 0 || message > c.history.messages().size()) continue;
    bool read = false;
    for (const std::uint32_t sight : c.sights(message)) {
      const Event& other = c.history.event(sight);
      if (other.code != "full") continue;
      read = true;
      if (other.hash == c.history.message(message).hash) continue;
      out.missed(message, other.index, [&] {
        return Words{fmt::format("{} as sent wherever it is read", c.name_of(message)),
                     fmt::format("{} reads other content at {}", c.who(other), c.when(other))};
      });
      break;
    }
    if (!read) out.unclear = fmt::format("nobody read {} whole", c.name_of(message));
  }
}

/// What a device believed when it had a mailbox open last: our messages in it.
struct Belief {
  std::string mailbox;
  std::vector<std::uint32_t> messages;
  std::uint32_t session = 0, account = 0;
  /// The last command that must tell it of all that was done before it: its invoke, or the end of an IDLE; ~0 while it
  /// is in one.
  std::uint32_t looked = 0;
};

/// What a device believes of one mailbox, found event by event.
class Beliefs {
 public:
  /// `mailbox`: which one; "" = the one that its newest session had open.
  Beliefs(const Case& c, std::string_view mailbox) : c_(c), mailbox_(mailbox), track_(c.history) {}

  /// One of the device's events, in order.
  void apply(const Event& e) {
    const bool selects = e.what == What::select || e.what == What::examine;
    if ((selects && e.type == Type::invoke) ||
        ((e.what == What::unselect || e.what == What::close) && e.type == Type::ok))
      leaves(e);
    track_.apply(e);
    const bool opened = selects && e.type == Type::ok && (mailbox_.empty() || iequals(c_.invoke(e).mailbox, mailbox_));
    if (opened || e.what == What::pop_uidl || e.what == What::pop_list) session_ = e.session;
    if (opened) away_ = false;
    const bool pop = over_pop(e.session);
    looked(e, opened || (pop && e.what == What::connect));
    listed(e, pop);
  }

  /// None: it is not known.
  std::optional<Belief> newest() {
    if (session_ == 0) return std::nullopt;
    std::optional<Belief> out = over_pop(session_) ? in_maildrop() : away_ ? left_ : of(track_.view(session_));
    if (!out) return std::nullopt;
    out->looked = looked_;
    std::sort(out->messages.begin(), out->messages.end());
    return out;
  }

 private:
  bool over_pop(std::uint32_t session) const { return c_.history.session(session).protocol == Protocol::pop3; }

  Belief none_of(std::string mailbox) const {
    return {std::move(mailbox), {}, session_, c_.history.session(session_).account, 0};
  }
  std::optional<Belief> of(const View* view) const {
    if (view == nullptr || !view->sure) return std::nullopt;
    Belief out = none_of(view->mailbox);
    for (const std::uint32_t uid : view->numbers.uids()) {
      if (uid == 0) return std::nullopt;
      const std::uint32_t message = c_.ledger.message_at(out.account, view->mailbox, view->uidvalidity, uid);
      if (message != 0) out.messages.push_back(message);
    }
    return out;
  }
  Belief in_maildrop() {
    Belief out = none_of("INBOX");
    for (const auto& [number, message] : maildrops_[session_])
      if (message != 0) out.messages.push_back(message);
    return out;
  }

  void leaves(const Event& e) {
    const View* view = e.session == session_ && !mailbox_.empty() ? track_.view(session_) : nullptr;
    if (view == nullptr || !iequals(view->mailbox, mailbox_)) return;
    away_ = true;
    left_ = of(view);
  }

  void looked(const Event& e, bool opened) {
    const bool here = e.session == session_ && !away_;
    if (e.type == Type::ok && (opened || (here && e.what == What::noop))) looked_ = c_.invoke(e).index;
    if (here && e.what == What::idle) looked_ = e.type == Type::invoke ? ~std::uint32_t{} : e.index;
  }

  void listed(const Event& e, bool pop) {
    auto& maildrop = maildrops_[e.session];
    if (e.what == What::message && pop) maildrop[e.seq] = e.message;
    if (e.what == What::pop_uidl && e.type == Type::obs && !maildrop.contains(e.seq))
      maildrop[e.seq] = c_.ledger.message_with_uidl(c_.history.account_of(e), e.text);
    if (e.what == What::dele && e.type == Type::ok) maildrop.erase(c_.invoke(e).seq);
  }

  const Case& c_;
  std::string_view mailbox_;
  ViewTrack track_;
  std::uint32_t session_ = 0, looked_ = 0;
  bool away_ = false;                                                          ///< it left the mailbox
  std::optional<Belief> left_;                                                 ///< ... and believed this then
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>> maildrops_;  ///< by session: number -> message
};

std::optional<Belief> belief(const Case& c, std::uint32_t device, const std::string& mailbox) {
  Beliefs beliefs(c, mailbox);
  for (const Event& e : c.history.events())
    if (e.session != 0 && device_of(c, e) == device) beliefs.apply(e);
  return beliefs.newest();
}

/// Whether what only one of two believes is owed to nobody: who has it asked for nothing since its removal was known to
/// be done, or who lacks it since it came. EXPUNGE is not told while no command is in progress (RFC 3501
/// section 7.4.1), and need not be told to who was asked before.
bool not_told_yet(const Case& c, const Leaving& leaving, const Belief& has, const Belief& lacks,
                  std::uint32_t message) {
  const Cell* gone = c.ledger.find(message, has.account, has.mailbox);
  const bool removed = gone != nullptr && gone->removes + gone->maybe_removes > 0;
  if (removed && (gone->removed_by == 0 || c.history.event(gone->removed_by).session != has.session)) {
    const std::uint32_t done = leaving.known_done(*gone);
    if (done == Leaving::kNever || has.looked < done) return true;
  }
  const Cell* there = c.ledger.find(message, lacks.account, lacks.mailbox);
  std::uint32_t came = there == nullptr ? 0 : there->added_by;
  for (const auto& attempt : c.ledger.attempts_of(message))
    if (attempt.account == lacks.account && attempt.outcome == Type::ok) came = std::max(came, attempt.event);
  return lacks.looked < came;
}

void agree(const Case& c, const Pop3Policy& policy, const Leaving& leaving, const Event& e, Verdicts& out) {
  std::optional<Belief> first;
  std::string first_device;
  for (const std::uint32_t number : e.get<history::AgreeFacts>().devices) {
    const std::string device(name_of_device(c, number));
    const auto now = belief(c, number, e.mailbox);
    if (!now) {
      out.unclear = fmt::format("what {} believes{} is not known", device,
                                e.mailbox.empty() ? std::string() : fmt::format(" of {}", printable(e.mailbox, 100)));
      return;
    }
    if (!first) {
      first = now;
      first_device = device;
      continue;
    }
    std::vector<std::uint32_t> differ;
    std::set_symmetric_difference(first->messages.begin(), first->messages.end(), now->messages.begin(),
                                  now->messages.end(), std::back_inserter(differ));
    for (const std::uint32_t message : differ) {
      const std::uint32_t account = c.history.device(number).account;
      if (policy.shows(account, now->mailbox, message) || policy.shows(account, first->mailbox, message)) continue;
      const bool of_first = std::binary_search(first->messages.begin(), first->messages.end(), message);
      if (not_told_yet(c, leaving, of_first ? *first : *now, of_first ? *now : *first, message)) {
        out.unclear = fmt::format("{} came or went when one of {} and {} had asked for the last time",
                                  c.name_of(message), first_device, device);
        continue;
      }
      out.missed(message, 0, [&] {
        return Words{fmt::format("{} and {} see the same messages", first_device, device),
                     fmt::format("only one of {} ({}) and {} ({}) has {}", first_device, first->mailbox, device,
                                 now->mailbox, c.name_of(message))};
      });
    }
  }
}

}  // namespace

std::string nothing_left(const Case& c) {
  std::vector<std::string> names;
  std::string why;
  for (const Event& e : c.history.about(What::fate)) {
    if (e.type != Type::expect || !e.get<history::FateFacts>().nobody_has_copy) continue;
    for (const std::uint32_t message : history::parse_numbers(e.set)) {
      if (message == 0 || message > c.history.messages().size()) continue;
      names.push_back(c.name_of(message));
      for (const std::uint32_t account : accounts_of(c, e, message))
        if (const Event* removal = removal_of(c, message, account); removal != nullptr && why.empty())
          why = fmt::format("{} removed it from the server at {}", c.who(*removal), c.when(*removal));
    }
  }
  if (names.empty() || why.empty()) return {};
  for (const Event& e : c.history.about(What::vanish))
    why += fmt::format("; {} was lost with its own copies at {}", e.text, c.when(e));
  return fmt::format("no copy of {} is left: {}", fmt::join(names, ", "), why);
}

Vanished vanished(const Case& c) {
  Vanished out;
  for (const Event& e : c.history.about(What::vanish)) out[e.text] = e.index;
  return out;
}

std::string at_end(const Case& c, const Vanished& vanished, const Strangers& strangers, const Pop3Policy& policy,
                   const Leaving& leaving, const Event& expectation, const Miss& miss) {
  Verdicts out{miss, {}};
  switch (expectation.what) {
    case What::fate:
      fate(c, vanished, strangers, expectation, out);
      break;
    case What::count:
      count(c, strangers, policy, expectation, out);
      break;
    case What::intact:
      intact(c, expectation, out);
      break;
    case What::agree:
      agree(c, policy, leaving, expectation, out);
      break;
    default:
      out.unclear = "it was never answered";
      break;
  }
  return out.unclear;
}

}  // namespace mailproof::judge
