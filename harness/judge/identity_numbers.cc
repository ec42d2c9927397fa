#include "judge/identity_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "core/bytes.h"
#include "judge/by_number.h"
#include "judge/reshapes.h"

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
  bool empty = false;  ///< a UIDNEXT: there was no message
};

class Numbers {
 public:
  explicit Numbers(Case& c) : c_(c), reshapes_(c) {}

  void run() {
    for (const Event& e : c_.history.about(What::create, What::remove, What::rename, What::select, What::examine,
                                           What::deliver, What::append, What::copy, What::move, What::message)) {
      if (e.what == What::create || e.what == What::remove || e.what == What::rename) made_anew(e);
      // What a server that was killed keeps of its numbers is compared as well: RFC 3501 knows no other life of them.
      const bool opens = e.what == What::select || e.what == What::examine;
      if (opens && e.type == Type::ok && e.uidvalidity != 0) opened(e);
      const bool puts = e.what == What::deliver || e.what == What::append;
      if (puts && e.type == Type::invoke && e.message != 0) begin(e);
      if ((e.what == What::copy || e.what == What::move) && e.type == Type::ok) copied(e);
      const bool imap = e.session != 0 && c_.history.session(e.session).protocol == Protocol::imap;
      if (imap && e.what == What::message && e.uid != 0 && e.uidvalidity != 0) seen(e);
    }
  }

 private:
  struct Box {
    std::vector<NumberTold> next;  ///< UIDNEXTs told, ascending by event and number
    NumberTold highest;            ///< the highest UID that was seen
  };
  Box& box_of(std::uint32_t account, const std::string& mailbox, std::uint32_t uidvalidity) {
    if (newest_.box == nullptr || newest_.account != account || newest_.uidvalidity != uidvalidity ||
        newest_.mailbox != mailbox)
      newest_ = {account, uidvalidity, mailbox, &boxes_[{account, lower(mailbox), uidvalidity}]};
    return *newest_.box;
  }

  void made_anew(const Event& e) {
    std::erase_if(validity_, [&](const auto& one) { return reshapes_.concerns(e, one.first.first, one.first.second); });
    std::erase_if(
        boxes_, [&](const auto& one) { return reshapes_.concerns(e, std::get<0>(one.first), std::get<1>(one.first)); });
    newest_ = {};
  }

  void begin(const Event& e) {
    if (const auto [event, fresh] = begun_.place(e.message); fresh) event = e.index;
  }

  void opened(const Event& e) {
    const Event& asked = c_.invoke(e);
    const std::uint32_t account = c_.history.account_of(e), next = e.get<history::SelectFacts>().uidnext;
    const std::string name = lower(asked.mailbox);
    validity(e, asked, validity_[{account, name}]);
    if (next == 0) return;
    Box& box = box_of(account, asked.mailbox, e.uidvalidity);
    auto& told = box.next;
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
    const NumberTold& highest = box.highest;
    if (highest.event != 0 && highest.event < asked.index && highest.number >= next)
      c_.find("uidnext-behind", {fmt::format("UIDNEXT {} of {} or more: UID {} was there", highest.number + 1,
                                             asked.mailbox, highest.number),
                                 fmt::format("{} is told UIDNEXT {} at {}", c_.who(e), next, c_.when(e)),
                                 {highest.event, e.index},
                                 c_.history.event(highest.event).message,
                                 ""});
    if (told.empty() || told.back().number < next)
      told.push_back({e.index, next, e.get<history::SelectFacts>().exists == 0});
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
    Box& box = box_of(c_.history.account_of(e), e.mailbox, e.uidvalidity);
    if (e.uid > box.highest.number) box.highest = {e.index, e.uid};
    const std::uint32_t* const begun = e.message == 0 ? nullptr : begun_.find(e.message);
    if (begun == nullptr || box.next.empty()) return;
    // The newest UIDNEXT that was told before anybody had sent this message: all its copies came after it.
    const auto after = std::partition_point(box.next.begin(), box.next.end(),
                                            [&](const NumberTold& one) { return one.event < *begun; });
    if (after == box.next.begin() || std::prev(after)->number <= e.uid) return;
    const NumberTold& told = *std::prev(after);
    c_.find("uid-below-uidnext", {fmt::format("{} gets a UID of {} or more in {}, as UIDNEXT told before it came",
                                              c_.name_of(e.message), told.number, e.mailbox),
                                  fmt::format("{} finds it under UID {} at {}: who asks for {}:* never sees it",
                                              c_.who(e), e.uid, c_.when(e), told.number),
                                  {told.event, *begun, e.index},
                                  e.message,
                                  ""});
  }

  /// What COPY and MOVE make comes after the command, and with it after every UIDNEXT that was told before. COPYUID
  /// tells the UIDs; a server of labels names the copy that was there, so that this is no news: what it has given to a
  /// message by itself nobody may have seen there. It had not where the message was not sent yet, or the mailbox empty.
  void copied(const Event& e) {
    const Event& asked = c_.invoke(e);
    const std::uint32_t account = c_.history.account_of(asked);
    const auto at = boxes_.find({account, lower(asked.other_mailbox), e.uidvalidity});
    if (e.uidvalidity == 0 || at == boxes_.end()) return;
    const auto& told = at->second.next;
    const auto before =
        std::partition_point(told.begin(), told.end(), [&](const NumberTold& one) { return one.event < asked.index; });
    if (before == told.begin()) return;
    const NumberTold& next = *std::prev(before);
    for (const std::uint32_t uid : history::parse_uids(e.get<history::CopyFacts>().destinations)) {
      if (uid >= next.number) continue;
      const std::uint32_t message = c_.ledger.message_at(account, asked.other_mailbox, e.uidvalidity, uid);
      const history::Cell* there = message == 0 ? nullptr : c_.ledger.find(message, account, asked.other_mailbox);
      if (there == nullptr || there->adds + there->maybe_adds > 1) continue;
      if (there->first_seen != 0 && there->first_seen < e.index) continue;
      const std::uint32_t* const begun = begun_.find(message);
      if (!next.empty && (begun == nullptr || *begun < next.event)) continue;
      c_.find("uid-below-uidnext",
              {fmt::format("{} gets a UID of {} or more in {}, as UIDNEXT told before it was put there",
                           c_.name_of(message), next.number, asked.other_mailbox),
               fmt::format("{} is told COPYUID with UID {} at {}: who asks for {}:* never sees it", c_.who(e), uid,
                           c_.when(e), next.number),
               {next.event, asked.index, e.index},
               message,
               ""});
    }
  }

  Case& c_;
  Reshapes reshapes_;
  std::map<NamedBox, NumberTold> validity_;
  std::map<NumberedBox, Box> boxes_;
  struct {
    std::uint32_t account = 0, uidvalidity = 0;
    std::string mailbox = {};
    Box* box = nullptr;
  } newest_ = {};                  ///< of these the one that was asked for last: the next event is about it, too
  ByNumber<std::uint32_t> begun_;  ///< message -> the first command that put it anywhere
};

}  // namespace

void judge_mailbox_numbers(Case& c) {
  if (c.history.info.recorded) return;  // what others did between, nobody knows
  Numbers(c).run();
}

}  // namespace mailproof::judge
