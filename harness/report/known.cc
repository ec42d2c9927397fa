#include "report/known.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "report/groups.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;

bool expired(const Known& known, std::string_view today) { return !known.until.empty() && known.until < today; }

std::string reason(const Known& known) {
  return known.until.empty() ? fmt::format("known: {}", known.why)
                             : fmt::format("known until {}: {}", known.until, known.why);
}

void add_note(std::string& note, const std::string& more) {
  if (note.find(more) == std::string::npos) note += fmt::format("{}{}", note.empty() ? "" : "; ", more);
}

/// A class of findings, in whatever scenario: "session/deviation.imap.syntax". No scenario is called like a judge.
bool is_class(const Known& known) {
  const auto slash = known.id.find('/');
  const auto all = judge::judges();
  return slash != std::string::npos && std::any_of(all.begin(), all.end(), [&](const judge::Judge& judge) {
           return judge.name == std::string_view(known.id).substr(0, slash);
         });
}

bool excuses(const Known& known, const judge::Finding& finding, const ScenarioResult& scenario) {
  return covers(known.id, is_class(known) ? class_of(finding.id, scenario.id) : finding.id);
}

/// The entry is about this scenario, about something found in it, or about more than it.
bool concerns(const Known& known, std::string_view scenario) {
  return covers(known.id, scenario) ||
         (known.id.starts_with(scenario) && known.id.size() > scenario.size() && known.id[scenario.size()] == '/');
}

/// About several scenarios, by their first words.
bool is_prefix(const Known& known, std::string_view scenario) {
  return covers(known.id, scenario) && known.id != scenario;
}

/// ", did you mean ...?" An entry of one finding is misspelt in the scenario that it names.
std::string meant(const std::string& id, const std::set<std::string>& ids) {
  const auto known = with_first_words(ids);
  const auto slash = std::min(id.find('/'), id.size());
  const auto nearest = nearest_word(id.substr(0, slash), {known.begin(), known.end()});
  return nearest ? fmt::format(" (did you mean {}{}?)", *nearest, id.substr(slash)) : "";
}

/// The scenarios that must be told that an entry is not needed; none where it is, or where that cannot be said.
std::vector<ScenarioResult*> unneeded_in(const Known& known, const std::vector<ScenarioResult*>& played,
                                         const std::set<std::string>& ids) {
  std::set<std::string_view> here;
  std::vector<ScenarioResult*> out;
  for (ScenarioResult* scenario : played) {
    here.insert(scenario->id);
    if (scenario->verdict == Verdict::not_applicable && !is_prefix(known, scenario->id)) continue;
    if (!conclusive(scenario->verdict)) return {};
    for (const auto& finding : scenario->findings)
      if (covers(known.id, finding.id)) return {};
    out.push_back(scenario);
  }
  for (const std::string& id : ids)
    if (is_prefix(known, id) && !here.contains(id)) return {};
  return out;
}

/// No scenario is to blame where a class does not appear any more: it is said of the run, if that played all there is.
std::string unneeded_class(const Known& known, const std::set<std::string>& ids, const RunResult& run) {
  std::set<std::string_view> here;
  for (const ScenarioResult& scenario : run.scenarios) {
    if (scenario.verdict != Verdict::not_applicable && !conclusive(scenario.verdict)) return {};
    for (const auto& finding : scenario.findings)
      if (excuses(known, finding, scenario)) return {};
    here.insert(scenario.id);
  }
  const bool all = std::all_of(ids.begin(), ids.end(), [&](const std::string& id) { return here.contains(id); });
  return !all ? ""
              : fmt::format("the known deviation {} appeared in no scenario ({}); remove it from the target file",
                            known.id, known.why);
}

}  // namespace

bool covers(std::string_view entry, std::string_view id) {
  if (entry.empty() || !id.starts_with(entry)) return false;
  const auto between = [](char c) { return c == '.' || c == '/'; };
  return id.size() == entry.size() || between(entry.back()) || between(id[entry.size()]);
}

std::set<std::string> with_first_words(const std::set<std::string>& ids) {
  std::set<std::string> out = ids;
  for (const std::string& id : ids)
    for (auto dot = id.find('.'); dot != std::string::npos; dot = id.find('.', dot + 1)) out.insert(id.substr(0, dot));
  return out;
}

void accept_known(std::span<const Known> known, std::string_view today, ScenarioResult& scenario) {
  for (auto& finding : scenario.findings) {
    if (finding.severity != Severity::fail && finding.severity != Severity::latitude) continue;
    const Known* over = nullptr;
    const Known* valid = nullptr;
    for (const Known& one : known) {
      if (!excuses(one, finding, scenario)) continue;
      const Known*& which = expired(one, today) ? over : valid;
      if (which == nullptr) which = &one;
    }
    if (valid != nullptr) {
      finding.accepted = reason(*valid);
    } else if (over != nullptr) {
      finding.accepted.clear();
      add_note(scenario.note,
               fmt::format("the known deviation {} expired on {} and excuses nothing any more", over->id, over->until));
    }
  }
}

void find_unneeded(std::span<const Known> known, std::string_view today, const std::set<std::string>& ids,
                   RunResult& run) {
  for (const Known& one : known) {
    if (is_class(one)) {
      if (std::string note = unneeded_class(one, ids, run); !note.empty()) run.notes.push_back(std::move(note));
      continue;
    }
    std::vector<ScenarioResult*> played;
    for (ScenarioResult& scenario : run.scenarios)
      if (concerns(one, scenario.id)) played.push_back(&scenario);
    if (played.empty()) {
      if (std::none_of(ids.begin(), ids.end(), [&](const std::string& id) { return concerns(one, id); }))
        run.notes.push_back(
            fmt::format("the known deviation {} names no scenario that there is{}: it excuses nothing, "
                        "and would silence one that gets this id",
                        one.id, meant(one.id, ids)));
      continue;
    }
    for (ScenarioResult* scenario : unneeded_in(one, played, ids)) {
      if (scenario->verdict == Verdict::fail) continue;
      scenario->verdict = Verdict::unexpected_pass;
      add_note(scenario->note,
               fmt::format("the known deviation {} did not appear ({}){}; remove it from the target file", one.id,
                           one.why, expired(one, today) ? fmt::format(" and expired on {}", one.until) : ""));
    }
  }
}

}  // namespace mailproof::report
