#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "scenario/plan/plan.h"

namespace mailproof::cli {
namespace {

int check(const std::vector<std::string>& paths, const std::string& root, bool json) {
  if (const auto why = missing_folder(paths, root); !why.empty()) return complain(why);
  const auto of_load = scenario::check_load_files(paths, root);
  for (const auto& problem : of_load.problems) say_error(fmt::format("{}\n", problem.message()));
  const auto loaded = of_load.others.empty() ? scenario::Loaded{} : scenario::load(of_load.others, root);
  for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
  for (const auto& note : loaded.notes) say_error(fmt::format("note: {}\n", note.message()));
  if (json && loaded.problems.empty()) {
    std::string out = "[";
    for (const auto& scenario : loaded.scenarios) out += (out.size() > 1 ? ",\n" : "") + scenario::to_json(scenario);
    say_json(fmt::format("{}]\n", out));
  } else if (loaded.problems.empty() && of_load.problems.empty()) {
    const auto counted = [](std::size_t n, std::string_view what) {
      return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    std::string beside;
    if (of_load.plans != 0) beside += ", " + counted(of_load.plans, "load plan");
    if (of_load.profiles != 0) beside += ", " + counted(of_load.profiles, "device profile");
    say(fmt::format("{}{}, all well-formed\n", counted(loaded.scenarios.size(), "scenario"), beside));
  }
  return loaded.problems.empty() && of_load.problems.empty() ? 0 : kWrongUse;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  auto paths = std::make_shared<std::vector<std::string>>();
  auto root = std::make_shared<std::string>(default_scenarios());
  auto json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("check", "Check scenario files without playing them");
  command->add_option("scenarios", *paths, "Files, folders or ids")->required();
  command->add_option("--scenarios", *root, "Folder in which ids are looked up")->capture_default_str();
  command->add_flag("--json", *json, "Print what was understood");
  command->callback([=, &status] { status = check(*paths, *root, *json); });
}

}  // namespace mailproof::cli
