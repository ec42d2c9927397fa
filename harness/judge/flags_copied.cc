#include "judge/flags_copied.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "core/bytes.h"
#include "judge/flags_kept.h"
#include "judge/view_track.h"
#include "wire/mime/date.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Account, mailbox in lower case, UIDVALIDITY, UID.
using CopyPlace = std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>;

/// Those that a neighbour in the same COPY may have lent. Keywords are the affair of filters, too, and \Deleted that of
/// what is on its way out.
constexpr std::array<std::string_view, 4> kLent{"\\answered", "\\draft", "\\flagged", "\\seen"};
constexpr std::size_t kSeenLent = 3;
using Lent = std::bitset<kLent.size()>;

/// Names that servers may give a meaning (RFC 6154): what comes in there they may mark.
bool has_a_meaning(std::string_view mailbox) {
  constexpr std::array<std::string_view, 5> kMeaning{"archive", "drafts", "junk", "sent", "trash"};
  return std::any_of(kMeaning.begin(), kMeaning.end(), [&](auto name) { return mailbox.ends_with(name); });
}

Lent lent(const std::set<std::string>& flags) {
  Lent out;
  for (std::size_t i = 0; i < kLent.size(); ++i) out[i] = flags.contains(std::string(kLent[i]));
  return out;
}

class Copied {
 public:
  Copied(Case& c, const Leaving& leaving) : c_(c), leaving_(leaving), track_(c.history) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::pop3 && e.message != 0)
        may_have_[{c_.history.account_of(e), e.message}].set();
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap) {
        if (e.what == What::create && e.type == Type::ok)
          made_here_.emplace(c_.history.account_of(e), lower(c_.invoke(e).mailbox));
        if ((e.what == What::store || e.what == What::fetch) && e.type == Type::invoke) asked(e);
        if (e.what == What::store && e.type == Type::invoke) stored(e);
        if (e.what == What::row && e.uid != 0) row(e);
        if ((e.what == What::copy || e.what == What::move) && e.type == Type::ok) copied(e);
      }
      track_.apply(e);
    }
  }

 private:
  struct Known {
    std::uint32_t event = 0;
    std::map<std::string, std::uint32_t> flags;  ///< that it has and keeps, and the row that told it first
    std::string date;
    bool cleared = false;  ///< somebody asked to take flags away
    bool told = false;     ///< its flags were
  };
  struct ExpectedCopy {
    std::uint32_t source = 0, copy = 0;  ///< events
    std::set<std::string> flags;
    std::string date;
    std::uint32_t message = 0;  ///< 0: its source's flags nobody was told
    Lent beside{};              ///< what any of the messages had that were copied with it
  };

  /// What a message may have by now, whoever looks: a STORE may do more to what it names than it was asked for.
  void asked(const Event& e) {
    const View* view = track_.view(e.session);
    if (view == nullptr) return;
    Lent flags;
    if (e.what == What::store) flags = lent(lasting_flags(e.flags)).set(kSeenLent);
    if (e.what == What::fetch) flags[kSeenLent] = history::sets_seen(e.text);
    if (flags.none()) return;
    const std::uint32_t account = c_.history.account_of(e);
    const auto uids = history::parse_uids(e.set);
    if (uids.empty()) unclear_.insert(account);
    for (const std::uint32_t uid : uids)
      may_have_[{account, c_.ledger.message_at(account, view->mailbox, view->uidvalidity, uid)}] |= flags;
  }

  void stored(const Event& e) {
    if (e.code.starts_with('+')) return;
    const View* view = track_.view(e.session);
    if (view == nullptr) return;
    for (const std::uint32_t uid : history::parse_uids(e.set)) {
      const CopyPlace place{c_.history.account_of(e), lower(view->mailbox), view->uidvalidity, uid};
      recognise(place, view->mailbox);
      known_[place].cleared = true;
      expected_.erase(place);
    }
  }

  void row(const Event& e) {
    const View* view = track_.view(e.session);
    if (view == nullptr || view->uidvalidity == 0) return;
    const std::uint32_t account = c_.history.account_of(e);
    if (leaving_.at(e.index, account, view->mailbox, view->uidvalidity, e.uid)) return;
    const CopyPlace place{account, lower(view->mailbox), view->uidvalidity, e.uid};
    const auto flags = lasting_flags(e.flags);
    recognise(place, view->mailbox);
    gained(e, place, lent(flags), view->mailbox);
    compare(e, place, flags, view->mailbox);
    if (e.has_flags)
      may_have_[{account, c_.ledger.message_at(account, view->mailbox, view->uidvalidity, e.uid)}] |= lent(flags);
    Known& known = known_[place];
    known.event = e.index;
    known.told = known.told || e.has_flags;
    if (e.has_flags)
      for (const std::string& flag : flags) known.flags.try_emplace(flag, e.index);
    if (!e.text.empty()) known.date = e.text;
  }

  void compare(const Event& e, const CopyPlace& place, const std::set<std::string>& flags, const std::string& mailbox) {
    const auto expected = expected_.find(place);
    if (expected == expected_.end()) return;
    std::string lacks;
    if (e.has_flags)
      for (const std::string& flag : expected->second.flags)
        if (!flags.contains(flag)) lacks += (lacks.empty() ? "" : " ") + flag;
    const bool date =
        !e.text.empty() && !expected->second.date.empty() && !mime::same_internal_date(e.text, expected->second.date);
    if (lacks.empty() && !date) return;
    const auto& [account, name, validity, uid] = place;
    c_.find("lost-in-copy",
            {"the flags and the internal date of what was copied",
             fmt::format("UID {} of {}, a copy, is told to {} at {} {}", uid, mailbox, c_.who(e), c_.when(e),
                         lacks.empty() ? fmt::format("with \"{}\", not \"{}\"", e.text, expected->second.date)
                                       : fmt::format("without {}", printable(lacks, 80))),
             {expected->second.source, expected->second.copy, e.index},
             c_.ledger.message_at(account, mailbox, validity, uid),
             ""});
    expected_.erase(expected);
  }

  /// That a copy has fewer flags than its message a SHOULD allows. What its message never had, and one that was copied
  /// with it had, is that one's. Of a mailbox that was there before nobody knows what the server does to what comes in.
  void gained(const Event& e, const CopyPlace& place, const Lent& flags, const std::string& mailbox) {
    const auto expected = expected_.find(place);
    const auto& [account, name, validity, uid] = place;
    if (!e.has_flags || expected == expected_.end() || c_.history.info.recorded || unclear_.contains(account)) return;
    const auto known = known_.find(place);
    const std::uint32_t message = expected->second.message;
    if ((known != known_.end() && known->second.told) || message == 0 || !made_here_.contains({account, name}) ||
        has_a_meaning(name) || c_.ledger.message_at(account, mailbox, validity, uid) != message)
      return;
    const Lent more = flags & expected->second.beside & ~may_have_[{account, message}];
    for (std::size_t i = 0; i < kLent.size(); ++i)
      if (more[i])
        c_.find(
            "gained-in-copy",
            {fmt::format("{} without {}, which it never had", c_.name_of(message), kLent[i]),
             fmt::format("UID {} of {}, a copy of it, is told to {} at {} with {}, which another message had that was "
                         "copied by the same command",
                         uid, mailbox, c_.who(e), c_.when(e), kLent[i]),
             {expected->second.source, expected->second.copy, e.index},
             message,
             ""});
  }

  void copied(const Event& e) {
    const View* view = track_.view(e.session);
    if (view == nullptr) return;
    const auto to = history::parse_uids(e.get<history::CopyFacts>().destinations);
    const bool told = e.uidvalidity != 0 && !to.empty();
    const auto from = history::parse_uids(told ? e.set : c_.invoke(e).set);
    if (told && from.size() != to.size()) return;
    const std::uint32_t account = c_.history.account_of(e);
    const std::string& mailbox = c_.invoke(e).other_mailbox;
    const auto source_of = [&](std::uint32_t uid) {
      return known_.find({account, lower(view->mailbox), view->uidvalidity, uid});
    };
    Lent any;
    for (const std::uint32_t uid : from)
      if (const auto source = source_of(uid); source != known_.end())
        for (const auto& [flag, row] : source->second.flags) any |= lent({flag});
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto source = source_of(from[i]);
      if (source == known_.end() || source->second.event == 0) continue;
      ExpectedCopy expected{source->second.event, e.index, {}, source->second.date, 0, any};
      if (source->second.told)
        expected.message = c_.ledger.message_at(account, view->mailbox, view->uidvalidity, from[i]);
      // What it got while the command ran may have come behind the copy.
      for (const auto& [flag, row] : source->second.flags)
        if (!source->second.cleared && row < e.command) expected.flags.insert(flag);
      if (!told) {
        only_copy(account, mailbox, c_.ledger.message_at(account, view->mailbox, view->uidvalidity, from[i]),
                  std::move(expected));
        continue;
      }
      const CopyPlace made{account, lower(mailbox), e.uidvalidity, to[i]};
      if (!known_.contains(made)) expected_[made] = std::move(expected);
    }
  }

  /// Where nobody was told its UID it is known by its content, if it is the only one that was ever put there.
  void only_copy(std::uint32_t account, const std::string& mailbox, std::uint32_t message, ExpectedCopy expected) {
    const history::Cell* there = message == 0 ? nullptr : c_.ledger.find(message, account, mailbox);
    if (there == nullptr || there->adds + there->maybe_adds != 1) return;
    unnamed_[{account, lower(mailbox), message}] = std::move(expected);
  }

  /// A UID that is told of for the first time there: what was put there without one is expected of it.
  void recognise(const CopyPlace& place, const std::string& name) {
    if (unnamed_.empty() || known_.contains(place) || expected_.contains(place)) return;
    const auto& [account, mailbox, validity, uid] = place;
    const auto unnamed = unnamed_.find({account, mailbox, c_.ledger.message_at(account, name, validity, uid)});
    if (unnamed == unnamed_.end()) return;
    expected_[place] = std::move(unnamed->second);
    unnamed_.erase(unnamed);
  }

  Case& c_;
  const Leaving& leaving_;
  ViewTrack track_;
  std::map<CopyPlace, Known> known_;
  std::map<CopyPlace, ExpectedCopy> expected_;  ///< of copies that no row has told of yet
  std::map<std::tuple<std::uint32_t, std::string, std::uint32_t>, ExpectedCopy> unnamed_;  ///< ... by message
  std::map<std::pair<std::uint32_t, std::uint32_t>, Lent> may_have_;                       ///< by account and message
  std::set<std::pair<std::uint32_t, std::string>> made_here_;  ///< mailboxes that the run made
  std::set<std::uint32_t> unclear_;  ///< accounts where a command named messages that are not known
};

}  // namespace

void judge_copied_flags(Case& c, const Leaving& leaving) {
  const auto copies = c.history.about(What::copy, What::move);
  const bool any = std::any_of(copies.begin(), copies.end(), [](const Event& e) { return e.type == Type::ok; });
  if (any) Copied(c, leaving).run();
}

}  // namespace mailproof::judge
