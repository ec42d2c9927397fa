#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run_result.h"

namespace mailproof::report {

/// A deviation of the target that is accepted on purpose: an entry of `known:` in its file.
struct Known {
  /// Of a finding, of a scenario, or the first whole words of one: "pop3.1939-7", "x"; or a class of findings wherever
  /// it is seen, "session/deviation.imap.syntax", or its first whole words behind the judge.
  std::string id;
  std::string why;    ///< shown wherever it excuses something
  std::string until;  ///< the last day on which it does, "2027-03-01"; "" = for good
};

/// True where `entry` is `id` or its first whole words: "pop3.1939-7" of "pop3.1939-7.top/talk/mismatch".
bool covers(std::string_view entry, std::string_view id);

/// All of them, and the first whole words of each: what an entry, --only or --skip may name.
std::set<std::string> with_first_words(const std::set<std::string>& ids);

/// Sets `accepted` of the findings that an entry excuses: those of severity fail and latitude, never an error of our
/// own. An entry whose last day is before `today` excuses nothing, also not by a baseline, and the note says so.
void accept_known(std::span<const Known> known, std::string_view today, ScenarioResult& scenario);

/// Once all is played: what an entry excuses and did not appear is an unexpected-pass, for the entry would silence the
/// next failure. A prefix is in use while any of its scenarios needs it, and is judged only by a run that played all of
/// them. Nothing is said where a scenario was not applicable, or nothing could be said of it. `ids`: every scenario
/// there is; an entry that names none of them is said in the run's notes, and so is a class that no scenario shows.
void find_unneeded(std::span<const Known> known, std::string_view today, const std::set<std::string>& ids,
                   RunResult& run);

}  // namespace mailproof::report
