#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "report/section.h"

namespace mailproof::cli {
namespace {

struct ListFlags {
  std::vector<std::string> paths;
  std::string root = "scenarios";
  bool json = false;
};

void print_table(const std::vector<scenario::Scenario>& scenarios) {
  std::size_t width = 0;
  for (const auto& scenario : scenarios) width = std::max(width, scenario.id.size());
  for (const auto& scenario : scenarios) fmt::print("{:<{}}  {}\n", scenario.id, width, scenario.title);
}

void print_json(const std::vector<scenario::Scenario>& scenarios) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& scenario : scenarios) {
    nlohmann::ordered_json one;
    one["id"] = scenario.id;
    one["title"] = scenario.title;
    one["path"] = scenario.path;
    one["kind"] = is_check(scenario) ? "check" : "story";
    one["level"] = level_of(scenario);
    one["tags"] = scenario.tags;
    out.push_back(std::move(one));
  }
  fmt::print("{}\n", out.dump(2));
}

int list(const ListFlags& flags) {
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
  command->callback([flags, &status] { status = list(*flags); });
}

}  // namespace mailproof::cli
