#include "load/thread_cpu.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace mailproof::load {
namespace {

/// Part of the time of a core, since the machine began, that the host gave to others: seconds, the mean of all cores.
double stolen_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft = 0, stolen = 0;
  file >> word >> user >> nice >> system >> idle >> waiting >> irq >> soft >> stolen;
  std::size_t cores = 0;
  while (file >> word)
    if (word.starts_with("cpu")) ++cores;
  constexpr double kTicks = 100;  // a second: USER_HZ of every Linux
  return stolen / kTicks / static_cast<double>(std::max<std::size_t>(1, cores));
}

}  // namespace

void CpuWatch::look(Time now) {
  if (!began_ || now - since_ >= kBlock) add(now, cpu_of_this_thread(), stolen_seconds());
}

void CpuWatch::add(Time now, double used, double stolen) {
  if (began_) {
    const double part = (used - used_ + stolen - stolen_) / std::chrono::duration<double>(now - since_).count();
    peak_ = std::max(peak_, part);
    ++blocks_;
    hot_ += part > kBusy ? 1U : 0U;
  }
  began_ = true;
  since_ = now;
  used_ = used;
  stolen_ = stolen;
}

double CpuWatch::busy() const { return blocks_ == 0 ? 0 : static_cast<double>(hot_) / static_cast<double>(blocks_); }

double cpu_of_this_thread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace mailproof::load
