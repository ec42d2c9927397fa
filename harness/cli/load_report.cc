#include "cli/load_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mailproof::cli {
namespace {

using nlohmann::ordered_json;
constexpr std::size_t kMostShown = 1000;

double ms(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

ordered_json histogram(const stats::Histogram& h) {
  ordered_json out = {{"count", h.count()},
                      {"min_ns", h.count() == 0 ? 0 : h.min().count()},
                      {"max_ns", h.count() == 0 ? 0 : h.max().count()},
                      {"p50_ns", h.percentile(50).count()},
                      {"p90_ns", h.percentile(90).count()},
                      {"p99_ns", h.percentile(99).count()}};
  ordered_json buckets = ordered_json::array();
  h.for_each([&](Duration low, Duration high, std::uint64_t count) {
    buckets.push_back({low.count(), high.count(), count});
  });
  out["buckets"] = std::move(buckets);
  return out;
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

bool Generator::limited() const { return cpu > 0.9 || worst_lateness > std::chrono::milliseconds(500); }

std::string Generator::text() const {
  return fmt::format(
      "generator: {:.0f} % of a core, copies began at most {:.0f} ms late for our own doing, timers {:.0f} ms",
      cpu * 100, ms(worst_lateness), ms(worst_timer));
}

judge::Verdict verdict_of(const LoadResult& result) {
  using judge::Verdict;
  std::vector<Verdict> all = {result.worst};
  if (result.generator.limited() || result.interrupted || result.ledger.copies == 0 || result.ledger.unknown != 0)
    all.push_back(Verdict::inconclusive);
  if (result.ledger.unexplained != 0 && result.worst == Verdict::pass) all.push_back(Verdict::inconclusive);
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
  line("{} on {}: {} copies in {} slots, {:.1f} copies/s intended, {:.1f} s", result.story, result.target,
       result.copies, result.slots, result.rate, result.seconds);
  if (!result.note.empty()) line("{}", result.note);
  line("\n{:<20} {:>8} {:>8} {:>6} {:>6} {:>9} | {:>10} {:>10} | {:>10} {:>10}", "operation", "done", "ops/s", "fail",
       "info", "unserved", "p50 ms", "p99 ms", "service50", "service99");
  result.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    line("{:<20} {:>8} {:>8.1f} {:>6} {:>6} {:>9} | {:>10.2f} {:>10.2f} | {:>10.2f} {:>10.2f}", name, op.ok,
         static_cast<double>(op.ok) / std::max(result.seconds, 1e-9), op.fail, op.info, op.unserved(),
         ms(op.response.percentile(50)), ms(op.response.percentile(99)), ms(op.service.percentile(50)),
         ms(op.service.percentile(99)));
  });
  line("(p50, p99: from the intended start; service: from the real one)");
  bool errors = false;
  result.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const auto& [what, count] : op.errors) {
      if (!std::exchange(errors, true)) line("\nerrors by class:");
      line("  {:>8}  {}: {}", count, name, what);
    }
  });
  const LedgerTotals& ledger = result.ledger;
  line("\nledger: {} copies; {} deliveries attempted = {} accepted + {} refused + {} without an answer", ledger.copies,
       ledger.sent, ledger.accepted, ledger.refused, ledger.unknown);
  std::string fates;
  for (const auto& [fate, count] : ledger.fates)
    fates += fmt::format("{}{} {}", fates.empty() ? "" : " + ", count, fate);
  line("        {} accepted = {}", ledger.accepted, fates.empty() ? "0" : fates);
  line("        unexplained: {}", ledger.unexplained);
  line("{}", result.generator.text());
  for (const auto& [id, tally] : result.findings) {
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
  std::string verdicts;
  for (const auto& [verdict, count] : result.verdicts)
    verdicts += fmt::format("{}{} {}", verdicts.empty() ? "" : ", ", count, verdict);
  line("\n{}: {}", name(verdict_of(result)), verdicts.empty() ? "no copy was played" : verdicts);
  return out;
}

std::string to_json(const LoadResult& result) {
  ordered_json out = {{"verdict", name(verdict_of(result))},
                      {"story", result.story},
                      {"target", result.target},
                      {"seed", result.seed},
                      {"copies", result.copies},
                      {"slots", result.slots},
                      {"rate", result.rate},
                      {"seconds", result.seconds},
                      {"generator",
                       {{"limited", result.generator.limited()},
                        {"cpu", result.generator.cpu},
                        {"worst_lateness_ns", result.generator.worst_lateness.count()}}}};
  out["ledger"] = {{"copies", result.ledger.copies},     {"sent", result.ledger.sent},
                   {"accepted", result.ledger.accepted}, {"refused", result.ledger.refused},
                   {"unknown", result.ledger.unknown},   {"unexplained", result.ledger.unexplained},
                   {"fates", result.ledger.fates}};
  ordered_json operations = ordered_json::object();
  result.operations.for_each([&](std::string_view name, const stats::Operation& op) {
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
  ordered_json findings = ordered_json::array();
  for (const auto& [id, tally] : result.findings)
    findings.push_back(
        {{"id", id}, {"severity", name(tally.first.severity)}, {"times", tally.times}, {"messages", tally.messages}});
  out["findings"] = std::move(findings);
  return out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mailproof::cli
