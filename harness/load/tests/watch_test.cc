#include "load/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/report_html.h"

namespace mailproof::load {
namespace {

using testing::HasSubstr;
using testing::Not;

Seen some() {
  Seen out;
  out.passed = 12s;
  out.progress = {240, 238, 226, 12, 2, 20, 20};
  auto& operations = out.totals.operations;
  auto& fetch = operations.at(operations.id("imap.fetch"));
  for (int i = 0; i < 10; ++i) {
    fetch.due(Time(1s));
    fetch.begin(Time(1s), Time(1s));
    if (i < 9) fetch.succeed(Time(1s), Time(1s), Time(1s) + 20ms);
  }
  fetch.fail_as("no \x1b[2J</script>\"\\", Time(1s));
  operations.gauge("connections").change(7, Time(1s));
  out.totals.ledger.accepted = 700;
  out.totals.ledger.unexplained = 1;
  return out;
}

TEST(Watch, AddsUpWhatItsThreadsTellAndSaysWhatIsSoNow) {
  Watch watch(2, true);
  watch.tell(0, some());
  watch.tell(1, some());
  watch.look();
  Seen later = some();
  later.passed = 14s;
  for (int i = 0; i < 6; ++i) {
    auto& fetch = later.totals.operations.at(later.totals.operations.id("imap.fetch"));
    fetch.succeed(Time(13s), Time(13s), Time(13s) + 700ms);
  }
  later.add_recent(later.totals.operations);
  watch.tell(1, later);
  const Seen seen = watch.look();
  EXPECT_EQ(seen.passed, 14s);
  EXPECT_EQ(seen.progress.begun, 476U);
  EXPECT_EQ(seen.totals.operations.find("imap.fetch")->ok, 9U + 15);
  EXPECT_DOUBLE_EQ(seen.now("imap.fetch").rate(), 1.2);              // six in five seconds
  EXPECT_GE(seen.now("imap.fetch").response.percentile(50), 600ms);  // and not 20 ms, as it was at first
  EXPECT_LE(seen.totals.operations.find("imap.fetch")->response.percentile(50), 21ms);
  EXPECT_EQ(watch.look().now("imap.fetch").rate(), 1.2) << "whoever looks";
  EXPECT_EQ(seen.now("imap.store").rate(), 0);
  EXPECT_THAT(screen(seen, 30, 200, false),
              HasSubstr("imap.fetch                    1.2   696.25   704.64 |        24      2"));
  EXPECT_THAT(prometheus(seen), HasSubstr("mailproof_recent_rate{operation=\"imap.fetch\"} 1.2\n"));
  EXPECT_THAT(prometheus(seen),
              HasSubstr("mailproof_recent_response_seconds{operation=\"imap.fetch\",quantile=\"0.5\"} 0.696"));
  EXPECT_EQ(seen.totals.operations.gauges().at("connections").value(), 14);
}

TEST(Watch, NudgesWhoMayBeWaiting) {
  Watch watch(1, false);
  int nudged = 0;
  {
    const Watch::Nudged one(watch, [&] { ++nudged; });
    watch.look();
    EXPECT_EQ(nudged, 1);
  }
  watch.look();
  EXPECT_EQ(nudged, 1);
}

TEST(Screen, FitsTheTerminalAndNothingThatAServerSaidMovesTheCursor) {
  const std::string plain = screen(some(), 30, 60, false);
  EXPECT_THAT(plain, HasSubstr("12 s   due 240   begun 238   under way 12   waiting 2"));
  EXPECT_THAT(plain, HasSubstr("1 x imap.fetch: no"));
  EXPECT_THAT(plain, Not(HasSubstr("\x1b")));
  std::size_t begin = 0, lines = 0;
  for (std::size_t end; (end = plain.find('\n', begin)) != std::string::npos; begin = end + 1, ++lines)
    EXPECT_LE(end - begin, 60U);
  EXPECT_LE(lines, 30U);
  const std::string small = screen(some(), 3, 60, false);
  EXPECT_EQ(std::count(small.begin(), small.end(), '\n'), 3);
  EXPECT_THAT(screen(some(), 30, 200, true), HasSubstr("\x1b[31m"));
}

TEST(Prometheus, EscapesWhatAServerSaid) {
  const std::string text = prometheus(some());
  EXPECT_THAT(text, HasSubstr("mailproof_operations_total{operation=\"imap.fetch\",outcome=\"ok\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("mailproof_response_seconds_bucket{operation=\"imap.fetch\",le=\"0.01\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("mailproof_response_seconds_bucket{operation=\"imap.fetch\",le=\"0.025\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("mailproof_connections 7\n"));
  EXPECT_THAT(text, HasSubstr("</script>\\\"\\\\\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LivePage, NothingThatAServerSaidIsHtml) {
  const std::string json = live_json(some(), "<script>alert(1)</script>");
  EXPECT_THAT(json, Not(HasSubstr("<")));
  EXPECT_THAT(live_page("<script>alert(1)</script>"), Not(HasSubstr("<script>alert(1)")));
}

TEST(LoadReport, NothingThatAServerSaidIsHtml) {
  LoadResult result;
  result.stories = {"a.story"};
  result.target = "<img src=x onerror=alert(1)>";
  result.by_story = {some().totals};
  result.all = result.by_story.front();
  result.all.samples.add("imap.fetch: no \x1b[2J</script>\"\\", {1, 1s, "S: <b>a1 NO</b>\x1b[2J"});
  const std::string page = report_html(result);
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, Not(HasSubstr("<b>a1")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;a1 NO&lt;/b&gt;"));
}

}  // namespace
}  // namespace mailproof::load
