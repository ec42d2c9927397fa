#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace mailproof::cli {
namespace {

int list(const std::vector<std::string>& paths, const std::string& root) {
  const auto scenarios = load_scenarios(paths.empty() ? std::vector<std::string>{root} : paths, root);
  if (!scenarios) return kWrongUse;
  std::size_t width = 0;
  for (const auto& scenario : *scenarios) width = std::max(width, scenario.id.size());
  for (const auto& scenario : *scenarios) fmt::print("{:<{}}  {}\n", scenario.id, width, scenario.title);
  return 0;
}

}  // namespace

void add_list(CLI::App& app, int& status) {
  auto paths = std::make_shared<std::vector<std::string>>();
  auto root = std::make_shared<std::string>("scenarios");
  auto* command = app.add_subcommand("list", "List scenarios: id and title");
  command->add_option("scenarios", *paths, "Files, folders or ids; all of the scenarios folder if none");
  command->add_option("--scenarios", *root, "Folder in which ids are looked up")->capture_default_str();
  command->callback([paths, root, &status] { status = list(*paths, *root); });
}

}  // namespace mailproof::cli
