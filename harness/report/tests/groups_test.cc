#include "report/groups.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/gate.h"
#include "report/html.h"
#include "report/json.h"
#include "report/summary.h"
#include "report/text.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ScenarioResult found(const std::string& id, std::size_t events,
                     std::initializer_list<std::pair<const char*, Severity>> classes) {
  ScenarioResult out;
  out.id = id;
  out.events = events;
  out.verdict = Verdict::pass;
  for (const auto& [name, severity] : classes) {
    judge::Finding finding;
    finding.id = fmt::format("{}/{}", id, name);
    finding.severity = severity;
    finding.requirement = fmt::format("the sentence of {}", name);
    finding.actual = fmt::format("what {} saw", id);
    out.findings.push_back(finding);
    if (order_of(severity) < order_of(Severity::latitude)) out.verdict = Verdict::fail;
    if (severity == Severity::latitude && out.verdict == Verdict::pass) out.verdict = Verdict::latitude;
  }
  return out;
}

constexpr auto kFail = Severity::fail;
constexpr auto kLatitude = Severity::latitude;
constexpr const char* kWay = "session/deviation.imap.syntax";

TEST(Groups, PutTheCauseBeforeItsConsequencesHoweverMany) {
  RunResult run;
  run.scenarios = {found("a.one", 50, {{"expectation/not-seen", kFail}, {"loss/lost", kFail}}),
                   found("a.two", 20, {{"expectation/not-seen", kFail}}),
                   found("a.three", 30, {{"expectation/not-seen", kFail}, {"conformance/broken", kFail}})};
  std::vector<std::string> heads;
  for (const Group& group : groups_of(run)) heads.push_back(group.headline());
  EXPECT_THAT(heads,
              ElementsAre("a.one/loss/lost", "a.three/conformance/broken", "expectation/not-seen in 3 scenarios"));
  EXPECT_THAT(run_text(run), StartsWith("\nfail a.one/loss/lost: the sentence of loss/lost\n"));
}

TEST(Groups, TellTheSimplestInFullAndNameTheOthers) {
  RunResult run;
  run.scenarios = {found("a.long", 500, {{"loss/lost", kFail}}), found("a.short", 20, {{"loss/lost", kFail}}),
                   found("a.odd", 3, {{"loss/lost", kLatitude}})};
  const auto groups = groups_of(run);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].simplest().id, "a.short/loss/lost");
  EXPECT_THAT(groups[0].others(), ElementsAre("a.long", "a.odd"));
  const std::string text = run_text(run), page = report_html(run), summary = summary_markdown(run);
  EXPECT_THAT(text, HasSubstr("fail loss/lost in 3 scenarios\n  Simplest:    a.short/loss/lost\n"));
  EXPECT_THAT(text, HasSubstr("  Also in:     a.long, a.odd\n"));
  EXPECT_THAT(text, Not(HasSubstr("what a.long saw")));
  EXPECT_THAT(page, HasSubstr("<li id=\"finding-1\">a.long</li>"));
  EXPECT_THAT(page, Not(HasSubstr("what a.long saw")));
  EXPECT_THAT(summary, HasSubstr("| fail | loss/lost in 3 scenarios | the sentence of loss/lost |\n"));
  EXPECT_THAT(run_json(run), HasSubstr("\"class\": \"loss/lost\""));
}

/// What each check of another sentence shows is its own.
TEST(Groups, OfSeveralSentencesEachIsNamed) {
  RunResult run;
  run.scenarios = {found("a.one", 1, {{"conformance/broken", kFail}}),
                   found("a.two", 2, {{"conformance/broken", kFail}})};
  run.scenarios[1].findings[0].requirement = "another sentence";
  EXPECT_THAT(groups_of(run)[0].others(), ElementsAre("a.two: what a.two saw"));
}

/// With every UIDVALIDITY smaller than the one before, one renamed mailbox also seems to have a UID twice.
TEST(Groups, WhatIsSeenWhereverAnotherIsAndMostlyWithoutItComesFirst) {
  RunResult run;
  run.scenarios = {found("a.one", 1, {{"identity/uid-reused", kFail}, {"identity/uidvalidity-fell", kFail}})};
  const auto heads = [&] {
    std::vector<std::string> out;
    for (const Group& group : groups_of(run)) out.push_back(group.headline());
    return out;
  };
  EXPECT_THAT(heads(), ElementsAre("a.one/identity/uid-reused", "a.one/identity/uidvalidity-fell"));
  for (const char* id : {"a.two", "a.three", "a.four"})
    run.scenarios.push_back(found(id, 1, {{"identity/uidvalidity-fell", kFail}, {"expectation/count", kFail}}));
  EXPECT_THAT(heads(), ElementsAre("identity/uidvalidity-fell in 4 scenarios", "a.one/identity/uid-reused",
                                   "expectation/count in 3 scenarios"));
  // Once seen without it, it may well be the cause of it.
  run.scenarios.push_back(found("a.five", 1, {{"identity/uid-reused", kFail}}));
  EXPECT_THAT(heads(), ElementsAre("identity/uid-reused in 2 scenarios", "identity/uidvalidity-fell in 4 scenarios",
                                   "expectation/count in 3 scenarios"));
}

TEST(Groups, ACheckOfTheProtocolIsSimplerThanOneOfAnExtension) {
  RunResult run;
  run.scenarios = {found("binary.3516-4.2.peek-seen", 1, {{"conformance/broken", kFail}}),
                   found("imap.9051-6.4.6.store-replace", 2, {{"conformance/broken", kFail}})};
  for (auto& scenario : run.scenarios) scenario.kind = Kind::check;
  EXPECT_EQ(groups_of(run)[0].simplest().id, "imap.9051-6.4.6.store-replace/conformance/broken");
}

TEST(Groups, AHeadlineHasRoomForTheSentence) {
  RunResult run;
  run.scenarios = {found("a.one", 1, {{"conformance/broken", kFail}}),
                   found("a.two", 2, {{"conformance/broken", kFail}})};
  for (auto& scenario : run.scenarios)
    scenario.findings[0].requirement =
        "RFC 9051 section 2.3.1.2, RFC 9051 section 7.5.1, RFC 3501 section 2.3.1.2, RFC 3501 section 7.4.1 (MUST): "
        "A number means the message that the session was told under it";
  EXPECT_THAT(run_text(run),
              StartsWith("\nfail conformance/broken in 2 scenarios: RFC 9051 section 2.3.1.2... (MUST): A number means "
                         "the message that the session was told under it\n"));
}

TEST(Groups, ErrorsThatSayTheSameAreOneAndOthersAnother) {
  RunResult run;
  run.scenarios = {found("a.one", 1, {{"session/unreachable", Severity::error}}),
                   found("a.two", 1, {{"session/unreachable", Severity::error}}),
                   found("a.three", 1, {{"session/unreachable", Severity::error}})};
  run.scenarios[0].findings[0].actual = "imap a.example:143: connect: timeout after 30 s";
  run.scenarios[1].findings[0].actual = "audit: imap a.example:143: connect: timeout after 31 s";
  run.scenarios[2].findings[0].actual = "imap a.example:143: connect: connection refused";
  std::vector<std::size_t> sizes;
  for (const Group& group : groups_of(run)) sizes.push_back(group.scenarios);
  EXPECT_THAT(sizes, ElementsAre(2U, 1U));
}

TEST(Everywhere, AWayOfTheServerIsTheRunsAndColoursNoScenario) {
  RunResult run;
  run.scenarios = {found("a.one", 5, {{kWay, kLatitude}}), found("a.two", 3, {{kWay, kLatitude}}),
                   found("a.three", 3, {{kWay, kLatitude}, {"expectation/late", kLatitude}}),
                   found("a.four", 3, {{kWay, kLatitude}, {"session/ended-by-server", kLatitude}})};
  const std::string before = run_json(run);
  close({}, {}, run);
  EXPECT_THAT(run.everywhere, ElementsAre(kWay));
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::pass);
  EXPECT_EQ(run.scenarios[1].verdict, Verdict::pass);
  EXPECT_EQ(run.scenarios[2].verdict, Verdict::latitude);  // late is its own
  EXPECT_EQ(run.scenarios[3].verdict, Verdict::latitude);  // seen nowhere else
  EXPECT_EQ(verdict_of(run), Verdict::latitude);
  EXPECT_THAT(run_text(run), HasSubstr("latitude session/deviation.imap.syntax in 4 scenarios"));
  EXPECT_THAT(run_json(run), HasSubstr("\"everywhere\": true"));
  EXPECT_THAT(run_json(run), HasSubstr("\"id\": \"a.one/session/deviation.imap.syntax\""));  // baselines go on
}

TEST(Everywhere, WhatIsSaidAtAWrongTimeIsNoWay) {
  for (const char* said : {"session/deviation.imap.tag.unknown", "session/deviation.pop3.stat.malformed"}) {
    RunResult run;
    run.scenarios = {found("a.one", 5, {{said, kLatitude}}), found("a.two", 3, {{said, kLatitude}})};
    close({}, {}, run);
    EXPECT_THAT(run.everywhere, IsEmpty());
    EXPECT_EQ(run.scenarios[0].verdict, Verdict::latitude);
  }
}

TEST(Everywhere, IsNotLiftedWhereALatitudeFails) {
  RunResult run;
  run.scenarios = {found("a.one", 5, {{kWay, kLatitude}}), found("a.two", 3, {{kWay, kLatitude}})};
  for (auto& scenario : run.scenarios) scenario.verdict = Verdict::fail;
  close({{}, {}, "2026-11-29", true}, {}, run);
  EXPECT_THAT(run.everywhere, IsEmpty());
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
}

TEST(Everywhere, IsAcceptedByItsClassAndSaidWhereItIsGone) {
  const Gate gate{{{"session/deviation.imap", "Courier's QUOTA", ""}}, {}, "2026-11-29", false};
  RunResult run;
  run.scenarios = {found("a.one", 5, {{kWay, kLatitude}}),
                   found("a.two", 3, {{kWay, kLatitude}, {"loss/lost", kFail}})};
  for (auto& scenario : run.scenarios) accept(gate, scenario);
  close(gate, {"a.one", "a.two"}, run);
  EXPECT_EQ(run.scenarios[0].findings[0].accepted, "known: Courier's QUOTA");
  EXPECT_EQ(run.scenarios[1].verdict, Verdict::fail);
  EXPECT_THAT(run.everywhere, IsEmpty());
  EXPECT_THAT(run.notes, IsEmpty());
  EXPECT_THAT(run_text(run),
              HasSubstr("accepted, and not counted:\n  session/deviation.imap.syntax in 2 scenarios  (known: "));
  RunResult good;
  good.scenarios = {found("a.one", 5, {}), found("a.two", 3, {})};
  close(gate, {"a.one", "a.two"}, good);
  EXPECT_THAT(good.notes, ElementsAre(HasSubstr("session/deviation.imap appeared in no scenario")));
  good.notes.clear();
  close(gate, {"a.one", "a.two", "a.three"}, good);
  EXPECT_THAT(good.notes, IsEmpty());
}

TEST(Origin, AScenarioIsHeadedByTheCause) {
  ScenarioResult one =
      found("a.one", 1, {{"expectation/late", kLatitude}, {"conformance/broken", kFail}, {"loss/lost", kFail}});
  sort_by_origin(one);
  EXPECT_THAT(scenario_line(one), HasSubstr("loss/lost, conformance/broken, expectation/late"));
}

/// A wrong UID makes a right EXPUNGE seem to be of a message that lives; an EXPUNGE too many gives wrong UIDs.
TEST(Origin, OfAnExpungeTooManyAndAWrongUidTheFirstIsTheCause) {
  ScenarioResult uids = found("a.one", 1, {{"view/expunge-of-the-living", kFail}, {"identity/uid-changed", kFail}});
  uids.findings[0].events = {40, 90};
  uids.findings[1].events = {17};
  sort_by_origin(uids);
  EXPECT_THAT(scenario_line(uids), HasSubstr("identity/uid-changed, view/expunge-of-the-living"));
  ScenarioResult views = found("a.two", 1, {{"view/expunge-of-the-living", kFail}, {"identity/uid-changed", kFail}});
  views.findings[0].events = {12, 90};
  views.findings[1].events = {17};
  ScenarioResult alone = found("a.three", 1, {{"identity/uid-changed", kFail}});
  alone.findings[0].events = {5};
  RunResult run;
  const auto first = [&run] { return groups_of(run).front().name; };
  run.scenarios = {views};
  EXPECT_EQ(first(), "view/expunge-of-the-living");
  run.scenarios = {views, uids, alone};
  EXPECT_EQ(first(), "identity/uid-changed");
}

}  // namespace
}  // namespace mailproof::report
