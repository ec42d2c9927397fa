#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "load/plan.h"
#include "load/tests/one_mail.h"
#include "play/tests/sim_rig.h"

// Which thread plays which copy: who has slots has copies, in proportion, and nobody else has any.

namespace mailproof::load {
namespace {

std::vector<std::uint32_t> copies_of(const Arrivals& arrivals) {
  std::vector<std::uint32_t> out;
  for (auto copy = arrivals.begin(); copy; copy = arrivals.after(*copy)) out.push_back(*copy);
  return out;
}

struct Dealt {
  std::size_t slots = 0;
  std::vector<std::uint32_t> copies;
};

std::vector<Dealt> deal(std::uint32_t slots, unsigned jobs, unsigned of = 1) {
  play::SimRig rig(kOneMail, [](server::ServerOptions&) {});
  scenario::Target target = rig.target;
  target.accounts.clear();
  for (int i = 0; i < 40; ++i)
    target.accounts.push_back(
        {fmt::format("user-{}", i), fmt::format("user-{}@example.test", i), Secret("pass"), std::nullopt});
  std::vector<Dealt> out;
  for (unsigned index = 1; index <= of; ++index) {
    Options options;
    options.copies = slots;
    options.jobs = jobs;
    options.customers = 1000;
    if (of != 1) options.shard = fmt::format("{}/{}", index, of);
    Schedule schedule;
    schedule.rate = 10;
    schedule.total = 100;
    std::vector<bool> taken;
    const std::vector<scenario::Scenario> stories = {rig.scenario};
    const auto parts = make_parts(options, schedule, stories, target, taken);
    EXPECT_TRUE(parts) << parts.error().message();
    for (const auto& thread : *parts) out.push_back({thread[0].slots.size(), copies_of(thread[0].arrivals)});
  }
  return out;
}

TEST(Dealing, EachCopyComesToOneThreadWhichHasASlotForIt) {
  for (const unsigned of : {1U, 2U})
    for (const unsigned jobs : {1U, 2U, 3U, 4U, 7U})
      for (const std::uint32_t slots : {1U, 2U, 3U, 4U, 8U, 10U}) {
        std::map<std::uint32_t, int> times;
        std::size_t all = 0;
        for (const Dealt& one : deal(slots, jobs, of)) {
          all += one.slots;
          for (const std::uint32_t copy : one.copies) ++times[copy];
          const double share = 100.0 * static_cast<double>(one.slots) / slots;
          EXPECT_NEAR(static_cast<double>(one.copies.size()), share, static_cast<double>(one.slots))
              << slots << " slots, " << jobs << " jobs";
        }
        EXPECT_EQ(all, slots);
        ASSERT_EQ(times.size(), 100U) << slots << " slots, " << jobs << " jobs";
        for (const auto& [copy, n] : times) EXPECT_EQ(n, 1) << copy;
      }
}

TEST(Dealing, AsManyShardsAsThreadsHaveTheSameCopies) {
  const auto threads = deal(8, 4), shards = deal(8, 1, 4);
  ASSERT_EQ(threads.size(), shards.size());
  for (std::size_t i = 0; i < threads.size(); ++i) EXPECT_EQ(threads[i].copies, shards[i].copies);
}

TEST(Dealing, TheLastCopiesThatThereCanBeEndIt) {
  Arrivals arrivals{10, 4'000'000'000U, 1, 3};
  EXPECT_EQ(arrivals.after(3'999'999'998U), std::nullopt);
  arrivals.round = 10;
  EXPECT_EQ(arrivals.after(3'999'999'994U), 3'999'999'997U);
  EXPECT_EQ(arrivals.after(3'999'999'997U), std::nullopt);
}

}  // namespace
}  // namespace mailproof::load
