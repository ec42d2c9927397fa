#include "stats/histogram.h"

#include <benchmark/benchmark.h>

#include "core/rng.h"

namespace mailproof {
namespace {

std::vector<Duration> some_latencies() {
  Rng rng(1);
  std::vector<Duration> all(4096);
  for (Duration& value : all) value = Duration(1000 + rng.below(1U << (10 + rng.below(20))));
  return all;
}

void add(benchmark::State& state) {
  const auto values = some_latencies();
  stats::Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.add(values[i++ & 4095]);
  benchmark::DoNotOptimize(histogram.count());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(add);

void merge(benchmark::State& state) {
  stats::Histogram one, two;
  for (const Duration value : some_latencies()) two.add(value);
  for (auto _ : state) one.merge(two);
  benchmark::DoNotOptimize(one.count());
}
BENCHMARK(merge);

void percentile(benchmark::State& state) {
  stats::Histogram histogram;
  for (const Duration value : some_latencies()) histogram.add(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.percentile(99));
}
BENCHMARK(percentile);

}  // namespace
}  // namespace mailproof

BENCHMARK_MAIN();
