#include "judge/flags_copied.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "core/bytes.h"
#include "judge/internal_date.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// Account, mailbox in lower case, UIDVALIDITY, UID.
using CopyPlace = std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>;

/// Flags that a server may treat in a way of its own when it copies are left out: \Recent is a session's, and what is
/// \Deleted may be the next to go.
std::set<std::string> kept_flags(std::string_view flags) {
  std::set<std::string> out;
  while (!flags.empty()) {
    const auto end = std::min(flags.find(' '), flags.size());
    if (std::string word = lower(flags.substr(0, end)); word != "\\recent" && word != "\\deleted" && !word.empty())
      out.insert(std::move(word));
    flags.remove_prefix(std::min(end + 1, flags.size()));
  }
  return out;
}

class Copied {
 public:
  explicit Copied(Case& c) : c_(c), track_(c.history) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      if (e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap) {
        if (e.what == What::store && e.type == Type::invoke) stored(e);
        if (e.what == What::row && e.uid != 0) row(e);
        if (e.what == What::copy && e.type == Type::ok && e.uidvalidity != 0) copied(e);
      }
      track_.apply(e);
    }
  }

 private:
  struct Known {
    std::uint32_t event = 0;
    std::set<std::string> flags;  ///< that it has and keeps, as far as anybody asked for
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
      known_[place].cleared = true;
      expected_.erase(place);
    }
  }

  void row(const Event& e) {
    const View* view = track_.view(e.session);
    if (view == nullptr || view->uidvalidity == 0) return;
    const CopyPlace place{c_.history.account_of(e), lower(view->mailbox), view->uidvalidity, e.uid};
    const auto flags = kept_flags(e.flags);
    compare(e, place, flags, view->mailbox);
    Known& known = known_[place];
    known.event = e.index;
    if (e.has_flags) known.flags.insert(flags.begin(), flags.end());
    if (!e.text.empty()) known.date = e.text;
  }

  void compare(const Event& e, const CopyPlace& place, const std::set<std::string>& flags, const std::string& mailbox) {
    const auto expected = expected_.find(place);
    if (expected == expected_.end()) return;
    std::string lacks;
    if (e.has_flags)
      for (const std::string& flag : expected->second.flags)
        if (!flags.contains(flag)) lacks += (lacks.empty() ? "" : " ") + flag;
    const bool date = !e.text.empty() && !expected->second.date.empty() && !same_date(e.text, expected->second.date);
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
    const auto from = history::parse_uids(e.set), to = history::parse_uids(e.get<history::CopyFacts>().destinations);
    if (view == nullptr || from.size() != to.size()) return;
    const std::uint32_t account = c_.history.account_of(e);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto source = known_.find({account, lower(view->mailbox), view->uidvalidity, from[i]});
      if (source == known_.end() || source->second.event == 0) continue;
      ExpectedCopy expected{source->second.event, e.index, {}, source->second.date};
      if (!source->second.cleared) expected.flags = source->second.flags;
      const CopyPlace made{account, lower(c_.invoke(e).other_mailbox), e.uidvalidity, to[i]};
      if (!known_.contains(made)) expected_[made] = std::move(expected);
    }
  }

  Case& c_;
  ViewTrack track_;
  std::map<CopyPlace, Known> known_;
  std::map<CopyPlace, ExpectedCopy> expected_;  ///< of copies that no row has told of yet
};

}  // namespace

void judge_copied_flags(Case& c) {
  const bool any = std::any_of(c.history.events().begin(), c.history.events().end(), [](const Event& e) {
    return e.what == What::copy && e.type == Type::ok && e.uidvalidity != 0;
  });
  if (any) Copied(c).run();
}

}  // namespace mailproof::judge
