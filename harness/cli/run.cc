#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "archive/asked.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/rng.h"
#include "core/units.h"
#include "host/signals.h"
#include "play/requirements.h"
#include "report/groups.h"
#include "run/crew.h"
#include "run/worker.h"
#include "scenario/imaptest/imaptest.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

constexpr std::size_t kMostBaseline = 256U << 20;

struct RunFlags : PlayFlags {
  unsigned jobs = 1;
  std::vector<std::string> only, skip;
  std::uint32_t repeat = 1;
  std::optional<std::uint32_t> copy;
  bool until_fail = false, fail_fast = false, last_failed = false;
  unsigned most_causes = 0;  ///< the run ends where so many are known; 0 = it does not
  std::string baseline;
  std::string imaptest;  ///< a script of ImapTest's, or a folder of them
};

/// By id prefix (whole words of it) or by tag.
bool matches(const scenario::Scenario& scenario, const std::string& word) {
  const bool prefix = scenario.id.starts_with(word) &&
                      (scenario.id.size() == word.size() || word.ends_with('.') || scenario.id[word.size()] == '.');
  return prefix || std::find(scenario.tags.begin(), scenario.tags.end(), word) != scenario.tags.end();
}

bool matches(const scenario::Scenario& scenario, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return matches(scenario, word); });
}

/// A word that chooses nothing is a mistake: what it was meant to choose, or to leave out, would go unnoticed.
std::string without_match(const char* option, const std::vector<std::string>& words,
                          const std::vector<scenario::Scenario>& scenarios) {
  for (const std::string& word : words) {
    if (std::any_of(scenarios.begin(), scenarios.end(), [&](const auto& one) { return matches(one, word); })) continue;
    std::set<std::string> ids, known;
    for (const auto& scenario : scenarios) {
      ids.insert(scenario.id);
      known.insert(scenario.tags.begin(), scenario.tags.end());
    }
    known.merge(report::with_first_words(ids));
    const auto nearest = nearest_word(word, {known.begin(), known.end()});
    return fmt::format("{} {}: none of the {} scenarios asked for has this id, these first words of one, or this tag{}",
                       option, word, scenarios.size(), nearest ? fmt::format("; did you mean '{}'?", *nearest) : "");
  }
  return {};
}

/// What was asked for, so that a later run can tell whether it was asked for the same.
std::vector<std::string> selection(const RunFlags& flags) {
  std::vector<std::string> out = flags.paths;
  if (!flags.imaptest.empty()) out.push_back("--imaptest " + flags.imaptest);
  for (const auto& word : flags.only) out.push_back("--only " + word);
  for (const auto& word : flags.skip) out.push_back("--skip " + word);
  if (flags.slow) out.emplace_back("--slow");
  if (flags.last_failed) out.emplace_back("--last-failed");
  if (flags.most_causes != 0) out.push_back(fmt::format("-x {}", flags.most_causes));
  return out;
}

/// What was asked for and what is accepted of this target; the baseline is read before anything is played or written.
Result<archive::Asked> make_asked(const RunFlags& flags, const scenario::Target& target) {
  archive::Asked asked;
  asked.selection = selection(flags);
  report::Gate& gate = asked.gate;
  for (const auto& known : target.known) gate.known.push_back({known.id, known.why, known.until});
  gate.today =
      fmt::format("{:%F}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  gate.strict = flags.strict;
  if (flags.baseline.empty()) return asked;
  const std::string file =
      std::filesystem::is_directory(flags.baseline) ? flags.baseline + "/run.json" : flags.baseline;
  auto text = scenario::read_file(file, kMostBaseline);
  if (!text) return Error{file, "the baseline must be " + text.error().why};
  auto baseline = report::parse_baseline(*text, file);
  if (!baseline) return baseline.error();
  gate.baseline = std::move(*baseline);
  asked.baseline_text = std::move(*text);
  return asked;
}

/// The run before this one: what --out has still, or the newest below runs/.
std::string last_run(const RunFlags& flags) {
  namespace fs = std::filesystem;
  if (!flags.out.empty()) return flags.out + "/run.json";
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("runs", error))
    if (fs::exists(entry.path() / "run.json", error)) newest = std::max(newest, entry.path().string());
  return newest.empty() ? newest : newest + "/run.json";
}

/// Leaves those that did not pass there. Why that cannot be done, or "".
std::string keep_last_failed(const RunFlags& flags, std::vector<scenario::Scenario>& scenarios) {
  const std::string file = last_run(flags);
  if (file.empty()) return "--last-failed: there is no run below runs/";
  const auto text = scenario::read_file(file, kMostBaseline);
  if (!text) return fmt::format("--last-failed: {} must be {}", file, text.error().why);
  const auto last = report::parse_baseline(*text, file);
  if (!last) return fmt::format("--last-failed: {}", last.error().message());
  std::erase_if(scenarios, [&](const auto& one) {
    using judge::Verdict;
    const auto found = last->scenarios.find(one.id);
    if (found == last->scenarios.end()) return true;
    const Verdict was = found->second.verdict;
    return was != Verdict::fail && was != Verdict::error && was != Verdict::unexpected_pass &&
           was != Verdict::inconclusive;
  });
  return scenarios.empty() ? fmt::format("--last-failed: of what was asked for nothing failed in {}", file) : "";
}

/// Every scenario there is: those that were loaded and, for entries about others, those of the scenarios folder.
std::set<std::string> all_ids(const RunFlags& flags, const std::vector<scenario::Scenario>& loaded) {
  std::set<std::string> out;
  for (const auto& scenario : loaded) out.insert(scenario.id);
  if (std::filesystem::is_directory(flags.scenarios))
    for (const auto& scenario : scenario::load({flags.scenarios}, flags.scenarios).scenarios) out.insert(scenario.id);
  return out;
}

/// As histories call them.
std::vector<std::string> endpoints_of(const scenario::Target& target) {
  std::vector<std::string> out;
  for (const auto* all : {&target.imap, &target.pop3, &target.smtp, &target.lmtp})
    for (const Endpoint& one : *all) out.push_back(one.label());
  return out;
}

bool failed(const report::ScenarioResult& result) {
  return result.verdict == judge::Verdict::fail || result.verdict == judge::Verdict::error;
}

/// What heads the scenarios that failed so far, each once. Any thread.
class Causes {
 public:
  explicit Causes(unsigned most) : most_(most) {}
  bool enough(const report::ScenarioResult& result) {
    if (most_ == 0 || !failed(result)) return false;
    const std::lock_guard lock(mutex_);
    const auto first = std::find_if(result.findings.begin(), result.findings.end(),
                                    [](const judge::Finding& one) { return one.accepted.empty(); });
    seen_.emplace(first == result.findings.end() ? "" : report::class_of(first->id, result.id));
    return seen_.size() >= most_;
  }

 private:
  unsigned most_;
  std::mutex mutex_;
  std::set<std::string> seen_;
};

/// Says what is wrong with its scripts. False: there was something.
bool add_imaptest(const RunFlags& flags, std::vector<scenario::Scenario>& scenarios) {
  if (flags.imaptest.empty()) return true;
  auto loaded = scenario::load_imaptest(flags.imaptest,
                                        [](const std::string& name) { return std::getenv(name.c_str()) != nullptr; });
  for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
  std::move(loaded.scenarios.begin(), loaded.scenarios.end(), std::back_inserter(scenarios));
  return loaded.problems.empty();
}

int run(RunFlags flags) {
  if (flags.fail_fast && flags.most_causes == 0) flags.most_causes = 1;
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  auto asked = make_asked(flags, *target);
  if (!asked) return complain(asked.error().message());
  auto scenarios = flags.paths.empty() ? std::optional(std::vector<scenario::Scenario>())
                                       : load_scenarios(flags.paths, flags.scenarios);
  if (!scenarios || !add_imaptest(flags, *scenarios)) return kWrongUse;
  for (const auto& why :
       {without_match("--only", flags.only, *scenarios), without_match("--skip", flags.skip, *scenarios)})
    if (!why.empty()) return complain(why);
  if (flags.last_failed)
    if (const auto why = keep_last_failed(flags, *scenarios); !why.empty()) return complain(why);
  if (!asked->gate.known.empty()) asked->ids = all_ids(flags, *scenarios);
  std::erase_if(*scenarios, [&](const auto& s) {
    return (!flags.only.empty() && !matches(s, flags.only)) || matches(s, flags.skip);
  });
  if (scenarios->empty()) return complain("no scenario is left to play: --only and --skip exclude all of them");
  host::end_in_order();
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

  const auto hosted = host_builtin(flags.target, *target);
  if (!hosted) return complain(hosted.error().message());
  const scenario::Target& played = hosted->target;

  run::AccountPool pool(played);
  std::shared_mutex quiet;
  run::Setup setup = setup_of(flags, *hosted);
  setup.command = [&flags](const scenario::Scenario& scenario) { return reproduce_command(flags, scenario); };
  setup.pool = &pool;
  setup.quiet = &quiet;
  setup.directory = directory->get();
  hosted->owed->note_in(setup.directory->file(archive::kOwedFile));
  run::ServersSaid said;
  setup.said = &said;
  asked->began = clock_now();
  if (!flags.target.sim) asked->endpoints = endpoints_of(played);
  run::RunRules rules(*scenarios);
  if (rules.any()) setup.rules = &rules;
  setup.gate = &asked->gate;

  std::vector<run::Job> jobs;
  const std::uint32_t first = flags.copy.value_or(0);
  for (std::uint32_t copy = first; copy < first + flags.repeat; ++copy)
    for (const auto& scenario : *scenarios) jobs.push_back({&scenario, copy, jobs.size()});

  for (const auto& scenario : *scenarios) {
    asked->commands[scenario.id] = reproduce_command(flags, scenario);
    if (scenario.check.has_value()) asked->levels[scenario.id] = scenario::level_of(scenario);
  }
  for (const auto& wrong : {setup.directory->begin(jobs.size()), archive::write_asked(setup.directory->path(), *asked)})
    if (!wrong.empty()) return complain(wrong), kTrouble;

  Console console(jobs.size(), flags.repeat > 1);
  std::vector<std::optional<report::ScenarioResult>> results(jobs.size());
  // What looks at the bytes of all others comes when they are there.
  const auto last = static_cast<std::size_t>(
      std::stable_partition(jobs.begin(), jobs.end(),
                            [](const run::Job& job) { return !run::RunRules::goes_last(*job.scenario); }) -
      jobs.begin());
  // What disturbs the whole server waits until nobody else plays: behind the others, where it keeps none of them from
  // being played. In simulation everybody has a server of his own.
  if (!flags.target.sim) {
    const auto end = std::stable_partition(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(last),
                                           [](const run::Job& job) { return !play::plays_alone(*job.scenario); });
    // Who waits long begins first: others are played meanwhile, and nobody waits for it alone in the end.
    if (flags.jobs > 1)
      std::stable_sort(jobs.begin(), end, [&](const run::Job& a, const run::Job& b) {
        return run::waits_out(*a.scenario, played) > run::waits_out(*b.scenario, played);
      });
  }
  std::size_t until = last;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  Causes causes(flags.most_causes);
  run::Crew crew(flags.jobs, [&] {
    if (stop || host::interrupted() || nobody_reads() || !setup.directory->trouble().empty()) return false;
    const std::size_t i = next++;
    if (i >= until) return false;
    const std::size_t slot = jobs[i].slot;
    results[slot] = run::play(setup, jobs[i]);
    try {
      console.ended(*results[slot], jobs[i].copy);
    } catch (...) {  // nobody reads us any more; the reports are written all the same
    }
    if ((flags.until_fail && failed(*results[slot])) || causes.enough(*results[slot])) stop = true;
    return true;
  });
  setup.waits = [&crew](bool begins) { crew.waits(begins); };
  for (const auto& [from, to] : {std::pair(std::size_t{0}, last), std::pair(last, jobs.size())}) {
    next = from;
    until = to;
    crew.run();
  }

  report::RunResult result;
  result.seed = flags.seed;
  result.target = flags.target.sim ? "sim" : flags.target.sockets ? "sockets" : played.name;
  result.version = kVersion;
  result.versions = said.all();
  result.began = asked->began;
  result.ended = clock_now();
  result.endpoints = asked->endpoints;
  result.interrupted = host::interrupted() || nobody_reads() || !setup.directory->trouble().empty();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - setup.start).count();
  for (auto& one : results)
    if (one) result.scenarios.push_back(std::move(*one));
  result.selection = asked->selection;
  report::close(asked->gate, asked->ids, result);
  if (stop && flags.most_causes != 0)
    result.notes.push_back(fmt::format("stopped where {} {} known: {} of {} scenarios were played", flags.most_causes,
                                       flags.most_causes == 1 ? "cause was" : "causes were", result.scenarios.size(),
                                       jobs.size()));
  for (const auto& [number, owed] : hosted->owed->left()) {
    result.notes.insert(result.notes.begin(), "left changed at the server, " + owed);
    ++result.leading;
  }
  setup.directory->join_histories(stop ? result.scenarios.size() : jobs.size());
  if (const std::string lost = setup.directory->trouble(); !lost.empty()) {
    result.interrupted = true;
    result.lost = lost;
    result.notes.insert(result.notes.begin(), archive::not_written(lost));
    ++result.leading;
  }
  const std::string trouble = setup.directory->write_reports(result);
  console.summary(result, setup.directory->path());
  if (!trouble.empty()) return complain("the reports could not be written: " + trouble), kTrouble;
  if (const std::string lost = setup.directory->trouble(); !lost.empty())
    return complain(archive::not_written(lost)), kTrouble;
  std::vector<judge::Verdict> verdicts;
  for (const auto& one : result.scenarios) verdicts.push_back(one.verdict);
  return judge::exit_status(verdicts, result.interrupted);
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto flags = std::make_shared<RunFlags>();
  auto* command = app.add_subcommand("run", "Play scenarios against a server and judge what happened");
  add_play_flags(*command, *flags)->description("Scenario files, folders or ids; all of the scenarios folder if none");
  command
      ->add_option("--jobs", flags->jobs,
                   "Scenarios played at the same time; one that only waits for the target to settle does not count")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  command
      ->add_option("--only", flags->only,
                   "Only this: id, first words of one, or tag; may be given again; one that matches nothing is refused")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--skip", flags->skip,
                   "Not this: id, first words of one, or tag; may be given again; one that matches nothing is refused")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--slow", flags->slow, "Also what waits out a server's timer, up to half an hour each");
  command->add_option("--repeat", flags->repeat, "Play each N times, each time with a seed of its own")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command->add_option("--copy", flags->copy, "Start counting the repetitions here (a finding's command uses it)")
      ->check(whole_number());
  command->add_flag("--until-fail", flags->until_fail, "With --repeat: stop at the first failure");
  command->add_flag("--fail-fast", flags->fail_fast, "Stop at the first cause of a failure, as -x 1");
  command
      ->add_option("-x,--max-causes", flags->most_causes,
                   "Stop where N causes of failures are known; what has the same is one")
      ->check(CLI::Range(1U, 1'000'000U))
      ->type_name("N");
  command->add_flag("--last-failed", flags->last_failed,
                    "Of these only what did not pass in the run before: the one in --out, or the newest below runs/");
  command
      ->add_option(
          "--imaptest", flags->imaptest,
          "Also a script of ImapTest's, or a folder of them, each with the verdict that ImapTest gives; alone where no "
          "scenarios are named")
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command->add_option("--baseline", flags->baseline,
                      "run.json of an earlier run: what it found already does not fail, what passed there and is not "
                      "applicable now does");
  command->callback([flags, &status] {
    if (flags->paths.empty() && flags->imaptest.empty()) flags->paths = {flags->scenarios};
    status = run(*flags);
  });
}

}  // namespace mailproof::cli
