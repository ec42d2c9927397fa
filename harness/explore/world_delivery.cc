// Mail comes in: by LMTP, SMTP and APPEND, to one and to several, cut short, again, and until a mailbox is full.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "explore/world_maker.h"

namespace mailproof::explore {
namespace {

constexpr std::uint64_t kTrace = 1536;         ///< octets that an MTA may put on top
constexpr std::uint64_t kNatural = 64 * 1024;  ///< no kind is longer by itself
const std::vector<std::string> kPlain = {"plain"};
/// Headers beyond ASCII, a last line that does not end: an APPEND may be refused, and over SMTP an MTA may change them.
const std::vector<std::string> kAppended = {"no-final-newline", "utf8-header"}, kUnfinished = {"no-final-newline"};
const std::vector<std::string> kSubjects = {"\"Rechnung März\"", "\"Re: your order\"", "\"100 % done?\""};

bool proper(const std::string& kind) {
  return kind == "plain" || kind == "office" || kind == "dot-lines" || kind == "header-only";
}

}  // namespace

std::span<const WorldMaker::Verb> WorldMaker::deliverer_verbs() {
  static constexpr Verb kVerbs[] = {
      {"deliver", 8, true, true, &WorldMaker::deliver},    {"cut", 2, true, true, &WorldMaker::deliver_cut},
      {"fill", 2, false, true, &WorldMaker::fill},         {"retry", 3, true, true, &WorldMaker::retry},
      {"overfill", 3, false, true, &WorldMaker::overfill}, {"beside full", 3, false, true, &WorldMaker::beside_full},
  };
  return kVerbs;
}

std::string WorldMaker::new_letters(const std::string& set, bool limited, bool by_append,
                                    std::vector<std::size_t>& made, bool& is_proper) {
  std::string kind = limited ? "plain" : any(kinds_);
  if (by_append && one_in(6)) kind = any(offer_.raw_headers ? kAppended : kUnfinished);
  is_proper = proper(kind);
  const std::size_t count = one_in(2) ? 1 : 2 + below(3);
  const bool natural = !limited && (one_in(2) || kind != "plain");
  const std::uint64_t size = any(sizes_);
  std::string out;
  if (count > 1) out += fmt::format(", count: {}", count);
  if (!natural) out += fmt::format(", size: {}", format_size(size));
  if (kind != "plain") out += fmt::format(", kind: {}", kind);
  if (one_in(12)) out += fmt::format(", subject: {}", any(kSubjects));
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(known_.letters.size());
    known_.letters.push_back(
        {set, static_cast<int>(i + 1), (natural ? kNatural : size) + kTrace, {}, false, is_proper});
  }
  return out;
}

bool WorldMaker::deliver(Actor& actor, std::string& action) {
  std::vector<std::size_t> to = {below(known_.accounts.size())};
  if (known_.accounts.size() > 1 && one_in(3)) {
    to.push_back((to.front() + 1 + below(known_.accounts.size() - 1)) % known_.accounts.size());
    std::sort(to.begin(), to.end());
  }
  const bool limited =
      std::any_of(to.begin(), to.end(), [&](std::size_t a) { return !known_.accounts[a].limits.empty(); });
  const std::string set = new_set();
  std::vector<std::size_t> made;
  std::string via;
  if (actor.way == "any" && one_in(6)) {
    std::vector<std::string> ways;
    if (offer_.lmtp) ways.emplace_back("lmtp");
    if (offer_.smtp) ways.emplace_back("smtp");
    if (offer_.append) ways.emplace_back("append");
    via = any(ways);
  }
  const bool smtp = (via.empty() ? actor.way : via) == "smtp";
  const bool any_way = via.empty() && actor.way == "any";
  // Over SMTP several recipients are answered for together, and one that has no room is reported to the sender: who has
  // none would be told nothing.
  if (limited && !actor.reports && (smtp || (any_way && !offer_.lmtp))) return false;
  bool is_proper = true;
  // Not even a kind that an MTA may change goes where it may be SMTP.
  const auto kinds = kinds_;
  if (smtp || (any_way && !offer_.lmtp)) std::erase_if(kinds_, [](const std::string& kind) { return !proper(kind); });
  if (kinds_.empty()) kinds_ = kPlain;
  const std::string what = new_letters(set, limited, false, made, is_proper);
  kinds_ = kinds;
  std::string names;
  for (const std::size_t account : to) names += (names.empty() ? "" : ", ") + account_names_[account];
  action = fmt::format("deliver: {}, to: {}{}", set, to.size() > 1 ? "[" + names + "]" : names, what);
  if (!via.empty()) action += ", via: " + via;
  const bool lmtp = (via.empty() ? actor.way : via) == "lmtp";
  if ((lmtp || smtp) && one_in(8)) action += ", by: bdat";
  bool sure = is_proper;
  for (const std::size_t letter : made) {
    known_.letters[letter].to = {to.begin(), to.end()};
    for (const std::size_t account : to) {
      sure = sure && known_.room(account, known_.letters[letter].octets);
      known_.put(account, "INBOX", letter, is_proper ? Sure::yes : Sure::maybe);
      if (actor.reports && !known_.accounts[account].limits.empty()) known_.accounts[actor.account].strangers = true;
    }
  }
  if (sure && one_in(3)) action += ", expect: accepted";
  action = "{" + action + "}";
  return true;
}

/// What it sends over SMTP may be accepted and reported to nobody who has room for the report.
bool WorldMaker::unreported(const Actor& actor) const {
  return !actor.reports && (actor.way == "smtp" || (actor.way == "any" && !offer_.lmtp));
}

bool WorldMaker::deliver_cut(Actor& actor, std::string& action) {
  if (actor.way != "lmtp" && actor.way != "smtp") return false;
  const std::size_t account = below(known_.accounts.size());
  if (unreported(actor) && !known_.accounts[account].limits.empty()) return false;
  const std::string set = new_set();
  const std::uint64_t size = any(sizes_);
  const std::string cut = one_in(3) ? "after-final-dot" : fmt::format("after {} bytes", 1 + below(size + 1200));
  action =
      fmt::format("{{deliver: {}, to: {}, size: {}, cut: {}}}", set, account_names_[account], format_size(size), cut);
  known_.letters.push_back({set, 1, size + kTrace, {account}, true});
  known_.put(account, "INBOX", known_.letters.size() - 1, Sure::maybe);
  if (actor.reports) known_.accounts[actor.account].strangers = true;
  return true;
}

/// Until there is no room left: the edge of a quota is where servers go wrong.
bool WorldMaker::fill(Actor& actor, std::string& action) {
  std::vector<std::size_t> limited;
  for (std::size_t i = 0; i < known_.accounts.size(); ++i) {
    const auto& limits = known_.accounts[i].limits;
    if (!limits.empty() && known_.limits[limits.front()].octets.value_or(~0ULL) <= 256 * 1024) limited.push_back(i);
  }
  if (limited.empty()) return false;
  if (unreported(actor)) return false;
  const std::size_t account = any(limited);
  const std::uint64_t quota = *known_.limits[known_.accounts[account].limits.front()].octets;
  const std::uint64_t size = std::max<std::uint64_t>(quota / (4 + below(6)) / 1024, 1) * 1024;
  const std::string set = new_set();
  action = fmt::format("{{deliver: {}, to: {}, size: {}, until: refused-or-bounced, at_most: {}, settle: 10s}}", set,
                       account_names_[account], format_size(size), quota / size + 3);
  for (int i = 1; i <= 2; ++i) {
    known_.letters.push_back({set, i, size + kTrace, {account}, false});
    known_.put(account, "INBOX", known_.letters.size() - 1, Sure::maybe);
  }
  known_.filled(account);
  if (actor.reports) known_.accounts[actor.account].strangers = true;
  return true;
}

/// A client sends again what it does not know the end of, or what everybody has deleted since.
bool WorldMaker::retry(Actor& actor, std::string& action) {
  std::vector<std::size_t> again;
  for (std::size_t letter = 0; letter < known_.letters.size(); ++letter) {
    const Letter& one = known_.letters[letter];
    if (one.to.size() != 1 || one.octets > kNatural) continue;
    bool nowhere = true, was = false;
    for (const auto& [place, held] : seen(*one.to.begin()).held) {
      if (place.second != letter) continue;
      was = true;
      nowhere = nowhere && held.there == Sure::no;
    }
    if (was && (one.again || nowhere)) again.push_back(letter);
  }
  if (again.empty()) return false;
  const std::size_t letter = any(again);
  const Letter& one = known_.letters[letter];
  const std::size_t account = *one.to.begin();
  if (unreported(actor) && !known_.accounts[account].limits.empty()) return false;
  const bool sure = known_.room(account, one.octets);
  action = fmt::format("{{retry: {}.{}{}}}", one.set, one.index, sure && one_in(2) ? ", expect: accepted" : "");
  known_.put(account, "INBOX", letter, Sure::yes);
  if (actor.reports && !known_.accounts[account].limits.empty()) known_.accounts[actor.account].strangers = true;
  return true;
}

}  // namespace mailproof::explore
