#pragma once
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive/run_directory.h"
#include "import/observe/recording.h"

namespace mailproof::cli {

/// What a recording of others becomes: a run directory like any other, of one history.
struct RecordedRun {
  std::string id;  ///< of its one scenario: "import", "record"
  std::string title, target;
  std::vector<std::string> selection;  ///< what was asked for
  std::vector<std::string> endpoints;
  std::string began;  ///< by the clock
  bool all_clients = false;
  bool strict = false;
};

/// Of a recording before anything is heard: its facts.
history::HistoryInfo info_of(const RecordedRun& run);

/// Says in the directory what it is, and writes what is heard from now on as it is heard. The error says what could not
/// be written.
Result<std::unique_ptr<archive::RunDirectory::Stream>> begin_recorded(const archive::RunDirectory& directory,
                                                                      const RecordedRun& run,
                                                                      imports::Recording& recording);

/// Writes what went over the wire while it is heard: once in a while what has changed since.
class WireKeeper {
 public:
  WireKeeper(const archive::RunDirectory& directory, std::string id, const imports::Recording& recording)
      : directory_(directory), id_(std::move(id)), recording_(recording) {}
  void keep();

 private:
  const archive::RunDirectory& directory_;
  std::string id_;
  const imports::Recording& recording_;
  std::vector<std::uint64_t> written_;  ///< by session - 1: where its log was
};

/// Judges while it is heard, and says on standard error what is found first. Judging holds up what passes, so it is
/// done seldom, and of a long recording only at its end, as it says then.
class LiveJudge {
 public:
  explicit LiveJudge(const imports::Recording& recording) : recording_(recording) {}
  void look(Time now);

 private:
  const imports::Recording& recording_;
  std::size_t judged_ = 0;  ///< events
  Time looked_{};
  std::set<std::string> told_;
};

/// Writes the rest, judges it, tells what was found; the exit status.
int end_recorded(const archive::RunDirectory& directory, const RecordedRun& run, imports::Recording& recording,
                 archive::RunDirectory::Stream& stream, std::vector<std::string> notes);

}  // namespace mailproof::cli
