#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "play/load.h"

namespace mailproof::cli {

struct LoadFlags : PlayFlags {
  std::uint32_t copies = 10;  ///< of each story
  std::string rate, duration, yes_load;
  unsigned jobs = 1;
};

/// When the copies of each story begin.
struct Schedule {
  double rate = 1;          ///< a second
  std::uint32_t total = 1;  ///< copies
  Duration bound{};         ///< none begins later
};
Result<Schedule> make_schedule(const LoadFlags& flags);

/// Why these stories must not be played as load on this target; nothing where they may.
std::optional<std::string> refusal(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories,
                                   const scenario::Target& target);

/// The built-in server with accounts enough for all copies.
TargetFlags with_accounts(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories);

/// What one thread plays of one story.
struct LoadPart {
  const scenario::Scenario* story = nullptr;
  std::vector<std::vector<scenario::PoolAccount>> slots;  ///< accounts of each copy that may run at the same time
  play::Arrivals arrivals;
  std::string row;  ///< of the table of operations
};

/// By thread, then by story. No account is lent twice.
Result<std::vector<std::vector<LoadPart>>> make_parts(const LoadFlags& flags, const Schedule& schedule,
                                                      const std::vector<scenario::Scenario>& stories,
                                                      const scenario::Target& target);

/// What only shows under load is shown again by the same load.
std::string load_command(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories);

}  // namespace mailproof::cli
