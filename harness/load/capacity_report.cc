#include "load/capacity_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "load/report_html.h"
#include "report/escape.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"

namespace mailproof::load {
namespace {

using judge::Verdict;
constexpr std::size_t kBar = 24;  // characters until a line's limit

std::string_view word(Came came) { return came == Came::met ? "met" : came == Came::missed ? "MISSED" : "limited"; }

/// "####        |": how near to the limit, and beyond it.
std::string near_bar(double part) {
  const auto filled = static_cast<std::size_t>(std::min(1.5, std::max(0.0, part)) * kBar);
  std::string out(std::min(filled, kBar), '#');
  out.resize(kBar, ' ');
  out += '|';
  if (filled > kBar) out += std::string(filled - kBar, '#') + (part > 1.5 ? ">" : "");
  return out;
}

std::string near_text(const Trial& trial) {
  const Trial::Line* worst = trial.worst();
  return worst == nullptr
             ? std::string()
             : fmt::format("{}: {}", worst->text, worst->measured.empty() ? "nothing of it happened" : worst->measured);
}

std::string height_text(const Trial& trial) {
  return fmt::format("{} accounts ({:.1f} deliveries/s, at most {} connections, {:.0f} operations/s)",
                     trial.step.accounts, trial.deliveries, trial.connections, trial.operations);
}

const Trial* trial_at(const Capacity& capacity, std::uint32_t accounts) {
  const Trial* out = nullptr;
  for (const Trial& one : capacity.trials)
    if (one.step.accounts == accounts) out = &one;
  return out;
}

}  // namespace

std::vector<std::string> sentences(const Capacity& capacity) {
  std::vector<std::string> out;
  if (!capacity.trouble.empty()) out.push_back(fmt::format("it could not be played: {}", capacity.trouble));
  if (capacity.interrupted) out.emplace_back("interrupted: what was found until then");
  for (const Trial& one : capacity.trials)
    if (one.broke)
      out.push_back(
          fmt::format("PROMISES THAT NO LOAD EXCUSES were broken at {} accounts: {}", one.step.accounts, one.why));
  const Trial* const best = trial_at(capacity, capacity.answer);
  const Trial* const beyond = capacity.above ? trial_at(capacity, capacity.above->accounts) : nullptr;
  if (best == nullptr) {
    if (!capacity.trials.empty() && beyond != nullptr)
      out.push_back(fmt::format("no load was found that holds: at {} account{} {}", beyond->step.accounts,
                                beyond->step.accounts == 1 ? "" : "s", beyond->why));
    return out;
  }
  const bool missed = beyond != nullptr && beyond->came == Came::missed;
  out.push_back(fmt::format("capacity: {}{}", missed ? "" : "at least ", height_text(*best)));
  if (missed) {
    std::string first;
    const Trial::Line* const worst = beyond->worst();
    for (const Trial::Line& line : beyond->lines)
      if (line.missed && &line != worst) first += fmt::format("; so was {}: {}", line.text, line.measured);
    const bool by_line = worst != nullptr && worst->missed;
    out.push_back(fmt::format("first to break: {}, at {} accounts{}", by_line ? near_text(*beyond) : beyond->why,
                              beyond->step.accounts, by_line ? first : ""));
  } else if (beyond != nullptr) {
    out.push_back(fmt::format("then this side was the limit, at {} accounts: {}", beyond->step.accounts, beyond->why));
  } else if (best->step.accounts >= capacity.most) {
    out.push_back(fmt::format("there are no more accounts: {}", capacity.most_why));
  } else {
    out.push_back(fmt::format("the {} loads of --max-steps were over", capacity.max_steps));
  }
  if (best->cpu > 0)
    out.push_back(fmt::format(
        "this machine: {:.0f} % of a core and at most {:.0f} ms late (p99 {:.1f} ms) there, which would have done for "
        "about {:.1f} times as much",
        best->cpu * 100, ms(best->late_most), ms(best->late_p99), 0.9 / best->cpu));
  std::string parts;
  for (const unsigned percent : {80U, 100U, 120U}) {
    const Trial* found = nullptr;
    for (const Trial& one : capacity.trials)
      if (one.step.percent == percent) found = &one;
    if (found != nullptr)
      parts +=
          fmt::format("{}{} % ({}) {}", parts.empty() ? "" : ", ", percent, found->step.accounts, word(found->came));
  }
  out.push_back(fmt::format("{}: {}", capacity.confirmed ? "confirmed" : "NOT CONFIRMED",
                            parts.empty() ? "no load was left for it (--max-steps)" : parts));
  if (capacity.nothing_known)
    out.emplace_back("NOTHING IS KNOWN there: of no line anything happened that it could be held against");
  if (!capacity.unknown.empty())
    out.push_back(fmt::format("NOT KNOWN there: {} (too little of it happened; a longer --step-for tells more)",
                              fmt::join(capacity.unknown, ", ")));
  if (!capacity.narrow && beyond != nullptr)
    out.push_back(fmt::format("it lies between {} and {}: more --max-steps say it more closely", capacity.answer,
                              capacity.above->accounts));
  if (!capacity.seldom.empty()) out.push_back(capacity.seldom);
  if (!capacity.chance.empty())
    out.push_back(
        fmt::format("did not hold once, and did when played again at once: {} accounts; that is this machine's or "
                    "the server's unrest, and counts as held",
                    fmt::join(capacity.chance, ", ")));
  if (capacity.unsteady)
    out.emplace_back(
        "UNSTEADY: a higher load held where a lower one did not; a longer --step-for tells more, or a quieter machine");
  if (capacity.at_least != 0 && capacity.answer < capacity.at_least)
    out.push_back(fmt::format("asked for were at least {} accounts", capacity.at_least));
  return out;
}

std::string trial_text(const Trial& trial) {
  return fmt::format(
      "{:>8} {:>6} {:>7} {:>12.1f} {:>11} {:>8.0f} {:>6.1f}  {} {}\n", trial.step.accounts,
      trial.step.percent == 0 ? trial.step.again ? "again" : "" : fmt::format("{} %", trial.step.percent),
      word(trial.came), trial.deliveries, trial.connections, trial.operations, trial.cpu * 100,
      near_bar(trial.worst() == nullptr ? 0 : trial.worst()->part),
      trial.came == Came::met ? near_text(trial) : trial.why);
}

std::string head_text() {
  return fmt::format("{:>8} {:>6} {:>7} {:>12} {:>11} {:>8} {:>6}  {:<{}}| nearest to its limit, or beyond it\n",
                     "accounts", "of it", "", "deliveries/s", "connections", "ops/s", "core %", "", kBar);
}

std::string to_text(const Capacity& capacity) {
  std::string out =
      fmt::format("capacity of {} with plan {}: {} loads of {:g} s each, seed {}\n", capacity.target, capacity.plan,
                  capacity.trials.size(), std::chrono::duration<double>(capacity.steady).count(), capacity.seed);
  if (capacity.default_slo && !capacity.trials.empty()) {
    std::vector<std::string> lines;
    for (const Trial::Line& line : capacity.trials.front().lines) lines.push_back(line.text);
    out += fmt::format("the plan has no slo, so it is held to SPECmail2001's: {}\n", fmt::join(lines, ", "));
  }
  if (!capacity.trials.empty()) out += "\n" + head_text();
  for (const Trial* one : by_height(capacity)) out += trial_text(*one);
  out += '\n';
  for (const std::string& one : sentences(capacity)) out += report::plain(one) + "\n";
  out += fmt::format("\n{}\n", judge::name(verdict_of(capacity)));
  return out;
}

std::string capacity_json(const Capacity& capacity) {
  using Json = nlohmann::ordered_json;
  Json out = {{"verdict", judge::name(verdict_of(capacity))},
              {"plan", report::plain(capacity.plan)},
              {"target", report::plain(capacity.target)},
              {"seed", capacity.seed},
              {"command", report::plain(capacity.command)},
              {"accounts", capacity.answer},
              {"confirmed", capacity.confirmed},
              {"narrow", capacity.narrow},
              {"unsteady", capacity.unsteady}};
  if (capacity.above)
    out["above"] = {{"accounts", capacity.above->accounts},
                    {"came", capacity.above->came == Came::missed ? "missed" : "limited"}};
  out["says"] = report::texts(sentences(capacity));
  out["loads"] = Json::array();
  for (const Trial& one : capacity.trials) {
    Json lines = Json::array();
    for (const auto& line : one.lines)
      lines.push_back({{"line", report::plain(line.text)},
                       {"measured", line.measured},
                       {"part", line.part},
                       {"missed", line.missed},
                       {"known", !line.unknown}});
    out["loads"].push_back(
        {{"accounts", one.step.accounts},
         {"percent", one.step.percent},
         {"again", one.step.again},
         {"came", one.came == Came::met      ? "met"
                  : one.came == Came::missed ? "missed"
                                             : "limited"},
         {"why", report::plain(one.why)},
         {"deliveries_per_second", one.deliveries},
         {"operations_per_second", one.operations},
         {"errors", one.errors},
         {"connections", one.connections},
         {"seconds", one.seconds},
         {"generator", {{"cpu", one.cpu}, {"late_p99_ms", ms(one.late_p99)}, {"late_most_ms", ms(one.late_most)}}},
         {"slo", std::move(lines)},
         {"directory", one.directory}});
  }
  return report::harmless_json(out.dump(2)) + "\n";
}

report::RunResult as_run(const Capacity& capacity) {
  report::RunResult run;
  run.seed = capacity.seed;
  run.target = capacity.target;
  run.version = capacity.version;
  run.began = capacity.began;
  run.ended = capacity.ended;
  run.interrupted = capacity.interrupted;
  run.selection = {capacity.plan};
  run.notes = sentences(capacity);
  run.leading = run.notes.size();
  auto& answer = run.scenarios.emplace_back();
  answer.id = "capacity." + capacity.plan;
  answer.verdict = verdict_of(capacity);
  answer.note = run.notes.empty() ? "" : run.notes.front();
  for (std::size_t i = 0; i < capacity.trials.size(); ++i) {
    const Trial& one = capacity.trials[i];
    run.seconds += one.seconds;
    auto& load = run.scenarios.emplace_back();
    load.id = fmt::format("capacity.load-{:02}", i + 1);
    load.title = fmt::format("{} accounts", one.step.accounts);
    // A load beyond the answer is there to break: only what no load excuses fails by itself.
    load.verdict = one.broke ? Verdict::fail : one.came == Came::met ? Verdict::pass : Verdict::not_applicable;
    load.seconds = one.seconds;
    load.note = one.came == Came::met ? near_text(one) : fmt::format("{}: {}", word(one.came), one.why);
  }
  return run;
}

std::string write_files(const archive::RunDirectory& directory, const Capacity& capacity) {
  const report::RunResult run = as_run(capacity);
  nlohmann::ordered_json more = {{"command", report::plain(capacity.command)}};
  for (const auto& [name, value] : capacity.settings) more["settings"][report::plain(name)] = report::plain(value);
  more["machines"] = report::texts(capacity.machines);
  more["accounts"] = capacity.answer;
  const std::pair<const char*, std::string> files[] = {
      {"capacity.json", capacity_json(capacity)},
      {"run.json", report::run_json(run, "capacity", more)},
      {"findings.json", report::findings_json(run)},
      {"junit.xml", report::junit_xml(run)},
      {"summary.md", report::summary_markdown(run) + "\n```text\n" + to_text(capacity) + "```\n"},
      {"report.html", capacity_html(capacity)}};
  for (const auto& [name, text] : files)
    if (std::string wrong = archive::write_file(directory.file(name), text); !wrong.empty()) return wrong;
  return {};
}

}  // namespace mailproof::load
