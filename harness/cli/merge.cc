#include "load/merge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "archive/run_directory.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "load/run_files.h"
#include "load/stats_json.h"

namespace mailproof::cli {
namespace {

struct MergeFlags {
  std::vector<std::string> parts;
  std::string out;
};

int merge(const MergeFlags& flags) {
  std::vector<load::Part> parts;
  for (const std::string& folder : flags.parts) {
    auto part = load::read_run(folder);
    if (!part) return complain(part.error().message());
    parts.push_back({folder, std::move(*part)});
  }
  auto merged = load::merge(std::move(parts));
  if (!merged) return complain(merged.error().message());
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  if (const auto wrong = (*directory)->begin(std::nullopt); !wrong.empty()) return complain(wrong), kTrouble;
  (*directory)->join_histories(std::nullopt);
  const std::string trouble = load::write_files(**directory, *merged);
  say(load::to_text(*merged));
  say(fmt::format("{}\n", (*directory)->path()));
  if (!trouble.empty()) return complain(trouble), kTrouble;
  const std::vector<judge::Verdict> all = {load::verdict_of(*merged)};
  return judge::exit_status(all, merged->interrupted);
}

}  // namespace

void add_merge(CLI::App& app, int& status) {
  auto flags = std::make_shared<MergeFlags>();
  auto* command =
      app.add_subcommand("merge", "Make one report of the shards of a load, as if one process had played all of it");
  command->add_option("parts", flags->parts, "Run directories of load --shard K/N")->required();
  command->add_option("--out", flags->out, "Run directory of the whole (default: a new one below runs/)");
  command->callback([flags, &status] { status = merge(*flags); });
}

}  // namespace mailproof::cli
