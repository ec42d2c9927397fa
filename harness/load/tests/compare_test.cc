#include "load/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "load/merge.h"

namespace mailproof::load {
namespace {

using judge::Verdict;
using testing::HasSubstr;
using testing::SizeIs;

struct Server {
  double ms = 20;         ///< of a typical answer
  double tail = 1;        ///< how much heavier the slowest are
  double drift = 0.15;    ///< how much a stretch of seconds differs from the next: machines are not steady
  unsigned fails_in = 0;  ///< one in so many is refused; 0: none
  int seconds = 90;
  int rate = 30;
  int only_until = 0;   ///< after so many seconds nothing happens any more; 0: it goes on
  int one_in = 1;       ///< something happens in one second of so many only
  double steps_ms = 0;  ///< the clock tells no less apart
};

/// A load as a server with such times makes it. Neighbouring seconds are alike, as on real machines.
LoadResult run_of(std::uint64_t seed, const Server& server) {
  Rng rng(seed);
  const auto normal = [&] {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += rng.below(1U << 30) / static_cast<double>(1U << 30);
    return sum - 6;
  };
  LoadResult out;
  out.stories = {"a.story"};
  out.target = "node";
  out.rate = server.rate;
  out.duration = "90s";
  StoryTotals totals;
  double weather = 0;
  for (int second = 0; second < server.seconds; ++second) {
    weather = 0.7 * weather + server.drift * normal();
    if (server.only_until != 0 && second >= server.only_until) continue;
    if (second % server.one_in != 0) continue;
    for (const char* const name : {"imap.fetch", "imap.store", "lmtp.deliver", "pop3.retr"})
      for (int i = 0; i < server.rate; ++i) {
        auto& op = totals.operations.at(totals.operations.id(name));
        const Time intended = Time(std::chrono::seconds(second)) + std::chrono::milliseconds(rng.below(1000));
        const double tail = rng.one_in(20) ? 3 * server.tail : 1;
        double ms = server.ms * tail * std::exp(weather + 0.3 * normal());
        if (server.steps_ms != 0) ms = std::floor(ms / server.steps_ms) * server.steps_ms;
        const Time end = intended + Duration(static_cast<Duration::rep>(ms * 1e6));
        op.due(intended);
        op.begin(intended, intended);
        if (server.fails_in != 0 && rng.one_in(server.fails_in))
          op.fail_as("no", end);
        else
          op.succeed(intended, intended, end);
      }
  }
  out.by_story = {totals};
  out.all = totals;
  return out;
}

const Difference& of(const Comparison& comparison, std::string_view operation, Metric metric) {
  for (const Compared& one : comparison.operations)
    if (one.operation == operation) return one.differences.at(static_cast<std::size_t>(metric));
  throw std::out_of_range("no such operation");
}

Failed failed(const char* rule, const Comparison& comparison) {
  const auto parsed = parse_fail_if(rule);
  EXPECT_TRUE(parsed) << parsed.error().message();
  const auto out = apply(*parsed, comparison);
  EXPECT_TRUE(out) << out.error().message();
  return *out;
}

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
}

Part shard(unsigned index, unsigned of) {
  Part out{"s" + std::to_string(index), run_of(index, {.seconds = 5})};
  out.result.shard = Shard{index, of, "2026-11-29T12:00:00Z", "2026-11-29T12:00:00.000Z", {}};
  out.result.all.ledger.copies = out.result.by_story[0].ledger.copies = 3;
  return out;
}

TEST(Merge, TheOrderDoesNotMatter) {
  const auto one = merge({shard(1, 3), shard(2, 3), shard(3, 3)}),
             other = merge({shard(3, 3), shard(1, 3), shard(2, 3)});
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(one->doubts.empty());
  EXPECT_EQ(*one->all.operations.find("imap.fetch"), *other->all.operations.find("imap.fetch"));
  EXPECT_EQ(one->all.operations.find("imap.fetch")->intended, 3U * 5 * 30);
  EXPECT_EQ(verdict_of(*one), Verdict::pass);
}

TEST(Merge, PromisesAreOfTheWhole) {
  Part first = shard(1, 2), second = shard(2, 2);
  for (Part* one : {&first, &second})
    one->result.slos = {{"imap.fetch rate > 40/s", "30.0/s", Verdict::fail},
                        {"imap.fetch rate < 40/s", "30.0/s", Verdict::pass}};
  const auto merged = merge({first, second});
  ASSERT_TRUE(merged);
  ASSERT_THAT(merged->slos, SizeIs(2));
  EXPECT_EQ(merged->slos[0].verdict, Verdict::pass) << merged->slos[0].measured;
  EXPECT_EQ(merged->slos[1].verdict, Verdict::fail) << merged->slos[1].measured;
}

TEST(Merge, AShardThatIsMissingIsSaidFirst) {
  const auto merged = merge({shard(1, 3), shard(3, 3)});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("SHARD 2 OF 3 IS MISSING"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, AShardThatWasLateOrInterruptedVoidsIt) {
  Part late = shard(2, 2);
  late.result.shard->late = 1500ms;
  auto merged = merge({shard(1, 2), late});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("SHARD 2 OF 2 WAS LATE by 1.5 s"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
  Part cut = shard(2, 2);
  cut.result.interrupted = true;
  merged = merge({shard(1, 2), cut});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), HasSubstr("SHARD 2 OF 2 WAS INTERRUPTED"));
  Part apart = shard(2, 2), first = shard(1, 2);
  apart.result.shard = Shard{2, 2, "", "2026-11-29T12:00:09.000Z", {}};
  first.result.shard->start_at = "";
  merged = merge({first, apart});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("THE SHARDS DID NOT BEGIN TOGETHER"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, ALimitThatAShardMetIsThatOfTheWhole) {
  Part limited = shard(2, 2);
  limited.result.doubts = {"GENERATOR-LIMITED: this process may open no more files"};
  const auto merged = merge({shard(1, 2), limited});
  ASSERT_TRUE(merged);
  EXPECT_THAT(to_text(*merged), testing::StartsWith("GENERATOR-LIMITED: this process may open no more files"));
  EXPECT_EQ(verdict_of(*merged), Verdict::inconclusive);
}

TEST(Merge, AMillisecondIsNoDifference) {
  Part first = shard(1, 2), second = shard(2, 2);
  first.result.shard = Shard{1, 2, "", "2026-11-29T12:00:08.999Z", {}};
  second.result.shard = Shard{2, 2, "", "2026-11-29T12:00:09.001Z", {}};
  const auto merged = merge({first, second});
  ASSERT_TRUE(merged);
  EXPECT_TRUE(merged->doubts.empty()) << merged->doubts.front();
  second.result.settings = {{"looked into in the end", "10%"}};
  EXPECT_THAT(merge({first, second}).error().message(), HasSubstr("--audit"));
}

TEST(Merge, RefusesWhatIsNotOfOneLoad) {
  Part other = shard(2, 2);
  other.result.seed = 7;
  EXPECT_THAT(merge({shard(1, 2), other}).error().message(), HasSubstr("it is of another load than s1: seed"));
  EXPECT_THAT(merge({shard(1, 2), shard(1, 2)}).error().message(), HasSubstr("it is shard 1 of 2, as s1 is"));
  Part whole = shard(1, 1);
  whole.result.shard.reset();
  EXPECT_THAT(merge({whole}).error().message(), HasSubstr("it is no shard of a load"));
}

}  // namespace
}  // namespace mailproof::load
