#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "history/history.h"

namespace mailproof::archive {

using history::History;

struct ReadHistory {
  std::unique_ptr<History> history;
  bool whole = false;  ///< its end is there, and all that it counts
  Duration took{};     ///< of a whole one: from its first step to its last
  std::string broken;  ///< where and why nothing that stands behind its last event belongs to it; "" = nothing does not
};

/// What a run directory has of histories, in the order they were written.
struct ReadRun {
  bool marked = false;                  ///< says where it begins and ends; older ones do not
  std::optional<std::size_t> expected;  ///< histories of a finished run; nothing where not all are kept
  std::vector<ReadHistory> histories;
};

/// Reads what jsonl.h writes, and believes none of it: a history comes from a disk that was full, or from somebody who
/// changed it. Every number that stands for something of the history (events, sessions, devices, accounts, customers,
/// messages) is one of something that was read before, every word is one that we write, every session speaks
/// the protocol that its events are of; so whoever reads the history afterwards need not look again.
///
/// Events, sessions and messages are numbered without a gap, and time does not go back. Where they are not, lines were
/// lost, are there twice, or are another scenario's: the history ends there, `broken` says so, and what follows up to
/// the next history is left alone.
class JsonlReader {
 public:
  /// The lines that follow are of this file: what is wrong is said with file:line.
  void begin_file(std::string name);
  /// One line, without its end. After something wrong the rest makes no sense.
  std::optional<Error> take(std::string_view line);

  ReadRun run;

 private:
  std::string where() const;

  std::string file_;
  std::size_t line_ = 0;
};

}  // namespace mailproof::archive
