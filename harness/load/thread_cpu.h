#pragma once
#include <cstdint>

#include "core/time.h"

namespace mailproof::load {

/// Seconds that this thread has used so far.
double cpu_of_this_thread();

inline constexpr double kBusy = 0.9;  ///< of a core: then there is no time left

/// How much of a core this thread uses, ten seconds after ten seconds: the mean of a long run hides a spike in which
/// there was no time left. What the host took from this machine (steal) was not there either, and counts.
class CpuWatch {
 public:
  static constexpr Duration kBlock = std::chrono::seconds(10);
  void look(Time now);  ///< as often as one likes; of the thread that is watched
  /// The same, of what was used up to then: seconds of this thread, and the part of the machine's time that was stolen.
  void add(Time now, double used, double stolen);
  double peak() const { return peak_; }  ///< part of a core, of the busiest block
  double busy() const;                   ///< part of all blocks that needed more than kBusy

 private:
  bool began_ = false;
  Time since_{};
  double used_ = 0, stolen_ = 0, peak_ = 0;
  std::uint64_t blocks_ = 0, hot_ = 0;
};

}  // namespace mailproof::load
