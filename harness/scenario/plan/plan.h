#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "scenario/plan/profile.h"
#include "scenario/plan/slo.h"
#include "scenario/plan/think.h"

namespace mailproof::scenario {

/// A stretch of a run in which the load goes evenly from one height to another. 1 is what the plan says of accounts and
/// deliveries.
struct Phase {
  double from = 1, to = 1;
  Duration length{};
};

/// Customers who have these devices, each of them on the same account.
struct MixEntry {
  std::vector<std::string> devices;  ///< names of profiles
  double share = 0;                  ///< part of the accounts
  Pos pos;
};

/// Octets of messages: so large, evenly from between, is this part of them.
struct SizeShare {
  std::uint64_t least = 0, most = 0;
  double share = 0;
};

enum class Spacing : std::uint8_t {
  constant,
  poisson,   ///< independent of each other, as the mail of many strangers is
  recorded,  ///< at the times of a list
};

/// Mail that comes in, whether or not the server keeps up.
struct Deliveries {
  double rate = 0;  ///< a second, at the plan's height; 0 = no mail comes
  Spacing spacing = Spacing::constant;
  std::vector<Duration> recorded;  ///< from the run's start, ascending
  std::vector<SizeShare> sizes;
  std::string mix;                 ///< name of the mix of sizes, "" = its own
  std::optional<Way> via;          ///< lmtp or smtp; none: the target's first of these
  std::uint32_t connections = 20;  ///< at the same time
  std::uint32_t each = 100;        ///< messages that one connection carries before it is ended
};

/// A story that is played beside the customers, on accounts of its own.
struct AlsoStory {
  std::string story;           ///< id or file
  double rate = 1;             ///< copies that begin a second; 0 where users play it
  std::uint32_t copies = 1;    ///< at the same time, or users
  std::optional<Think> think;  ///< so many users play it, pause and play it again; none: open arrivals
  Pos pos;
};

/// A load test: how many customers with which devices, how much mail, how it grows, and what must hold.
struct Plan {
  std::string name, path;
  std::string title;
  std::uint32_t accounts = 0;
  std::vector<Phase> phases;  ///< never empty, together more than no time
  /// Times and rates are held against the `slo` where they are of what was due from then to then; nothing: what stands
  /// between the first ramp and the last one down. All of the run where both are the same.
  std::optional<std::pair<Duration, Duration>> measure;
  /// A device that does not keep a connection asks at once when its owner comes; else when its next poll is due, as one
  /// does that was there before.
  bool polls_at_once = true;
  bool polls_said = false;         ///< the plan itself says which
  double pace = 1;                 ///< customers and their devices live so many times as fast
  std::optional<bool> resume_tls;  ///< of all devices; none: as each of them does
  std::vector<MixEntry> mix;       ///< shares add up to 1
  Deliveries deliveries;
  std::vector<AlsoStory> also;
  std::vector<Slo> slo, abort_when;
  std::vector<Profile> profiles;  ///< all that the mix names, each once
  std::uint64_t hash = 0;         ///< of the file and its profiles

  const Profile& profile(const std::string& device) const;
  /// The stretch that is measured, from the run's start.
  std::pair<Duration, Duration> measured() const;
  double highest() const;  ///< of all phases: accounts * highest() take part
  Duration length() const;
  std::uint32_t accounts_needed() const;  ///< customers' own; stories and senders come on top
};

struct LoadedPlan {
  Plan plan;
  std::vector<Problem> problems;
};
/// Profiles are files, or names below `root`/devices.
LoadedPlan load_plan(const std::string& path, const std::string& root);
LoadedPlan parse_plan(std::string_view text, const std::string& name, const std::string& root);
/// What flags say, without a file: one profile, on so many accounts, for so long.
struct QuickPlan {
  std::string profile;
  std::uint32_t accounts = 100;
  Duration ramp{}, length{};
  double rate = 0;  ///< deliveries a second
};
LoadedPlan quick_plan(const QuickPlan& quick, const std::string& root);
bool is_plan(std::string_view text);
bool is_plan_file(const std::string& path);
/// What of `paths` belongs to load: plans and profiles, by name or below folders. All of them are read.
struct LoadFiles {
  std::vector<std::string> others;  ///< of `paths`: what may hold scenarios
  std::size_t plans = 0, profiles = 0;
  std::vector<Problem> problems;
};
LoadFiles check_load_files(const std::vector<std::string>& paths, const std::string& root);
/// Names of the mixes of sizes that there are.
std::vector<std::string> size_mixes();

}  // namespace mailproof::scenario
