#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/history.h"

namespace mailproof::archive {

/// Which lines of a scenario's byte logs an event's bytes are in. Stands beside the logs as places.json.
class WirePlaces {
 public:
  using Lines = std::vector<std::pair<std::uint64_t, std::uint32_t>>;  ///< WireLog::Printed

  /// The log of the next session.
  void add(std::string file, Lines lines);
  /// Into this folder. What went wrong, or "".
  std::string write(const std::string& folder, const history::HistoryInfo& info) const;

  /// Those of a history that was read from this run directory; empty where the run kept no bytes of it (it passed in
  /// simulation), or is older than places.json.
  static WirePlaces read(const std::string& directory, const history::HistoryInfo& info);

  struct Place {
    std::string file;                   ///< below the run directory: "wire/000000-x.y/002-phone#1-imap.log"
    std::uint32_t first = 0, last = 0;  ///< lines, from 1
  };
  /// Nothing where the log does not hold it any more.
  std::optional<Place> find(std::uint32_t session, history::WireRef at) const;

 private:
  struct Log {
    std::string file;
    Lines lines;
  };
  std::string folder_;  ///< "wire/000000-x.y", with which the places are told
  std::vector<Log> logs_;
};

}  // namespace mailproof::archive
