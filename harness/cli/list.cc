#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "judge/invariants.h"
#include "report/coverage.h"
#include "report/json_values.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

struct ListFlags {
  std::vector<std::string> paths;
  std::string root = default_scenarios();
  bool json = false, coverage = false, levels = false, invariants = false;
  std::string protocol;
};

constexpr std::size_t kMostCatalogue = 16U << 20;

/// The catalogue stands beside the conformance files that it is about. A tree without one has nothing that is missing.
int print_coverage(const ListFlags& flags) {
  if (const auto why = missing_folder({flags.root}, flags.root); !why.empty()) return complain(why);
  const std::string file = flags.root + "/conformance/catalogue.tsv";
  const auto text = scenario::read_file(file, kMostCatalogue);
  if (!text) return complain(fmt::format("{}: the catalogue of requirements must be {}", file, text.error().why));
  const auto catalogue = report::parse_catalogue(*text, file);
  if (!catalogue) return complain(catalogue.error().message());
  auto loaded = scenario::load(flags.paths.empty() ? std::vector<std::string>{flags.root} : flags.paths, flags.root);
  for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
  if (!loaded.problems.empty()) return kWrongUse;
  std::vector<report::CheckLevel> checks;
  for (const auto& scenario : loaded.scenarios)
    if (scenario.check.has_value()) checks.push_back({scenario.id, scenario::level_of(scenario), scenario.check->note});
  const auto protocols = report::protocols_of(*catalogue, checks);
  if (!flags.protocol.empty() && !protocols.contains(flags.protocol))
    return complain(fmt::format("--protocol {}: neither the catalogue nor a check is about it; there is: {}",
                                flags.protocol, fmt::join(protocols, ", ")));
  say(flags.levels ? report::levels_text(*catalogue, checks, flags.protocol)
                   : report::coverage_text(*catalogue, checks, flags.protocol));
  return 0;
}

/// What is promised over a whole history, and by which findings it is told broken.
int print_invariants() {
  for (const auto& one : judge::invariants()) {
    say(fmt::format("I{:<2}  {:<13}  {}\n", one.number, judge::name(one.kind), one.what));
    say(fmt::format("     {}\n", one.source.empty() ? "no RFC: people count on it" : one.source));
    say(fmt::format("     {}{}{}\n", one.classes, one.checks.empty() ? "" : "; check ", one.checks));
  }
  return 0;
}

void print_table(const std::vector<scenario::Scenario>& scenarios) {
  std::size_t width = 0;
  for (const auto& scenario : scenarios) width = std::max(width, scenario.id.size());
  for (const auto& scenario : scenarios) say(fmt::format("{:<{}}  {}\n", scenario.id, width, scenario.title));
}

void print_json(const std::vector<scenario::Scenario>& scenarios) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& scenario : scenarios) {
    nlohmann::ordered_json one;
    one["id"] = scenario.id;
    one["title"] = scenario.title;
    one["path"] = scenario.path;
    one["kind"] = scenario.check.has_value() ? "check" : "story";
    one["level"] = scenario::level_of(scenario);
    one["tags"] = scenario.tags;
    out.push_back(std::move(one));
  }
  say_json(fmt::format("{}\n", report::print_json(out)));
}

int list(const ListFlags& flags) {
  if (flags.coverage) return print_coverage(flags);
  if (flags.invariants) return print_invariants();
  const auto scenarios =
      load_scenarios(flags.paths.empty() ? std::vector<std::string>{flags.root} : flags.paths, flags.root);
  if (!scenarios) return kWrongUse;
  flags.json ? print_json(*scenarios) : print_table(*scenarios);
  return 0;
}

}  // namespace

void add_list(CLI::App& app, int& status) {
  auto flags = std::make_shared<ListFlags>();
  auto* command = app.add_subcommand("list", "List scenarios: id and title");
  command->add_option("scenarios", flags->paths, "Files, folders or ids; all of the scenarios folder if none");
  command->add_option("--scenarios", flags->root, "Folder in which ids are looked up")->capture_default_str();
  command->add_flag("--json", flags->json, "As JSON: id, title, path, kind (story or check), level, tags");
  auto* coverage = command->add_flag("--coverage", flags->coverage,
                                     "Per RFC section the checks there are, and the MUST rows of the catalogue "
                                     "(conformance/catalogue.tsv of the scenarios folder) without one");
  coverage->excludes("--json");
  command
      ->add_flag(
          "--invariants", flags->invariants,
          "What POP3, IMAP and delivery promise over a whole history: hard, bounded in time or a warning, its RFC, "
          "and the findings (judge/class) that say it is broken")
      ->excludes("--json")
      ->excludes(coverage);
  command
      ->add_flag("--levels", flags->levels,
                 "With --coverage: instead of the table the checks whose level is not that of their row, and why")
      ->needs(coverage);
  command->add_option("--protocol", flags->protocol, "With --coverage: only this one, like pop3")->needs(coverage);
  command->callback([flags, &status] { status = list(*flags); });
}

}  // namespace mailproof::cli
