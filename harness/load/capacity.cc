#include "load/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/units.h"
#include "load/limits.h"
#include "load/mail_flow.h"
#include "load/server_limits.h"
#include "load/slo.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Measure;

constexpr double kFarBeyond = 1000;  // of a limit of nothing

std::uint32_t grown(std::uint32_t number, double factor) {
  return static_cast<std::uint32_t>(std::max(1.0, std::ceil(number * factor - 1e-9)));
}

/// How much of its limit a line takes: above 1 it is missed.
double part_of_limit(const scenario::Slo& slo, double value) {
  const bool floor = slo.comparison == scenario::Comparison::at_least || slo.comparison == scenario::Comparison::more;
  const double above = floor ? slo.limit : value, below = floor ? value : slo.limit;
  if (below > 0) return std::min(kFarBeyond, above / below);
  return above > 0 ? kFarBeyond : 0;
}

/// What of a load fails it without any line.
std::string broken_promises(const LoadResult& result) {
  std::string out;
  for (const auto& [id, tally] : result.findings)
    if (tally.first.severity == judge::Severity::fail)
      out += fmt::format("{}{} x {}", out.empty() ? "" : ", ", tally.times, id);
  return out;
}

}  // namespace

std::optional<std::string> refusal_of_capacity(const scenario::Plan& plan) {
  if (plan.deliveries.spacing == scenario::Spacing::recorded)
    return fmt::format("{}: its mail comes at recorded times, which cannot come more or less often; give deliveries",
                       plan.name);
  return std::nullopt;
}

scenario::Plan plan_for(const scenario::Plan& plan, std::uint32_t accounts, Duration steady) {
  scenario::Plan out = plan;
  const double factor = static_cast<double>(accounts) / plan.accounts;
  out.accounts = accounts;
  out.deliveries.rate *= factor;
  out.deliveries.connections = grown(plan.deliveries.connections, factor);
  for (auto& also : out.also) {
    also.rate *= factor;
    also.copies = grown(also.copies, factor);
  }
  const auto& first = plan.phases.front();
  out.phases.clear();
  if (first.from < first.to) {
    const Duration ramp(static_cast<std::int64_t>(static_cast<double>(first.length.count()) * std::max(1.0, factor)));
    out.phases.push_back({0, 1, std::min(ramp, steady)});
  }
  out.measure.reset();
  out.polls_at_once = plan.polls_said && plan.polls_at_once;
  out.phases.push_back({1, 1, steady});
  return out;
}

std::vector<scenario::Slo> specmail_slo(const scenario::Plan& plan, const scenario::Target& target) {
  std::vector<scenario::Slo> out;
  const auto line = [&](const std::string& text) {
    if (auto slo = scenario::slo_of(text)) out.push_back(std::move(*slo));
  };
  bool imap = false;
  std::vector<std::string> commands;  // one quick command must not hide another that is slow
  const auto each = [&](std::string command) {
    if (std::find(commands.begin(), commands.end(), command) == commands.end()) commands.push_back(std::move(command));
  };
  for (const auto& profile : plan.profiles) {
    const bool pop3 = profile.protocol == Protocol::pop3;
    imap = imap || !pop3;
    each(pop3 ? "pop3.connect" : "imap.connect");
    for (const auto* steps : {&profile.login, &profile.poll, &profile.news, &profile.reading})
      for (const auto& step : *steps) {
        if (step.ask == Ask::stat) each("pop3.stat");
        if (step.ask == Ask::retr) each("pop3.retr");
        if (step.ask == Ask::dele || step.dele) each("pop3.dele");
        if (step.ask == Ask::each)
          for (const auto& one : step.steps) {
            if (one.ask == Ask::retr) each("pop3.retr");
            if (one.ask == Ask::dele) each("pop3.dele");
          }
        if (step.ask == Ask::select) each("imap.select");
        if (step.ask == Ask::fetch) each("imap.fetch");
      }
  }
  const bool mail = plan.deliveries.rate > 0;
  const std::string_view way = delivery_protocol(plan, target) == Protocol::smtp ? "smtp" : "lmtp";
  for (const char* what : {"connect", "deliver"})
    if (mail) each(fmt::format("{}.{}", way, what));
  for (const std::string& command : commands) line(command + " p95 < 5s");
  if (mail && imap) line("delivery-to-visible.imap p95 < 1m");
  line("errors < 1%");
  line("lost = 0");
  return out;
}

std::string seldom_polled(const scenario::Plan& plan, Duration steady) {
  std::vector<std::string> out;
  for (const auto& profile : plan.profiles) {
    const double every = std::chrono::duration<double>(profile.every).count() / plan.pace;
    if (every > std::chrono::duration<double>(steady).count())
      out.push_back(fmt::format("{} polls every {:g} s", profile.name, every));
  }
  if (out.empty()) return {};
  return fmt::format(
      "{}, and a load is measured for {:g} s: only a part of the customers polls in it, and each finds no more mail "
      "than "
      "came until then; a longer --step-for, or a pace:, is nearer to their life",
      fmt::join(out, ", "), std::chrono::duration<double>(steady).count());
}

std::uint32_t room_in(const scenario::Plan& plan, const std::vector<scenario::Scenario>& also,
                      const scenario::Target& target, unsigned jobs, std::uint32_t most) {
  const auto fits = [&](std::uint32_t accounts) {
    const Forecast all = forecast(plan_for(plan, accounts, std::chrono::seconds(1)), target, jobs, also);
    return std::size_t{all.accounts} + all.senders + all.of_stories <= target.accounts.size();
  };
  std::uint32_t low = 0, high = most;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    fits(middle) ? low = middle : high = middle - 1;
  }
  return low;
}

const Trial::Line* Trial::worst() const {
  const auto most =
      std::max_element(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.part < b.part; });
  return most == lines.end() ? nullptr : &*most;
}

Trial not_played(const Step& step, std::string why, bool unready) {
  Trial out;
  out.step = step;
  out.came = Came::limited;
  out.why = std::move(why);
  out.not_played = true;
  out.unready = unready;
  return out;
}

Trial weigh(const Step& step, const scenario::Plan& plan, const LoadResult& result) {
  Trial out;
  out.step = step;
  std::uint64_t done = 0, bad = 0;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (name.ends_with(".deliver")) out.deliveries += rate_of(one, result);
    if (name.starts_with("delivery-to-visible") || scenario::is_derived(name) || name.starts_with("story")) return;
    out.operations += rate_of(one, result);
    done += one.ok;
    bad += one.fail + one.info;
  });
  out.errors = done + bad == 0 ? 0 : static_cast<double>(bad) / static_cast<double>(done + bad);
  out.connections = result.plan.most_connections;
  out.cpu = result.generator.cpu;
  out.late_p99 = result.generator.lateness.percentile(99);
  out.late_most = result.generator.lateness.max();
  out.seconds = result.seconds;
  std::vector<std::string> wrong;
  std::string ours;  // lines that this machine's own delays may have broken
  for (std::size_t i = 0; i < plan.slo.size() && i < result.slos.size(); ++i) {
    Trial::Line one{result.slos[i].text, result.slos[i].measured, 0, false};
    const auto found = measure(plan.slo[i], result);
    if (found) one.part = part_of_limit(plan.slo[i], found->value);
    one.unknown = !found || too_few(plan.slo[i], *found);
    one.missed = !one.unknown && !holds(plan.slo[i], found->value);
    if (one.unknown) one.part = 0;
    if (found && one.missed && result.slos[i].verdict == judge::Verdict::inconclusive && !result.slos[i].why.empty()) {
      ours += fmt::format("{}{}: {} ({})", ours.empty() ? "" : "; ", one.text, one.measured, result.slos[i].why);
      one.missed = false;
      out.lines.push_back(std::move(one));
      continue;
    }
    if (one.missed) wrong.push_back(fmt::format("{}: {}", one.text, one.measured));
    out.lines.push_back(std::move(one));
  }
  if (const std::string broken = broken_promises(result); !broken.empty()) {
    out.broke = true;
    wrong.push_back(broken);
  }
  if (result.all.ledger.unknown != 0)
    wrong.push_back(fmt::format("{} deliveries without an answer", result.all.ledger.unknown));
  // What this process could not do, or was not given room for, says nothing of the server.
  std::string limit = result.doubts.empty() ? "" : "this machine: " + result.doubts.front();
  // Errors, and times beside them, may be its own where connections never began: nothing else excuses what was missed.
  bool could_not = false;
  for (const std::string& doubt : result.doubts) {
    if (could_not || !doubt.starts_with("GENERATOR-LIMITED")) continue;
    could_not = true;
    limit = "this machine: " + doubt;
  }
  if (const Unserved late = unserved(result); late.copies != 0) {
    std::string text = fmt::format("{} copies never began: {}", late.copies, late.why);
    if (late.by_server)
      wrong.push_back(std::move(text));
    else if (limit.empty())
      limit = std::move(text);
  }
  if (!result.plan.aborted.empty()) wrong.push_back(result.plan.aborted);
  for (const std::string& one : limits_told(result)) wrong.push_back(one);
  for (const std::string& one : unreached(result)) wrong.push_back(one);
  if (wrong.empty() && !ours.empty()) {
    out.came = Came::limited;
    out.why = "this machine: " + ours;
    return out;
  }
  const judge::Verdict verdict = verdict_of(result, false);
  if (wrong.empty() && limit.empty() && verdict != judge::Verdict::pass && verdict != judge::Verdict::latitude)
    wrong.push_back(fmt::format("the load is {}", judge::name(verdict)));
  out.why = fmt::format("{}", fmt::join(wrong, "; "));
  if (!wrong.empty()) out.came = Came::missed;
  if (result.generator.limited() && !out.broke) {
    out.came = Came::limited;
    out.why = fmt::format("this machine: {:.0f} % of a core, {:.0f} ms late for its own doing", out.cpu * 100,
                          ms(out.late_most));
  } else if (!limit.empty() && !out.broke && (could_not || wrong.empty())) {
    out.came = Came::limited;
    out.why = limit;
  }
  return out;
}

void conclude(const CapacitySearch& search, Capacity& capacity) {
  capacity.answer = search.answer();
  capacity.above = search.above();
  capacity.confirmed = search.confirmed();
  capacity.narrow = search.narrow();
  capacity.unsteady = search.unsteady();
  capacity.chance = search.chance();
  for (const Trial& one : capacity.trials) {
    if (one.step.accounts != capacity.answer) continue;
    capacity.unknown.clear();
    for (const Trial::Line& line : one.lines)
      if (line.unknown) capacity.unknown.push_back(line.text);
    capacity.nothing_known = !one.lines.empty() && capacity.unknown.size() == one.lines.size();
  }
}

std::vector<const Trial*> by_height(const Capacity& capacity) {
  std::map<std::uint32_t, const Trial*> last;
  for (const Trial& one : capacity.trials) last[one.step.accounts] = &one;
  std::vector<const Trial*> out;
  for (const auto& [accounts, trial] : last) out.push_back(trial);
  return out;
}

namespace {

/// Whether a load of so many accounts, or of more, held when it was played last.
bool held(const Capacity& capacity, std::uint32_t accounts) {
  const auto all = by_height(capacity);
  return std::any_of(all.begin(), all.end(),
                     [&](const Trial* one) { return one->step.accounts >= accounts && one->came == Came::met; });
}

}  // namespace

judge::Verdict verdict_of(const Capacity& capacity) {
  using judge::Verdict;
  if (!capacity.trouble.empty()) return Verdict::error;
  if (std::any_of(capacity.trials.begin(), capacity.trials.end(), [](const Trial& one) { return one.broke; }))
    return Verdict::fail;
  const bool ours = capacity.above && capacity.above->came == Came::limited;
  const bool at_ceiling = !capacity.above || ours;  // the server would perhaps carry more
  const bool one_missed = capacity.above && !ours && capacity.above->accounts == 1;
  if (capacity.interrupted) return Verdict::inconclusive;
  // A promise that nothing was held against is not kept; and what broke below a load that held was not the load: where
  // the limit is nobody knows yet.
  const bool vague =
      (!capacity.unknown.empty() && !capacity.default_slo) || capacity.nothing_known || capacity.unsteady;
  if (capacity.at_least != 0 && capacity.answer >= capacity.at_least && capacity.confirmed)
    return vague ? Verdict::inconclusive : Verdict::pass;
  const bool less = capacity.at_least != 0 && !at_ceiling && capacity.above->accounts <= capacity.at_least;
  if (one_missed || (less && !held(capacity, capacity.at_least))) return Verdict::fail;
  if (capacity.at_least != 0 || capacity.answer == 0 || at_ceiling || !capacity.confirmed) return Verdict::inconclusive;
  return vague ? Verdict::inconclusive : Verdict::pass;
}

}  // namespace mailproof::load
