#include "judge/identity_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "core/bytes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

using NamedBox = std::pair<std::uint32_t, std::string>;                     ///< account; mailbox in lower case
using NumberedBox = std::tuple<std::uint32_t, std::string, std::uint32_t>;  ///< ... and UIDVALIDITY

/// What was told of a mailbox, by which event.
struct NumberTold {
  std::uint32_t event = 0, number = 0;
};

class Numbers {
 public:
  explicit Numbers(Case& c) : c_(c) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      // Which mailbox has a name from then on, nobody knows while it is under way: what was told before is forgotten.
      if (e.what == What::create || e.what == What::remove || e.what == What::rename) made_anew(e);
      // What a server that was killed keeps of its numbers is compared as well: RFC 3501 knows no other life of them.
      const bool opens = e.what == What::select || e.what == What::examine;
      if (opens && e.type == Type::ok && e.uidvalidity != 0) opened(e);
      const bool puts = e.what == What::deliver || e.what == What::append;
      if (puts && e.type == Type::invoke && e.message != 0) begun_.try_emplace(e.message, e.index);
      const bool imap = e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap;
      if (imap && e.what == What::message && e.uid != 0 && e.uidvalidity != 0) seen(e);
    }
  }

 private:
  void made_anew(const Event& e) {
    const std::uint32_t account = c_.history.account_of(e);
    const auto inbox = [&](const std::string& name) { return iequals(name, "INBOX"); };
    const bool of_inbox = inbox(e.mailbox) || inbox(e.other_mailbox);
    std::erase_if(validity_, [&](const auto& one) {
      return one.first.first == account && (of_inbox || one.first.second != "inbox");
    });
    const auto forgotten = [&](const auto& one) {
      return std::get<0>(one.first) == account && (of_inbox || std::get<1>(one.first) != "inbox");
    };
    std::erase_if(next_, forgotten);
    std::erase_if(highest_, forgotten);
  }

  void opened(const Event& e) {
    const Event& asked = c_.invoke(e);
    const std::uint32_t account = c_.history.account_of(e), next = e.get<history::SelectFacts>().uidnext;
    const std::string name = lower(asked.mailbox);
    validity(e, asked, validity_[{account, name}]);
    if (next == 0) return;
    const NumberedBox box{account, name, e.uidvalidity};
    auto& told = next_[box];
    // What was answered before this was asked for is older than it, whoever was told.
    const auto before =
        std::partition_point(told.begin(), told.end(), [&](const NumberTold& one) { return one.event < asked.index; });
    if (before != told.begin() && std::prev(before)->number > next)
      c_.find("uidnext-fell",
              {fmt::format("UIDNEXT {} of {} or more, as was told before", std::prev(before)->number, asked.mailbox),
               fmt::format("{} is told UIDNEXT {} at {}", c_.who(e), next, c_.when(e)),
               {std::prev(before)->event, e.index},
               0,
               ""});
    const auto highest = highest_.find(box);
    if (highest != highest_.end() && highest->second.event < asked.index && highest->second.number >= next)
      c_.find("uidnext-behind", {fmt::format("UIDNEXT {} of {} or more: UID {} was there", highest->second.number + 1,
                                             asked.mailbox, highest->second.number),
                                 fmt::format("{} is told UIDNEXT {} at {}", c_.who(e), next, c_.when(e)),
                                 {highest->second.event, e.index},
                                 c_.history.event(highest->second.event).message,
                                 ""});
    if (told.empty() || told.back().number < next) told.push_back({e.index, next});
  }

  void validity(const Event& e, const Event& asked, NumberTold& last) {
    if (last.event != 0 && last.event < asked.index && last.number != e.uidvalidity)
      c_.find(e.uidvalidity < last.number ? "uidvalidity-fell" : "uidvalidity-changed",
              {fmt::format("UIDVALIDITY {} of {} as before, or a greater one where the UIDs are lost", last.number,
                           asked.mailbox),
               fmt::format("{} is told UIDVALIDITY {} at {}", c_.who(e), e.uidvalidity, c_.when(e)),
               {last.event, e.index},
               0,
               ""});
    last = {e.index, e.uidvalidity};
  }

  void seen(const Event& e) {
    const NumberedBox box{c_.history.account_of(e), lower(e.mailbox), e.uidvalidity};
    NumberTold& highest = highest_[box];
    if (e.uid > highest.number) highest = {e.index, e.uid};
    const auto begun = e.message == 0 ? begun_.end() : begun_.find(e.message);
    const auto all = next_.find(box);
    if (begun == begun_.end() || all == next_.end()) return;
    // The newest UIDNEXT that was told before anybody had sent this message: all its copies came after it.
    const auto after = std::partition_point(all->second.begin(), all->second.end(),
                                            [&](const NumberTold& one) { return one.event < begun->second; });
    if (after == all->second.begin() || std::prev(after)->number <= e.uid) return;
    const NumberTold& told = *std::prev(after);
    c_.find("uid-below-uidnext", {fmt::format("{} gets a UID of {} or more in {}, as UIDNEXT told before it came",
                                              c_.name_of(e.message), told.number, e.mailbox),
                                  fmt::format("{} finds it under UID {} at {}: who asks for {}:* never sees it",
                                              c_.who(e), e.uid, c_.when(e), told.number),
                                  {told.event, begun->second, e.index},
                                  e.message,
                                  ""});
  }

  Case& c_;
  std::map<NamedBox, NumberTold> validity_;
  std::map<NumberedBox, std::vector<NumberTold>> next_;  ///< UIDNEXTs told, ascending by event and number
  std::map<NumberedBox, NumberTold> highest_;            ///< the highest UID that was seen
  std::map<std::uint32_t, std::uint32_t> begun_;         ///< message -> the first command that put it anywhere
};

}  // namespace

void judge_mailbox_numbers(Case& c) {
  if (c.history.info.recorded) return;  // what others did between, nobody knows
  Numbers(c).run();
}

}  // namespace mailproof::judge
