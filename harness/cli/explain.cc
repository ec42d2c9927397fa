#include "report/explain.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "archive/asked.h"
#include "archive/history_file.h"
#include "archive/run_directory.h"
#include "archive/wire_places.h"
#include "cli/commands.h"
#include "cli/explain_lost.h"
#include "cli/output.h"
#include "core/units.h"
#include "mail/stamp.h"
#include "report/json_values.h"
#include "run/worker.h"
#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

struct ExplainFlags {
  std::string directory, message, scenario, html;
  std::optional<std::uint32_t> copy;
  bool json = false;
};

constexpr std::size_t kMostSetsNamed = 12;
constexpr std::size_t kMostTold = 20;  ///< for people; JSON has all

/// mail.2, mail (the set), a Message-ID, or what its Subject holds.
bool is_meant(const history::History& history, std::uint32_t number, const std::string& word) {
  const history::MessageInfo& info = history.message(number);
  const std::string plain = fmt::format("{}.{}", info.set, info.index);
  if (word == plain || word == info.set || word == info.name()) return true;
  if (!info.message_id.empty() && info.message_id == fmt::format("<{}>", word)) return true;
  if (word.starts_with('<') || word.ends_with("@mailproof.invalid")) {
    const std::string id = word.starts_with('<') ? word : fmt::format("<{}>", word);
    if (!info.message_id.empty()) return info.message_id == id;
    mail::Token token{0, number, info.seed, ""};
    std::from_chars(id.data() + 1, id.data() + id.size(), token.run, 16);
    return token.message_id() == id;
  }
  // "mail 2: and so on" is what the Subject says where the scenario gives it none of its own.
  const std::string subject = fmt::format("{} {}:", info.subject.empty() ? info.set : info.subject, number);
  return istarts_with(word, subject) ||
         (!info.subject.empty() && lower(info.subject).find(lower(word)) != std::string::npos);
}

/// The command that plays a scenario of this run again: `run` keeps it, a load says it with what it found.
class CommandsOfRun {
 public:
  explicit CommandsOfRun(const std::string& directory) : asked_(archive::read_asked(directory)) {
    if (asked_) return;
    const auto text = scenario::read_file(directory + "/stats.json", archive::kMostRunJson);
    if (text) stats_ = report::json_or_discarded(*text);
  }
  std::string of(const history::HistoryInfo& info) const {
    if (asked_) {
      const auto command = asked_->commands.find(info.scenario);
      return command == asked_->commands.end() ? "" : run::with_copy(command->second, info.copy);
    }
    const auto findings = stats_.is_object() ? stats_.find("findings") : stats_.end();
    if (!stats_.is_object() || findings == stats_.end() || !findings->is_array()) return {};
    for (const auto& finding : *findings)
      if (finding.is_object() && finding.contains("reproduce") && finding["reproduce"].is_string())
        return finding["reproduce"].get<std::string>();
    return {};
  }

 private:
  Result<archive::Asked> asked_;
  nlohmann::json stats_;
};

class Explaining {
 public:
  explicit Explaining(const ExplainFlags& flags) : flags_(flags), commands_(flags.directory) {
    out_.directory = flags.directory;
  }

  /// `whole`: nothing of it is missing. What is missing may explain what was seen, so that nobody is accused.
  void add(const history::History& history, bool whole) {
    if (!flags_.scenario.empty() && history.info.scenario != flags_.scenario) return;
    if (flags_.copy && history.info.copy != *flags_.copy) return;
    ++scenarios_;
    messages_ += history.messages().size();
    std::vector<std::uint32_t> meant;
    for (std::uint32_t number = 1; number <= history.messages().size(); ++number) {
      known_.push_back(fmt::format("{}.{}", history.message(number).set, history.message(number).index));
      if (!all() && is_meant(history, number, flags_.message)) meant.push_back(number);
    }
    if (!all() && meant.empty()) return;
    history::Ledger ledger(history);
    for (const auto& event : history.events()) ledger.apply(event);
    auto result = run::judged(history, nullptr, false);
    if (!whole) run::withhold(result, judge::Verdict::inconclusive);
    auto& findings = result.findings;
    const std::string command = commands_.of(history.info);
    for (auto& finding : findings) finding.reproduce = command;
    if (all()) meant = report::unexpected(history, ledger, findings);
    if (meant.empty()) return;
    const auto places = archive::WirePlaces::read(flags_.directory, history.info);
    const report::WireFinder wire = [&](const history::Event& e) -> std::optional<report::WirePlace> {
      const auto found = places.find(e.session, e.raw);
      if (!found) return std::nullopt;
      return report::WirePlace{found->file, found->first, found->last};
    };
    for (const std::uint32_t number : meant) {
      if (!flags_.json && out_.all.size() >= kMostTold) {
        ++out_.left_out;
        continue;
      }
      out_.all.push_back(report::explain(history, ledger, number, findings, wire));
      out_.all.back().command = command;
    }
  }

  int tell() {
    if (scenarios_ == 0) return complain(nothing_there());
    if (out_.all.empty() && !all()) {
      const auto near = nearest_word(flags_.message, known_);
      return complain(
          fmt::format("no message of this run is called '{}', has this Message-ID, or a subject with these words{}",
                      flags_.message, near ? fmt::format("; did you mean '{}'?", *near) : there_are()));
    }
    if (!flags_.html.empty())
      if (const auto wrong = archive::write_file(flags_.html, report::explanations_html(out_)); !wrong.empty())
        return complain(wrong), kTrouble;
    if (flags_.json) {
      say_json(report::explanations_json(out_));
    } else if (out_.all.empty()) {
      say(fmt::format("all {} messages of {} {} ended as expected; name one to see its life\n", messages_, scenarios_,
                      scenarios_ == 1 ? "scenario" : "scenarios"));
    } else {
      say(report::explanations_text(out_, {coloured()}));
    }
    if (!flags_.html.empty()) say_error(fmt::format("the page: {}\n", flags_.html));
    return 0;
  }

  std::set<std::string> ids;

 private:
  /// The sets of messages that the run has.
  std::string there_are() const {
    std::set<std::string> sets;
    for (const std::string& one : known_) sets.insert(one.substr(0, one.rfind('.')));
    std::string out;
    std::size_t told = 0;
    for (const std::string& set : sets) {
      if (++told > kMostSetsNamed) return out + fmt::format(" and {} more", sets.size() - kMostSetsNamed);
      out += (told == 1 ? "; there is: " : ", ") + set;
    }
    return out;
  }
  bool all() const { return flags_.message.empty() || flags_.message == "all"; }
  std::string nothing_there() const {
    if (ids.empty()) return fmt::format("{}: this run has no scenario", flags_.directory);
    if (!flags_.scenario.empty() && !ids.contains(flags_.scenario)) {
      const auto near = nearest_word(flags_.scenario, {ids.begin(), ids.end()});
      return fmt::format("--scenario {}: this run has no such scenario{}", flags_.scenario,
                         near ? fmt::format("; did you mean '{}'?", *near) : "");
    }
    return fmt::format("--copy {}: this run has no such copy, or kept none of it", flags_.copy.value_or(0));
  }

  const ExplainFlags& flags_;
  CommandsOfRun commands_;
  report::Explanations out_;
  std::vector<std::string> known_;
  std::size_t scenarios_ = 0, messages_ = 0;
};

int explain(const ExplainFlags& flags) {
  const auto read = archive::read_histories(flags.directory);
  if (!read) return complain(read.error().message());
  Explaining explaining(flags);
  for (const auto& one : read->histories) {
    const bool whole = one.broken.empty() && (one.whole || !read->marked);
    explaining.ids.insert(one.history->info.scenario);
    explaining.add(*one.history, whole);
    if (!whole)
      say_error(fmt::format("note: the history of {} is not whole: what is missing there is not told\n",
                            one.history->info.scenario));
  }
  // The customers of a load plan have no history; what they lost is kept beside.
  const bool all = flags.message.empty() || flags.message == "all";
  if (const auto lost = lost_messages_text(flags.directory, flags.message);
      lost && flags.scenario.empty() && !flags.copy) {
    if (explaining.ids.empty() && (flags.json || !flags.html.empty()))
      return complain(
          fmt::format("{}: what a plan's customers lost is told as text, without --json and --html; it is "
                      "kept below {}/lost",
                      flags.directory, flags.directory));
    if (!flags.json) say(*lost);
    if (explaining.ids.empty() || (!all && !flags.json && flags.html.empty())) return 0;
  }
  return explaining.tell();
}

}  // namespace

void add_explain(CLI::App& app, int& status) {
  auto flags = std::make_shared<ExplainFlags>();
  auto* command = app.add_subcommand("explain", "Tell the life of a message of an old run, over all sessions");
  command->add_option("run", flags->directory, "Run directory")->required();
  command->add_option(
      "message", flags->message,
      "mail.2, mail (all of them), a Message-ID, or words of a subject; of a load plan the number of a lost message; "
      "without it, or with 'all', every message that did not end as expected");
  command->add_option("--scenario", flags->scenario, "Only of this one")->type_name("ID");
  command->add_option("--copy", flags->copy, "Only of this copy of a load, or this repetition")->check(whole_number());
  command->add_option("--html", flags->html, "Also a page with a lane for each session, into this file")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "As JSON");
  command->callback([flags, &status] { status = explain(*flags); });
}

}  // namespace mailproof::cli
