#pragma once
#include <string>
#include <vector>

#include "load/capacity_search.h"
#include "load/report.h"
#include "report/run_result.h"
#include "scenario/plan/plan.h"
#include "scenario/target/target.h"

namespace mailproof::load {

/// The same plan for so many accounts: mail, its connections and the stories beside grow as the customers do. They come
/// as quickly as in the plan's first ramp, at most for `steady`, and stay for `steady`, which is measured; other phases
/// are left out. Devices that do not keep a connection poll as if they had been there before.
scenario::Plan plan_for(const scenario::Plan& plan, std::uint32_t accounts, Duration steady);
/// Why the load of this plan cannot be made higher or lower; nothing where it can.
std::optional<std::string> refusal_of_capacity(const scenario::Plan& plan);
/// For a plan without slo: what SPECmail2001 asks for: of each of connecting, STAT, RETR, DELE (over IMAP SELECT and
/// FETCH) and handing over mail 95 % within 5 s, as far as the devices ask for it; of deliveries visible within a
/// minute over IMAP, fewer than 1 % errors; and nothing lost.
std::vector<scenario::Slo> specmail_slo(const scenario::Plan& plan, const scenario::Target& target);
/// Devices whose polls lie further apart than a load lasts: each asks seldom in it, or never, and finds less mail than
/// it would. "" = there is none.
std::string seldom_polled(const scenario::Plan& plan, Duration steady);
/// The most accounts of this plan that the target's pool has room for.
std::uint32_t room_in(const scenario::Plan& plan, const std::vector<scenario::Scenario>& also,
                      const scenario::Target& target, unsigned jobs, std::uint32_t most);

/// One load of the search, and what it came to.
struct Trial {
  Step step;
  Came came = Came::met;
  std::string why;     ///< what did not hold, or what was the limit; "" = all held
  bool broke = false;  ///< a promise that no load excuses: mail was lost, altered, doubled or leaked
  struct Line {
    std::string text, measured;
    double part = 0;  ///< of its limit: above 1 it is missed; a limit of 0 that was passed is 1000
    bool missed = false;
    bool unknown = false;  ///< nothing of it happened, or too little to say
  };
  std::vector<Line> lines;
  double deliveries = 0, operations = 0, errors = 0;  ///< a second; a second; part
  std::size_t connections = 0;
  double cpu = 0;  ///< part of a core that the busiest thread of ours used
  Duration late_p99{}, late_most{};
  double seconds = 0;
  std::string directory;    ///< of this load, below that of the search
  bool not_played = false;  ///< because of a limit that is known before
  bool unready = false;     ///< ... or because it could not be made ready: why says what stood in the way

  /// That which is nearest to its limit, or furthest beyond it; null: there is none.
  const Line* worst() const;
};
/// How a load that was played counts. `plan`: as it was played.
Trial weigh(const Step& step, const scenario::Plan& plan, const LoadResult& result);
/// One that was not played, because of a limit that is known before, or because it could not be made ready.
Trial not_played(const Step& step, std::string why, bool unready = false);

/// A search that is over.
struct Capacity {
  std::string plan, target, version, command, began, ended;
  std::uint64_t seed = 1;
  std::uint32_t start = 0, most = 0, at_least = 0;  ///< accounts; at_least 0 = nobody asked
  std::string most_why;                             ///< what more accounts there are not for
  Duration steady{};
  unsigned max_steps = 0;
  bool default_slo = false, interrupted = false;
  std::string seldom;   ///< devices that poll more seldom than a load lasts; "" = none does
  std::string trouble;  ///< why it ended before its time; "" = it did not
  std::vector<Trial> trials;
  std::vector<std::string> machines;
  std::vector<std::pair<std::string, std::string>> settings;

  // What came out.
  std::uint32_t answer = 0;
  std::optional<CapacitySearch::Above> above;
  bool confirmed = false, narrow = false, unsteady = false;
  /// Lines that nothing was known of when the answer was played last.
  std::vector<std::string> unknown;
  bool nothing_known = false;         ///< ... and there were no others: a server that is not there does as well
  std::vector<std::uint32_t> chance;  ///< loads that did not hold once, and did when they were played again
};
/// What the search says in the end is written into `capacity`.
void conclude(const CapacitySearch& search, Capacity& capacity);

/// The loads in the order of their height, the last of each.
std::vector<const Trial*> by_height(const Capacity& capacity);
/// The answer in sentences, the most important first.
std::vector<std::string> sentences(const Capacity& capacity);
/// Pass: it is known and confirmed (and at least what was asked for). Fail: mail was lost in some load, or it is less
/// than was asked for, or not one account's load holds. Inconclusive: this machine or the pool was the limit, or it is
/// not confirmed.
judge::Verdict verdict_of(const Capacity& capacity);

}  // namespace mailproof::load
