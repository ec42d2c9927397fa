#include "load/plan_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "load/limits.h"

namespace mailproof::load {

std::optional<std::string> refusal_of_plan(const scenario::Plan& plan, const scenario::Target& target) {
  for (const auto& profile : plan.profiles) {
    const auto& endpoints = profile.protocol == Protocol::pop3 ? target.pop3 : target.imap;
    if (endpoints.empty())
      return fmt::format("{} speaks {}, and the target has no {}: endpoint", profile.name, name(profile.protocol),
                         name(profile.protocol));
    if (profile.send && target.smtp.empty())
      return fmt::format("{} sends mail, and the target has no smtp: endpoint", profile.name);
    if (profile.tls &&
        std::none_of(endpoints.begin(), endpoints.end(), [&](const auto& e) { return e.tls == *profile.tls; }))
      return fmt::format("{} wants tls: {}, and the target has no such {}: endpoint", profile.name, name(*profile.tls),
                         name(profile.protocol));
  }
  const bool mail = plan.deliveries.rate > 0 || !plan.deliveries.recorded.empty();
  if (mail && !delivery_protocol(plan, target))
    return "mail of a plan comes in over LMTP or SMTP, and the target's delivery: has neither";
  return std::nullopt;
}

Schedule schedule_beside(const scenario::Plan& plan, const scenario::AlsoStory& also, std::uint64_t seed) {
  const double seconds = std::chrono::duration<double>(plan.length()).count();
  Schedule out;
  out.rate = also.rate;
  out.bound = plan.length();
  out.total = static_cast<std::uint32_t>(std::min(4e9, std::ceil(also.rate * seconds)));
  if (also.think) out.users = Users{*also.think, plan.pace, seed, also.copies, plan.length()};
  return out;
}

Result<std::vector<PlanPart>> make_plan_parts(const scenario::Plan& plan, const scenario::Target& target, unsigned jobs,
                                              std::vector<bool>& taken) {
  taken.resize(target.accounts.size(), false);
  std::vector<std::size_t> free;
  for (const bool limited : {false, true})
    for (std::size_t i = 0; i < target.accounts.size(); ++i) {
      const auto& account = target.accounts[i];
      if (!taken[i] && (account.quota.has_value() || account.customer_quota.has_value()) == limited) free.push_back(i);
    }
  const std::size_t customers = plan.accounts_needed();
  const std::size_t senders = delivery_protocol(plan, target) == Protocol::smtp ? jobs : 0;
  if (free.size() < customers + senders)
    return Error{"", too_few_accounts(
                         fmt::format("plan {}", plan.name), customers + senders + target.accounts.size() - free.size(),
                         target.accounts.size(),
                         free.size() > senders ? fmt::format("play at most {} customers", free.size() - senders) : "")};
  std::vector<PlanPart> out(jobs);
  for (unsigned job = 0; job < jobs; ++job) {
    out[job].plan = &plan;
    out[job].job = job;
    out[job].jobs = jobs;
    out[job].settings.job = job;
    out[job].settings.jobs = jobs;
    out[job].accounts.reserve(customers / jobs + 1);
    if (senders != 0) out[job].sender = target.accounts[free[job]];  // reports must find room
  }
  for (std::size_t i = 0; i < customers; ++i) out[i % jobs].accounts.push_back(target.accounts[free[senders + i]]);
  for (std::size_t i = 0; i < customers + senders; ++i) taken[free[i]] = true;
  return out;
}

std::optional<double> parse_audit(const std::string& text) {
  if (text == "all") return 1;
  double percent = 0;
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  const char* end = text.data() + text.size() - 1;
  const auto [at, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc{} || at != end || percent <= 0 || percent > 100) return std::nullopt;
  return percent / 100;
}

}  // namespace mailproof::load
