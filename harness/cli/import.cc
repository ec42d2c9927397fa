#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/recorded.h"
#include "import/read/overheard.h"

namespace mailproof::cli {
namespace {

struct ImportFlags {
  std::vector<std::string> files;
  std::string out, user;
  bool by_directory = false, all_clients = false, strict = false;
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

std::string as_clock(imports::ClockTime at) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(at).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

int import(const ImportFlags& flags) {
  std::vector<imports::Overheard> all;
  std::set<std::string> known;
  for (const std::string& file : flags.files) {
    auto read = imports::read_recording(file);
    if (!read) return complain(read.error().message());
    add_new(std::move(*read), known, all);
  }
  if (all.empty()) return complain("these files hold no conversation over IMAP, POP3, SMTP or LMTP");
  name_users(flags, all);
  RecordedRun run;
  run.id = "import";
  run.title = "Sessions of others, from their recordings";
  run.target = "recording";
  run.selection = flags.files;
  run.all_clients = flags.all_clients;
  run.strict = flags.strict;
  auto earliest = imports::ClockTime::max();
  for (const auto& one : all)
    if (!one.pieces.empty()) earliest = std::min(earliest, one.pieces.front().at);
  run.began = as_clock(earliest);
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());
  imports::Recording recording(info_of(run));
  auto stream = begin_recorded(**directory, run, recording);
  if (!stream) return complain(stream.error().message()), kTrouble;
  imports::replay(all, recording);
  return end_recorded(
      **directory, run, recording, **stream,
      {fmt::format("{} conversation{} heard, with {} message{} of {} account{}", all.size(), all.size() == 1 ? "" : "s",
                   recording.history.messages().size(), recording.history.messages().size() == 1 ? "" : "s",
                   recording.history.info.accounts.size(), recording.history.info.accounts.size() == 1 ? "" : "s")});
}

}  // namespace

void add_import(CLI::App& app, int& status) {
  auto flags = std::make_shared<ImportFlags>();
  auto* command = app.add_subcommand(
      "import", "Read what others recorded of their sessions (rawlogs of Dovecot and ImapTest) and judge it");
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
  command->add_flag("--strict", flags->strict, "A latitude fails");
  command->callback([=, &status] { status = import(*flags); });
}

}  // namespace mailproof::cli
