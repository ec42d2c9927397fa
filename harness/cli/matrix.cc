#include "report/matrix.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "archive/run_directory.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

struct MatrixFlags {
  std::vector<std::string> runs;
  std::string out = ".";
};

/// As links go from the page to the run: relative, so that both can be moved together.
std::string link_to(const std::filesystem::path& run, const std::string& out) {
  std::error_code none;
  const auto from = std::filesystem::weakly_canonical(out.empty() ? "." : out, none);
  const auto to = std::filesystem::weakly_canonical(run, none);
  const auto relative = to.lexically_relative(from);
  return relative.empty() ? to.generic_string() : relative.generic_string();
}

int matrix(const MatrixFlags& flags) {
  report::Matrix matrix;
  for (const std::string& word : flags.runs) {
    const auto equals = word.find('=');
    const bool named = equals != std::string::npos && !std::filesystem::exists(word);
    const std::string folder = named ? word.substr(equals + 1) : word;
    const auto text = scenario::read_file(folder + "/run.json", archive::kMostRunJson);
    if (!text)
      return complain(fmt::format("{}: a run directory is wanted, one with a run.json: {}", folder, text.error().why));
    const auto added = matrix.add(*text, named ? word.substr(0, equals) : "", link_to(folder, flags.out));
    if (!added) return complain(fmt::format("{}/run.json is no run.json of mailproof: {}", folder, added.error().why));
  }
  // Two runs of one target would be two columns that nobody can tell apart.
  for (std::size_t i = 0; i < matrix.servers.size(); ++i)
    for (std::size_t k = i + 1; k < matrix.servers.size(); ++k)
      if (matrix.servers[i].name == matrix.servers[k].name)
        return complain(fmt::format("{0} and {1} are both called '{2}': NAME={1} gives a column its name",
                                    flags.runs[i], flags.runs[k], matrix.servers[k].name));
  std::error_code trouble;
  std::filesystem::create_directories(flags.out, trouble);
  for (const auto& [file, page] : {std::pair{"matrix.html", report::matrix_html(matrix)},
                                   std::pair{"matrix.md", report::matrix_markdown(matrix)}}) {
    const std::string path = (std::filesystem::path(flags.out) / file).generic_string();
    if (const std::string why = archive::write_file(path, page); !why.empty()) return complain(why);
    say(path + "\n");
  }
  return 0;
}

}  // namespace

void add_matrix(CLI::App& app, int& status) {
  auto flags = std::make_shared<MatrixFlags>();
  auto* command =
      app.add_subcommand("matrix", "Compare servers: requirement by server, from the directories of their runs");
  command->add_option("runs", flags->runs, "Run directories, a server each; NAME=DIR names the column")->required();
  command->add_option("--out", flags->out, "Folder for matrix.html and matrix.md")->capture_default_str();
  command->callback([flags, &status] { status = matrix(*flags); });
}

}  // namespace mailproof::cli
