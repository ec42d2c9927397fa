#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace mailproof::bench {

/// CPU time of this thread, user and system together.
inline std::chrono::nanoseconds thread_cpu() {
  rusage use{};
  getrusage(RUSAGE_THREAD, &use);
  const auto of = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return of(use.ru_utime) + of(use.ru_stime);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace mailproof::bench
