#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/units.h"
#include "explore/campaign.h"
#include "explore/world.h"
#include "host/signals.h"
#include "report/gate.h"
#include "report/text.h"
#include "run/worker.h"

namespace mailproof::cli {
namespace {

constexpr std::uint64_t kLastSeed = ~std::uint64_t{0};
constexpr auto kTellEvery = std::chrono::seconds(30);

struct ExploreFlags : PlayFlags {
  std::string seeds;
  double minutes = 0;
  unsigned jobs = 1;
  bool all = false;
  std::string kept;  ///< folder for the worlds in which something was found
  std::optional<std::uint64_t> print;
};

struct Seeds {
  std::uint64_t first = 1, last = 100;
};

/// "7", "1..200".
std::optional<Seeds> read_seeds(std::string_view text) {
  const auto number = [](std::string_view part, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
    return error == std::errc{} && end == part.data() + part.size();
  };
  Seeds out;
  const auto dots = text.find("..");
  if (!number(text.substr(0, dots), out.first)) return std::nullopt;
  out.last = out.first;
  if (dots != std::string_view::npos && !number(text.substr(dots + 2), out.last)) return std::nullopt;
  return out.last < out.first ? std::nullopt : std::optional(out);
}

/// What shows a world of a seed again: it is written to a file, which anybody can change, and played.
std::string command_of(const ExploreFlags& flags, const scenario::Scenario& world, std::uint64_t seed) {
  const std::string play = reproduce_command(flags, world);
  if (!flags.kept.empty()) return play;
  // What the target offers decides what a world is made of.
  return fmt::format("mailproof explore --print {}{} > {} && {}", seed, target_words(flags.target),
                     explore::world_file(seed), play);
}

bool keep_world(const std::string& folder, std::uint64_t seed, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream out(folder + "/" + explore::world_file(seed));
  out << text;
  return out.good();
}

/// Plays the worlds of all seeds, on so many threads as there are jobs.
class Exploring {
 public:
  Exploring(const ExploreFlags& flags, const explore::Offer& offer, run::Setup setup, Seeds seeds)
      : campaign(flags.strict),
        flags_(flags),
        offer_(offer),
        setup_(std::move(setup)),
        next_(seeds.first),
        last_(seeds.last) {
    setup_.watch = [this](const history::History& history) { campaign.look(history); };
    setup_.start = began_ = told_ = std::chrono::steady_clock::now();
  }

  void run() {
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < flags_.jobs; ++i) threads.emplace_back([this] { work(); });
    work();
    for (auto& thread : threads) thread.join();
  }

  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }

  explore::Campaign campaign;
  std::string trouble() const { return trouble_; }

 private:
  void work() {
    while (!stop_ && !host::interrupted() && !nobody_reads()) {
      if (flags_.minutes > 0 && seconds() >= flags_.minutes * 60) return;
      const std::uint64_t seed = next_++;
      if (seed > last_ || seed == kLastSeed) return;
      play(seed);
    }
  }

  void play(std::uint64_t seed) {
    const std::string text = explore::world(seed, offer_);
    const std::string path = (flags_.kept.empty() ? "" : flags_.kept + "/") + explore::world_file(seed);
    const auto loaded = scenario::parse(text, path);
    if (!loaded.problems.empty())
      return give_up(fmt::format("the world of seed {} is no scenario: {}", seed, loaded.problems.front().message()));
    const scenario::Scenario& world = loaded.scenarios.front();
    run::Setup setup = setup_;
    setup.command = [&](const scenario::Scenario& one) { return command_of(flags_, one, seed); };
    const auto result = run::play(setup, {&world, 0, 0});
    const bool fresh = campaign.ended(seed, result);
    if (fresh && !flags_.kept.empty() && !keep_world(flags_.kept, seed, text))
      give_up(fmt::format("{} could not be written", path));
    if (fresh && !flags_.all) stop_ = true;
    tell();
  }

  void give_up(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty()) trouble_ = why;
    stop_ = true;
  }

  void tell() {
    const std::lock_guard lock(mutex_);
    ++played_;
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < kTellEvery) return;
    told_ = now;
    say_error(fmt::format("{} worlds played, {} found, {:.0f} s\n", played_, campaign.found().size(), seconds()));
  }

  const ExploreFlags& flags_;
  const explore::Offer& offer_;
  run::Setup setup_;
  std::atomic<std::uint64_t> next_;
  std::uint64_t last_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::string trouble_;
  std::size_t played_ = 0;
  std::chrono::steady_clock::time_point began_, told_;
};

int explore_worlds(ExploreFlags flags) {
  if (!flags.target.sockets && flags.target.file.empty() && flags.target.imap.empty() && flags.target.pop3.empty() &&
      flags.target.lmtp.empty() && flags.target.smtp.empty())
    flags.target.sim = true;
  Seeds seeds;
  if (flags.minutes > 0) seeds.last = kLastSeed;
  if (!flags.seeds.empty()) {
    const auto read = read_seeds(flags.seeds);
    if (!read)
      return complain(fmt::format("--seeds {}: expected a seed or a range of them, like 7 or 1..200", flags.seeds));
    seeds = *read;
  }
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  explore::Offer offer = explore::offer_of(*target);
  offer.raw_headers = flags.target.sim || flags.target.sockets;
  if (flags.print) {
    say(explore::world(*flags.print, offer));
    return 0;
  }
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  const auto hosted = host_builtin(flags.target, *target);
  if (!hosted) return complain(hosted.error().message());

  host::end_in_order();
  run::AccountPool pool(hosted->target);
  std::shared_mutex quiet;
  run::Setup setup = setup_of(flags, *hosted);
  setup.pool = &pool;
  setup.quiet = &quiet;
  // What the target is known for is shown, and not found again.
  report::Gate gate;
  for (const auto& known : target->known) gate.known.push_back({known.id, known.why, known.until});
  gate.today =
      fmt::format("{:%F}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  gate.strict = flags.strict;
  setup.gate = &gate;
  Exploring exploring(flags, offer, setup, seeds);
  exploring.run();
  if (!exploring.trouble().empty()) return complain(exploring.trouble()), kTrouble;

  for (const auto& one : exploring.campaign.found()) say(report::finding_text(one.finding, {coloured()}) + "\n");
  say(exploring.campaign.summary(exploring.seconds()));
  return judge::exit_status(exploring.campaign.verdicts(), host::interrupted());
}

}  // namespace

void add_explore(CLI::App& app, int& status) {
  auto flags = std::make_shared<ExploreFlags>();
  auto* command = app.add_subcommand("explore", "Play random worlds, each a scenario, and judge what happened");
  add_target_flags(*command, flags->target);
  command->add_option("--seeds", flags->seeds, "Seeds of the worlds, like 7 or 1..200 (default: 1..100)")
      ->type_name("A..B");
  command->add_option("--minutes", flags->minutes, "End after so long; without --seeds from seed 1 on and on")
      ->check(CLI::Range(0.01, 100000.0))
      ->type_name("N");
  command->add_option("--jobs", flags->jobs, "Worlds played at the same time")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  command->add_flag("--all", flags->all, "Go on after the first finding; of each class the first is told");
  command->add_option("--keep", flags->kept, "Folder for the worlds in which something was found")->type_name("DIR");
  command->add_option("--print", flags->print, "Print the world of this seed, and play nothing")
      ->check(whole_number())
      ->type_name("SEED");
  command->add_option("--seed", flags->seed, "Of what is random in playing")
      ->check(whole_number())
      ->capture_default_str();
  command->add_flag("--strict", flags->strict, "A latitude is a finding, too");
  command->add_option("--patience", flags->patience, "Multiplies every bound, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  command->callback([flags, &status] { status = explore_worlds(*flags); });
}

}  // namespace mailproof::cli
