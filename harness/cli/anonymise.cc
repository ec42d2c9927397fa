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
#include "core/words.h"
#include "history/names.h"
#include "import/anonymise/history.h"
#include "report/groups.h"
#include "report/html.h"
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

/// What of the original is left in the files that were written.
class Scan {
 public:
  explicit Scan(const imports::Pseudonyms& words)
      : words_(words.replaced_words()), names_(words.replaced_names()), addresses_(words.replaced_addresses()) {
    const std::string page = report::report_html({});
    for (std::size_t at = 0; at < page.size(); ++at) {
      const auto next = imports::take_word(std::string_view(page).substr(at));
      at += next.written;
      of_page_.insert(lower(next.octets));
    }
  }

  void look(const fs::path& file) {
    const auto extension = file.extension();
    const bool log = extension == ".log", history = file.filename() == "history.jsonl";
    in(file.filename().string(), log);
    const auto text = scenario::read_file(file.string(), kMostLog);
    if (!text) return;
    if (extension == ".json") return in_values(report::json_or_discarded(*text));
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (history)
        in_history(report::json_or_discarded(line));
      else
        in(log ? line.substr(imports::head_of_line(line)) : line, log);
    }
  }

  std::set<std::string> found;
  std::size_t words() const { return words_.size(); }

 private:
  /// `made`: each word of it comes from the original. Reports are made from the copy's history, in which all is looked
  /// for, and have words and numbers of their own, of which a mailbox may have its name: "How to". In them is looked
  /// for what no sentence has: addresses, and what has digits, or letters beyond ASCII, in it.
  void in(std::string_view text, bool made) {
    for (const std::string& address : addresses_)
      for (std::size_t at = text.find(address); at != std::string_view::npos; at = text.find(address, at + 1))
        if (!goes_on(text, at, at + address.size())) found.insert(address);
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t begin = at;
      const auto next = imports::take_word(text.substr(at));
      at += next.written;
      const std::string word = lower(next.octets);
      const bool number = word.find_first_not_of("0123456789") == std::string::npos;
      const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
      if (made ? imports::is_number_of_protocol(text, begin, next.written) : plain || number || of_page_.contains(word))
        continue;
      if (names_.contains(word) || (word.size() >= kShortest && words_.contains(word))) found.insert(word);
    }
  }

  static bool goes_on(std::string_view text, std::size_t from, std::size_t to) {
    return (from > 0 && imports::take_word(text.substr(from - 1)).written != 0) ||
           (to < text.size() && imports::take_word(text.substr(to)).written != 0);
  }

  void in_string(const nlohmann::json& value, bool made) {
    const auto& text = value.get_ref<const std::string&>();
    const bool set = text.find_first_not_of("0123456789:,-*") == std::string::npos;  // of UIDs: these stay
    if (!set) in(text, made);
  }

  void in_values(const nlohmann::json& value) {
    if (value.is_string()) in_string(value, false);
    if (!value.is_structured()) return;
    for (const auto& [key, inner] : value.items()) {
      if (value.is_object()) in(key, false);
      in_values(inner);
    }
  }

  /// An event's type and kind and a session's protocol are our own words, and of many kinds the code.
  void in_history(const nlohmann::json& value) {
    if (value.is_string()) in_string(value, true);
    if (!value.is_structured()) return;
    const auto what = value.is_object() ? value.find("what") : value.end();
    const auto kind =
        what != value.end() && what->is_string() ? meaning_of(history::kWhats, what->get<std::string>()) : std::nullopt;
    for (const auto& [key, inner] : value.items()) {
      if (value.is_object()) in(key, false);
      if (key == "type" || key == "what" || key == "protocol") continue;
      if (kind && key == "code" && imports::code_is_ours(*kind))
        in_values(inner);
      else
        in_history(inner);
    }
  }

  std::set<std::string> words_, names_, addresses_;
  std::set<std::string> of_page_;  ///< words of a report of nothing: its style has "16px"
};

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

  // Where it stands on this machine is nobody's business.
  const fs::path place = (fs::path(out.path()) / "").lexically_normal().parent_path();
  const std::string again = fmt::format("mailproof judge {}", place.filename().string());
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
    for (auto& finding : result.findings) finding.reproduce = again;
    fresh.ids.insert(result.id);
    fresh.commands[result.id] = again;
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

  Scan scan(words);
  for (const auto& entry : fs::recursive_directory_iterator(out.path()))
    if (entry.is_regular_file()) scan.look(entry.path());
  if (!scan.found.empty())
    return complain(fmt::format("{} words of the original are left in {}: {}", scan.found.size(), out.path(),
                                fmt::join(scan.found, ", "))),
           kTrouble;
  if (before != after)
    return complain(
               fmt::format("the judges say something else of {} than of {}: it shows another thing", out.path(), from)),
           kTrouble;
  say(fmt::format("{}: {} words replaced; none of them is left in any file; the judges say the same\n", out.path(),
                  scan.words()));
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
