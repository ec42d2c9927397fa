// I21: what APPENDUID and COPYUID tell is looked up: that UIDVALIDITY is the mailbox's, and that UID is that message.
#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "judge/boxes.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;
using Box = std::pair<std::uint32_t, std::string>;  ///< account, mailbox in lower case

struct Opened {
  std::uint32_t event = 0, uidvalidity = 0;
};

class Uidplus {
 public:
  explicit Uidplus(Case& c) : c_(c) {
    ViewTrack track(c.history);
    for (const Event& e : c.history.events()) {
      const bool imap = e.session != 0 && c.history.session(e.session).protocol == Protocol::imap;
      const std::uint32_t account = c.history.account_of(e);
      if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok && e.uidvalidity != 0)
        opened_[{account, lower(c.invoke(e).mailbox)}].push_back({e.index, e.uidvalidity});
      const bool remade = e.what == What::create || e.what == What::remove || e.what == What::rename;
      if ((e.what == What::remove || e.what == What::rename) && e.type != Type::fail) {
        gone_.emplace(account, lower(e.mailbox));
        gone_.emplace(account, lower(e.other_mailbox));
      }
      if (remade && e.type != Type::fail) {
        remade_.emplace(account, lower(e.mailbox));
        remade_.emplace(account, lower(e.other_mailbox));
      }
      if (imap && e.what == What::message && e.message != 0 && e.uid != 0) {
        const View* view = track.view(e.session);
        const std::string mailbox = lower(e.mailbox.empty() && view != nullptr ? view->mailbox : e.mailbox);
        const std::uint32_t validity = e.uidvalidity == 0 && view != nullptr ? view->uidvalidity : e.uidvalidity;
        seen_.try_emplace(boxes_.place(account, mailbox, validity, e.uid), e.index);
        auto& places = places_[names_.place(account, mailbox, 0, e.message)];
        if (std::find(places.begin(), places.end(), std::pair(validity, e.uid)) == places.end())
          places.emplace_back(validity, e.uid);
      }
      if (const View* view = track.view(e.session);
          (e.what == What::copy || e.what == What::move) && e.type == Type::ok && view != nullptr)
        source_validity_[e.index] = view->uidvalidity;
      track.apply(e);
    }
  }

  void run() {
    for (const Event& e : c_.history.about(What::append, What::copy, What::move)) {
      if (e.type != Type::ok || e.uidvalidity == 0) continue;
      if (e.what == What::append && e.uid != 0) append(e);
      if (e.what == What::copy || e.what == What::move) copy(e);
    }
  }

 private:
  /// The UIDVALIDITY that the mailbox had before and after; 0 = it is not known, or may have changed.
  Opened validity(const Box& box, const Event& e) const {
    const auto all = opened_.find(box);
    if (all == opened_.end() || remade_.contains(box)) return {};
    Opened before, after;
    for (const Opened& one : all->second) {
      if (one.event < e.command) before = one;
      if (one.event > e.index && after.event == 0) after = one;
    }
    return before.uidvalidity == after.uidvalidity ? after : Opened{};
  }

  bool wrong_validity(const Event& e, const std::string& mailbox, std::string_view code, std::uint32_t uid,
                      std::uint32_t message) {
    const Box box{c_.history.account_of(e), lower(mailbox)};
    Opened is = validity(box, e);
    // Made anew it may have got another one; but who finds the message under the very numbers, the wrong way round ...
    const auto placed = places_.find(names_.place(box.first, box.second, 0, message));
    if (is.uidvalidity == 0 && uid != 0 && placed != places_.end() &&
        std::find(placed->second.begin(), placed->second.end(), std::pair(uid, e.uidvalidity)) != placed->second.end())
      is = {seen_.at(boxes_.place(box.first, box.second, uid, e.uidvalidity)), uid};
    if (is.uidvalidity == 0 || is.uidvalidity == e.uidvalidity) return false;
    c_.find("uidvalidity",
            {fmt::format("{} {} ...: the UIDVALIDITY of {} as SELECT tells it", code, is.uidvalidity, mailbox),
             fmt::format("{} is told {} {} {} at {}{}", c_.who(e), code, e.uidvalidity,
                         uid == 0 ? "..." : std::to_string(uid), c_.when(e),
                         uid == is.uidvalidity ? ": the UID stands before the UIDVALIDITY" : ""),
             {e.index, is.event},
             message,
             ""});
    return true;
  }

  /// Is it another message that has this UID there, or has this one, put there once, another UID?
  void look_up(const Event& e, const std::string& mailbox, std::string_view code, std::uint32_t uid,
               std::uint32_t message) {
    const Box box{c_.history.account_of(e), lower(mailbox)};
    if (gone_.contains(box)) return;  // which mailbox of that name it was nobody knows
    const auto there = seen_.find(boxes_.place(box.first, box.second, e.uidvalidity, uid));
    std::uint32_t other = 0, at = 0;
    if (there != seen_.end()) {
      at = there->second;
      other = c_.history.event(at).message;
      if (c_.may_be_one(other, message)) return;
    }
    const auto placed = places_.find(names_.place(box.first, box.second, 0, message));
    const auto* cell = c_.ledger.find(message, box.first, mailbox);
    std::uint32_t elsewhere = 0;
    if (at == 0 && !c_.history.info.recorded && placed != places_.end() && placed->second.size() == 1 &&
        cell != nullptr && cell->adds + cell->maybe_adds == 1 && placed->second.begin()->first == e.uidvalidity) {
      elsewhere = placed->second.begin()->second;
      at = seen_.at(boxes_.place(box.first, box.second, e.uidvalidity, elsewhere));
    }
    if (other == 0 && elsewhere == 0) return;
    c_.find("uid", {fmt::format("{} under UID {} of {}, as {} tells", c_.name_of(message), uid, mailbox, code),
                    other != 0 ? fmt::format("UID {} is {}", uid, c_.name_of(other))
                               : fmt::format("{} has the UID {}", c_.name_of(message), elsewhere),
                    {e.index, at},
                    message,
                    ""});
  }

  void append(const Event& e) {
    const std::string& mailbox = c_.invoke(e).mailbox;
    const std::uint32_t message = c_.invoke(e).message;
    if (message == 0 || wrong_validity(e, mailbox, "APPENDUID", e.uid, message)) return;
    look_up(e, mailbox, "APPENDUID", e.uid, message);
  }

  void copy(const Event& e) {
    const Event& asked = c_.invoke(e);
    const auto from = history::parse_uids(e.set);
    const auto made = history::parse_uids(e.get<history::CopyFacts>().destinations);
    if (from.size() != made.size()) {
      c_.find("sets", {fmt::format("as many UIDs behind as before: {}", from.size()),
                       fmt::format("{} is told COPYUID {} {} {} at {}", c_.who(e), e.uidvalidity, printable(e.set, 60),
                                   printable(e.get<history::CopyFacts>().destinations, 60), c_.when(e)),
                       {e.index},
                       0,
                       ""});
      return;
    }
    const std::uint32_t account = c_.history.account_of(e);
    if (wrong_validity(e, asked.other_mailbox, "COPYUID", 0, 0)) return;
    const Box source{account, lower(asked.mailbox)};
    const auto validity_then = source_validity_.find(e.index);
    if (validity_then == source_validity_.end()) return;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto seen = seen_.find(boxes_.place(source.first, source.second, validity_then->second, from[i]));
      const std::uint32_t message = seen == seen_.end() ? 0 : c_.history.event(seen->second).message;
      if (message != 0) look_up(e, asked.other_mailbox, "COPYUID", made[i], message);
    }
  }

  Case& c_;
  std::map<Box, std::vector<Opened>> opened_;
  std::map<std::uint32_t, std::uint32_t> source_validity_;  ///< of the mailbox that a COPY or MOVE took from, by event
  std::set<Box> gone_;                                      ///< deleted or renamed at some time
  std::set<Box> remade_;                                    ///< by whoever: its UIDVALIDITY may be another afterwards
  Boxes boxes_, names_;  ///< of mailboxes in lower case; the second without UIDVALIDITY
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> seen_;  ///< by box and UID: the first event with content
  boost::unordered_flat_map<std::uint64_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>>
      places_;  ///< by name and message: UIDVALIDITY, UID
};

}  // namespace

void judge_uidplus(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "uidplus", out);
  // RFC 4315 section 4: "uid-set" has no "*". How many messages are there who asked need not know; what is more than
  // these is told as a deviation.
  for (const Event& e : history.about(What::deviation))
    if (e.code == "imap.copyuid.unusable" && e.text.find('*') != std::string::npos)
      c.find("sets", {"COPYUID with UIDs, each by its number",
                      fmt::format("{} is told COPYUID {} at {}", c.who(e), printable(e.text, 120), c.when(e)),
                      {e.index},
                      0,
                      ""});
  const auto puts = history.about(What::append, What::copy, What::move);
  const bool told =
      std::any_of(puts.begin(), puts.end(), [](const Event& e) { return e.type == Type::ok && e.uidvalidity != 0; });
  if (told) Uidplus(c).run();
}

}  // namespace mailproof::judge
