#include "judge/flags_copied.h"

#include <fmt/format.h>

#include <algorithm>
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

class Copied {
 public:
  Copied(Case& c, const Leaving& leaving) : c_(c), leaving_(leaving), track_(c.history) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap) {
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
  };
  struct ExpectedCopy {
    std::uint32_t source = 0, copy = 0;  ///< events
    std::set<std::string> flags;
    std::string date;
  };

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
    compare(e, place, flags, view->mailbox);
    Known& known = known_[place];
    known.event = e.index;
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

  void copied(const Event& e) {
    const View* view = track_.view(e.session);
    if (view == nullptr) return;
    const auto to = history::parse_uids(e.get<history::CopyFacts>().destinations);
    const bool told = e.uidvalidity != 0 && !to.empty();
    const auto from = history::parse_uids(told ? e.set : c_.invoke(e).set);
    if (told && from.size() != to.size()) return;
    const std::uint32_t account = c_.history.account_of(e);
    const std::string& mailbox = c_.invoke(e).other_mailbox;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto source = known_.find({account, lower(view->mailbox), view->uidvalidity, from[i]});
      if (source == known_.end() || source->second.event == 0) continue;
      ExpectedCopy expected{source->second.event, e.index, {}, source->second.date};
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
};

}  // namespace

void judge_copied_flags(Case& c, const Leaving& leaving) {
  const auto copies = c.history.about(What::copy, What::move);
  const bool any = std::any_of(copies.begin(), copies.end(), [](const Event& e) { return e.type == Type::ok; });
  if (any) Copied(c, leaving).run();
}

}  // namespace mailproof::judge
