// Before a write of IMAP that takes messages: whose they are.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/bytes.h"
#include "play/talk/takes.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

bool is_fetch(std::string_view line) { return upper(line).find(" FETCH ") != std::string::npos; }

}  // namespace

/// What comes in between that look and the write has numbers and UIDs above those that were looked at, and the write
/// names none of them: it is sent as it stands, but for its stars. What it removes by \Deleted alone is what bore that
/// by then; somebody else's that comes in marked within that moment is beyond a client's reach.
Talk::Came Talk::takes_ours(Line& at) {
  if (!guarded() || at.how.protocol != Protocol::imap) return Came::on;
  TakingWrite write(at.connection->open_mailbox(), bytes_to_send());
  if (!look_ && (write.mailboxes().empty() || at.connection->over())) return Came::on;
  if (!look_) {
    ++looks_;
    look_ = Look{write.mailboxes(), {}};
    // Who logged in by a line of the talk may be any of them.
    if (at.how.standing >= scenario::Standing::authenticated) {
      look_->accounts = {at.how.account};
    } else {
      look_->accounts.resize(context_.accounts.size());
      std::iota(look_->accounts.begin(), look_->accounts.end(), 0U);
    }
    look_into(look_->accounts.front());
  }
  if (!look_->over) return Came::blocked;
  const Look look = *std::exchange(look_, std::nullopt);
  if (!look.why.empty()) return not_ours(look.why);
  if (std::string why = write.refused(look.looked); !why.empty()) return not_ours(why);
  write_stars(write);
  return Came::on;
}

/// Whoever stores a flag asks later for it, or for what it changed: of a mailbox that does not keep it nothing can be
/// told, nor of one that the server lets nobody change, unless the check is about just that. A FETCH that sets \Seen
/// counts where somebody looks for it behind it. ImapTest's scripts have their own rules.
Talk::Came Talk::keeps_flags(Line& at) {
  const bool scripted =
      std::ranges::any_of(check_.talk, [](const auto& line) { return line.op == scenario::TalkLine::Op::imaptest; });
  if (at.how.protocol != Protocol::imap || scripted) return Came::on;
  const std::string bytes = at.connection->open_mailbox().unfinished() + bytes_to_send();
  for (const CommandLine& line : command_lines(bytes)) {
    if (what_it_takes(line.text).what == Taking::What::opens) break;
    const OpenMailbox& open = at.connection->open_mailbox();
    const std::string_view flag = open.not_kept(line.text);
    const bool not_let = open.not_let(line.text);
    if ((flag.empty() && !not_let) || restricts() || (is_fetch(line.text) && !seen_matters())) continue;
    not_applicable(not_let ? "the server opened the mailbox for reading only"
                           : fmt::format("the mailbox does not keep {}: it is not in PERMANENTFLAGS", flag));
    return Came::ended;
  }
  return Came::on;
}

/// The talk awaits that a mailbox is for reading only, or takes rights of it away (RFC 4314).
bool Talk::restricts() const {
  return names("READ-ONLY") || std::ranges::any_of(check_.talk, [](const auto& line) {
           const std::string text = upper(line.written);
           return text.find(" SETACL ") != std::string::npos || text.find(" DELETEACL ") != std::string::npos;
         });
}

/// A line that is still to come is about \Seen, as SEARCH UNSEEN is.
bool Talk::seen_matters() const {
  return std::any_of(check_.talk.begin() + static_cast<std::ptrdiff_t>(next_), check_.talk.end(),
                     [](const auto& line) { return upper(line.written).find("SEEN") != std::string::npos; });
}

void Talk::look_into(std::size_t account) {
  own_looks_.push_back(std::make_unique<OwnLook>(context_, static_cast<std::uint32_t>(account + 1)));
  own_looks_.back()->look(look_->mailboxes,
                          [this, look = looks_](std::map<std::string, OwnedSoFar> looked, const std::string& why) {
                            if (!look_ || look != looks_) return;  // that one was given up
                            // Of several accounts the least: a line may name what all of them had.
                            for (auto& [mailbox, owned] : looked) {
                              const auto [known, fresh] = look_->looked.try_emplace(mailbox, owned);
                              if (!fresh && owned.messages() < known->second.messages()) known->second = owned;
                            }
                            look_->why = why;
                            look_->accounts.erase(look_->accounts.begin());
                            look_->over = !why.empty() || look_->accounts.empty();
                            if (look_->over) return again();
                            look_into(look_->accounts.front());
                          });
}

/// "1:*" goes out as "1:3": the server may take the star for what came in just then.
void Talk::write_stars(const TakingWrite& write) {
  std::size_t from = 0;
  for (Segment& segment : to_send_)
    for (auto& piece : segment.pieces) {
      const std::size_t octets = piece.text.size();
      for (auto star = write.stars().rbegin(); star != write.stars().rend(); ++star)
        if (star->first >= from && star->first < from + octets) piece.text.replace(star->first - from, 1, star->second);
      from += octets;
    }
}

}  // namespace mailproof::play
