// What an operator does meanwhile.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "explore/world_maker.h"

namespace mailproof::explore {

std::span<const WorldMaker::Verb> WorldMaker::admin_verbs() {
  static constexpr Verb kVerbs[] = {
      {"set_quota", 4, false, true, &WorldMaker::set_quota},
      {"restart", 1, false, true, &WorldMaker::restart},
      {"kill", 1, false, true, &WorldMaker::kill},
      {"pause", 1, false, true, &WorldMaker::pause},
  };
  return kVerbs;
}

/// Of an account's own limit. What is there already stays, also above it.
bool WorldMaker::set_quota(Actor&, std::string& action) {
  if (!offer_.set_quota) return false;
  std::vector<std::size_t> limited;
  for (std::size_t i = 0; i < account_texts_.size(); ++i)
    if (account_texts_[i].starts_with("quota:")) limited.push_back(i);
  if (limited.empty()) return false;
  const std::size_t account = any(limited);
  Limit& limit = known_.limits[known_.accounts[account].limits.front()];
  limit.octets = one_in(4) ? std::nullopt : std::optional<std::uint64_t>(std::uint64_t{8192} << below(6));
  action = fmt::format("{{set_quota: {}, to: {}}}", account_names_[account],
                       limit.octets ? format_size(*limit.octets) : "unlimited");
  return true;
}

/// Connections are gone, and with them what POP3 had only marked. What was answered stays.
void WorldMaker::everybody_is_thrown_out() {
  for (Actor& actor : actors_) {
    if (actor.kind == Kind::pop3) hang_up(actor);
    if (actor.kind == Kind::imap && !actor.offline) actor.open.clear();
    actor.shaken = actor.kind == Kind::pop3 || (actor.kind == Kind::imap && !actor.offline && !actor.webmail);
  }
}

bool WorldMaker::restart(Actor&, std::string& action) {
  if (!offer_.restarts) return false;
  action = "restart";
  everybody_is_thrown_out();
  return true;
}

bool WorldMaker::kill(Actor&, std::string& action) {
  if (!offer_.restarts) return false;
  action = "kill";
  everybody_is_thrown_out();
  return true;
}

bool WorldMaker::pause(Actor&, std::string& action) {
  if (!offer_.restarts) return false;
  action = "{pause: 1s}";
  return true;
}

}  // namespace mailproof::explore
