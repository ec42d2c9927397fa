#include "judge/misplaced.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;
using history::Type;
using history::What;
using Box = std::pair<std::uint32_t, std::string>;  ///< account, mailbox in lower case

/// Mailboxes into which a client had something put, where nobody knows what came of it: the command failed (a MOVE may
/// have moved some all the same, RFC 6851 section 3.3), was not answered, or named messages that nobody had looked at.
std::set<Box> vague(const Case& c) {
  std::set<Box> out;
  ViewTrack track(c.history);
  std::map<std::uint32_t, std::pair<std::string, std::uint32_t>> from;  // by command: mailbox and UIDVALIDITY
  for (const Event& e : c.history.events()) {
    const bool copies = e.what == What::copy || e.what == What::move;
    const View* view = copies && e.type == Type::invoke ? track.view(e.session) : nullptr;
    if (view != nullptr) from.try_emplace(e.index, view->mailbox, view->uidvalidity);
    if ((copies || e.what == What::append) && completes(e)) {
      const Event& asked = c.invoke(e);
      const Box to{c.history.account_of(asked), lower(copies ? asked.other_mailbox : asked.mailbox)};
      const auto source = from.find(e.command);
      const auto known = [&](std::uint32_t uid) {
        return source != from.end() &&
               c.ledger.message_at(c.history.account_of(asked), source->second.first, source->second.second, uid) != 0;
      };
      const auto uids = copies ? history::parse_uids(asked.set) : std::vector<std::uint32_t>();
      // Where there was no such mailbox nothing was put into it.
      const bool nowhere = e.type == Type::fail && iequals(e.code, "TRYCREATE");
      if (!nowhere && (e.type != Type::ok || !std::all_of(uids.begin(), uids.end(), known))) out.insert(to);
    }
    track.apply(e);
  }
  return out;
}

/// What has been renamed for certain, by its old name: the newest RENAME.
std::map<Box, const Event*> renamed(const Case& c) {
  std::map<Box, const Event*> out;
  for (const Event& e : c.history.about(What::rename))
    if (e.type == Type::ok && e.command != 0) out[{c.history.account_of(e), lower(c.invoke(e).mailbox)}] = &e;
  return out;
}

class Misplaced {
 public:
  explicit Misplaced(Case& c) : c_(c), renamed_(renamed(c)) {}

  void look(const Cell& cell) {
    if (!cell.enumerated || cell.by_pop || cell.present == 0) return;
    const Box box{cell.account, lower(c_.ledger.mailbox_name(cell.mailbox))};
    const auto rename = renamed_.find(box);
    if (rename != renamed_.end() && left_by(cell, *rename->second)) return;
    if (cell.adds + cell.maybe_adds != 0 || !put_elsewhere(cell)) return;
    if (!vague_) vague_ = vague(c_);
    if (vague_->contains(box)) return;
    c_.find(
        "put-by-nobody",
        {fmt::format("{} in {}'s mailboxes where somebody put it", c_.name_of(cell.message), c_.account(cell.account)),
         fmt::format("{} is in {} as well: no delivery, APPEND, COPY or MOVE put it there", c_.name_of(cell.message),
                     printable(c_.ledger.mailbox_name(cell.mailbox), 100)),
         {cell.first_seen, cell.last_seen},
         cell.message,
         ""});
  }

 private:
  /// It is there more often than it was put there since the RENAME, and under the new name as well.
  bool left_by(const Cell& cell, const Event& done) {
    const Event& asked = c_.invoke(done);
    const bool inbox = iequals(asked.mailbox, "INBOX");
    // Written otherwise it is another mailbox, or the server coerces names to a case (RFC 3501 section 5.1).
    if (!inbox && c_.ledger.mailbox_name(cell.mailbox) != asked.mailbox) return false;
    const bool left = inbox ? cell.moved_to != 0 && cell.removed_by == asked.index && cell.present > cell.most()
                            : cell.adds + cell.maybe_adds == 0 && cell.first_seen > asked.index;
    const Cell* there = c_.ledger.find(cell.message, cell.account, asked.other_mailbox);
    if (!left || there == nullptr || there->adds + there->maybe_adds == 0) return false;
    c_.find("left-by-rename",
            {fmt::format("no {} in {}'s {}: it was renamed to {}", c_.name_of(cell.message), c_.account(cell.account),
                         printable(asked.mailbox, 100), printable(asked.other_mailbox, 100)),
             fmt::format("{} renamed it at {} and was told OK; a fresh session finds {} there all the same",
                         c_.who(asked), c_.when(asked), c_.name_of(cell.message)),
             {asked.index, cell.last_seen},
             cell.message,
             ""});
    return true;
  }

  /// ... and is where it was put, all of it: what is missing there is the affair of other judges.
  bool put_elsewhere(const Cell& cell) const {
    bool out = false;
    for (const Cell& other : c_.ledger.cells_of(cell.message)) {
      if (other.account != cell.account || &other == &cell) continue;
      if (c_.ledger.in_trash(other) == &cell && other.moved_to == 0) return false;  // the removal judge has it
      if (other.adds + other.maybe_adds == 0) continue;
      if (!other.enumerated || other.present < other.least() || other.maybe_removes > 0) return false;
      out = true;
    }
    return out;
  }

  Case& c_;
  std::map<Box, const Event*> renamed_;
  std::optional<std::set<Box>> vague_;  ///< looked for when something is there
};

}  // namespace

void judge_misplaced(Case& c) {
  Misplaced misplaced(c);
  for (const Cell& cell : c.ledger.cells()) misplaced.look(cell);
}

}  // namespace mailproof::judge
