#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "archive/asked.h"
#include "archive/history_file.h"
#include "archive/jsonl.h"
#include "archive/run_directory.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/output.h"
#include "core/version.h"
#include "import/anonymise/history.h"
#include "report/groups.h"
#include "report/json_values.h"
#include "report/lanes.h"
#include "run/worker.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostLog = 1U << 30;
constexpr std::size_t kDrawn = 300;
constexpr std::size_t kShortest = 4;  ///< letters of a word that the scan looks for: shorter ones are everywhere

/// Words of the original that stand in a text.
void left_in(std::string_view text, const std::set<std::string>& originals, std::set<std::string>& found) {
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (static_cast<unsigned char>(c) & 0x80U) != 0;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    if (at - begin < kShortest) continue;
    const std::string word = lower(text.substr(begin, at - begin));
    if (originals.contains(word)) found.insert(word);
  }
}

void left_in_values(const nlohmann::json& value, const std::set<std::string>& originals, std::set<std::string>& found) {
  if (value.is_string()) left_in(value.get_ref<const std::string&>(), originals, found);
  if (value.is_structured())
    for (const auto& inner : value) left_in_values(inner, originals, found);
}

/// What of the original is left in the files that were written. Reports are made from the histories.
std::set<std::string> scan(const std::string& directory, const std::set<std::string>& originals) {
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool history = name == "history.jsonl", log = entry.path().extension() == ".log";
    if (!entry.is_regular_file() || (!history && !log)) continue;
    left_in(name, originals, found);
    const auto text = scenario::read_file(entry.path().string(), kMostLog);
    if (!text) continue;
    if (log) left_in(*text, originals, found);
    std::string_view rest = *text;
    while (history && !rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      left_in_values(report::json_or_discarded(rest.substr(0, end)), originals, found);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return found;
}

/// Verdicts and the ids of findings.
using Said = std::vector<std::pair<std::string, std::set<std::string>>>;

Said said_of(const report::ScenarioResult& result) {
  std::set<std::string> ids;
  for (const auto& finding : result.findings) ids.insert(finding.id);
  return {{std::string(judge::name(result.verdict)), std::move(ids)}};
}

std::string write_logs(const std::string& from, const std::string& to, imports::Pseudonyms& words) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(from + "/wire", error))
    if (entry.is_regular_file() && entry.path().extension() == ".log") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const auto text = scenario::read_file(file.string(), kMostLog);
    if (!text) return text.error().message();
    const fs::path folder = fs::path(to) / "wire" / file.parent_path().filename();
    fs::create_directories(folder, error);
    const std::string name = words.text(file.stem().string()) + ".log";
    if (std::string wrong = archive::write_file((folder / name).string(), imports::anonymised_log(*text, words));
        !wrong.empty())
      return wrong;
  }
  return {};
}

int anonymise(const std::string& from, const std::string& to, std::uint64_t key) {
  auto read = archive::read_histories(from);
  if (!read) return complain(read.error().message());
  if (read->histories.empty())
    return complain(fmt::format("{}: its history has no scenario: nothing is there to show", from));
  for (const auto& one : read->histories)
    if (!one.whole) return complain(fmt::format("{}: its history is not whole: judge it first", from));
  std::error_code error;
  if (!to.empty() && fs::exists(to, error) && fs::equivalent(from, to, error))
    return complain("--out must be another directory: what is replaced there is the original");
  const auto directory = archive::RunDirectory::make(to);
  if (!directory) return complain(directory.error().message());
  const archive::RunDirectory& out = **directory;
  const auto asked = archive::read_asked(from);
  const bool strict = asked && asked->gate.strict;

  imports::Pseudonyms words(key);
  report::RunResult all;
  Said before, after;
  archive::Asked fresh;
  fresh.gate.strict = strict;
  std::string text;
  archive::write_run(read->expected, text);
  text += '\n';
  for (const auto& one : read->histories) imports::keep_what_is_ours(*one.history, words);
  for (const auto& one : read->histories) {
    const auto history = imports::anonymised(*one.history, words);
    text += archive::write_all(*history, one.took);
    for (const auto& said : said_of(run::judged(*one.history, nullptr, strict))) before.push_back(said);
    auto result = run::judged(*history, nullptr, strict);
    for (const auto& said : said_of(result)) after.push_back(said);
    result.seconds = std::chrono::duration<double>(one.took).count();
    result.lanes = report::lanes_of(*history, kDrawn);
    for (auto& finding : result.findings) finding.reproduce = fmt::format("mailproof judge {}", out.path());
    fresh.ids.insert(result.id);
    fresh.commands[result.id] = fmt::format("mailproof judge {}", out.path());
    if (asked && asked->levels.contains(result.id)) fresh.levels[result.id] = asked->levels.at(result.id);
    all.target = history->info.target;
    all.seed = history->info.run_seed;
    all.seconds = std::max(all.seconds, result.seconds);
    all.scenarios.push_back(std::move(result));
  }
  for (const std::string& wrong : {archive::write_file(out.file("history.jsonl"), text),
                                   archive::write_asked(out.path(), fresh), write_logs(from, out.path(), words)})
    if (!wrong.empty()) return complain(wrong), kTrouble;
  fs::remove(out.file("history"), error);  // nothing is written while it goes on
  all.version = kVersion;
  all.notes.emplace_back("names, addresses, subjects, texts and numbers of mail are replaced, the same by the same");
  report::close({}, fresh.ids, all);
  if (const std::string wrong = out.write_reports(all); !wrong.empty()) return complain(wrong), kTrouble;

  const std::set<std::string> originals = words.replaced_words();
  const std::set<std::string> left = scan(out.path(), originals);
  if (!left.empty())
    return complain(fmt::format("{} words of the original are left in {}: {}", left.size(), out.path(),
                                fmt::join(left, ", "))),
           kTrouble;
  if (before != after)
    return complain(
               fmt::format("the judges say something else of {} than of {}: it shows another thing", out.path(), from)),
           kTrouble;
  say(fmt::format("{}: {} words replaced; none of them is left in the histories and logs; the judges say the same\n",
                  out.path(), originals.size()));
  return 0;
}

}  // namespace

void add_anonymise(CLI::App& app, int& status) {
  auto from = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  auto key = std::make_shared<std::uint64_t>(0);
  auto* command = app.add_subcommand(
      "anonymise", "Copy a run without names, addresses, subjects and texts, so that it can be shown to others");
  command->add_option("run", *from, "Run directory")->required();
  command->add_option("--out", *to, "Directory of the copy")->required();
  command->add_option("--seed", *key, "Decides which word becomes which (default: another each time)")
      ->check(whole_number());
  command->callback([=, &status] { status = anonymise(*from, *to, *key == 0 ? fresh_run_id() : *key); });
}

}  // namespace mailproof::cli
