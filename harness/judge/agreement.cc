// I33: when all is quiet the POP3 maildrop and the IMAP INBOX hold the same messages.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::What;
using Contents = ByNumber<int>;  ///< message -> copies

struct Listing {
  Contents contents;
  std::uint32_t event = 0;
};
struct Round {
  Listing imap, pop;
};

}  // namespace

void judge_agreement(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "agreement", out);
  std::map<std::uint32_t, std::map<std::uint32_t, Round>> accounts;  // account -> audit round
  std::map<std::uint32_t, ByNumber<std::uint32_t>> seen;             // session -> uid or number -> message
  std::set<std::pair<std::uint32_t, std::uint32_t>>
      doomed;  // account, message: marked \Deleted, each side's own affair
  for (const Event& e : history.about(What::select, What::examine, What::message, What::row, What::enumerated)) {
    if (e.session == 0) continue;
    const auto& session = history.session(e.session);
    if (session.audit_round == 0) continue;
    const bool pop = session.protocol == Protocol::pop3;
    if (e.what == What::select || e.what == What::examine) seen[e.session].clear();
    if (e.what == What::message) seen[e.session][pop ? e.seq : e.uid] = e.message;
    if (e.what == What::row && e.uid != 0 && !seen[e.session].contains(e.uid))
      seen[e.session][e.uid] = ledger.message_at(session.account, e.mailbox, e.uidvalidity, e.uid);
    if (e.what == What::row && history::has_deleted(e.flags))
      doomed.emplace(session.account, ledger.message_at(session.account, e.mailbox, e.uidvalidity, e.uid));
    if (e.what != What::enumerated || !(pop || iequals(e.mailbox, "INBOX"))) continue;
    Round& round = accounts[session.account][session.audit_round];
    Listing& listing = pop ? round.pop : round.imap;
    listing.event = e.index;
    listing.contents.clear();
    seen[e.session].for_each([&](std::uint32_t, std::uint32_t message) {
      if (message != 0) ++listing.contents[message];
    });
  }

  for (const auto& [account, rounds] : accounts) {
    std::vector<const Round*> both;
    for (const auto& [number, round] : rounds)
      if (round.imap.event != 0 && round.pop.event != 0) both.push_back(&round);
    if (both.empty()) continue;
    const Round& last = *both.back();
    Contents all = last.imap.contents;
    last.pop.contents.for_each([&](std::uint32_t message, int) { all.place(message); });
    all.for_each([&, account = account](std::uint32_t message, int) {
      const auto count = [message](const Contents& from) {
        const int* copies = from.find(message);
        return copies == nullptr ? 0 : *copies;
      };
      const int imap = count(last.imap.contents), pop = count(last.pop.contents);
      if (imap == pop || doomed.contains({account, message})) return;
      // What POP3 removed and IMAP keeps is the server's policy, and the removal judge's to say.
      const history::Cell* cell = ledger.find(message, account, "INBOX");
      const bool told =
          cell != nullptr && (history.info.pop3_delete == Pop3Delete::keeps_for_imap || cell->unlike >= 2);
      if (told && imap - cell->kept() == pop) return;
      const bool confirmed =
          both.size() >= 2 && count(both[both.size() - 2]->imap.contents) != count(both[both.size() - 2]->pop.contents);
      c.find(!confirmed   ? "not-confirmed"
             : pop < imap ? "pop3-lacks"
                          : "imap-lacks",
             {fmt::format("as many of {} over POP3 as over IMAP", c.name_of(message)),
              fmt::format("{}'s INBOX has {} over IMAP, the maildrop has {}{}", c.account(account), imap, pop,
                          confirmed ? ", twice, the second time after the settling time" : ""),
              {last.imap.event, last.pop.event},
              message,
              ""});
    });
  }
}

}  // namespace mailproof::judge
