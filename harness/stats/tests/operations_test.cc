#include "stats/operations.h"

#include <gtest/gtest.h>

namespace mailproof::stats {
namespace {

Time at(Duration since_start) { return Time(since_start); }

TEST(OperationsTest, ResponseCountsFromTheIntendedStartServiceFromTheRealOne) {
  Operations operations;
  Operation& fetch = operations.at(operations.id("imap.fetch"));
  fetch.due();
  fetch.begin(at(10ms), at(14ms));
  fetch.succeed(at(10ms), at(14ms), at(15ms));
  EXPECT_EQ(fetch.response.max(), 5ms);
  EXPECT_EQ(fetch.service.max(), 1ms);
  EXPECT_EQ(fetch.lateness.max(), 4ms);
}

TEST(OperationsTest, EveryNumberIsAPartOfWhatItSays) {
  Operation delivery;
  for (int i = 0; i < 10; ++i) delivery.due();
  for (int i = 0; i < 8; ++i) delivery.begin(at(1ms), at(1ms));
  for (int i = 0; i < 3; ++i) delivery.succeed(at(1ms), at(1ms), at(2ms));
  delivery.fail_as("552 5.2.2");
  delivery.fail_as("552 5.2.2");
  delivery.unknown_as("timeout");
  EXPECT_EQ(delivery.unserved(), 2U);
  EXPECT_EQ(delivery.under_way(), 2U);
  EXPECT_EQ(delivery.errors.at("552 5.2.2"), 2U);
  EXPECT_EQ(delivery.errors.at("timeout"), 1U);
  EXPECT_EQ(delivery.response.count(), delivery.ok);
  EXPECT_EQ(delivery.lateness.count(), delivery.started);
}

TEST(OperationsTest, ThreadsMergeByNameWhateverTheirOrder) {
  Operations one, two;
  one.at(one.id("pop3.retr")).due();
  one.at(one.id("imap.noop")).fail_as("no");
  two.at(two.id("imap.noop")).fail_as("no");
  two.at(two.id("lmtp.data")).unknown_as("reset");
  Operations sum;
  sum.merge(two);
  sum.merge(one);
  std::string names;
  sum.for_each([&](std::string_view name, const Operation&) { names.append(name).append(" "); });
  EXPECT_EQ(names, "imap.noop lmtp.data pop3.retr ");
  EXPECT_EQ(sum.find("imap.noop")->errors.at("no"), 2U);
  EXPECT_EQ(sum.find("imap.store"), nullptr);
  EXPECT_EQ(sum.id("pop3.retr"), sum.id("pop3.retr"));
}

TEST(OperationsTest, AServerCannotFillMemoryWithItsErrors) {
  Operation operation;
  for (int i = 0; i < 10'000; ++i) operation.fail_as("no " + std::to_string(i));
  EXPECT_LE(operation.errors.size(), 257U);
  std::uint64_t sum = 0;
  for (const auto& [error_class, times] : operation.errors) sum += times;
  EXPECT_EQ(sum, operation.fail);
}

/// Ninety-nine quick ones, and one that nobody answered within a minute.
TEST(OperationsTest, WhatWasWaitedForInVainIsTheSlowest) {
  Operations operations;
  operations.start(at(100s));
  operations.measure({0s, 10s});
  Operation& fetch = operations.at(operations.id("imap.fetch"));
  for (int i = 0; i < 98; ++i) {
    fetch.begin(at(101s), at(101s));
    fetch.succeed(at(101s), at(101s), at(101s) + 5ms);
  }
  for (int i = 0; i < 2; ++i) {
    fetch.begin(at(101s), at(102s));
    fetch.time_out_as("no answer in time", at(101s), at(102s), at(162s));
  }
  EXPECT_EQ(fetch.ok, 98U);
  EXPECT_EQ(fetch.info, 2U);
  EXPECT_EQ(fetch.timed_out, 2U);
  EXPECT_GE(fetch.response.percentile(99), 60s);
  EXPECT_EQ(fetch.response.max(), 61s);
  EXPECT_EQ(fetch.service.max(), 60s);
  EXPECT_EQ(fetch.measured.response.max(), 61s);
  EXPECT_EQ(fetch.measured.ok, 98U);
  EXPECT_EQ(fetch.slices.cells().at(62).response.count(), 2U);
  Operation both = fetch;
  both.merge(fetch);
  EXPECT_EQ(both.timed_out, 4U);
}

TEST(OperationsTest, WhatHappenedWhen) {
  Operations operations;
  operations.start(at(100s));
  Operation& fetch = operations.at(operations.id("imap.fetch"));
  fetch.due(at(100s));
  fetch.begin(at(100s), at(100s));
  fetch.due(at(101s));
  fetch.begin(at(101s), at(103s));
  fetch.succeed(at(100s), at(100s), at(102s));
  fetch.fail_as("no", at(104s));
  fetch.never(5s, 3, at(105s));
  const auto& cells = fetch.slices.cells();
  ASSERT_EQ(cells.size(), 6U);
  EXPECT_EQ(cells[0].due, 1U);
  EXPECT_EQ(cells[1].due, 1U);
  EXPECT_EQ(cells[3].started, 1U);
  EXPECT_EQ(cells[2].ok, 1U);
  EXPECT_EQ(cells[2].response.count(), 1U);
  EXPECT_EQ(cells[4].fail, 1U);
  EXPECT_EQ(cells[5].unserved, 3U);
  EXPECT_EQ(fetch.response.count(), 4U);
}

}  // namespace
}  // namespace mailproof::stats
