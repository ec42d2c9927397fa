#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "load/level.h"
#include "load/thread_cpu.h"
#include "scenario/plan/slo.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kMostShown = 40;     // lines of what a finding names; all are in findings.json
constexpr std::size_t kMostEvidence = 20;  // lines of a finding; all are in findings.json

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
  by_customers += other.by_customers;
  saved += other.saved;
  unsent += other.unsent;
  for (const auto& [fate, count] : other.fates) fates[fate] += count;
}

void StoryTotals::merge(const StoryTotals& other) {
  operations.merge(other.operations);
  audit.merge(other.audit);
  samples.merge(other.samples);
  ledger.merge(other.ledger);
  for (const auto& [verdict, count] : other.verdicts) verdicts[verdict] += count;
  unserved += other.unserved;
  held_back += other.held_back;
}

void PlanResult::merge(const PlanResult& part) {
  most_connections += part.most_connections;
  if (aborted.empty()) aborted = part.aborted;
  examples.insert(part.examples.begin(), part.examples.end());
  lay_before += part.lay_before;
  most_before = std::max(most_before, part.most_before);
  login_delay = std::max(login_delay, part.login_delay);
  put_off += part.put_off;
}

std::vector<std::string> about_users(const LoadResult& result) {
  std::vector<std::string> out;
  for (const UsersOf& one : result.users) {
    const auto at = std::find(result.stories.begin(), result.stories.end(), one.story) - result.stories.begin();
    const bool known = static_cast<std::size_t>(at) < result.by_story.size();
    const std::uint64_t held = known ? result.by_story[static_cast<std::size_t>(at)].held_back : 0;
    out.push_back(fmt::format(
        "closed loop: {} users play {} and think {} between: a server that stalls slows them down, and what they would "
        "have asked for meanwhile is in no figure (coordinated omission)",
        one.users, one.story, one.think));
    if (held != 0)
      out.back() +=
          fmt::format("; {} times one had to think longer, because his mailboxes were still looked into", held);
  }
  return out;
}

std::vector<std::string> remarks(const LoadResult& result) {
  std::vector<std::string> out = about_users(result);
  if (result.plan.lay_before != 0)
    out.push_back(fmt::format(
        "{} messages lay in the mailboxes before, at most {} in one: what devices ask when they come is of those, too",
        result.plan.lay_before, result.plan.most_before));
  if (result.plan.put_off != 0)
    out.push_back(
        fmt::format("POP3 announces LOGIN-DELAY {:.0f}: {} polls that their profiles want sooner waited for it",
                    std::chrono::duration<double>(result.plan.login_delay).count(), result.plan.put_off));
  std::uint64_t out_logged = 0, timed_out = 0;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (name.ends_with(".autologout")) out_logged += one.ok;
    if (!scenario::is_derived(name)) timed_out += one.timed_out;
  });
  if (out_logged != 0)
    out.push_back(
        fmt::format("{} sessions that said nothing for half an hour were logged out, which RFC 3501 section "
                    "5.4 permits",
                    out_logged));
  if (timed_out != 0)
    out.push_back(fmt::format(
        "{} had no answer in time: each counts in the times with as long as was waited, and took at least that",
        timed_out));
  return out;
}

std::string counted(const std::map<std::string, std::uint64_t>& verdicts) {
  std::string out;
  for (const auto& [verdict, count] : verdicts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, verdict);
  return out.empty() ? "no copy was played" : out;
}

std::string setting_of(const LoadResult& result, std::string_view name) {
  for (const auto& [known, value] : result.settings)
    if (known == name) return value;
  return {};
}

std::uint64_t begun(const LoadResult& result) {
  std::uint64_t out = 0;
  for (const StoryTotals& story : result.by_story)
    story.operations.for_each([&](std::string_view name, const stats::Operation& one) {
      if (name.starts_with("story")) out += one.started;
    });
  return out;
}

namespace {
constexpr double kMuch = 0.01;  // of the time: a p99 is made of it
constexpr Duration kLate = std::chrono::milliseconds(500);

/// One hiccup in eight hours says nothing against the rest of them; of fewer than a thousand it is the latest.
Duration mostly_late(const Generator& generator) { return generator.lateness.percentile(99.9); }
}  // namespace

bool Generator::limited() const {
  return cpu > kBusy || busy > kMuch || mostly_late(*this) > kLate || !limited_part.empty();
}

void Generator::turn(Duration work, Duration waited) {
  turns.add(work, static_cast<std::uint64_t>(work / std::chrono::microseconds(1)));
  turns.add(Duration::zero(), static_cast<std::uint64_t>(waited / std::chrono::microseconds(1)));
}

Duration Generator::own_delay(double percent) const {
  return std::max(lateness.percentile(percent), turns.percentile(percent));
}

std::string Generator::why_limited() const {
  std::string out;
  if (cpu > kBusy)
    out = fmt::format("a thread needed {:.0f} % of a core", cpu * 100);
  else if (busy > kMuch)
    out =
        fmt::format("a thread needed {:.0f} % of a core in ten seconds, and more than {:.0f} % in {:.0f} % of the time",
                    cpu_peak * 100, kBusy * 100, busy * 100);
  if (mostly_late(*this) > kLate)
    out += fmt::format("{}what was due began up to {:.0f} ms late for our own doing", out.empty() ? "" : ", and ",
                       ms(lateness.max()));
  return out.empty() ? limited_part : out;
}

std::string Generator::text() const {
  return fmt::format(
      "generator: {:.0f} % of a core{}{}, what was due began at most {:.0f} ms late for our own doing (p99 {:.1f} ms), "
      "timers "
      "{:.0f} ms, a turn of the loop took at most {:.0f} ms (p99 {:.1f} ms)",
      cpu * 100, cpu_peak == 0 ? "" : fmt::format(" ({:.0f} % in its busiest ten seconds)", cpu_peak * 100),
      judging < 0.005 ? "" : fmt::format(" and {:.0f} % to judge", judging * 100), ms(lateness.max()),
      ms(lateness.percentile(99)), ms(worst_timer), ms(turns.max()), ms(turns.percentile(99)));
}

void Generator::merge(const Generator& other) {
  cpu = std::max(cpu, other.cpu);
  cpu_peak = std::max(cpu_peak, other.cpu_peak);
  busy = std::max(busy, other.busy);
  judging = std::max(judging, other.judging);
  lateness.merge(other.lateness);
  turns.merge(other.turns);
  worst_timer = std::max(worst_timer, other.worst_timer);
}

double rate_of(const stats::Operation& operation, const LoadResult& result) {
  const double time = std::max(result.seconds, 1e-9);
  const auto& cells = operation.slices.cells();
  std::uint64_t ok = result.plan.name.empty() || cells.empty() ? operation.ok : 0;
  if (ok == 0)
    for (std::size_t i = 0; i < cells.size() && static_cast<double>(i * operation.slices.seconds()) < time; ++i)
      ok += cells[i].ok;
  return static_cast<double>(ok) / time;
}

double measured_seconds(const LoadResult& result) {
  return std::min(in_seconds(result.measured.to), result.seconds) - in_seconds(result.measured.from);
}

namespace {

/// A plan's phase that its promises are about, apart: those who come, and what they find, are not in it.
std::string measured_text(const LoadResult& result, std::size_t width) {
  const double time = measured_seconds(result);
  if (result.measured.empty() || result.measured.from == Duration{} || time <= 0) return {};
  std::string out;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    const auto& one = op.measured;
    if (one.response.count() == 0) return;
    fmt::format_to(std::back_inserter(out),
                   "{:<{}} {:>8} {:>8.1f} {:>24} | {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f} |\n", name, width, one.ok,
                   static_cast<double>(one.done) / time, "", ms(one.response.percentile(50)),
                   ms(one.response.percentile(99)), ms(one.response.percentile(99.9)), ms(one.response.max()));
  });
  if (out.empty()) return out;
  return fmt::format("\nof what was due from {} to {} alone, the measured phase:\n",
                     format_seconds(result.measured.from), format_seconds(result.measured.to)) +
         out;
}

/// "0 lost, 1 of 5 SLO lines missed, 1 void"
std::string outcome_of_plan(const LoadResult& result) {
  const auto& fates = result.all.ledger.fates;
  const auto of = [&](const char* fate) { return fates.contains(fate) ? fates.at(fate) : 0; };
  std::string out = fmt::format("{} lost", of("lost"));
  if (of("not-looked-for") != 0) out += fmt::format(", {} not looked for", of("not-looked-for"));
  if (result.slos.empty()) return out + ", no SLO line asked for";
  std::size_t missed = 0, vain = 0, unknown = 0;
  for (const SloResult& slo : result.slos) {
    missed += slo.verdict == judge::Verdict::fail ? 1U : 0U;
    const bool nobody_knows = slo.measured.empty() || slo.few;
    (nobody_knows ? unknown : vain) += slo.verdict == judge::Verdict::inconclusive ? 1U : 0U;
  }
  out += fmt::format(", {} of {} SLO lines missed", missed, result.slos.size());
  if (vain != 0) out += fmt::format(", {} void", vain);
  if (unknown != 0) out += fmt::format(", {} not known", unknown);
  return out;
}

std::vector<std::string> last_lines(std::string_view text, std::size_t most) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < most) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto begin = text.rfind('\n');
    const std::size_t from = begin == std::string_view::npos ? 0 : begin + 1;
    out.emplace(out.begin(), text.substr(from));
    text = text.substr(0, from);
  }
  return out;
}

}  // namespace

std::string to_text(const LoadResult& result) {
  std::string out;
  const auto line = [&]<class... T>(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
    out += '\n';
  };
  const Unserved late = unserved(result);
  for (const std::string& warning : warnings(result))
    if (warning != result.note) line("{}\n", warning);
  if (nothing_played(result)) {
    line("{} was not played on {}: {}", result.plan.name.empty() ? "the load" : "plan " + result.plan.name,
         result.target, result.note);
    line("\n{}: nothing was played", name(verdict_of(result)));
    return out;
  }
  if (result.shard)
    line("shard {} of {} of this load: its figures are a part, `mailproof merge` makes the whole of all",
         result.shard->index, result.shard->of);
  if (!result.plan.name.empty())
    line("plan {} on {}: {} accounts, at most {} connections, {:.1f} s", result.plan.name, result.target,
         result.plan.accounts, result.plan.most_connections, result.seconds);
  else if (!result.users.empty())
    line("{} on {}: {} users of each in a closed loop, who think {}; {} copies, {:.1f} s",
         result.stories.size() == 1 ? result.stories.front() : fmt::format("{} stories", result.stories.size()),
         result.target, result.users.front().users, result.users.front().think, begun(result), result.seconds);
  else if (result.stories.size() == 1)
    line("{} on {}: {} copies in {} slots, {:.1f} copies/s intended, {:.1f} s", result.stories.front(), result.target,
         result.copies, result.slots, result.rate, result.seconds);
  else
    line("{} stories on {}, of each {} copies in {} slots, {:.1f} copies/s intended; {:.1f} s", result.stories.size(),
         result.target, result.copies, result.slots, result.rate, result.seconds);
  if (const std::string mail = setting_of(result, "mail"); !mail.empty()) line("mail comes at {}", mail);
  if (!result.note.empty()) line("{}", result.note);
  for (const std::string& one : remarks(result)) line("{}", one);
  std::size_t width = 20;
  result.all.operations.for_each(
      [&](std::string_view name, const stats::Operation&) { width = std::max(width, name.size()); });
  line("\n{:<{}} {:>8} {:>8} {:>6} {:>6} {:>9} | {:>10} {:>10} {:>10} {:>10} | {:>10} {:>10}", "operation", width,
       "done", "ops/s", "fail", "info", "unserved", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "service50", "service99");
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    line("{:<{}} {:>8} {:>8.1f} {:>6} {:>6} {:>9} | {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f} | {:>10.2f} {:>10.2f}",
         name, width, op.ok, rate_of(op, result), op.fail, op.info, op.unserved(), ms(op.response.percentile(50)),
         ms(op.response.percentile(99)), ms(op.response.percentile(99.9)), ms(op.response.max()),
         ms(op.service.percentile(50)), ms(op.service.percentile(99)));
  });
  line("(p50 to max: from the intended start{}, unserved copies included; service: from the real one)",
       result.users.empty() ? "" : ", which in a closed loop is the end of the thinking");
  out += measured_text(result, width);
  std::uint64_t commands = 0, octets = 0;
  result.all.audit.for_each([&](std::string_view, const stats::Operation& op) { commands += op.started; });
  for (const auto& one : result.all.audit.octets().cells()) octets += one.in + one.out;
  if (commands != 0)
    line("(what the audit asked afterwards is in no row: {} operations, {:.1f} MB)", commands,
         static_cast<double>(octets) / 1e6);
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
  if (ledger.by_customers != 0)
    line("        of these {} sent by customers, and {} copies that they saved", ledger.by_customers, ledger.saved);
  if (ledger.unsent != 0)
    line(
        "        beside them {} that were due and were not handed over to their last octet: nobody can have taken them",
        ledger.unsent);
  std::string fates;
  for (const auto& [fate, count] : ledger.fates)
    fates += fmt::format("{}{} {}", fates.empty() ? "" : " + ", count, fate);
  line("        {} accepted = {}", ledger.accepted, fates.empty() ? "0" : fates);
  const auto unseen = ledger.fates.find("not-looked-for");
  line("        unexplained: {}{}", ledger.unexplained,
       unseen == ledger.fates.end()
           ? ""
           : fmt::format(", of the {} that were looked for", ledger.accepted - unseen->second));
  for (const auto& [what, text] : result.plan.examples) line("  first of {}: {}", what, text);
  if (!result.plan.name.empty())
    for (const auto& [what, samples] : result.all.samples.all()) {
      line("  {}, and what was said last:", what);
      for (const auto& said : last_lines(samples.front().text, 4)) line("    | {}", said);
    }
  if (!result.slos.empty())
    line("\nSLO:{}", result.measured.empty()
                         ? ""
                         : fmt::format(" (times and rates of what was due from {} to {}; the rest of all)",
                                       format_seconds(result.measured.from), format_seconds(result.measured.to)));
  for (const SloResult& slo : result.slos)
    line("  {:<6} {:<40} {}{}{}",
         slo.verdict == judge::Verdict::pass           ? "met"
         : slo.measured.empty() || slo.few             ? "?"
         : slo.verdict == judge::Verdict::inconclusive ? "void"  // missed, and the generator was the limit
                                                       : "MISSED",
         slo.text, slo.measured.empty() ? "nothing of it happened" : slo.measured,
         slo.of == 0 || slo.few ? "" : fmt::format(", of {}", slo.of),
         slo.why.empty() ? "" : fmt::format("  ({})", slo.why));
  line("{}", result.generator.text());
  for (const auto& [id, tally] : result.findings) {
    if (!result.plan.name.empty() && id.starts_with(result.plan.name + "/"))
      line("\n{}  [{}]  {} time{}", id, name(tally.first.severity), tally.times, tally.times == 1 ? "" : "s");
    else
      line("\n{}  [{}]  in {} cop{}", id, name(tally.first.severity), tally.times, tally.times == 1 ? "y" : "ies");
    line("  Requirement: {}\n  Expected:    {}\n  Actual:      {}", tally.first.requirement, tally.first.expected,
         tally.first.actual);
    std::size_t lines = 0;
    for (const auto& evidence : tally.first.evidence) {
      if (lines++ < kMostEvidence || &evidence == &tally.first.evidence.back()) line("  Evidence:    {}", evidence);
      if (lines == kMostEvidence + 1 && &evidence != &tally.first.evidence.back())
        line("  Evidence:    ... {} more lines in findings.json", tally.first.evidence.size() - kMostEvidence);
    }
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
    line("\n{}: {}", name(verdict_of(result)), outcome_of_plan(result));
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

}  // namespace mailproof::load
