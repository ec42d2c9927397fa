#include "load/level.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/arrival_times.h"
#include "load/customers.h"

namespace mailproof::load {
namespace {

using scenario::Phase;

Level ramp_and_steady() { return Level({Phase{0, 1, 10s}, Phase{1, 1, 20s}}); }

TEST(Level, RisesAndStays) {
  const Level level = ramp_and_steady();
  EXPECT_EQ(level.length(), 30s);
  EXPECT_DOUBLE_EQ(level.at(0s), 0);
  EXPECT_DOUBLE_EQ(level.at(5s), 0.5);
  EXPECT_DOUBLE_EQ(level.at(29s), 1);
  EXPECT_DOUBLE_EQ(level.at(30s), 0);
  EXPECT_DOUBLE_EQ(level.area(10s), 5);
  EXPECT_DOUBLE_EQ(level.area(30s), 25);
}

TEST(Level, SaysWhenSoMuchHasComeTogether) {
  const Level level = ramp_and_steady();
  for (const double area : {0.1, 1.0, 4.9, 5.0, 12.5, 24.9}) {
    const auto at = level.when(area);
    ASSERT_TRUE(at.has_value());
    EXPECT_NEAR(level.area(*at), area, 1e-6);
  }
  EXPECT_FALSE(level.when(25.1).has_value());
}

TEST(Level, ACustomerIsThereWhileTheLoadIsHighEnough) {
  const Level level({Phase{0, 1, 10s}, Phase{0.5, 0.5, 10s}, Phase{1.5, 1.5, 5s}});
  const auto middle = level.above(0.75);
  ASSERT_EQ(middle.size(), 2U);
  EXPECT_EQ(middle[0].from, 7500ms);
  EXPECT_EQ(middle[0].to, 10s);
  EXPECT_EQ(middle[1].from, 20s);
  EXPECT_EQ(middle[1].to, 25s);
  ASSERT_EQ(level.above(0.25).size(), 1U);  // never gone in between
  EXPECT_EQ(level.above(1.25).front().from, 20s);
  EXPECT_TRUE(level.above(2).empty());
}

std::vector<Duration> all_of(const scenario::Deliveries& deliveries, const Level& level, std::uint64_t seed = 1) {
  ArrivalTimes times(deliveries, level, seed);
  std::vector<Duration> out;
  while (const auto at = times.next()) out.push_back(*at);
  return out;
}

TEST(ArrivalTimes, ComeEvenlyAndEndWithTheRun) {
  scenario::Deliveries deliveries;
  deliveries.rate = 10;
  const auto times = all_of(deliveries, ramp_and_steady());
  EXPECT_EQ(times.size(), 249U);  // the 250th would be due when the run is over
  EXPECT_NEAR(std::chrono::duration<double>(times[100] - times[99]).count(), 0.1, 1e-6);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST(ArrivalTimes, OfStrangersDifferBySeedAndAreAsManyInTheLongRun) {
  scenario::Deliveries deliveries;
  deliveries.rate = 200;
  deliveries.spacing = scenario::Spacing::poisson;
  const auto times = all_of(deliveries, ramp_and_steady());
  EXPECT_NEAR(static_cast<double>(times.size()), 5000, 4 * std::sqrt(5000));
  EXPECT_EQ(times, all_of(deliveries, ramp_and_steady()));
  EXPECT_NE(times, all_of(deliveries, ramp_and_steady(), 2));
  // Of independent arrivals the gaps vary as much as they are long.
  double sum = 0, squares = 0;
  std::size_t n = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i - 1] < 10s) continue;
    const double gap = std::chrono::duration<double>(times[i] - times[i - 1]).count();
    sum += gap;
    squares += gap * gap;
    ++n;
  }
  const double mean = sum / static_cast<double>(n);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(n) - mean * mean) / mean, 1, 0.1);
}

TEST(ArrivalTimes, MayBeRecorded) {
  scenario::Deliveries deliveries;
  deliveries.spacing = scenario::Spacing::recorded;
  deliveries.recorded = {1s, 1s, 29s, 31s};
  EXPECT_THAT(all_of(deliveries, ramp_and_steady()), testing::ElementsAre(1s, 1s, 29s));
}

TEST(SpreadMix, AnyRunOfAccountsHasThePlansShares) {
  const std::vector<scenario::MixEntry> mix = {{{"a"}, 0.6, {}}, {{"b"}, 0.3, {}}, {{"c"}, 0.1, {}}};
  const auto all = spread_mix(mix, 1000);
  for (const std::size_t until : {10U, 50U, 500U, 1000U}) {
    const auto bs = std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(until), 1U);
    EXPECT_NEAR(static_cast<double>(bs), 0.3 * static_cast<double>(until), 1) << until;
  }
}

TEST(Fetching, WhatIdentifiesAMessageIsAddedToItsHeaderFields) {
  EXPECT_EQ(with_identity("(UID BODY.PEEK[HEADER.FIELDS (From Subject)])"),
            "(UID BODY.PEEK[HEADER.FIELDS (From Subject X-Mailproof Message-ID)])");
  EXPECT_EQ(with_identity("(UID BODY.PEEK[HEADER.FIELDS (message-id subject x-mailproof)])"),
            "(UID BODY.PEEK[HEADER.FIELDS (message-id subject x-mailproof)])");
  EXPECT_EQ(with_identity("(UID FLAGS)"), "(UID FLAGS)");
}

TEST(Fetching, TextIsWhatIsNoHeader) {
  for (const char* items : {"(BODY[])", "(UID BODY.PEEK[]<0.131072>)", "(RFC822)", "(BODY.PEEK[TEXT])", "(BODY[1.2])",
                            "(UID BINARY.PEEK[1])", "(BINARY[1])", "(PREVIEW)", "(BODY[HEADER.FIELDS (From)])"})
    EXPECT_TRUE(play::reads_text(items)) << items;
  for (const char* items : {"(FLAGS)", "(BODYSTRUCTURE)", "(RFC822.SIZE)", "(BODY.PEEK[HEADER])", "(RFC822.HEADER)",
                            "(BODY.PEEK[HEADER.FIELDS (From)])"})
    EXPECT_FALSE(play::reads_text(items)) << items;
}

TEST(Parcels, KnowTheirOwnAndNobodyElses) {
  const std::string owner = "a@example.test";
  Parcels parcels(7, 1, [&](std::uint32_t) -> const std::string& { return owner; });
  const std::size_t one = parcels.add(5, 0, 0);
  mail::Token token = parcels.token(one);
  EXPECT_EQ(parcels.exactly(token), 5U);
  EXPECT_EQ(parcels.which(token.message_id()), 5U);
  for (auto change : {+[](mail::Token& t) { t.seed ^= 1; }, +[](mail::Token& t) { t.number = 6; },
                      +[](mail::Token& t) { t.run = 8; }, +[](mail::Token& t) { t.owner = "b@example.test"; }}) {
    mail::Token other = token;
    change(other);
    EXPECT_EQ(parcels.exactly(other), 0U);
  }
}

/// The live view asks every second, however many there are.
TEST(Parcels, CountAsTheyChange) {
  const std::string owner = "a@example.test";
  Parcels parcels(7, 1, [&](std::uint32_t) -> const std::string& { return owner; });
  using Outcome = Parcel::Outcome;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::size_t one = parcels.add(i + 1, 0, 0);
    if (i % 2 == 0) parcels.was_seen(one);  // before the delivery's answer came
    if (i % 5 != 0) parcels.came_to(one, Outcome::sending);
    if (i % 5 == 1) parcels.came_to(one, Outcome::waiting);  // the connection ended before all of it was handed over
    if (i % 5 > 1)
      parcels.came_to(one, i % 5 == 2 ? Outcome::refused : i % 5 == 3 ? Outcome::unknown : Outcome::accepted);
    if (i % 3 == 0) parcels.removed(one);
    if (i % 7 == 0) parcels.removed(one);
    EXPECT_EQ(parcels.counts(), parcels.counted()) << i;
  }
  EXPECT_EQ(parcels.counts().sent, 24U);
  EXPECT_EQ(parcels.counts().accepted, 8U);
  EXPECT_EQ(parcels.counts().refused, 8U);
}

/// Innocent explanations come first; without any of them it is lost.
TEST(Parcels, HaveOneEnd) {
  Parcel parcel;
  EXPECT_EQ(Parcels::end(parcel), End::unknown);
  parcel.outcome = Parcel::Outcome::refused;
  EXPECT_EQ(Parcels::end(parcel), End::refused);
  parcel.outcome = Parcel::Outcome::accepted;
  EXPECT_EQ(Parcels::end(parcel), End::not_looked_for);
  parcel.looks = 1;
  EXPECT_EQ(Parcels::end(parcel), End::not_looked_for) << "one omission is no loss";
  parcel.looks = 2;
  EXPECT_EQ(Parcels::end(parcel), End::lost);
  parcel.marked = true;
  EXPECT_EQ(Parcels::end(parcel), End::unquit);
  parcel.flagged = true;
  EXPECT_EQ(Parcels::end(parcel), End::flagged);
  parcel.removal_asked = true;
  EXPECT_EQ(Parcels::end(parcel), End::unanswered);
  parcel.removal_certain = true;
  EXPECT_EQ(Parcels::end(parcel), End::removed);
  parcel.removal_asked = parcel.removal_certain = parcel.flagged = parcel.marked = false;
  parcel.bounced = true;
  EXPECT_EQ(Parcels::end(parcel), End::bounced);
  parcel.present = 1;
  EXPECT_EQ(Parcels::end(parcel), End::present);
}

}  // namespace
}  // namespace mailproof::load
