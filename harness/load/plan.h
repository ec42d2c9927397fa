#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "host/builtin.h"
#include "load/shard.h"

namespace mailproof::load {

/// What is asked for.
struct Options {
  std::uint32_t copies = 10;     ///< of each story, at a time; or users of it
  std::uint32_t users = 0;       ///< of each story, in a closed loop; 0 = copies come at a rate
  std::string think;             ///< of users, as written
  std::string rate, duration;    ///< as people write them, "20/s" and "30s"; empty: the default
  std::string yes_load;          ///< the host that is no loopback and may be loaded all the same
  unsigned jobs = 1;             ///< threads
  std::string shard, start_at;   ///< "2/4" and "2026-11-29T12:00:00Z"; empty: the whole load, at once
  std::string profile;           ///< of customers, instead of stories or a plan; empty: none
  std::uint32_t accounts = 100;  ///< of --profile
  std::uint32_t customers = 0;   ///< of a plan, which says itself how many; 0 = stories are played, in copies
  std::string audit = "all";     ///< of a plan: which accounts are looked into in the end
  bool dry_run = false;
  std::string history = "findings";  ///< what is kept of stories' copies: full, findings, none
};

/// Which part of all copies this process plays, from 0.
struct ShardOf {
  unsigned index = 0, of = 1;
};
Result<ShardOf> parse_shard(const Options& options);

/// When the copies of each story begin.
struct Schedule {
  double rate = 1;                  ///< a second
  std::uint32_t total = 1;          ///< copies
  Duration bound{};                 ///< none begins later
  std::optional<Users> users = {};  ///< closed: the rate and the total are what comes of it, and 0 here
};
/// `seed`: of the run.
Result<Schedule> make_schedule(const Options& options, std::uint64_t seed);

/// Why these stories must not be played as load on this target; nothing where they may. `ours`: it is the built-in
/// server.
std::optional<std::string> refusal(const Options& options, bool ours, const std::vector<scenario::Scenario>& stories,
                                   const scenario::Target& target);

/// The built-in server with accounts enough for all copies.
host::BuiltinOptions with_accounts(host::BuiltinOptions builtin, const Options& options,
                                   const std::vector<scenario::Scenario>& stories);

/// What one thread plays of one story.
struct LoadPart {
  const scenario::Scenario* story = nullptr;
  std::vector<std::vector<scenario::PoolAccount>> slots;  ///< accounts of each copy that may run at the same time
  Arrivals arrivals;
  std::string row;  ///< of the table of operations
};

/// By thread, then by story. Slots are dealt to the threads in turn, and copies as the slots are: copy c to the thread
/// of slot c modulo their number. No account is lent twice, nor to two shards; a shard with one thread plays what
/// thread number K of N does in one process. `taken` says which of the target's accounts are lent, before and after.
Result<std::vector<std::vector<LoadPart>>> make_parts(const Options& options, const Schedule& schedule,
                                                      const std::vector<scenario::Scenario>& stories,
                                                      const scenario::Target& target, std::vector<bool>& taken);

}  // namespace mailproof::load
