#include "load/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/tests/runs.h"

namespace mailproof::load {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// Ten of ten, and as many with errors: of all their figures not one is claimed to differ.
TEST(Compare, TwoEqualRunsDoNotDiffer) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto plain = compare(run_of(seed, {}), run_of(seed + 100, {}), "a", "b");
    EXPECT_FALSE(plain.differs()) << seed << "\n" << to_text(plain);
    EXPECT_THAT(to_text(plain), HasSubstr("No difference is shown."));
    const Server failing{.fails_in = 50};
    const auto with_errors = compare(run_of(seed, failing), run_of(seed + 100, failing), "a", "b");
    EXPECT_FALSE(with_errors.differs()) << seed << "\n" << to_text(with_errors);
  }
}

/// Whatever a load is like: of equal runs no difference is claimed, and no interval is one that nobody can believe.
TEST(Compare, EqualRunsOfAnyKindDoNotDiffer) {
  const std::pair<const char*, Server> kinds[] = {
      {"seldom", {.rate = 1}},
      {"seldom, and heavy at the end", {.tail = 10, .seconds = 120, .rate = 1}},
      {"a few a second, heavy at the end", {.tail = 30, .rate = 4}},
      {"all of it in a burst", {.only_until = 12}},
      {"in one second of twenty", {.seconds = 200, .one_in = 20}},
      {"a thousandth of a millisecond", {.ms = 0.001}},
      {"nearly nothing, by a coarse clock", {.ms = 0.02, .steps_ms = 0.05}},
      {"a coarse clock", {.ms = 3, .steps_ms = 2}},
      {"hardly any error", {.fails_in = 400}},
      {"errors by the half", {.fails_in = 2, .rate = 3}},
      {"unsteady", {.drift = 0.6}},
      {"just long enough", {.seconds = 48, .rate = 10}},
      {"long", {.seconds = 600, .rate = 5}}};
  for (const auto& [kind, server] : kinds)
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const auto both = compare(run_of(seed, server), run_of(seed + 1000, server), "a", "b");
      EXPECT_FALSE(both.differs()) << kind << ", seed " << seed << "\n" << to_text(both);
      for (const Compared& one : both.operations)
        for (const Difference& d : one.differences) {
          if (d.interval_text().empty()) continue;
          EXPECT_TRUE(d.metric == Metric::throughput || d.low < d.high) << kind << "\n" << to_text(both);
          EXPECT_GT(d.low, -60) << kind << "\n" << to_text(both);
          EXPECT_LT(d.high, 150) << kind << "\n" << to_text(both);
        }
    }
}

TEST(Compare, ASlowerServerIsFoundAndSoIsAQuickerOne) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const LoadResult before = run_of(seed, {.drift = 0.05}), after = run_of(seed + 100, {.ms = 30, .drift = 0.05});
    const auto slower = compare(before, after, "a", "b"), quicker = compare(after, before, "b", "a");
    for (const Metric metric : {Metric::p50, Metric::p99}) {
      EXPECT_EQ(of(slower, "imap.fetch", metric).said, Said::more) << to_text(slower);
      EXPECT_EQ(of(quicker, "imap.fetch", metric).said, Said::less) << to_text(quicker);
      const Difference& d = of(slower, "imap.fetch", metric);
      EXPECT_TRUE(d.low < 50 && 50 < d.high) << d.low << " " << d.high;
    }
    EXPECT_EQ(of(slower, "imap.fetch", Metric::throughput).said, Said::same);
  }
}

TEST(Compare, HandshakesAreNoMatterOfARuleThatDoesNotNameThem) {
  LoadResult before = run_of(1, {}), after = run_of(2, {});
  auto& op = before.all.operations.at(before.all.operations.id("pop3.tls.full"));
  for (int second = 0; second < 90; ++second) {
    const Time at = Time(std::chrono::seconds(second));
    op.due(at);
    op.begin(at, at);
    op.succeed(at, at, at + std::chrono::milliseconds(3));
  }
  EXPECT_EQ(failed("pop3.* p99 +10%", compare(before, after, "a", "b")).verdict, Verdict::pass);
  EXPECT_EQ(failed("pop3.tls.* p99 +10%", compare(before, after, "a", "b")).verdict, Verdict::inconclusive);
  auto& fewer = after.all.operations.at(after.all.operations.id("pop3.tls.full"));
  fewer.due(Time{});
  fewer.begin(Time{}, Time{});
  fewer.succeed(Time{}, Time{}, Time(std::chrono::milliseconds(3)));
  EXPECT_NE(of(compare(before, after, "a", "b"), "pop3.tls.full", Metric::throughput).said, Said::less);
}
TEST(Compare, OnlyTheTailIsSlower) {
  const auto compared = compare(run_of(1, {.drift = 0.05}), run_of(2, {.tail = 2, .drift = 0.05}), "a", "b");
  EXPECT_EQ(of(compared, "pop3.retr", Metric::p50).said, Said::same);
  EXPECT_EQ(of(compared, "pop3.retr", Metric::p99).said, Said::more);
  EXPECT_EQ(failed("pop3.* p99 +10%", compared).verdict, Verdict::fail);
  EXPECT_EQ(failed("* p50 +10%", compared).verdict, Verdict::pass);
}

TEST(Compare, ErrorsThatWereNotThere) {
  const auto compared = compare(run_of(1, {}), run_of(2, {.fails_in = 20}), "a", "b");
  const Difference& errors = of(compared, "lmtp.deliver", Metric::errors);
  EXPECT_EQ(errors.said, Said::more);
  EXPECT_NEAR(errors.change, 5, 2);
  EXPECT_EQ(failed("lmtp.* errors +1%", compared).verdict, Verdict::fail);
  EXPECT_EQ(failed("lmtp.* errors +50%", compared).verdict, Verdict::pass);
}

TEST(Compare, ErrorsThatAreFewAreShownToWhoAsksForThem) {
  const auto compared = compare(run_of(1, {.rate = 400}), run_of(2, {.fails_in = 300, .rate = 400}), "a", "b");
  const Difference& errors = of(compared, "lmtp.deliver", Metric::errors);
  EXPECT_EQ(errors.said, Said::same) << "less than half a point is no word of the table's";
  EXPECT_EQ(failed("lmtp.* errors +0.1%", compared).verdict, Verdict::fail);
  EXPECT_EQ(failed("lmtp.* errors +0.5%", compared).verdict, Verdict::pass);
  EXPECT_EQ(failed("* errors +0.1%", compare(run_of(1, {}), run_of(2, {}), "a", "b")).verdict, Verdict::pass);
}

/// What it did may be less than what the other did.
TEST(Compare, ARunThatFailedIsNoReasonToPass) {
  LoadResult before = run_of(1, {}), after = run_of(2, {});
  after.worst = Verdict::fail;
  EXPECT_EQ(failed("imap.* p99 +10%", compare(before, after, "a", "b")).verdict, Verdict::inconclusive);
  EXPECT_THAT(failed("imap.* p99 +10%", compare(before, after, "a", "b")).why, HasSubstr("b failed"));
  after.worst = Verdict::pass;
  EXPECT_EQ(failed("imap.* p99 +10%", compare(before, after, "a", "b")).verdict, Verdict::pass);
  LoadResult slow = run_of(2, {.ms = 60});
  slow.worst = Verdict::fail;
  EXPECT_EQ(failed("imap.* p99 +10%", compare(before, slow, "a", "b")).verdict, Verdict::fail) << "it is shown";
}

TEST(Compare, RunsThatAreTooShortSaySo) {
  const auto compared = compare(run_of(1, {.seconds = 30}), run_of(2, {.ms = 60, .seconds = 30}), "a", "b");
  EXPECT_EQ(of(compared, "imap.fetch", Metric::p99).said, Said::too_short);
  EXPECT_THAT(to_text(compared), HasSubstr("too short"));
  const Failed said = failed("imap.* p99 +10%", compared);
  EXPECT_EQ(said.verdict, Verdict::inconclusive);
  EXPECT_THAT(said.why, HasSubstr("nothing can be said: too short"));
}

TEST(Compare, RunsThatAreTooNoisySaySo) {
  const Server wild{.drift = 1.5, .seconds = 70};
  const auto compared = compare(run_of(3, wild), run_of(4, wild), "a", "b");
  EXPECT_EQ(of(compared, "imap.fetch", Metric::p99).said, Said::too_noisy) << to_text(compared);
  EXPECT_EQ(failed("imap.fetch p99 +10%", compared).verdict, Verdict::inconclusive);
}

TEST(Compare, SeesThatSomethingStopped) {
  LoadResult whole = run_of(1, {}), half = run_of(2, {.only_until = 45});
  whole.seconds = half.seconds = 90;
  const auto compared = compare(whole, half, "a", "b");
  EXPECT_EQ(of(compared, "imap.fetch", Metric::throughput).said, Said::less) << to_text(compared);
  EXPECT_LT(of(compared, "imap.fetch", Metric::throughput).change, -40);
  EXPECT_THAT(to_text(compared), HasSubstr("imap.fetch STOPPED in b: nothing of it in the last "));
  EXPECT_EQ(failed("imap.fetch throughput -20%", compared).verdict, Verdict::fail);
  LoadResult short_whole = run_of(1, {.seconds = 60}), short_half = run_of(2, {.seconds = 60, .only_until = 30});
  short_whole.seconds = short_half.seconds = 60;
  const auto in_short = compare(short_whole, short_half, "a", "b");
  EXPECT_EQ(of(in_short, "imap.fetch", Metric::throughput).said, Said::less) << to_text(in_short);
  const auto back = compare(half, whole, "a", "b");
  EXPECT_EQ(of(back, "imap.fetch", Metric::throughput).said, Said::more) << to_text(back);
  LoadResult both = run_of(3, {.only_until = 45});
  both.seconds = 90;
  EXPECT_FALSE(compare(half, both, "a", "b").differs()) << "it is so in both";
}

TEST(Compare, IsTheSameEachTime) {
  const LoadResult before = run_of(1, {}), after = run_of(2, {.ms = 24});
  EXPECT_EQ(to_text(compare(before, after, "a", "b")), to_text(compare(before, after, "a", "b")));
}

TEST(Compare, SaysWhereTheLoadsWereNotTheSame) {
  LoadResult other = run_of(2, {});
  other.rate = 60;
  other.generator.cpu = 0.99;
  const auto compared = compare(run_of(1, {}), other, "a", "b");
  ASSERT_THAT(compared.notes, SizeIs(2));
  EXPECT_EQ(compared.notes[0], "rate: 30.00/s there, 60.00/s here");
  EXPECT_THAT(compared.notes[1], HasSubstr("b was generator-limited"));
}

TEST(Compare, ClaimsNothingWhereTheGeneratorWasTheLimitOfOne) {
  LoadResult slower = run_of(2, {.ms = 40});
  EXPECT_TRUE(compare(run_of(1, {}), slower, "a", "b").differs());
  slower.generator.cpu = 0.99;
  const auto compared = compare(run_of(1, {}), slower, "a", "b");
  EXPECT_FALSE(compared.differs());
  EXPECT_THAT(to_text(compared), HasSubstr("b was generator-limited (a thread needed 99 % of a core): times, "));
  EXPECT_THAT(to_text(compared), HasSubstr(" void\n"));
  EXPECT_EQ(failed("imap.fetch p50 +10%", compared).verdict, Verdict::inconclusive);
  LoadResult alike = run_of(3, {});
  alike.generator.cpu = 0.99;
  EXPECT_EQ(failed("imap.fetch p50 +10%", compare(run_of(1, {}), alike, "a", "b")).verdict, Verdict::inconclusive)
      << "what this machine made is not even the same";
}

TEST(Compare, SaysWhatItsRunsWarnOfAndWhereTheyWerePlayed) {
  LoadResult before = run_of(1, {}), after = run_of(2, {});
  after.interrupted = true;
  after.ended = "2026-11-30T09:00:00Z";
  before.machines = {"two cores"};
  after.machines = {"four cores"};
  before.settings = {{"threads", "1"}, {"patience", "1"}};
  after.settings = {{"threads", "4"}, {"patience", "1"}};
  before.worst = Verdict::fail;
  const std::string text = to_text(compare(before, after, "a", "b"));
  for (const char* said :
       {"b: INTERRUPTED", "machine: two cores there, four cores here", "threads: 1 there, 4 here", "a failed: "})
    EXPECT_THAT(text, HasSubstr(said));
  EXPECT_THAT(text, testing::Not(HasSubstr("patience")));
}

TEST(FailIf, SaysWhatIsWrongWithIt) {
  const auto why = [](const char* text) {
    const auto rule = parse_fail_if(text);
    return rule ? std::string("taken") : rule.error().message();
  };
  EXPECT_EQ(why("imap.* p99 +10%"), "taken");
  EXPECT_EQ(why("* errors +0.5%"), "taken");
  EXPECT_EQ(why("* errors +0.1%"), "taken");
  EXPECT_THAT(why("imap.* p99 +3%"), HasSubstr("never closer than 5 %"));
  EXPECT_THAT(why("imap.* p99"), HasSubstr("expected operations, a metric and a change"));
  EXPECT_THAT(why("imap.* p99 10%"), HasSubstr("expected operations"));
  EXPECT_THAT(why("imap.* p99 +ten%"), HasSubstr("expected operations"));
  EXPECT_THAT(why("imap.* trouhgput -10%"), HasSubstr("did you mean 'throughput'?"));
  const auto unknown = apply(*parse_fail_if("imap.fetsh p99 +10%"), compare(run_of(1, {}), run_of(2, {}), "a", "b"));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("did you mean 'imap.fetch'?"));
  LoadResult before = run_of(1, {}), after = run_of(2, {});
  for (LoadResult* run : {&before, &after}) run->all.operations.id("imap.connection");
  EXPECT_TRUE(apply(*parse_fail_if("imap.conn* p99 +10%"), compare(before, after, "a", "b")))
      << "there is one, though it has no times";
}

/// What one copy leaves to be looked for at the end is no time in which the others did nothing.
TEST(Compare, WhatEndsLateStopsNothing) {
  LoadResult before = run_of(1, {}), after = run_of(2, {});
  before.seconds = 91;
  after.seconds = 120;
  auto& late = after.all.operations.at(after.all.operations.id("imap.fetch"));
  late.due(Time(119s));
  late.begin(Time(119s), Time(119s));
  late.succeed(Time(119s), Time(119s), Time(119s + 20ms));
  const auto compared = compare(before, after, "a", "b");
  EXPECT_FALSE(compared.differs()) << to_text(compared);
  EXPECT_THAT(to_text(compared), testing::Not(HasSubstr("STOPPED")));
  LoadResult half = run_of(3, {.only_until = 45});
  half.seconds = 120;
  EXPECT_EQ(of(compare(half, after, "a", "b"), "imap.store", Metric::throughput).said, Said::more)
      << "what stops before the arrivals do has stopped";
  // Each copy once: how long they come is told by their number and rate.
  for (LoadResult* run : {&before, &after}) {
    run->duration = "";
    run->copies = 2700;
  }
  EXPECT_FALSE(compare(before, after, "a", "b").differs());
}

/// Errors are counted, and our own delays make them as well as times.
TEST(Compare, ErrorsThatOurOwnDelaysMayHaveMadeFailNothing) {
  LoadResult few = run_of(2, {.fails_in = 300, .rate = 400});
  few.generator.cpu = 0.99;
  const auto compared = compare(run_of(1, {.rate = 400}), few, "a", "b");
  EXPECT_EQ(of(compared, "lmtp.deliver", Metric::errors).said, Said::vain);
  EXPECT_EQ(failed("* errors +0.1%", compared).verdict, Verdict::inconclusive);
  LoadResult none = run_of(3, {.rate = 400});
  none.generator.cpu = 0.99;
  EXPECT_EQ(of(compare(run_of(1, {.rate = 400}), none, "a", "b"), "lmtp.deliver", Metric::errors).said, Said::same);
}

/// A minute and a half in which sessions begin, or of sessions that all began in its first second; so many of a
/// thousand are broken off, here and there.
LoadResult sessions(int broken_of_a_thousand, bool at_once = false) {
  LoadResult out = run_of(1, {.seconds = 90});
  out.seconds = 90;
  auto& connect = out.all.operations.at(out.all.operations.id("imap.connect"));
  for (int i = 0; i < 9000; ++i) {
    const Time at = Time(at_once ? 0s : std::chrono::seconds(i / 100));
    connect.succeed(at, at, at + 5ms);
    if (i % 1000 < broken_of_a_thousand)
      out.all.operations.at(out.all.operations.id("imap.connection"))
          .unknown_as("IDLE: closed", Time(std::chrono::seconds((i * 7) % 90)));
  }
  return out;
}

TEST(Compare, SessionsThatAreBrokenOffMoreOften) {
  for (const bool at_once : {false, true}) {
    const auto more = compare(sessions(2, at_once), sessions(49, at_once), "a", "b");
    EXPECT_NEAR(of(more, "imap.connection", Metric::errors).change, 4.7, 1) << to_text(more);
    EXPECT_EQ(failed("* errors +1%", more).verdict, Verdict::fail) << to_text(more);
    const auto from_none = compare(sessions(0, at_once), sessions(49, at_once), "a", "b");
    EXPECT_EQ(failed("* errors +1%", from_none).verdict, Verdict::fail) << to_text(from_none);
    EXPECT_EQ(
        failed("imap.connection errors -1%", compare(sessions(49, at_once), sessions(0, at_once), "a", "b")).verdict,
        Verdict::fail);
    const auto alike = compare(sessions(20, at_once), sessions(20, at_once), "a", "b");
    EXPECT_FALSE(alike.differs()) << to_text(alike);
    EXPECT_EQ(failed("imap.connection errors +1%", alike).verdict, Verdict::pass) << to_text(alike);
  }
  LoadResult one = sessions(0);
  one.all.operations.at(one.all.operations.id("imap.connection")).unknown_as("IDLE: closed", Time(40s));
  EXPECT_EQ(failed("* errors +1%", compare(sessions(0), one, "a", "b")).verdict, Verdict::pass);
}

}  // namespace
}  // namespace mailproof::load
