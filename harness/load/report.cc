#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/escape.h"

namespace mailproof::load {
namespace {

using nlohmann::ordered_json;
constexpr std::size_t kMostShown = 1000;

double ms(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

std::string counted(const std::map<std::string, std::uint64_t>& verdicts) {
  std::string out;
  for (const auto& [verdict, count] : verdicts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, verdict);
  return out.empty() ? "no copy was played" : out;
}

ordered_json histogram(const stats::Histogram& h) {
  ordered_json out = {{"count", h.count()},
                      {"min_ns", h.count() == 0 ? 0 : h.min().count()},
                      {"max_ns", h.count() == 0 ? 0 : h.max().count()},
                      {"p50_ns", h.percentile(50).count()},
                      {"p90_ns", h.percentile(90).count()},
                      {"p99_ns", h.percentile(99).count()},
                      {"p999_ns", h.percentile(99.9).count()}};
  ordered_json buckets = ordered_json::array();
  h.for_each([&](Duration low, Duration high, std::uint64_t count) {
    buckets.push_back({low.count(), high.count(), count});
  });
  out["buckets"] = std::move(buckets);
  return out;
}

/// Of all stories.
std::uint64_t begun(const LoadResult& result) {
  std::uint64_t out = 0;
  for (const StoryTotals& story : result.by_story)
    story.operations.for_each([&](std::string_view name, const stats::Operation& one) {
      if (name.starts_with("story")) out += one.started;
    });
  return out;
}

void describe(ordered_json& out, const StoryTotals& totals) {
  const LedgerTotals& ledger = totals.ledger;
  out["ledger"] = {{"copies", ledger.copies},   {"sent", ledger.sent},       {"accepted", ledger.accepted},
                   {"refused", ledger.refused}, {"unknown", ledger.unknown}, {"unexplained", ledger.unexplained},
                   {"fates", ledger.fates}};
  ordered_json operations = ordered_json::object();
  totals.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    operations[std::string(name)] = {{"intended", op.intended},
                                     {"started", op.started},
                                     {"ok", op.ok},
                                     {"fail", op.fail},
                                     {"info", op.info},
                                     {"errors", op.errors},
                                     {"response", histogram(op.response)},
                                     {"service", histogram(op.service)}};
  });
  out["operations"] = std::move(operations);
}

std::string text(const ordered_json& json) {
  return report::harmless_json(json.dump(1, ' ', false, ordered_json::error_handler_t::replace)) + "\n";
}

}  // namespace

void LedgerTotals::add(const history::History& history, const history::Ledger& ledger) {
  ++copies;
  for (const auto& attempt : ledger.attempts()) {
    ++sent;
    if (attempt.outcome == history::Type::fail) {
      ++refused;
      continue;
    }
    if (attempt.outcome == history::Type::info) {
      ++unknown;
      continue;
    }
    ++accepted;
    const history::Fate fate = ledger.fate(attempt.message, attempt.account);
    ++fates[std::string(name(fate))];
    unexplained += fate == history::Fate::lost || fate == history::Fate::unknown ? 1U : 0U;
  }
  (void)history;
}

void LedgerTotals::merge(const LedgerTotals& other) {
  copies += other.copies;
  sent += other.sent;
  accepted += other.accepted;
  refused += other.refused;
  unknown += other.unknown;
  unexplained += other.unexplained;
  for (const auto& [fate, count] : other.fates) fates[fate] += count;
}

void StoryTotals::merge(const StoryTotals& other) {
  operations.merge(other.operations);
  ledger.merge(other.ledger);
  for (const auto& [verdict, count] : other.verdicts) verdicts[verdict] += count;
  unserved += other.unserved;
}

bool Generator::limited() const { return cpu > 0.9 || worst_lateness > std::chrono::milliseconds(500); }

std::string Generator::text() const {
  return fmt::format(
      "generator: {:.0f} % of a core, copies began at most {:.0f} ms late for our own doing, timers {:.0f} ms",
      cpu * 100, ms(worst_lateness), ms(worst_timer));
}

/// A few slots more would serve the load: that is whoever chose them. Only a server that would hold many times as many
/// is slow.
constexpr double kManySlots = 4;

Unserved unserved(const LoadResult& result) {
  Unserved out;
  out.copies = result.interrupted ? 0 : result.all.unserved;
  if (out.copies == 0) return out;
  const double played = std::max(1.0, static_cast<double>(result.all.ledger.copies));
  const double held = ms(result.held) / played, answering = ms(result.answering) / played;
  const double leave = 1000 * result.slots / std::max(result.rate, 1e-9);
  const std::string facts = fmt::format(
      "a copy held its slot for {:.0f} ms, of which the server took {:.0f} ms; at {:.1f}/s {} slots leave it {:.0f} ms",
      held, answering, result.rate, result.slots, leave);
  if (result.generator.limited()) {
    out.why = "the generator was the limit: " + facts;
  } else if (result.all.ledger.copies != 0 && answering > kManySlots * leave) {
    out.by_server = true;
    out.why = "the server was too slow for this load: " + facts;
  } else {
    out.why = fmt::format("the slots were the limit: {}; such a load needs --copies {:.0f}", facts,
                          std::ceil(held * result.rate / 1000));
  }
  return out;
}

judge::Verdict verdict_of(const LoadResult& result) {
  using judge::Verdict;
  std::vector<Verdict> all = {result.worst};
  if (result.generator.limited() || result.interrupted || result.all.ledger.copies == 0 ||
      result.all.ledger.unknown != 0)
    all.push_back(Verdict::inconclusive);
  if (const Unserved late = unserved(result); late.copies != 0)
    all.push_back(late.by_server ? Verdict::fail : Verdict::inconclusive);
  if (result.all.ledger.unexplained != 0 && result.worst == Verdict::pass) all.push_back(Verdict::inconclusive);
  for (const SloResult& slo : result.slo) {
    if (slo.state == SloResult::State::not_measured) all.push_back(Verdict::inconclusive);
    // Times that our own slowness made say nothing of the server.
    if (slo.state == SloResult::State::missed)
      all.push_back(result.generator.limited() && !slo.counts ? Verdict::inconclusive : Verdict::fail);
  }
  if (!result.plan.aborted.empty()) all.push_back(Verdict::fail);
  return judge::worst(all);
}

std::string to_text(const LoadResult& result) {
  std::string out;
  const auto line = [&]<class... T>(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
    out += '\n';
  };
  if (result.generator.limited())
    line("GENERATOR-LIMITED: these figures say more about this machine than about the server.\n");
  const Unserved late = unserved(result);
  if (late.copies != 0)
    line("UNSERVED: {} of {} copies never began: {}.\n", late.copies, late.copies + begun(result), late.why);
  if (!result.plan.aborted.empty()) line("ABORTED: {}.\n", result.plan.aborted);
  if (!result.plan.name.empty())
    line("plan {} on {}: {} accounts, at most {} connections, {:.1f} s", result.plan.name, result.target,
         result.plan.accounts, result.plan.most_connections, result.seconds);
  else if (result.stories.size() == 1)
    line("{} on {}: {} copies in {} slots, {:.1f} copies/s intended, {:.1f} s", result.stories.front(), result.target,
         result.copies, result.slots, result.rate, result.seconds);
  else
    line("{} stories on {}, of each {} copies in {} slots, {:.1f} copies/s intended; {:.1f} s", result.stories.size(),
         result.target, result.copies, result.slots, result.rate, result.seconds);
  if (!result.note.empty()) line("{}", result.note);
  std::size_t width = 20;
  result.all.operations.for_each(
      [&](std::string_view name, const stats::Operation&) { width = std::max(width, name.size()); });
  line("\n{:<{}} {:>8} {:>8} {:>6} {:>6} {:>9} | {:>10} {:>10} {:>10} {:>10} | {:>10} {:>10}", "operation", width,
       "done", "ops/s", "fail", "info", "unserved", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "service50", "service99");
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    line("{:<{}} {:>8} {:>8.1f} {:>6} {:>6} {:>9} | {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f} | {:>10.2f} {:>10.2f}",
         name, width, op.ok, static_cast<double>(op.ok) / std::max(result.seconds, 1e-9), op.fail, op.info,
         op.unserved(), ms(op.response.percentile(50)), ms(op.response.percentile(99)),
         ms(op.response.percentile(99.9)), ms(op.response.max()), ms(op.service.percentile(50)),
         ms(op.service.percentile(99)));
  });
  line("(p50 to max: from the intended start, unserved copies included; service: from the real one)");
  bool errors = false;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const auto& [what, count] : op.errors) {
      if (!std::exchange(errors, true)) line("\nerrors by class:");
      line("  {:>8}  {}: {}", count, name, what);
    }
  });
  const LedgerTotals& ledger = result.all.ledger;
  line("\nledger: {}{} deliveries attempted = {} accepted + {} refused + {} without an answer",
       result.plan.name.empty() ? fmt::format("{} copies; ", ledger.copies) : std::string(), ledger.sent,
       ledger.accepted, ledger.refused, ledger.unknown);
  std::string fates;
  for (const auto& [fate, count] : ledger.fates)
    fates += fmt::format("{}{} {}", fates.empty() ? "" : " + ", count, fate);
  line("        {} accepted = {}", ledger.accepted, fates.empty() ? "0" : fates);
  line("        unexplained: {}", ledger.unexplained);
  for (const auto& [what, text] : result.plan.examples) line("  first of {}: {}", what, text);
  if (!result.slo.empty()) line("\nSLO:");
  for (const SloResult& slo : result.slo) {
    const bool missed = slo.state == SloResult::State::missed;
    const bool measured = slo.state != SloResult::State::not_measured;
    line("  {:<6} {:<40} {}",
         missed     ? "MISSED"
         : measured ? "met"
                    : "?",
         slo.text, measured ? slo.measured : "nothing of it happened");
  }
  line("{}", result.generator.text());
  for (const auto& [id, tally] : result.findings) {
    if (!result.plan.name.empty() && id.starts_with(result.plan.name + "/"))
      line("\n{}  [{}]  {} time{}", id, name(tally.first.severity), tally.times, tally.times == 1 ? "" : "s");
    else
      line("\n{}  [{}]  in {} cop{}", id, name(tally.first.severity), tally.times, tally.times == 1 ? "y" : "ies");
    line("  Requirement: {}\n  Expected:    {}\n  Actual:      {}", tally.first.requirement, tally.first.expected,
         tally.first.actual);
    for (const auto& evidence : tally.first.evidence) line("  Evidence:    {}", evidence);
    for (const auto& event : tally.first.life) line("  Life:        {}", event);
    line("  Reproduce:   {}", tally.first.reproduce);
    std::size_t shown = 0;
    for (const auto& message : tally.messages) {
      if (shown++ == kMostShown) {
        line("    ... {} more in findings.json", tally.messages.size() - kMostShown);
        break;
      }
      line("    {}", message);
    }
  }
  if (!result.plan.name.empty()) {
    std::size_t missed = 0;
    for (const SloResult& slo : result.slo) missed += slo.state == SloResult::State::missed ? 1U : 0U;
    line("\n{}: {} lost, {} of {} SLO lines missed", name(verdict_of(result)),
         ledger.fates.contains("lost") ? ledger.fates.at("lost") : 0, missed, result.slo.size());
  } else {
    line("\n{}: {}{}", name(verdict_of(result)), counted(result.all.verdicts),
         late.copies == 0 ? "" : fmt::format(", {} unserved", late.copies));
  }
  if (result.stories.size() > 1)
    for (std::size_t i = 0; i < result.stories.size(); ++i)
      if (result.stories[i] != result.plan.name)
        line("  {}: {}", result.stories[i], counted(result.by_story[i].verdicts));
  return out;
}

std::string to_json(const LoadResult& result) {
  ordered_json out = {{"verdict", name(verdict_of(result))}};
  if (!result.plan.name.empty()) {
    out["plan"] = {{"name", result.plan.name},
                   {"accounts", result.plan.accounts},
                   {"most_connections", result.plan.most_connections},
                   {"aborted", result.plan.aborted}};
    ordered_json& slos = out["slo"] = ordered_json::array();
    for (const SloResult& slo : result.slo)
      slos.push_back({{"line", slo.text},
                      {"measured", slo.measured},
                      {"state", slo.state == SloResult::State::met      ? "met"
                                : slo.state == SloResult::State::missed ? "missed"
                                                                        : "not-measured"}});
  }
  if (result.stories.size() == 1) out["story"] = result.stories.front();
  out.update({{"target", result.target},
              {"seed", result.seed},
              {"copies", result.copies},
              {"played", begun(result)},
              {"unserved", result.all.unserved},
              {"slots", result.slots},
              {"rate", result.rate},
              {"seconds", result.seconds},
              {"generator",
               {{"limited", result.generator.limited()},
                {"cpu", result.generator.cpu},
                {"worst_lateness_ns", result.generator.worst_lateness.count()}}}});
  describe(out, result.all);
  ordered_json findings = ordered_json::array();
  for (const auto& [id, tally] : result.findings)
    findings.push_back(
        {{"id", id}, {"severity", name(tally.first.severity)}, {"times", tally.times}, {"messages", tally.messages}});
  out["findings"] = std::move(findings);
  if (result.stories.size() == 1) return text(out);
  ordered_json& stories = out["stories"] = ordered_json::array();
  for (std::size_t i = 0; i < result.stories.size(); ++i) {
    ordered_json one = {{"story", result.stories[i]}, {"verdicts", result.by_story[i].verdicts}};
    describe(one, result.by_story[i]);
    stories.push_back(std::move(one));
  }
  return text(out);
}

}  // namespace mailproof::load
