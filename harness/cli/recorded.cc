#include "cli/recorded.h"

#include <fmt/format.h>

#include "archive/asked.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/output.h"
#include "core/shell_word.h"
#include "core/version.h"
#include "judge/heard.h"
#include "judge/judge.h"
#include "report/groups.h"
#include "report/lanes.h"
#include "run/said.h"
#include "run/worker.h"

namespace mailproof::cli {
namespace {

constexpr std::size_t kMostDrawn = 300;  ///< events, in report.html

std::string again(const archive::RunDirectory& directory) {
  return fmt::format("mailproof judge {}", shell_word(directory.path()));
}

}  // namespace

history::HistoryInfo info_of(const RecordedRun& run) {
  history::HistoryInfo info;
  info.scenario = run.id;
  info.title = run.title;
  info.target = run.target;
  info.version = kVersion;
  info.recorded = true;
  info.all_clients = run.all_clients;
  return info;
}

Result<std::unique_ptr<archive::RunDirectory::Stream>> begin_recorded(const archive::RunDirectory& directory,
                                                                      const RecordedRun& run,
                                                                      imports::Recording& recording) {
  archive::Asked asked;
  asked.gate.strict = run.strict;
  asked.ids = {run.id};
  asked.began = run.began;
  asked.endpoints = run.endpoints;
  asked.selection = run.selection;
  asked.commands[run.id] = again(directory);
  for (const std::string& wrong : {directory.begin(1), archive::write_asked(directory.path(), asked)})
    if (!wrong.empty()) return Error{"", wrong};
  return directory.stream(0, recording.history);
}

void WireKeeper::keep() {
  const auto& logs = recording_.logs();
  written_.resize(logs.size());
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const history::WireRef here = logs[i]->here();
    if (here.offset + here.length == written_[i]) continue;
    written_[i] = here.offset + here.length;
    directory_.write_wire_of(0, id_, recording_.history, i + 1, *logs[i]);
  }
}

void LiveJudge::look(Time now) {
  constexpr Duration kSeldom = std::chrono::seconds(5);
  constexpr std::size_t kMostEvents = 20'000;
  const std::size_t events = recording_.history.events().size();
  if (events == judged_ || judged_ > kMostEvents || now - looked_ < kSeldom) return;
  judged_ = events;
  if (events > kMostEvents)
    return say_error(fmt::format("{}  {} events: what is found from here on is said at the end\n",
                                 format_seconds(now.time_since_epoch()), events));
  looked_ = now;
  for (const auto& finding : judge::judge(recording_.history, false).findings)
    if (told_.insert(finding.id).second)
      say_error(fmt::format("{}  {} {}: {}\n", format_seconds(now.time_since_epoch()), judge::name(finding.severity),
                            finding.id, finding.actual.substr(0, finding.actual.find('\n'))));
}

int end_recorded(const archive::RunDirectory& directory, const RecordedRun& run, imports::Recording& recording,
                 archive::RunDirectory::Stream& stream, std::vector<std::string> notes) {
  const history::History& history = recording.history;
  const Duration took = history.events().empty() ? Duration{} : history.events().back().at.time_since_epoch();
  stream.end(took);
  directory.write_wire(0, run.id, history, recording.logs());
  report::ScenarioResult result = run::judged(history, nullptr, run.strict);
  result.seconds = std::chrono::duration<double>(took).count();
  result.lanes = report::lanes_of(history, kMostDrawn);
  for (auto& finding : result.findings) finding.reproduce = again(directory);

  report::RunResult all;
  all.target = run.target;
  all.version = kVersion;
  all.began = run.began;
  all.endpoints = run.endpoints;
  all.selection = run.selection;
  all.seconds = result.seconds;
  all.notes = std::move(notes);
  if (const std::string part = judge::heard_in_part_note(history); !part.empty()) all.notes.push_back(part);
  run::ServersSaid said;
  said.look(history, recording.logs());
  all.versions = said.all();
  Console console(1, false);
  console.ended(result, 0);
  all.scenarios.push_back(std::move(result));
  report::close({}, {run.id}, all);
  directory.join_histories(1);
  const std::string trouble = directory.write_reports(all);
  console.summary(all, directory.path());
  for (const std::string& lost : {trouble, directory.trouble()})
    if (!lost.empty()) return complain(archive::not_written(lost)), kTrouble;
  return judge::exit_status(std::vector{all.scenarios.front().verdict}, false);
}

}  // namespace mailproof::cli
