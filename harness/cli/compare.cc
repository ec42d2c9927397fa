#include "load/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "archive/run_directory.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "load/stats_json.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

struct CompareFlags {
  std::vector<std::string> runs, fail_if;
  std::string html;
};

int compare(const CompareFlags& flags) {
  if (flags.runs.size() < 2) return complain("compare needs two or more run directories of load");
  std::vector<load::FailIf> rules;
  for (const std::string& text : flags.fail_if) {
    const auto rule = load::parse_fail_if(text);
    if (!rule) return complain(rule.error().message());
    rules.push_back(*rule);
  }
  std::vector<load::LoadResult> runs;
  std::vector<std::string> names;
  for (const std::string& word : flags.runs) {
    const auto equals = word.find('=');
    const bool named = equals != std::string::npos && !std::filesystem::exists(word);
    const std::string folder = named ? word.substr(equals + 1) : word;
    // What was set, and where it was played, stands in run.json; figures alone can be compared as well.
    auto run = load::read_run(folder);
    if (!run) run = load::read_stats(folder);
    if (!run) return complain(run.error().message());
    runs.push_back(std::move(*run));
    names.push_back(named ? word.substr(0, equals) : folder);
  }
  std::vector<load::Comparison> all;
  std::vector<load::Failed> failed;
  std::vector<judge::Verdict> verdicts = {judge::Verdict::pass};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const load::Comparison& one = all.emplace_back(load::compare(runs[0], runs[i], names[0], names[i]));
    say((i == 1 ? "" : "\n") + load::to_text(one));
    for (const load::FailIf& rule : rules) {
      auto said = load::apply(rule, one);
      if (!said) return complain(said.error().message());
      say(fmt::format("{}: {}\n", judge::name(said->verdict), said->why));
      verdicts.push_back(said->verdict);
      failed.push_back(std::move(*said));
    }
  }
  if (!flags.html.empty())
    if (const auto wrong = archive::write_file(flags.html, load::compare_html(all, failed)); !wrong.empty())
      return complain(wrong), kTrouble;
  return judge::exit_status(verdicts, false);
}

}  // namespace

void add_compare(CLI::App& app, int& status) {
  auto flags = std::make_shared<CompareFlags>();
  auto* command = app.add_subcommand(
      "compare", "Compare runs of load: is the new one slower? Each against the first, with intervals");
  command->add_option("runs", flags->runs, "Run directories of load; NAME=DIR gives one a name")->required();
  command
      ->add_option(
          "--fail-if", flags->fail_if,
          "Fail where this is shown: 'imap.* p99 +10%', 'lmtp.deliver throughput -5%', '* errors +1%'; metrics: "
          "p50, p99, throughput, errors (in percentage points); may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--html", flags->html, "Also write a page with the runs side by side")->type_name("FILE");
  command->callback([flags, &status] { status = compare(*flags); });
}

}  // namespace mailproof::cli
