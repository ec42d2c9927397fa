#include "judge/heard_people.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "core/bytes.h"
#include "history/heard.h"
#include "judge/heard.h"

namespace mailproof::judge {

using history::Event;
using history::Type;
using history::What;

namespace {

bool nobodys(const history::History& history, const history::AccountInfo& account) {
  return history.info.recorded && account.login.empty() && account.address.empty();
}

}  // namespace

People::People(const history::History& history) {
  std::unordered_map<std::string, std::uint32_t> known;
  for (const auto& account : history.info.accounts) {
    // Where there is one account only, it is that of whoever it is.
    const bool nobody = history.info.accounts.size() > 1 && nobodys(history, account);
    std::string_view name = !account.login.empty()     ? account.login
                            : !account.address.empty() ? account.address
                                                       : account.name;
    // DOMAIN\alice, alice@domain, alice%domain, alice*master, alice+detail
    if (const std::size_t domain = name.find('\\'); domain != std::string_view::npos) name.remove_prefix(domain + 1);
    name = name.substr(0, name.find_first_of("@%*+", 1));
    if (nobody || name.empty())
      people_.push_back(kNobodyKnows);
    else
      people_.push_back(known.try_emplace(lower(name), static_cast<std::uint32_t>(known.size() + 1)).first->second);
  }
}

Clocks::Clocks(const history::History& history) : history_(history) {
  constexpr Duration kHosts = std::chrono::seconds(2);
  if (history.info.scenario != "record") slack_ = kHosts;
  if (history.info.scenario == "import") between_ = kHosts;
  for (const Event& e : history.about(What::connect))
    if (history.info.recorded && e.type == Type::ok)
      apart_ = std::max<Duration>(apart_, std::chrono::seconds(e.seq));  // see history/heard.h
}

bool Clocks::before(std::uint32_t event, std::uint32_t later) const {
  if (event >= later) return false;
  const Event &first = history_.event(event), &second = history_.event(later);
  const Duration apart = between();
  return first.session == second.session || apart == Duration{} || second.at - first.at > apart;
}

std::set<std::uint32_t> refused_removals(const history::History& history) {
  std::set<std::uint32_t> out;
  for (const Event& e : history.about(What::remove, What::rename, What::observed)) {
    if (e.what == What::observed) {
      if (e.code == history::kUnknownRefused) out.insert(e.seq);
    } else if (e.type == Type::fail) {
      out.insert(e.command);
    }
  }
  return out;
}

namespace {

/// Session -> since when, or why, not all of it was heard.
std::map<std::uint32_t, std::string> parts(const history::History& history) {
  std::map<std::uint32_t, std::string> out;
  for (const Event& e : history.about(What::connect, What::end)) {
    if (e.session == 0) continue;
    const Protocol protocol = history.session(e.session).protocol;
    if (protocol != Protocol::imap && protocol != Protocol::pop3) continue;  // no mail is removed by others
    if (e.what == What::connect && e.type == Type::ok && e.code == history::kMiddle)
      out.try_emplace(e.session, "begins in the middle");
    if (e.what == What::connect && e.type == Type::ok && e.code == history::kUnordered)
      out.try_emplace(e.session, "has no date, and is in no order to the others");
    const std::uint32_t account = history.account_of(e);
    if (e.what == What::connect && e.type == Type::ok && history.info.all_clients && account != 0 &&
        history.info.accounts.size() > 1 && nobodys(history, history.account(account)))
      out.try_emplace(e.session, "is of an owner that nobody knows (--user tells)");
    if (e.what == What::end && e.code == history::kBlind)
      out.try_emplace(e.session,
                      fmt::format("at {} {}", format_seconds(e.at.time_since_epoch()), printable(e.text, 160)));
  }
  return out;
}

}  // namespace

std::size_t heard_in_part(const history::History& history) { return history.info.recorded ? parts(history).size() : 0; }

std::string heard_in_part_note(const history::History& history) {
  const auto found = history.info.recorded ? parts(history) : std::map<std::uint32_t, std::string>();
  if (found.empty()) return {};
  std::size_t all = 0;
  for (const auto& session : history.sessions())
    all += session.protocol == Protocol::imap || session.protocol == Protocol::pop3 ? 1 : 0;
  std::string out = fmt::format("{} of {} session{} heard in part", found.size(), all, all == 1 ? " was" : "s were");
  std::size_t told = 0;
  for (const auto& [session, why] : found) {
    if (++told > 3) break;
    out += fmt::format("{} {} {}", told == 1 ? ":" : ";", history.session(session).label, why);
  }
  if (found.size() > 3) out += "; ...";
  if (history.info.all_clients)
    out += ". What --all-clients promises does not hold: what is missing may have been asked for there";
  return out;
}

}  // namespace mailproof::judge
