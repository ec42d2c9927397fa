#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "load/limits.h"
#include "load/plan.h"
#include "load/plan_parts.h"
#include "load/report.h"
#include "web/live_server.h"

namespace mailproof::cli {

// What `load` and `capacity` share: a load is made ready, and played.

/// What is played: stories, or the customers of a plan with stories beside them. The parts point into it, so it stays
/// where it is.
struct Work {
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  std::vector<scenario::Scenario> stories;
  std::vector<std::vector<load::LoadPart>> parts;  ///< by thread
  load::Schedule schedule;                         ///< of stories alone
  std::optional<scenario::Plan> plan;
  std::vector<load::PlanPart> plan_parts;  ///< by thread
  std::string reproduce;
};

void add_serves_flag(CLI::App& app, LoadFlags& flags);
/// Makes the server built in so slow as --serves says. What is wrong with it, or nothing.
std::optional<std::string> understand_serves(LoadFlags& flags);

/// The plan that was asked for, by a file or by --profile; nothing after its problems were printed.
std::optional<scenario::Plan> plan_asked_for(const LoadFlags& flags);
/// The stories that a plan has beside its customers; nothing, after every problem was printed, if one is bad.
std::optional<std::vector<scenario::Scenario>> stories_beside(const LoadFlags& flags, const scenario::Plan& plan);

/// What a plan comes to on this target, and what stands in its way.
struct Outlook {
  load::Forecast forecast;
  load::Limits limits;
  std::vector<load::Obstacle> obstacles;
  std::vector<std::string> sources;  ///< addresses of this machine to connect from
};
Outlook look_ahead(const LoadFlags& flags, const scenario::Plan& plan, const scenario::Target& target,
                   const std::vector<scenario::Scenario>& stories);

/// The built-in server with as many accounts as `plan` needs, or the target as it is.
Result<Hosted> host_for_plan(const LoadFlags& flags, const scenario::Plan& plan, const scenario::Target& target,
                             const std::vector<scenario::Scenario>& stories, const load::Forecast& forecast);
/// Lends the accounts of the target to the customers of `work.plan` and to `work.stories`. What is wrong, or nothing.
std::optional<std::string> lend_accounts(const LoadFlags& flags, const scenario::Target& target,
                                         const std::vector<std::string>& sources, Work& work);

/// Accounts that this process plays on: other shards play on the same server, at the same time and on other accounts.
scenario::Target only_accounts_of(const Work& work, const scenario::Target& target);
/// "a plan on a target", as a page and a terminal call it.
std::string title_of(const Work& work, const scenario::Target& target);

/// Nothing where nobody asked for it.
Result<std::unique_ptr<web::LiveServer>> start_live(const LoadFlags& flags, const std::string& title);

using StartAt = std::optional<std::chrono::system_clock::time_point>;
Result<StartAt> parse_start_at(const LoadFlags& flags);

/// Plays it, and leaves what its copies leave in `directory`. Says nothing and writes no report.
Result<load::LoadResult> play_load(const LoadFlags& flags, const Hosted& hosted, Work& work,
                                   archive::RunDirectory& directory, StartAt start_at, web::LiveServer* live,
                                   const std::string& title);
/// Everything that a load leaves; what could not be written, or "".
std::string leave(archive::RunDirectory& directory, const load::LoadResult& result);

}  // namespace mailproof::cli
