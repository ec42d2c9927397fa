#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/run_result.h"

namespace mailproof::report {

/// "loss/lost" of "<scenario>/loss/lost": what a finding is, wherever it was seen.
std::string_view class_of(std::string_view finding, std::string_view scenario);

/// Where a class stands on the way from cause to consequence: smaller is nearer to the cause. Mail that was taken,
/// lost or doubled comes before what a scenario or an RFC's sentence then misses.
int origin_of(std::string_view finding_class);

/// The worst first, and of these the cause before its consequences: so a scenario, and a run, is headed by what is
/// wrong and not by what came of it.
void sort_by_origin(ScenarioResult& scenario);

/// What a run found, by cause as far as it is known: all findings of one class, those that are accepted apart, and
/// errors of ours apart where they say something else. Points into the run.
struct Group {
  struct Member {
    const ScenarioResult* scenario = nullptr;
    std::size_t index = 0;  ///< of the scenario in the run
    const judge::Finding* finding = nullptr;
  };
  std::string name;                                      ///< the class
  judge::Severity severity = judge::Severity::latitude;  ///< the worst of its findings
  std::string accepted;                                  ///< why none of it counts; "" = it does
  /// At least one; the worst first, and of these the simplest: no extension's, with the shortest history.
  std::vector<Member> members;
  std::size_t scenarios = 0;
  /// "new since the baseline ..." where none of it was there.
  std::string since() const;
  bool everywhere = false;  ///< a way of the server that is no scenario's (RunResult::everywhere)

  const judge::Finding& simplest() const { return *members.front().finding; }
  /// "loss/lost in 36 scenarios", or the id where it is one finding alone. May hold what a server said.
  std::string headline() const;
  /// What the simplest asks for, in a line: of many places where it stands only as many as leave the sentence room.
  std::string sentence(std::size_t most) const;
  /// Of all but the simplest, which a report has in full: their ids, and what was seen there where that is different
  /// for each.
  std::vector<std::string> others() const;
  bool differ() const;  ///< each scenario shows something else, as checks of several sentences do
};

/// Those that count, sorted by severity and origin, then those that are accepted. What is seen in many scenarios
/// without another, and wherever that one is seen, comes before it.
std::vector<Group> groups_of(const RunResult& run);

/// A latitude of a session, or what IMAP shows of POP3's deletions, that several scenarios show is the server's way and
/// colours none of them: it is the run's, once. Sets RunResult::everywhere and lifts the verdicts. Where a latitude
/// fails (`strict`) each scenario keeps its own.
void lift_what_is_everywhere(RunResult& run);

/// True where nothing but the ways of the server in `known` makes this one a latitude.
bool only_shows(const ScenarioResult& scenario, const std::vector<std::string>& known);

/// The classes in it that may be a way of the server.
std::vector<std::string> ways_in(const ScenarioResult& scenario);

}  // namespace mailproof::report
