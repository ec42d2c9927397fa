#include "load/run_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "load/level.h"
#include "load/report_html.h"
#include "load/stats_json.h"
#include "report/baseline.h"
#include "report/escape.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"

namespace mailproof::load {
namespace {

using judge::Verdict;
constexpr std::size_t kMostRows = 60;  // of the table in summary.md

report::ScenarioResult part(std::string id, Verdict verdict, double seconds, std::string note) {
  report::ScenarioResult out;
  out.id = std::move(id);
  out.verdict = verdict;
  out.seconds = seconds;
  out.note = std::move(note);
  return out;
}

Verdict worst_of(const StoryTotals& totals) {
  std::vector<Verdict> all;
  for (const auto& [verdict, count] : totals.verdicts)
    if (const auto known = report::verdict_named(verdict); known && count != 0) all.push_back(*known);
  return judge::worst(all);
}

/// `of`: what it was found in so many of.
void add_findings(const LoadResult& result, const std::string& id, std::string_view of, report::ScenarioResult& out) {
  for (const auto& [finding, tally] : result.findings) {
    if (!finding.starts_with(id + "/")) continue;
    judge::Finding& one = out.findings.emplace_back(tally.first);
    if (tally.times > 1) one.actual = fmt::format("in {} {}; of the first: {}", tally.times, of, one.actual);
    one.messages = tally.messages;
  }
}

/// The customers of a plan, who play no copies.
report::ScenarioResult plan_part(const LoadResult& result) {
  const LedgerTotals& all = result.all.ledger;
  auto out = part(result.plan.name, Verdict::pass, result.seconds,
                  fmt::format("{} accounts, at most {} connections, {} of {} messages accepted", result.plan.accounts,
                              result.plan.most_connections, all.accepted, all.sent));
  out.hash = result.plan.hash;
  add_findings(result, result.plan.name, "cases", out);
  std::vector<Verdict> verdicts = {nothing_played(result) ? Verdict::error : Verdict::pass};
  if (!result.plan.aborted.empty())
    verdicts.push_back(result.generator.limited() ? Verdict::inconclusive : Verdict::fail);
  for (const auto& one : out.findings)
    verdicts.push_back(one.severity == judge::Severity::fail       ? Verdict::fail
                       : one.severity == judge::Severity::latitude ? Verdict::latitude
                                                                   : Verdict::inconclusive);
  out.verdict = judge::worst(verdicts);
  return out;
}

report::ScenarioResult story_part(const LoadResult& result, std::size_t n) {
  const std::string& id = result.stories[n];
  if (id == result.plan.name) return plan_part(result);
  auto out = part(id, worst_of(result.by_story[n]), result.seconds, counted(result.by_story[n].verdicts));
  add_findings(result, id, "copies", out);
  return out;
}

report::ScenarioResult arrivals_part(const LoadResult& result) {
  const auto said = [&](Verdict verdict, std::string note) {
    return part("load.arrivals", verdict, result.seconds, std::move(note));
  };
  const Unserved late = unserved(result);
  if (late.copies != 0)
    return said(late.by_server ? Verdict::fail : Verdict::inconclusive,
                fmt::format("{} never began: {}", late.copies, late.why));
  if (result.interrupted) return said(Verdict::inconclusive, "it was ended before all that was to come was due");
  if (const Undelivered mail = undelivered(result); mail.messages != 0)
    return said(mail_is_undecided(result) ? Verdict::inconclusive : Verdict::pass,
                fmt::format("{} of {} messages were never handed over{}", mail.messages, mail.due,
                            mail_is_undecided(result) ? "" : "; a line of the slo says how many may be"));
  return said(Verdict::pass, result.plan.name.empty() ? "every copy that was due began" : "all that was due began");
}

report::ScenarioResult ledger_part(const LoadResult& result) {
  const LedgerTotals& all = result.all.ledger;
  const bool doubtful = all.unknown != 0 || all.copies == 0 || all.unexplained != 0;
  return part("load.ledger", doubtful ? Verdict::inconclusive : Verdict::pass, result.seconds,
              fmt::format("{} deliveries attempted = {} accepted + {} refused + {} without an answer; unexplained: {}",
                          all.sent, all.accepted, all.refused, all.unknown, all.unexplained));
}

/// As of every run, and of a load also its errors by class, with what went over the wire at the first few.
std::string findings_json(const report::RunResult& run, const LoadResult& result) {
  auto json = nlohmann::ordered_json::parse(report::findings_json(run));
  auto& errors = json["errors"] = nlohmann::ordered_json::array();
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    for (const auto& [what, times] : one.errors) {
      const std::string of = fmt::format("{}: {}", name, what);
      nlohmann::ordered_json excerpts = nlohmann::ordered_json::array();
      if (const auto known = result.all.samples.all().find(of); known != result.all.samples.all().end())
        for (const Sample& sample : known->second) excerpts.push_back(report::plain(sample.text));
      errors.push_back({{"class", report::plain(of)}, {"times", times}, {"wire", std::move(excerpts)}});
    }
  });
  return json.dump(2) + "\n";
}

}  // namespace

report::RunResult as_run(const LoadResult& result) {
  report::RunResult run;
  run.seed = result.seed;
  run.target = result.target;
  run.version = result.version;
  run.began = result.began;
  run.ended = result.ended;
  run.interrupted = result.interrupted;
  run.seconds = result.seconds;
  run.selection = result.stories;
  run.notes = warnings(result);
  run.leading = run.notes.size();
  if (result.shard)
    run.notes.push_back(
        fmt::format("shard {} of {}: these figures are a part of the load", result.shard->index, result.shard->of));
  for (std::size_t n = 0; n < result.stories.size() && n < result.by_story.size(); ++n)
    run.scenarios.push_back(story_part(result, n));
  const bool limited = result.generator.limited() || !result.doubts.empty();
  run.scenarios.push_back(part("load.generator",
                               !result.note.empty() ? Verdict::error
                               : limited            ? Verdict::inconclusive
                                                    : Verdict::pass,
                               result.seconds, result.note.empty() ? result.generator.text() : result.note));
  run.scenarios.push_back(arrivals_part(result));
  run.scenarios.push_back(ledger_part(result));
  for (const SloResult& slo : result.slos)
    run.scenarios.push_back(part("load.slo." + slo.text, slo.verdict, result.seconds, slo.measured));
  return run;
}

std::string run_json(const LoadResult& result) {
  nlohmann::ordered_json load = {{"command", report::plain(result.command)}};
  for (const auto& [name, value] : result.settings) load["settings"][report::plain(name)] = report::plain(value);
  if (!result.measured.empty())
    load["measured"] = {{"from_s", in_seconds(result.measured.from)}, {"to_s", in_seconds(result.measured.to)}};
  load["machines"] = report::texts(result.machines);
  if (result.shard) load["shard"] = {{"index", result.shard->index}, {"of", result.shard->of}};
  return report::run_json(as_run(result), "load", load);
}

std::string summary_markdown(const LoadResult& result) {
  std::string out = report::summary_markdown(as_run(result));
  out +=
      "\n## Operations\n\n| operation | done | /s | fail | info | unserved | p50 ms | p99 ms | max ms |\n"
      "| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n";
  std::size_t rows = 0, left_out = 0;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    if (++rows > kMostRows) {
      ++left_out;
      return;
    }
    out += fmt::format("| {} | {} | {:.1f} | {} | {} | {} | {:.2f} | {:.2f} | {:.2f} |\n", report::markdown(name),
                       op.ok, rate_of(op, result), op.fail, op.info, op.unserved(), ms(op.response.percentile(50)),
                       ms(op.response.percentile(99)), ms(op.response.max()));
  });
  if (left_out != 0) out += fmt::format("\n{} more are in report.html.\n", left_out);
  if (!result.command.empty())
    out += fmt::format("\nThe same again: <code>{}</code>\n", report::markdown(result.command));
  return out;
}

std::string write_files(const archive::RunDirectory& directory, const LoadResult& result) {
  const report::RunResult run = as_run(result);
  const std::pair<const char*, std::string> files[] = {{"stats.json", to_json(result)},
                                                       {"run.json", run_json(result)},
                                                       {"findings.json", findings_json(run, result)},
                                                       {"junit.xml", report::junit_xml(run)},
                                                       {"summary.md", summary_markdown(result)},
                                                       {"report.html", report_html(result)}};
  for (const auto& [name, text] : files)
    if (std::string wrong = archive::write_file(directory.file(name), text); !wrong.empty()) return wrong;
  return {};
}

}  // namespace mailproof::load
