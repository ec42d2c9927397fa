#include "explore/shrink.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "archive/asked.h"
#include "archive/history_file.h"
#include "archive/run_directory.h"
#include "cli/arena.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/bytes.h"
#include "explore/retell.h"
#include "explore/shrink_play.h"
#include "explore/write.h"
#include "host/signals.h"
#include "report/json_values.h"
#include "run/worker.h"
#include "scenario/parse.h"
#include "scenario/yaml/files.h"
#include "wire/text/words.h"

namespace mailproof::cli {
namespace {

namespace fs = std::filesystem;

struct ShrinkFlags : PlayFlags {
  std::string what;      ///< a run directory, or a scenario
  std::string scenario;  ///< of a run: which
  std::string finding;   ///< a class: "loss/lost"; "" = the first one
  unsigned times = 0;    ///< seeds a story is tried with; 0 = one, and more where it fails at times only
  std::optional<std::uint32_t> copy;
};

constexpr unsigned kTimesOfFlaky = 5;  ///< seeds a story is tried with that does not fail under the first
constexpr unsigned kRateTimes = 10;    ///< plays that the rate is made of, where a play costs nothing or says little
constexpr unsigned kRateOnTarget = 3;  ///< ... and on a server
constexpr std::size_t kWide = 130;     ///< a comment goes on in the next line

/// The text of a story, and where it stands.
struct Source {
  std::string text, path;
  std::string id;  ///< of a file of checks: which
};

nlohmann::json read_json(const std::string& file) {
  const auto text = scenario::read_file(file, archive::kMostRunJson);
  return text ? report::json_or_discarded(*text) : nlohmann::json();
}

std::string text_at(const nlohmann::json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

/// What to shrink where nobody says it: the first cause of the run's report that a story shows, at its simplest.
void choose(const nlohmann::json& run, ShrinkFlags& flags) {
  const auto of = [](const std::string& finding) { return finding.substr(0, finding.find('/')); };
  const auto list = [](const nlohmann::json& in, const char* key) {
    return in.is_object() && in.contains(key) && in[key].is_array() ? in[key] : nlohmann::json::array();
  };
  std::set<std::string> stories;
  for (const auto& one : list(run, "scenarios"))
    if (text_at(one, "kind") == "story") stories.insert(text_at(one, "id"));
  for (const auto& cause : list(run, "causes")) {
    if (text_at(cause, "severity") != "fail" || !text_at(cause, "accepted").empty()) continue;
    std::vector<std::string> findings = {text_at(cause, "simplest")};
    for (const auto& finding : list(cause, "findings"))
      if (finding.is_string()) findings.push_back(finding.get<std::string>());
    const auto shown = std::find_if(findings.begin(), findings.end(),
                                    [&](const std::string& finding) { return stories.contains(of(finding)); });
    if (shown == findings.end()) continue;
    flags.scenario = of(*shown);
    if (flags.finding.empty()) flags.finding = text_at(cause, "class");
    return;
  }
  // Where no story shows anything, a check.
  for (const auto& cause : list(run, "causes")) {
    if (text_at(cause, "severity") != "fail" || !text_at(cause, "accepted").empty()) continue;
    flags.scenario = of(text_at(cause, "simplest"));
    if (flags.finding.empty()) flags.finding = text_at(cause, "class");
    return;
  }
}

/// Of a load the first finding that fails, among those that are asked for; null where there is none.
nlohmann::json finding_of_load(const nlohmann::json& stats, const ShrinkFlags& flags) {
  if (!stats.is_object() || !stats.contains("findings") || !stats["findings"].is_array()) return {};
  for (const auto& finding : stats["findings"]) {
    const std::string id = text_at(finding, "id");
    if (text_at(finding, "severity") == "fail" && (flags.scenario.empty() || id.starts_with(flags.scenario + "/")) &&
        (flags.finding.empty() || id.ends_with("/" + flags.finding)))
      return finding;
  }
  return {};
}

/// "copy 137: mail.1 of user0138": which copy of a load showed it first.
std::optional<std::uint32_t> copy_in(const nlohmann::json& finding) {
  constexpr std::string_view kCopy = "copy ";
  if (!finding.contains("messages") || !finding["messages"].is_array()) return std::nullopt;
  for (const auto& line : finding["messages"]) {
    if (!line.is_string()) continue;
    const auto& text = line.get_ref<const std::string&>();
    if (!text.starts_with(kCopy)) continue;
    return text::parse_number<std::uint32_t>(text.substr(kCopy.size(), text.find(':') - kCopy.size()));
  }
  return std::nullopt;
}

/// The customers of a plan have no story; of a message that they lost one is kept that tries the same alone.
std::string story_of_lost(const std::string& directory) {
  std::pair<std::uint32_t, std::string> first;
  std::error_code error;
  for (const auto& one : fs::directory_iterator(fs::path(directory) / "lost", error)) {
    const std::string name = one.path().stem().string();
    if (one.path().extension() != ".yaml" || !name.starts_with("message-")) continue;
    const auto number = text::parse_number<std::uint32_t>(name.substr(std::string_view("message-").size()));
    if (number && (first.second.empty() || *number < first.first)) first = {*number, one.path().string()};
  }
  return first.second;
}

void add_to(std::vector<std::string>& switches, const std::vector<std::string>& more) {
  for (const std::string& one : more)
    if (std::find(switches.begin(), switches.end(), one) == switches.end()) switches.push_back(one);
}

/// Takes the seed and the rest from the command that plays it again; what stands on our own command line comes first.
/// A directory may come from anybody, and be old: it names no server but the built-in one, runs no command of a target
/// file, and does not say whose mailboxes these are.
std::string take_command(const std::string& command, ShrinkFlags& flags) {
  PlayFlags played;
  std::optional<std::uint32_t> copy;
  CLI::App app;
  app.allow_extras();
  add_play_flags(app, played);
  app.add_option("--copy", copy);
  const auto words = command.find(' ', command.find(' ') + 1);  // behind "mailproof run"
  if (words == std::string::npos) return command;
  try {
    app.parse(command.substr(words + 1), false);
  } catch (const CLI::ParseError& error) {
    return fmt::format("how it was played cannot be read: {}", error.what());
  }
  TargetFlags without = flags.target;
  without.builtin = {};
  const bool own = !target_words(without).empty();
  if (!own && !played.target.sim && !played.target.sockets)
    return fmt::format(
        "which server? This run was played by `{}`; the server, and whether its mailboxes are your own, is not taken "
        "from a run's directory: give it again, behind `mailproof shrink {}`",
        command, flags.what);
  if (!own) {
    add_to(played.target.builtin.defects, flags.target.builtin.defects);
    add_to(played.target.builtin.latitudes, flags.target.builtin.latitudes);
    flags.target = played.target;
  }
  if (flags.seed == PlayFlags().seed) flags.seed = played.seed;
  if (flags.patience == PlayFlags().patience) flags.patience = played.patience;
  flags.strict = flags.strict || played.strict;
  if (!flags.copy) flags.copy = copy;
  return {};
}

/// "loss/lost-in-move" as an id has it: "loss-lost-in-move".
std::string as_words(std::string_view finding_class) {
  std::string out;
  for (const char c : finding_class) {
    const char lower = to_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))
      out += lower;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (out.ends_with('-')) out.pop_back();
  return out;
}

/// Of sessions that nobody played: a story that does what they did. Nothing where it is no recording.
std::optional<Result<Source>> source_of_recording(const ShrinkFlags& flags) {
  const auto read = archive::read_histories(flags.what);
  if (!read || read->histories.empty() || !read->histories.front().history->info.recorded) return std::nullopt;
  const history::History& history = *read->histories.front().history;
  auto told = explore::retell(history, "recorded." + as_words(history.info.scenario));
  if (!told) return Error{flags.what, told.error().why};
  for (const std::string& what : told->left_out) say_error(fmt::format("note: not in the story: {}\n", what));
  return Source{explore::write(told->story).text, flags.what + "/recorded.yaml", ""};
}

/// What a run directory says of the scenario to shrink: its id and text, and how it was played.
Result<Source> source_of_run(ShrinkFlags& flags) {
  const std::string& directory = flags.what;
  if (auto recorded = source_of_recording(flags)) return std::move(*recorded);
  const auto run = read_json(directory + "/run.json"), stats = read_json(directory + "/stats.json");
  if (!run.is_object() && !stats.is_object()) {
    for (const char* file : {"run.json", "stats.json"})
      if (std::error_code none; std::filesystem::exists(directory + "/" + file, none))
        return Error{directory + "/" + file,
                     "it is broken, or cannot be read; `mailproof judge` says what the history says"};
    return Error{directory, "neither run.json nor stats.json is there: is it a run directory?"};
  }
  if (flags.scenario.empty()) choose(run, flags);
  const auto of_load = finding_of_load(stats, flags);
  if (flags.scenario.empty()) {
    const std::string id = text_at(of_load, "id");
    flags.scenario = id.substr(0, id.find('/'));
  }
  if (flags.scenario.empty()) return Error{directory, "nothing failed in this run; name a scenario with --scenario"};
  std::string command;
  if (const auto asked = archive::read_asked(directory); asked) {
    const auto found = asked->commands.find(flags.scenario);
    if (found == asked->commands.end())
      return Error{directory, fmt::format("this run has no scenario {}", flags.scenario)};
    command = found->second;
  } else if (of_load.is_object()) {
    command = text_at(of_load, "reproduce");
  }
  if (command.empty()) return Error{directory, "it does not say how it was played; it is of an older mailproof"};
  if (const auto wrong = take_command(command, flags); !wrong.empty()) return Error{directory, wrong};
  const std::string kept = archive::kept_scenario(directory, flags.scenario);
  auto text = scenario::read_file(kept, 1U << 20);
  if (text && of_load.is_object()) {
    // Another copy may show another finding, or none.
    const std::string id = text_at(of_load, "id");
    if (flags.finding.empty()) flags.finding = id.substr(flags.scenario.size() + 1);
    if (!flags.copy) flags.copy = copy_in(of_load);
  }
  if (text) return Source{std::move(*text), kept, flags.scenario};
  if (const std::string lost = of_load.is_object() ? story_of_lost(directory) : ""; !lost.empty()) {
    if (flags.finding == "ledger/lost") flags.finding.clear();  // as the customers' judge has it
    text = scenario::read_file(lost, 1U << 20);
    if (!text) return Error{lost, text.error().why};
    return Source{std::move(*text), lost, fs::path(lost).stem().string()};
  }
  // A run of an older mailproof keeps no texts; where its file is there still, it is read.
  const auto loaded = scenario::load({flags.scenario}, flags.scenarios);
  const auto found = std::find_if(loaded.scenarios.begin(), loaded.scenarios.end(),
                                  [&](const auto& one) { return one.id == flags.scenario; });
  if (found == loaded.scenarios.end())
    return Error{kept, "the text of the scenario must be there, or be found by its id; give its file instead"};
  text = scenario::read_file(found->path, 1U << 20);
  if (!text) return Error{found->path, text.error().why};
  return Source{std::move(*text), found->path, flags.scenario};
}

Result<Source> source_of_file(const ShrinkFlags& flags) {
  const auto loaded = load_scenarios({flags.what}, flags.scenarios);
  if (!loaded) return Error{"", "nothing to shrink"};
  if (loaded->size() != 1)
    return Error{flags.what, fmt::format("{} scenarios; one is shrunk at a time", loaded->size())};
  auto text = scenario::read_file(loaded->front().path, 1U << 20);
  if (!text) return Error{loaded->front().path, text.error().why};
  return Source{std::move(*text), loaded->front().path, loaded->front().id};
}

/// Letters are named from where the story stands; the shorter one may stand elsewhere.
void move_letters(scenario::Node& node, const std::string& from, const std::string& to) {
  if (node.key == "file" && node.kind == scenario::Node::Kind::scalar) {
    std::error_code error;
    const fs::path letter = fs::absolute(scenario::beside(from, node.text), error);
    const fs::path folder = fs::absolute(to.empty() ? "." : fs::path(to).parent_path(), error);
    node.text = letter.lexically_normal().lexically_relative(folder.lexically_normal()).string();
  }
  for (auto& child : node.children) move_letters(child, from, to);
}

/// "RFC 1939 section 6: ..." without the number of the invariant at its end.
std::string sentence(const std::string& requirement) {
  const auto at = requirement.rfind(" (I");
  return at != std::string::npos && requirement.ends_with(')') ? requirement.substr(0, at) : requirement;
}

std::string as_comment(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = text.size() <= kWide ? text.size() : text.rfind(' ', kWide);
    if (end == std::string_view::npos || end == 0) end = text.size();
    out += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

class Shrinking {
 public:
  explicit Shrinking(ShrinkFlags flags) : flags_(std::move(flags)) {}

  int run() {
    const bool of_run = fs::is_directory(flags_.what) &&
                        (fs::exists(flags_.what + "/run.json") || fs::exists(flags_.what + "/stats.json"));
    auto source = of_run ? source_of_run(flags_) : source_of_file(flags_);
    if (!source) return complain(source.error().message());
    source_ = std::move(*source);
    const auto story = read();
    if (!story) return kWrongUse;
    const auto target = make_target(flags_.target);
    if (!target) return complain(target.error().message());
    const auto lock = TargetLock::take(flags_.target, *target);
    if (!lock) return complain(lock.error().message());
    host::end_in_order();
    auto tested = Arena::make(flags_, *target);
    auto right = Arena::make_right(flags_);
    if (!tested || !right) return complain((tested ? right : tested).error().message());
    tested_ = std::move(*tested);
    right_ = std::move(*right);
    return shrink(*story);
  }

 private:
  /// The tree of the file, which must be one story.
  std::optional<scenario::Node> read() {
    scenario::Complaints complaints(source_.path);
    auto root = scenario::parse_root(source_.text, "a story: id, accounts, devices, steps", complaints);
    auto loaded = scenario::parse(source_.text, source_.path);
    for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
    if (!loaded.problems.empty() || !root) return std::nullopt;
    if (explore::is_check(*root)) {
      const std::string slug = source_.id.substr(source_.id.rfind('.') + 1);
      root = explore::only_check(*root, slug);
      if (root) source_.text = explore::write(*root).text;
      if (root) loaded = scenario::parse(source_.text, source_.path);
      if (!root || loaded.scenarios.size() != 1) {
        complain(fmt::format("{}: {} is no check by a talk or by steps", source_.path, source_.id));
        return std::nullopt;
      }
    }
    story_ = loaded.scenarios.front();
    return root;
  }

  /// What to go on showing, and under which seed; an error where it does not fail.
  Result<explore::Failure> first_failure() {
    report::ScenarioResult last;
    const std::uint32_t first = flags_.copy.value_or(0);
    const unsigned most = flags_.times != 0 ? flags_.times : kTimesOfFlaky;
    for (std::uint32_t copy = first; copy < first + most && !host::interrupted(); ++copy) {
      last = tested_->play(story_, copy);
      if (auto failure = explore::failure_of(last, flags_.finding)) {
        copy_ = copy;
        return *failure;
      }
      // In simulation a story that draws nothing goes the same way under every seed.
    }
    return Error{source_.path, fmt::format("{} does not fail{} here: it was played {} times, the last verdict is {}{}",
                                           story_.id, flags_.finding.empty() ? "" : " with " + flags_.finding, most,
                                           judge::name(last.verdict), last.note.empty() ? "" : ": " + last.note)};
  }

  int shrink(scenario::Node story) {
    const auto began = std::chrono::steady_clock::now();
    const auto failure = first_failure();
    // What is played while it ends does not fail, and says nothing.
    if (host::interrupted()) return complain("interrupted: the story was not made shorter"), kTrouble;
    if (!failure) return complain(failure.error().message());
    const auto play_on = [](Arena& arena) -> explore::Play {
      return [&arena](const scenario::Scenario& one, std::uint32_t copy) { return arena.play(one, copy); };
    };
    const bool flaky = copy_ != flags_.copy.value_or(0);
    const unsigned times = flags_.times != 0 ? flags_.times : flaky ? kTimesOfFlaky : 1;
    const explore::Replay::Options options{source_.path, flags_.copy.value_or(0), times};
    const auto on_right = right_->play(story_, copy_).verdict;
    const bool guarded = on_right == judge::Verdict::pass || on_right == judge::Verdict::latitude;
    if (!guarded)
      say_error(
          fmt::format("note: the built-in server without a bug does not pass this story either ({}): whether a "
                      "shorter one is still right is not looked at\n",
                      judge::name(on_right)));
    explore::Replay replay(*failure, play_on(*tested_), guarded ? play_on(*right_) : explore::Play(), options);
    const std::size_t before = explore::steps_in(story);
    scenario::Node moved = story;
    move_letters(moved, source_.path, flags_.out);
    const explore::Comments comments = explore::comments_of(source_.text, moved);
    explore::ShrinkLimits limits;
    limits.stop = [] { return host::interrupted(); };
    const bool check = explore::is_check(story);
    const auto shrink_it = check ? explore::shrink_check : explore::shrink;
    auto shrunk = shrink_it(
        std::move(story), source_.path,
        [&](const scenario::Node& candidate) {
          const bool fails = replay.still_fails(candidate);
          if (line_is_rewritten() && fails)
            say_error(fmt::format("\r{:<79}", fmt::format("{} steps to {}, {} plays", before,
                                                          explore::steps_in(candidate), replay.played())));
          return fails;
        },
        limits);
    if (line_is_rewritten()) say_error(fmt::format("\r{:<79}\r", ""));
    if (!check) rename(replay, failure->finding_class, shrunk.story);
    explore::Rate rate;  // of one that was broken off it is not known
    if (!host::interrupted()) rate = replay.rate(shrunk.story, flags_.target.sim || flaky ? kRateTimes : kRateOnTarget);
    if (host::interrupted()) shrunk.finished = false, rate = {};
    move_letters(shrunk.story, source_.path, flags_.out);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const std::string text = head(*failure, rate) + explore::write(shrunk.story, comments).text;
    if (flags_.out.empty())
      say(text);
    else if (const auto wrong = archive::write_file(flags_.out, text); !wrong.empty())
      return complain(wrong), kTrouble;
    say_error(fmt::format("{}: {} {} to {} in {:.1f} s, {} plays{}{}\n", failure->finding_class, before,
                          check ? "lines" : "steps", explore::steps_in(shrunk.story), seconds, replay.played(),
                          rate.played == 0 ? "" : fmt::format("; it fails {} of {} times", rate.failed, rate.played),
                          shrunk.finished ? "" : "; it was broken off, and may be shorter still"));
    return shrunk.finished ? 0 : kTrouble;
  }

  /// The id of the longer story tells of that one. It is also what the seed is made of, so that a story which fails at
  /// times may need the old one.
  static void rename(explore::Replay& replay, const std::string& finding_class, scenario::Node& story) {
    scenario::Node renamed = story;
    for (scenario::Node& part : renamed.children)
      if (part.key == "id") part.text = "shrunk." + as_words(finding_class);
    if (replay.still_fails(renamed)) story = std::move(renamed);
  }

  /// What it shows, and how.
  std::string head(const explore::Failure& failure, const explore::Rate& rate) const {
    scenario::Scenario there = story_;
    there.path = flags_.out.empty() ? "shrunk.yaml" : flags_.out;
    std::string out = as_comment(fmt::format("Shows {}: {}", failure.finding_class, sentence(failure.requirement)));
    if (rate.failed < rate.played) out += fmt::format("# It fails {} of {} times.\n", rate.failed, rate.played);
    const std::string command = reproduce_command(flags_, there, Named::by_file);
    return out + fmt::format("# {}\n", run::with_copy(command, rate.first.value_or(copy_)));
  }

  ShrinkFlags flags_;
  Source source_;
  scenario::Scenario story_;
  std::uint32_t copy_ = 0;
  std::unique_ptr<Arena> tested_, right_;
};

}  // namespace

void add_shrink(CLI::App& app, int& status) {
  auto flags = std::make_shared<ShrinkFlags>();
  auto* command = app.add_subcommand("shrink", "Make of a story that fails the shortest one that fails the same way");
  command
      ->add_option("what", flags->what,
                   "A scenario that fails: its file or id; or a run directory, of a load or a recording as well")
      ->required();
  add_target_flags(*command, flags->target);
  command
      ->add_option("--scenario", flags->scenario,
                   "Of a run directory this one; without it the simplest story that shows what its report begins with")
      ->type_name("ID");
  command
      ->add_option("--finding", flags->finding, "What to go on showing, like loss/lost; without it what is found first")
      ->type_name("CLASS");
  command
      ->add_option("--times", flags->times,
                   "Seeds, or plays on a target, before a story counts as one that does not fail (default: 1, and 5 "
                   "where it does not fail at once)")
      ->check(CLI::Range(1U, 1000U));
  command->add_option("--out", flags->out, "Write the story here instead of to standard output")->type_name("FILE");
  command->add_option("--scenarios", flags->scenarios, "Folder in which ids are looked up")->capture_default_str();
  command->add_option("--seed", flags->seed, "Of everything random")->check(whole_number())->capture_default_str();
  command->add_option("--copy", flags->copy, "As run has it: which of its repetitions failed")->check(whole_number());
  command->add_flag("--strict", flags->strict, "A latitude fails");
  command->add_flag("--i-own-these-mailboxes", flags->own_mailboxes,
                    "The mailboxes may hold other mail; it may be read, changed and removed");
  command->add_option("--patience", flags->patience, "Multiplies every bound, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  command->callback([flags, &status] { status = Shrinking(*flags).run(); });
}

}  // namespace mailproof::cli
