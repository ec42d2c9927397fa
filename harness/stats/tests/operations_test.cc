#include "stats/operations.h"

#include <gtest/gtest.h>

#include "stats/slices.h"

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

TEST(SlicesTest, SecondsFromTimeZeroMergedPlaceByPlace) {
  Slices one, two;
  ++one.at(at(0s)).started;
  ++one.at(at(999ms)).ok;
  ++two.at(at(2500ms)).fail;
  two.at(at(100ms)).worst_response = 7ms;
  one.at(at(100ms)).worst_response = 3ms;
  one.merge(two);
  ASSERT_EQ(one.all().size(), 3U);
  EXPECT_EQ(one.all()[0], (Slice{.started = 1, .ok = 1, .fail = 0, .info = 0, .worst_response = 7ms}));
  EXPECT_EQ(one.all()[1], Slice());
  EXPECT_EQ(one.all()[2].fail, 1U);
}

TEST(SlicesTest, BoundedAtBothEnds) {
  Slices slices;
  ++slices.at(at(-5s)).started;
  ++slices.at(at(10000h)).started;
  EXPECT_EQ(slices.all().size(), Slices::kMost);
  EXPECT_EQ(slices.all().front().started, 1U);
  EXPECT_EQ(slices.all().back().started, 1U);
}

}  // namespace
}  // namespace mailproof::stats
