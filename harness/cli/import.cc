#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <set>

#include "cli/arena.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/recorded.h"
#include "core/bytes.h"
#include "explore/retell.h"
#include "explore/shrink.h"
#include "explore/write.h"
#include "import/read/overheard.h"
#include "scenario/scenario.h"

namespace mailproof::cli {
namespace {

struct ImportFlags {
  std::vector<std::string> files;
  std::string out, user, story;
  bool by_directory = false, all_clients = false, strict = false, one_server = false;
};

/// What `from` has of files that were not read yet: a pair of rawlogs may be named by both of its files, a directory
/// and what is in it.
void add_new(std::vector<imports::Overheard> from, std::set<std::string>& known, std::vector<imports::Overheard>& to) {
  std::set<std::string> fresh;
  for (auto& one : from) {
    const std::string file = std::filesystem::weakly_canonical(one.file).string();
    if (known.contains(file)) continue;
    fresh.insert(file);
    to.push_back(std::move(one));
  }
  known.merge(fresh);
}

/// Whose they are, as far as the command says so.
void name_users(const ImportFlags& flags, std::vector<imports::Overheard>& all) {
  for (auto& one : all) {
    const std::string folder = std::filesystem::path(one.file).parent_path().filename().string();
    if (!flags.user.empty()) one.about.user = flags.user;
    if (flags.by_directory) one.about.user = folder;
  }
}

/// The first few.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, names.size())));
  return fmt::format("{}{}", fmt::join(first, ", "), names.size() > kMost ? ", ..." : "");
}

std::string as_clock(imports::ClockTime at) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(at).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

/// Writes a story that does what was heard, and says whether a right server passes it.
int write_story(const history::History& history, const std::string& path) {
  const std::string name = std::filesystem::path(path).stem().string();
  std::string id = "recorded.";
  for (const char c : name) {
    const char small = to_lower(c);
    id += (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') ? small : '-';
  }
  const auto told = explore::retell(history, id);
  if (!told) return complain(fmt::format("--as-scenario: {}", told.error().why)), kTrouble;
  const std::string text =
      fmt::format("# What {} heard sessions did, in the order of the answers.\n", history.sessions().size()) +
      explore::write(told->story).text;
  if (const auto wrong = archive::write_file(path, text); !wrong.empty()) return complain(wrong), kTrouble;
  for (const std::string& what : told->left_out) say_error(fmt::format("note: not in the story: {}\n", what));
  const auto loaded = scenario::parse(text, path);
  if (!loaded.problems.empty()) return complain(loaded.problems.front().message()), kTrouble;
  auto right = Arena::make_right({});
  if (!right) return complain(right.error().message()), kTrouble;
  const auto played = (*right)->play(loaded.scenarios.front(), 0);
  const bool passes = played.verdict == judge::Verdict::pass || played.verdict == judge::Verdict::latitude;
  say_error(fmt::format("{}: {} steps; the built-in server {}\n", path, explore::steps_in(told->story),
                        passes ? "passes it" : fmt::format("does not pass it ({})", judge::name(played.verdict))));
  if (!passes)
    for (const auto& finding : played.findings) say_error(fmt::format("  {}: {}\n", finding.id, finding.actual));
  return 0;
}

int import(const ImportFlags& flags) {
  std::vector<imports::Overheard> all;
  std::set<std::string> known;
  std::vector<std::string> others;
  for (const std::string& file : flags.files) {
    auto read = imports::read_recording(file, others);
    if (!read) return complain(read.error().message());
    add_new(std::move(*read), known, all);
  }
  if (all.empty())
    return complain("these files hold no conversation over IMAP, POP3, SMTP or LMTP, and no log says anything of mail");
  name_users(flags, all);
  if (flags.one_server)
    for (auto& one : all) one.about.realm.clear();
  imports::keep_apart(all);
  RecordedRun run;
  run.id = "import";
  run.title = "Sessions of others, from their recordings";
  run.target = "recording";
  run.selection = flags.files;
  run.all_clients = flags.all_clients;
  run.strict = flags.strict;
  auto earliest = imports::ClockTime::max();
  for (const auto& one : all)
    if (const auto begins = one.begins()) earliest = std::min(earliest, *begins);
  run.began = as_clock(earliest);
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  imports::Recording recording(info_of(run));
  auto stream = begin_recorded(**directory, run, recording);
  if (!stream) return complain(stream.error().message()), kTrouble;
  imports::replay(all, recording);
  std::vector<std::string> notes{
      fmt::format("{} conversation{} heard, with {} message{} of {} account{}", all.size(), all.size() == 1 ? "" : "s",
                  recording.history.messages().size(), recording.history.messages().size() == 1 ? "" : "s",
                  recording.history.info.accounts.size(), recording.history.info.accounts.size() == 1 ? "" : "s")};
  if (!others.empty())
    notes.push_back(fmt::format("{} file{} no recording{}: {}", others.size(), others.size() == 1 ? " is" : "s are",
                                others.size() == 1 ? "" : "s", some_of(others)));
  const int status = end_recorded(**directory, run, recording, **stream, std::move(notes));
  const int told = flags.story.empty() ? 0 : write_story(recording.history, flags.story);
  return told != 0 ? told : status;
}

}  // namespace

void add_import(CLI::App& app, int& status) {
  auto flags = std::make_shared<ImportFlags>();
  auto* command = app.add_subcommand(
      "import", "Read what others recorded of their sessions, and what servers' logs say beside it, and judge it");
  command->add_option("files", flags->files, "Files, or directories with several")->required();
  command->add_option("--out", flags->out, "Run directory (default: a new one below runs/)");
  auto* user = command->add_option("--user", flags->user,
                                   "Whose sessions they are, where the recording begins behind the login. Without it "
                                   "each such session is another user's, and none is compared with another");
  command
      ->add_flag("--by-directory", flags->by_directory, "Each directory is named after the user whose sessions it has")
      ->excludes(user);
  command->add_flag(
      "--all-clients", flags->all_clients,
      "All sessions that these accounts had in that time are there: what nobody asked for in them, nobody "
      "asked for");
  command->add_flag("--one-server", flags->one_server,
                    "All hosts in a capture are one server's: the same login at two of them is the same account");
  command
      ->add_option("--as-scenario", flags->story,
                   "Also write a story into this file that does on another server what these sessions did")
      ->type_name("FILE");
  command->add_flag("--strict", flags->strict, "A latitude fails");
  command->callback([=, &status] { status = import(*flags); });
}

}  // namespace mailproof::cli
