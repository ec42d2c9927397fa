#include "load/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/units.h"
#include "host/foreign_host.h"
#include "play/requirements.h"

namespace mailproof::load {
namespace {

constexpr double kMostRate = 10'000;  // arrivals a second
constexpr Duration kLongest = std::chrono::hours(24);
constexpr Duration kDefaultRamp = std::chrono::seconds(10);  // without --rate all copies begin within this time

}  // namespace

Result<ShardOf> parse_shard(const Options& options) {
  ShardOf out;
  if (options.shard.empty()) return out;
  const auto slash = options.shard.find('/');
  const char* const end = options.shard.data() + options.shard.size();
  const auto number = [&](const char* from, const char* to, unsigned& into) {
    const auto [stop, error] = std::from_chars(from, to, into);
    return error == std::errc{} && stop == to;
  };
  const bool read = slash != std::string::npos &&
                    number(options.shard.data(), options.shard.data() + slash, out.index) &&
                    number(options.shard.data() + slash + 1, end, out.of);
  if (!read || out.index < 1 || out.index > out.of || out.of > 10'000)
    return Error{"--shard " + options.shard, "expected K/N, such as 2/4: the second of four, of at most 10000"};
  if (options.customers != 0 && out.of * options.jobs > options.customers)
    return Error{"--shard " + options.shard,
                 fmt::format("{} threads need at least as many accounts of the plan, not {}", out.of * options.jobs,
                             options.customers)};
  if (options.customers == 0 && out.of * options.jobs > options.copies)
    return Error{"--shard " + options.shard,
                 fmt::format("{} threads need at least as many --{}, not {}", out.of * options.jobs,
                             options.users == 0 ? "copies" : "users", options.copies)};
  --out.index;
  return out;
}

namespace {

constexpr std::string_view kUsersFor = "1m";  // where nobody says how long they go on

/// How long it goes on, or why that is none.
Result<Duration> read_length(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration || *duration > kLongest || *duration <= Duration::zero())
    return Error{fmt::format("--for {}", text), "expected a time like 30s or 5m, at most 24h"};
  return *duration;
}

Result<Schedule> schedule_of_users(const Options& options, std::uint64_t seed) {
  Schedule out;
  out.rate = out.total = 0;
  const auto length = read_length(options.duration.empty() ? kUsersFor : std::string_view(options.duration));
  if (!length) return length.error();
  auto think = scenario::parse_think(options.think);
  if (!think) return Error{"--think " + options.think, fmt::format("expected {}", scenario::kThinkShape)};
  out.bound = *length;
  out.users = Users{std::move(*think), 1, seed, options.users, *length};
  return out;
}

}  // namespace

Result<Schedule> make_schedule(const Options& options, std::uint64_t seed) {
  if (options.users != 0) return schedule_of_users(options, seed);
  Schedule out;
  out.rate = static_cast<double>(options.copies) / std::chrono::duration<double>(kDefaultRamp).count();
  if (!options.rate.empty()) {
    const auto rate = parse_rate(options.rate);
    if (!rate || *rate > kMostRate)
      return Error{"--rate " + options.rate, fmt::format("expected something like 20/s, at most {:.0f}/s", kMostRate)};
    out.rate = *rate;
  }
  out.total = options.copies;
  out.bound = kLongest;
  if (options.duration.empty()) return out;
  const auto duration = read_length(options.duration);
  if (!duration) return duration.error();
  out.total =
      static_cast<std::uint32_t>(std::min(4e9, std::ceil(out.rate * std::chrono::duration<double>(*duration).count())));
  out.bound = *duration + std::chrono::milliseconds(1);
  return out;
}

std::optional<std::string> refusal(const Options& options, bool ours, const std::vector<scenario::Scenario>& stories,
                                   const scenario::Target& target) {
  if (const auto host = host::foreign_host(target); !ours && host && options.yes_load != *host)
    return fmt::format("{} is not loopback: say --yes-load {} if it may be loaded", *host, *host);
  for (const auto& story : stories) {
    if (story.check)
      return fmt::format(
          "{} is a check, played for what one sentence says: as load it measures nothing; give stories, "
          "such as those below scenarios/mixed, scenarios/pop3 and scenarios/sync",
          story.id);
    if (const auto* step = play::disturbing_step(story.steps))
      return fmt::format("{} cannot be played as load: its step {} of the target would disturb every other copy",
                         story.id, name(step->verb));
    if (const auto why = play::not_applicable(story, target))
      return fmt::format("{} is not applicable: {}", story.id, *why);
  }
  if (options.customers != 0) return std::nullopt;  // obstacles() counts all of a plan's connections
  std::size_t connections = 0;
  for (const auto& story : stories) connections += options.copies * play::connected_by(story, target).in_all;
  const std::size_t most = target.connections.address;
  if (most != 0 && connections > most)
    return fmt::format(
        "{} copies of each may have {} connections at the same time; the target file allows an address {}",
        options.copies, connections, most);
  return std::nullopt;
}

host::BuiltinOptions with_accounts(host::BuiltinOptions builtin, const Options& options,
                                   const std::vector<scenario::Scenario>& stories) {
  std::size_t accounts = 0, customers = 0;
  for (const auto& story : stories) {
    accounts += story.accounts.size();
    customers += story.customers.size();
  }
  builtin.users = std::max(builtin.users, options.copies * static_cast<unsigned>(accounts));
  builtin.small = std::max(builtin.small, options.copies * static_cast<unsigned>(accounts));
  builtin.customers = std::max(builtin.customers, options.copies * static_cast<unsigned>(customers));
  return builtin;
}

namespace {

/// `n`: the story that there were accounts of for `got` copies only; `why` no more.
std::string too_few_for_copies(const std::vector<scenario::Scenario>& stories, std::size_t n, std::uint32_t copies,
                               std::uint32_t got, std::size_t there, const std::string& why, bool users) {
  std::size_t needed = 0, missing = (copies - got) * stories[n].accounts.size();
  for (std::size_t i = 0; i < stories.size(); ++i) {
    needed += copies * stories[i].accounts.size();
    if (i > n) missing += copies * stories[i].accounts.size();
  }
  return fmt::format(
      "{} {}{} need {} accounts, and of the {} in the target's pool none is left after {} {}{}: {}. "
      "Make {} more on the server and name them below accounts: in the target file, or play fewer --{}",
      copies, users ? "users" : "copies at a time", stories.size() == 1 ? "" : " of each story", needed, there, got,
      users ? "users" : "copies", stories.size() == 1 ? "" : " of " + stories[n].id, why, missing,
      users ? "users" : "copies");
}

}  // namespace

Result<std::vector<std::vector<LoadPart>>> make_parts(const Options& options, const Schedule& schedule,
                                                      const std::vector<scenario::Scenario>& stories,
                                                      const scenario::Target& target, std::vector<bool>& taken) {
  const auto shard = parse_shard(options);
  if (!shard) return shard.error();
  const unsigned threads = shard->of * options.jobs, ours = shard->index * options.jobs;
  std::vector<std::vector<LoadPart>> out(options.jobs);
  for (std::size_t n = 0; n < stories.size(); ++n) {
    const scenario::Scenario& story = stories[n];
    const double turn =
        schedule.users ? 0 : static_cast<double>(n) / static_cast<double>(stories.size()) / schedule.rate;
    for (unsigned job = 0; job < options.jobs; ++job) {
      LoadPart& part = out[job].emplace_back();
      part.story = &story;
      part.row = stories.size() == 1 ? "story" : "story " + story.id;
      part.arrivals = {
          schedule.rate,  schedule.total, ours + job, threads, Duration(static_cast<std::int64_t>(turn * 1e9)),
          schedule.users, options.copies};
    }
    for (std::uint32_t i = 0; i < options.copies; ++i) {
      std::string why;
      const auto chosen = play::choose_accounts(story, target, taken, why);
      if (chosen.empty() && !story.accounts.empty())
        return Error{"", too_few_for_copies(stories, n, options.copies, i, target.accounts.size(), why,
                                            schedule.users.has_value())};
      const unsigned thread = i % threads;
      if (thread < ours || thread >= ours + options.jobs) continue;  // another shard's
      auto& slot = out[thread - ours][n].slots.emplace_back();
      for (const auto index : chosen) slot.push_back(target.accounts[index]);
    }
  }
  return out;
}

}  // namespace mailproof::load
