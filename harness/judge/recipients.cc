// I34: one recipient without room is no reason to refuse the others.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/bytes.h"
#include "history/no_room.h"
#include "judge/came_later.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

bool says_full(const Event& e) {
  return e.type == Type::fail && history::says_over_quota(e.get<history::ReplyFacts>().code, e.code, e.text);
}

/// What may make room.
bool removes(What what) {
  return what == What::expunge || what == What::close || what == What::move || what == What::quit ||
         what == What::remove || what == What::admin;
}

class Recipients {
 public:
  explicit Recipients(Case& c) : c_(c) {
    const auto concerned = c.history.where(
        [](history::Kind kind) { return kind.what == What::deliver || (kind.type == Type::ok && removes(kind.what)); });
    for (const Event& e : concerned) {
      if (e.what == What::deliver && e.command != 0 && e.account != 0) sent_[e.command].push_back(&e);
      if (e.type == Type::ok && removes(e.what)) room_[c.history.account_of(e)].push_back(e.index);
    }
  }

  void run() {
    for (const auto& [command, replies] : sent_) {
      const bool all = std::all_of(replies.begin(), replies.end(), [](const Event* e) { return says_full(*e); });
      if (replies.size() < 2 || !all) continue;
      // Somebody is full: refused alone, too.
      const auto full = std::find_if(replies.begin(), replies.end(), [&](const Event* e) {
        return alone(*e, [](const Event& r) { return says_full(r); });
      });
      if (full == replies.end()) continue;
      for (const Event* e : replies) {
        // Only what is taken afterwards shows that there was room: what was taken before may have filled the mailbox.
        const Event* taken = alone(*e, [&](const Event& r) {
          return r.index > e->index && r.type == Type::ok && size(r) >= size(*e) && arrived(r) &&
                 !made_room(e->account, e->index, r.index);
        });
        if (taken == nullptr || e == *full) continue;
        const bool lmtp = e->session != 0 && c_.history.session(e->session).protocol == Protocol::lmtp;
        c_.find(lmtp ? "refused-for-another" : "refused-with-another",
                {fmt::format("{} accepted for {}, who has room", c_.name_of(e->message), c_.account(e->account)),
                 fmt::format("{} and {} are both told {} {} at {}; alone {} is sent {} and it is accepted at {}",
                             c_.account(e->account), c_.account((*full)->account), e->get<history::ReplyFacts>().code,
                             printable(e->text, 100), c_.when(*e), c_.account(e->account), c_.name_of(taken->message),
                             c_.when(*taken)),
                 {e->index, taken->index},
                 e->message,
                 ""});
      }
    }
  }

 private:
  std::uint64_t size(const Event& e) const { return e.message == 0 ? 0 : c_.history.message(e.message).size; }

  /// What an MTA took over SMTP it may have queued for want of room (RFC 5321 section 4.5.4.1): it must have been seen.
  bool arrived(const Event& taken) const {
    if (!over_smtp(c_, taken)) return true;
    const history::Cell* cell = c_.ledger.find(taken.message, taken.account, "INBOX");
    return cell != nullptr && cell->last_seen > taken.index;
  }

  /// A delivery to this one's recipient and to nobody else, of which `so` is true; null: there is none.
  template <class So>
  const Event* alone(const Event& e, So&& so) const {
    for (const auto& [command, replies] : sent_)
      if (replies.size() == 1 && replies.front()->account == e.account && so(*replies.front())) return replies.front();
    return nullptr;
  }

  /// In this account, or in another one of its customer, whose limit is shared; or by the admin.
  bool made_room(std::uint32_t account, std::uint32_t from, std::uint32_t to) const {
    return std::any_of(room_.begin(), room_.end(), [&](const auto& one) {
      return share(account, one.first) &&
             std::any_of(one.second.begin(), one.second.end(), [&](std::uint32_t at) { return at > from && at < to; });
    });
  }
  bool share(std::uint32_t account, std::uint32_t other) const {
    if (account == other || other == 0) return true;
    const std::uint32_t customer = c_.history.account(account).customer;
    return customer != 0 && customer == c_.history.account(other).customer;
  }

  Case& c_;
  std::map<std::uint32_t, std::vector<const Event*>> sent_;   ///< by transaction: the reply for each recipient
  std::map<std::uint32_t, std::vector<std::uint32_t>> room_;  ///< by account: when something was removed
};

}  // namespace

void judge_recipients(const history::History& history, const history::Ledger& ledger, Findings& out) {
  const auto replies = history.about(What::deliver);
  if (std::none_of(replies.begin(), replies.end(), says_full)) return;  // most often nobody is
  Case c(history, ledger, "recipients", out);
  Recipients(c).run();
}

}  // namespace mailproof::judge
