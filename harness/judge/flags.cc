// I17: every system flag that is seen was set by somebody: a STORE, a FETCH without PEEK, what POP3 did to the message;
// and so was every keyword that clients of this run set, on whichever message it is seen.
// What the message had when it was first looked at is its delivery's, its APPEND's or its COPY's affair.
#include "history/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "history/number_map.h"
#include "judge/boxes.h"
#include "judge/case.h"
#include "judge/flags_copied.h"
#include "judge/flags_kept.h"
#include "judge/judges.h"
#include "judge/leaving.h"
#include "judge/under_way.h"
#include "judge/view_track.h"

namespace mailproof::judge {

namespace {

using history::Event;
using history::Type;
using history::What;

constexpr std::array<std::string_view, 5> kSystemFlags{"\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"};
constexpr std::size_t kDeleted = 1, kSeen = 4;
using Flags = std::bitset<32>;

/// Keywords that servers and their filters set by themselves, on whatever message they think right (the registry of
/// RFC 5788, and what spam filters use).
constexpr std::array<std::string_view, 29> kOfServers{
    "$AutoSent",    "$CanUnsubscribe",  "$Classified",   "$Followed",     "$Forwarded",   "$HasAttachment",
    "$HasMemo",     "$HasNoAttachment", "$Important",    "$Imported",     "$IsTrusted",   "$IsMailingList",
    "$Junk",        "$MailFlagBit0",    "$MailFlagBit1", "$MailFlagBit2", "$MaskedEmail", "$MDNSent",
    "$Memo",        "$Muted",           "$New",          "$NotJunk",      "$Notify",      "$Phishing",
    "$POP3Deleted", "$Submitted",       "Forwarded",     "Junk",          "NonJunk"};

/// A history has as many of these lists as rows: nothing is kept of them.
template <class On>
void each_word(std::string_view text, const On& on) {
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    if (space != 0) on(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
}

/// The flags that are looked at: those of the system, and the keywords that somebody's STORE named. Of a recording
/// nobody knows who else set some.
std::vector<std::string> flags_looked_at(const history::History& history) {
  std::vector<std::string> out{kSystemFlags.begin(), kSystemFlags.end()};
  if (history.info.recorded) return out;
  for (const Event& e : history.about(What::store)) {
    if (e.type != Type::invoke) continue;
    each_word(e.flags, [&](std::string_view word) {
      const auto is = [&](std::string_view other) { return iequals(word, other); };
      const bool counts = !word.starts_with('\\') && std::none_of(kOfServers.begin(), kOfServers.end(), is) &&
                          std::none_of(out.begin(), out.end(), is);
      if (counts && out.size() < Flags().size()) out.emplace_back(word);
    });
  }
  return out;
}

class FlagLedger {
 public:
  FlagLedger(Case& c, const Leaving& leaving)
      : c_(c), leaving_(leaving), track_(c.history), flags_(flags_looked_at(c.history)) {
    renamed_ = !c.history
                    .where([](history::Kind kind) {
                      return kind.what == What::rename && (kind.type == Type::ok || kind.type == Type::info);
                    })
                    .empty();
  }

  void apply(const Event& e) {
    if (e.session != 0) {
      const bool imap = c_.history.session(e.session).protocol == Protocol::imap;
      if (e.type == Type::invoke && e.what == What::store) touch(e, flags_of(e.flags));
      if (e.type == Type::invoke && e.what == What::store && !e.code.starts_with('-')) sets(e);
      if (e.what == What::store || e.what == What::copy || e.what == What::move) change(e);
      if (e.type == Type::invoke && e.what == What::fetch) fetch(e);
      if (imap && e.what == What::row && e.has_flags && e.uid != 0) row(e);
      if (!imap && e.message != 0) over_pop3(e);
    }
    track_.apply(e);
  }

 private:
  struct Copy {
    std::uint32_t first = 0;   ///< the row that told its flags first
    Flags known{};             ///< told so far, by any session
    std::uint32_t newest = 0;  ///< the newest row
  };
  /// Commands that name a message: a server may do more to that than was asked for.
  struct Named {
    UnderWay commands;
    std::uint32_t store = 0;  ///< the newest STORE
    std::uint32_t told = 0;   ///< the newest STORE whose own session was shown the result, and \Seen was not in it
  };
  using Place = std::uint64_t;  ///< mailbox and UID, or account and message

  Flags flags_of(std::string_view text) const {
    Flags out;
    each_word(text, [&](std::string_view word) {
      for (std::size_t i = 0; i < flags_.size(); ++i)
        if (iequals(word, flags_[i])) out.set(i);
    });
    return out;
  }

  struct At {
    std::string_view mailbox;
    std::uint32_t uidvalidity = 0;
  };
  At at(const Event& e) const {
    At out{e.mailbox, e.uidvalidity};
    const View* view = track_.view(e.session);
    if (out.mailbox.empty() && view != nullptr) out.mailbox = view->mailbox;
    if (out.uidvalidity == 0 && view != nullptr) out.uidvalidity = view->uidvalidity;
    return out;
  }

  /// Where a mailbox has got another name, a UID is looked for under every name.
  Place copy(std::uint32_t account, std::string_view mailbox, std::uint32_t uid) {
    return names_.place(account, renamed_ ? std::string() : lower(mailbox), 0, uid);
  }
  static Place message(std::uint32_t account, std::uint32_t number) {
    constexpr std::uint64_t kNoMailbox = std::uint64_t{1} << 63U;  // there are never so many
    return kNoMailbox | std::uint64_t{account} << 32U | number;
  }
  bool touched(Place place, std::size_t flag) const {
    const auto at = touched_.find(place);
    return at != touched_.end() && at->second[flag];
  }

  void mark(Place place, const Flags& flags) { touched_[place] |= flags; }

  /// RFC 1939 knows no flags: DELE may show in any of them. What was looked at or downloaded may be \Seen. Who was only
  /// looked at with TOP is not on its way out; of what was downloaded accuse() thinks.
  void over_pop3(const Event& e) {
    const Place place = message(c_.history.account_of(e), e.message);
    if (e.what == What::dele) mark(place, Flags().set());
    if (e.what == What::message || e.what == What::retr) mark(place, flags_of("\\Seen"));
    if (e.what == What::retr || (e.what == What::message && e.code == "full")) downloads_[place] = e.index;
  }

  void touch(const Event& e, const Flags& flags) {
    const std::uint32_t account = c_.history.account_of(e);
    const At where = at(e);
    for (const std::uint32_t uid : history::parse_uids(e.set)) {
      mark(copy(account, where.mailbox, uid), flags);
      // Copies of one message may share their flags: labels do.
      const std::uint32_t number = c_.ledger.message_at(account, where.mailbox, where.uidvalidity, uid);
      if (number != 0) mark(message(account, number), flags);
    }
  }

  void sets(const Event& e) {
    auto& newest = set_in_[names_.number(c_.history.account_of(e), lower(at(e).mailbox), 0)];
    const Flags flags = flags_of(e.flags);
    for (std::size_t i = 0; i < flags_.size(); ++i)
      if (flags[i]) newest[i] = e.index;
  }

  /// What a server may take as reading: \Answered without \Seen is nothing to some.
  void change(const Event& e) {
    if (e.type != Type::invoke && !completes(e)) return;
    const Event& asked = c_.invoke(e);
    const std::uint32_t account = c_.history.account_of(e);
    const At where = at(asked);
    const auto note = [&](Place place, bool told) {
      Named& named = changes_[place];
      told ? named.commands.count(e) : named.commands.note(e);
      if (e.type == Type::invoke && e.what == What::store) named.store = e.index;
    };
    for (const std::uint32_t uid : history::parse_uids(asked.set)) {
      const Place place = copy(account, where.mailbox, uid);
      const auto known = changes_.find(place);
      const bool told = completes(e) && known != changes_.end() && known->second.told == asked.index;
      note(place, told);
      // Copies of one message may share their flags.
      const std::uint32_t number = c_.ledger.message_at(account, where.mailbox, where.uidvalidity, uid);
      if (number != 0) note(message(account, number), told);
    }
  }
  /// What a session is told of a message while its STORE runs is what that made of it, if it has the flags that it
  /// asked for.
  void told_by_store(const Event& e, Place place, const Flags& told) {
    const auto named = changes_.find(place);
    if (named == changes_.end() || named->second.store == 0 || told[kSeen]) return;
    const Event& store = c_.history.event(named->second.store);
    const Flags flags = flags_of(store.flags);
    const bool done = store.code.starts_with('-') ? (told & flags).none() : (flags & ~told).none();
    if (store.session == e.session && done) named->second.told = store.index;
  }
  bool named_since(Place place, std::uint32_t event) const {
    const auto named = changes_.find(place);
    return named != changes_.end() && named->second.commands.since(event);
  }

  void fetch(const Event& e) {
    if (history::sets_seen(e.text)) return touch(e, flags_of("\\Seen"));
    if (upper(e.text).find("BODY.PEEK[") == std::string::npos) return;
    const std::uint32_t account = c_.history.account_of(e);
    for (const std::uint32_t uid : history::parse_uids(e.set)) peeks_[copy(account, at(e).mailbox, uid)] = e.index;
  }

  void row(const Event& e) {
    const std::uint32_t account = c_.history.account_of(e);
    const At where = at(e);
    if (leaving_.at(e.index, account, where.mailbox, where.uidvalidity, e.uid)) return;
    const std::uint32_t number = c_.ledger.message_at(account, where.mailbox, where.uidvalidity, e.uid);
    const Flags told = flags_of(e.flags);
    const Place place = copy(account, where.mailbox, e.uid);
    told_by_store(e, place, told);
    Copy& known = copies_[boxes_.place(account, where.mailbox, where.uidvalidity, e.uid)];
    if (known.first == 0) {
      known = {e.index, told, e.index};
      return;
    }
    if ((told & ~known.known).none()) {
      known.newest = e.index;
      return;
    }
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      if (!told[i] || known.known[i]) continue;
      known.known.set(i);
      const bool explained = touched(place, i) || touched(message(account, number), i);
      if (number != 0 && !explained) accuse(e, known, place, i, number, where.mailbox);
    }
    known.newest = e.index;
  }

  /// The newest STORE that set this flag on other messages of the mailbox, since this one was last told without it.
  std::uint32_t set_on_others(const Event& e, const Copy& known, std::string_view mailbox, std::size_t flag) {
    const auto set = set_in_.find(names_.number(c_.history.account_of(e), lower(mailbox), 0));
    return set != set_in_.end() && set->second[flag] > known.newest ? set->second[flag] : 0;
  }

  void accuse(const Event& e, const Copy& known, Place place, std::size_t which, std::uint32_t number,
              std::string_view mailbox) {
    const std::string_view flag = flags_[which];
    const auto peek = peeks_.find(place);
    // What was asked of this message since it was last told without \Seen may have brought it.
    const bool named = flag == "\\Seen" && (named_since(place, known.newest) ||
                                            named_since(message(c_.history.account_of(e), number), known.newest));
    const bool peeked = peek != peeks_.end() && flag == "\\Seen" && !named;
    std::string nobody = "no STORE named it, no DELE of a POP3 session";
    if (flag == "\\Seen") nobody = "no STORE named it, no FETCH without PEEK, no POP3 session touched the message";
    std::string actual =
        fmt::format("{} of {} in {} bears {} for {} at {}: {}", c_.name_of(number),
                    c_.account(c_.history.account_of(e)), mailbox, flag, c_.who(e), c_.when(e), nobody);
    if (peeked) {
      const Event& fetch = c_.history.event(peek->second);
      actual += fmt::format("; {} fetched {} at {}", c_.who(fetch), printable(fetch.text, 80), c_.when(fetch));
    }
    // RFC 1939 section 8: a site may remove what was downloaded, and so mark it.
    const auto download = downloads_.find(message(c_.history.account_of(e), number));
    const bool downloaded = which == kDeleted && download != downloads_.end();
    if (downloaded)
      actual =
          fmt::format("{} of {} in {} bears {} for {} at {}: no STORE named it and no DELE; {} downloaded it at {}",
                      c_.name_of(number), c_.account(c_.history.account_of(e)), mailbox, flag, c_.who(e), c_.when(e),
                      c_.who(c_.history.event(download->second)), c_.when(c_.history.event(download->second)));
    const std::uint32_t others = peeked || downloaded || named ? 0 : set_on_others(e, known, mailbox, which);
    if (others != 0) {
      const Event& store = c_.history.event(others);
      actual += fmt::format("; {} set it on other messages ({}) at {}", c_.who(store), printable(store.set, 60),
                            c_.when(store));
    }
    c_.find(peeked        ? "seen-by-peek"
            : others != 0 ? "store-changed-more"
                          : "unexplained",
            {fmt::format("{} without {}, as {} was told at {}", c_.name_of(number), flag,
                         c_.who(c_.history.event(known.first)), c_.when(c_.history.event(known.first))),
             std::move(actual),
             {known.first, peeked ? peek->second : others, e.index},
             number,
             ""});
  }

  Case& c_;
  const Leaving& leaving_;
  ViewTrack track_;
  std::vector<std::string> flags_;  ///< what a place in Flags means
  bool renamed_ = false;
  Boxes boxes_, names_;  ///< the second without UIDVALIDITY
  boost::unordered_flat_map<Place, Flags> touched_;
  boost::unordered_flat_map<Place, std::uint32_t> peeks_;      ///< the newest fetch by PEEK
  boost::unordered_flat_map<Place, std::uint32_t> downloads_;  ///< the newest RETR, by account and message
  boost::unordered_flat_map<Place, Named> changes_;            ///< by STORE, COPY or MOVE
  /// By mailbox: of each flag the newest STORE that set it.
  boost::unordered_flat_map<std::uint32_t, std::array<std::uint32_t, Flags().size()>> set_in_;
  history::PagedMap<Copy> copies_;  ///< by UIDVALIDITY as well
};

}  // namespace

void judge_flags(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "flags", out);
  const Leaving leaving(c);
  FlagLedger flags(c, leaving);
  const auto concerned = history.where([](history::Kind kind) {
    return kind.what == What::store || kind.what == What::fetch || kind.what == What::dele || kind.what == What::retr ||
           ViewTrack::follows(kind.what);
  });
  for (const Event& e : concerned) flags.apply(e);
  judge_copied_flags(c, leaving);
  judge_kept_flags(c, leaving);
}

}  // namespace mailproof::judge
