#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/time.h"

namespace mailproof::load {

/// What went over the wire where an operation failed.
struct Sample {
  std::uint32_t copy = 0;
  Duration at{};     ///< since time zero
  std::string text;  ///< masked, as history/wire_log.h has it
};

/// The first few of every class of errors, "imap.fetch: no [OVERQUOTA]": those of the lowest copies, so that threads
/// and shards that are merged keep the same as one that met them all.
class Samples {
 public:
  static constexpr std::size_t kMost = 3;           ///< of a class
  static constexpr std::size_t kMostClasses = 64;   ///< what a server says may not fill the memory
  static constexpr std::size_t kMostOctets = 2048;  ///< of a text
  bool wanted(const std::string& error, std::uint32_t copy, Duration at) const;
  void add(const std::string& error, Sample sample);
  void merge(const Samples& other);
  const std::map<std::string, std::vector<Sample>>& all() const { return all_; }

 private:
  std::map<std::string, std::vector<Sample>> all_;
};

}  // namespace mailproof::load
