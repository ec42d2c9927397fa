#include "report/gate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/json.h"
#include "report/text.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kCheck = "pop3.1939-7.top-byte-stuffing";
constexpr const char* kFinding = "pop3.1939-7.top-byte-stuffing/talk/mismatch";

judge::Finding finding(const std::string& id, Severity severity = Severity::fail) {
  judge::Finding out;
  out.id = id;
  out.severity = severity;
  out.requirement = "RFC 1939 section 7";
  out.expected = "..";
  out.actual = ".";
  return out;
}

ScenarioResult played(const std::string& id, Verdict verdict, std::vector<judge::Finding> findings = {}) {
  ScenarioResult out;
  out.id = id;
  out.verdict = verdict;
  out.findings = std::move(findings);
  return out;
}

ScenarioResult failed(const std::string& id = kCheck, const std::string& what = kFinding) {
  return played(id, Verdict::fail, {finding(what)});
}

Gate knowing(std::vector<Known> known) {
  Gate gate;
  gate.known = std::move(known);
  gate.today = "2026-11-22";
  return gate;
}

/// What becomes of scenarios behind the gate, in a world that has these and `others`.
RunResult through(const Gate& gate, std::vector<ScenarioResult> scenarios, std::set<std::string> ids = {}) {
  RunResult run;
  run.target = "node-7";
  run.scenarios = std::move(scenarios);
  for (auto& one : run.scenarios) {
    ids.insert(one.id);
    accept(gate, one);
  }
  close(gate, ids, run);
  return run;
}

TEST(Known, CoversWholeWordsOnly) {
  for (const char* entry : {kFinding, "pop3.1939-7.top-byte-stuffing/talk", kCheck, "pop3.1939-7", "pop3.", "pop3"})
    EXPECT_TRUE(covers(entry, kFinding)) << entry;
  for (const char* entry : {"pop3.1939-7.top", "pop3.1939", "pop", "", "imap", "pop3.1939-7.top-byte-stuffing/talk/mis",
                            "pop3.1939-7.top-byte-stuffing/talk/mismatch/more"})
    EXPECT_FALSE(covers(entry, kFinding)) << entry;
}

TEST(Known, MakesAFailureAKnownOne) {
  for (const char* entry : {kFinding, kCheck, "pop3.1939-7"}) {
    const RunResult run = through(knowing({{entry, "fixed in 4.2", "2027-03-01"}}), {failed()});
    EXPECT_EQ(run.scenarios[0].verdict, Verdict::known_fail) << entry;
    EXPECT_EQ(run.scenarios[0].note, "known until 2027-03-01: fixed in 4.2");
    ASSERT_EQ(run.scenarios[0].findings.size(), 1U);
    EXPECT_EQ(run.scenarios[0].findings[0].accepted, "known until 2027-03-01: fixed in 4.2");
    EXPECT_THAT(run.notes, IsEmpty());
  }
}

TEST(Known, ASecondFindingStillFails) {
  auto both = failed();
  both.findings.push_back(finding("pop3.1939-7.top-byte-stuffing/session/closed"));
  const RunResult run = through(knowing({{kFinding, "fixed in 4.2", ""}}), {both});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
  EXPECT_EQ(run.scenarios[0].findings[0].accepted, "known: fixed in 4.2");
  EXPECT_EQ(run.scenarios[0].findings[1].accepted, "");
}

TEST(Known, SaysNothingOfOtherScenarios) {
  const RunResult run =
      through(knowing({{kCheck, "fixed in 4.2", ""}}),
              {failed("pop3.1939-7.top-byte-stuffing-2", "pop3.1939-7.top-byte-stuffing-2/talk/mismatch"), failed()});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
}

TEST(Known, DoesNotExcuseOurOwnErrors) {
  auto broken = failed();
  broken.verdict = Verdict::error;
  broken.findings.push_back(finding("pop3.1939-7.top-byte-stuffing/session/unreachable", Severity::error));
  EXPECT_EQ(through(knowing({{kCheck, "fixed in 4.2", ""}}), {broken}).scenarios[0].verdict, Verdict::error);
}

TEST(Known, ALatitudeCountsOnlyWhenStrict) {
  const auto late = played(kCheck, Verdict::fail, {finding(kFinding, Severity::latitude)});
  Gate gate = knowing({{kCheck, "slow", ""}});
  gate.strict = true;
  EXPECT_EQ(through(gate, {late}).scenarios[0].verdict, Verdict::known_fail);
  auto both = late;
  both.findings.push_back(finding("pop3.1939-7.top-byte-stuffing/late/more", Severity::latitude));
  gate.known = {{kFinding, "slow", ""}};
  EXPECT_EQ(through(gate, {both}).scenarios[0].verdict, Verdict::fail);
  gate.strict = false;
  both.findings[0].severity = Severity::fail;
  EXPECT_EQ(through(gate, {both}).scenarios[0].verdict, Verdict::known_fail);
  // Where it does not count the scenario keeps its verdict, and the entry is in use.
  auto lax = late;
  lax.verdict = Verdict::latitude;
  EXPECT_EQ(through(knowing({{kCheck, "slow", ""}}), {lax}).scenarios[0].verdict, Verdict::latitude);
}

TEST(Known, WhatPassesIsAnUnexpectedPass) {
  for (const char* entry : {kFinding, kCheck}) {
    const RunResult run = through(knowing({{entry, "fixed in 4.2", ""}}), {played(kCheck, Verdict::pass)});
    EXPECT_EQ(run.scenarios[0].verdict, Verdict::unexpected_pass) << entry;
    EXPECT_THAT(run.scenarios[0].note, AllOf(HasSubstr(entry), HasSubstr("fixed in 4.2"), HasSubstr("remove it")));
    EXPECT_THAT(run_text(run), HasSubstr("unexpected-pass pop3.1939-7.top-byte-stuffing: the known deviation"));
  }
}

TEST(Known, AFindingThatDidNotAppearBesideOneThatDid) {
  const RunResult run =
      through(knowing({{kFinding, "a", ""}, {"pop3.1939-7.top-byte-stuffing/session/closed", "b", ""}}), {failed()});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::unexpected_pass);
  EXPECT_THAT(run.scenarios[0].note, HasSubstr("session/closed did not appear"));
}

TEST(Known, AnExpiredEntryExcusesNothingAndSaysSo) {
  RunResult run = through(knowing({{kCheck, "fixed in 4.2", "2026-11-21"}}), {failed()});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
  EXPECT_THAT(run.scenarios[0].note, AllOf(HasSubstr("expired on 2026-11-21"), HasSubstr(kCheck)));
  EXPECT_THAT(run_text(run), HasSubstr("expired on 2026-11-21"));
  EXPECT_EQ(through(knowing({{kCheck, "", "2026-11-22"}}), {failed()}).scenarios[0].verdict, Verdict::known_fail);

  run = through(knowing({{kCheck, "fixed in 4.2", "2026-11-21"}}), {played(kCheck, Verdict::pass)});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::unexpected_pass);
  EXPECT_THAT(run.scenarios[0].note, AllOf(HasSubstr("expired on 2026-11-21"), HasSubstr("remove it")));
}

TEST(Known, APrefixIsInUseWhileOneOfItsScenariosNeedsIt) {
  const Gate gate = knowing({{"pop3.1939-7", "fixed in 4.2", ""}});
  const auto pass = [](const char* id) { return played(id, Verdict::pass); };
  EXPECT_EQ(through(gate, {pass("pop3.1939-7.top-zero"), failed()}).scenarios[0].verdict, Verdict::pass);
  // All of them passed; but this run did not play them all.
  EXPECT_EQ(through(gate, {pass("pop3.1939-7.top-zero")}, {kCheck}).scenarios[0].verdict, Verdict::pass);
  EXPECT_EQ(through(gate, {pass("pop3.1939-7.top-zero"), played(kCheck, Verdict::not_applicable)}).scenarios[0].verdict,
            Verdict::pass);
  const RunResult all = through(gate, {pass("pop3.1939-7.top-zero"), pass(kCheck), pass("pop3.1939-9.a")});
  EXPECT_EQ(all.scenarios[0].verdict, Verdict::unexpected_pass);
  EXPECT_EQ(all.scenarios[1].verdict, Verdict::unexpected_pass);
  EXPECT_EQ(all.scenarios[2].verdict, Verdict::pass);
}

TEST(Known, OneCopyThatFailsIsEnough) {
  const RunResult run = through(knowing({{kCheck, "now and then", ""}}), {played(kCheck, Verdict::pass), failed()});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::pass);
  EXPECT_EQ(run.scenarios[1].verdict, Verdict::known_fail);
}

TEST(Known, WhatCouldNotBePlayedLeavesItAlone) {
  for (const Verdict verdict : {Verdict::not_applicable, Verdict::inconclusive, Verdict::error}) {
    const RunResult run = through(knowing({{kCheck, "fixed in 4.2", ""}}), {played(kCheck, verdict)});
    EXPECT_EQ(run.scenarios[0].verdict, verdict);
    EXPECT_THAT(run.notes, IsEmpty());
  }
}

TEST(Known, AnEntryThatNamesNothingIsSaid) {
  RunResult run = through(knowing({{"pop3.1939-7.top-byte-stufing", "a typo", ""}}), {played(kCheck, Verdict::pass)});
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("pop3.1939-7.top-byte-stufing names no scenario")));
  EXPECT_THAT(run_text(run), HasSubstr("note: the known deviation pop3.1939-7.top-byte-stufing"));
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr(fmt::format("(did you mean {}?)", kCheck))));
  run =
      through(knowing({{"pop3.1939-7.top-byte-stufing/talk/mismatch", "", ""}, {"pop4", "", ""}, {"sync.far", "", ""}}),
              {played(kCheck, Verdict::pass)});
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr(fmt::format("(did you mean {}?)", kFinding)),
                                     HasSubstr("(did you mean pop3?)"), Not(HasSubstr("did you mean"))));
  // A run of fewer scenarios is no complaint.
  run = through(knowing({{kFinding, "", ""}}), {played("pop3.1939-9.a", Verdict::pass)}, {kCheck});
  EXPECT_THAT(run.notes, IsEmpty());
}

/// A run.json as it is written, read back.
Baseline baseline(std::vector<ScenarioResult> scenarios, const std::string& target = "node-7",
                  std::vector<std::string> selection = {}) {
  RunResult run;
  run.target = target;
  run.scenarios = std::move(scenarios);
  run.selection = std::move(selection);
  return parse_baseline(run_json(run), "old/run.json").value();
}

Gate behind(Baseline old) {
  Gate gate = knowing({});
  gate.baseline = std::move(old);
  return gate;
}

TEST(Baseline, WhatItHasIsNotCounted) {
  const RunResult run = through(behind(baseline({failed()})), {failed()});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::known_fail);
  EXPECT_EQ(run.scenarios[0].note, "in the baseline old/run.json");
  EXPECT_EQ(run.scenarios[0].findings[0].accepted, "in the baseline old/run.json");
  EXPECT_THAT(run.notes, IsEmpty());
}

TEST(Baseline, WhatIsNewFails) {
  auto both = failed();
  both.findings.push_back(finding("pop3.1939-7.top-byte-stuffing/session/closed"));
  EXPECT_EQ(through(behind(baseline({failed()})), {both}).scenarios[0].verdict, Verdict::fail);
  EXPECT_EQ(through(behind(baseline({played(kCheck, Verdict::pass)})), {failed()}).scenarios[0].verdict, Verdict::fail);
  EXPECT_EQ(through(behind(baseline({})), {failed()}).scenarios[0].verdict, Verdict::fail);
  // The same finding was only a latitude.
  const auto mild = played(kCheck, Verdict::latitude, {finding(kFinding, Severity::latitude)});
  EXPECT_EQ(through(behind(baseline({mild})), {failed()}).scenarios[0].verdict, Verdict::fail);
}

TEST(Baseline, AnErrorThatItHasIsNotCountedEither) {
  const auto broken =
      played(kCheck, Verdict::error, {finding("pop3.1939-7.top-byte-stuffing/session/gone", Severity::error)});
  EXPECT_EQ(through(behind(baseline({broken})), {broken}).scenarios[0].verdict, Verdict::known_fail);
}

TEST(Baseline, ALatitudeOfItIsKnownToAStrictRun) {
  auto mild = played(kCheck, Verdict::latitude, {finding(kFinding, Severity::latitude)});
  Gate gate = behind(baseline({mild}));
  gate.strict = true;
  mild.verdict = Verdict::fail;
  EXPECT_EQ(through(gate, {mild}).scenarios[0].verdict, Verdict::known_fail);
}

TEST(Baseline, WhatPassedAndIsNotApplicableNowFails) {
  auto gone = played(kCheck, Verdict::not_applicable);
  gone.note = "the server does not offer TOP";
  for (const Verdict before : {Verdict::pass, Verdict::latitude, Verdict::unexpected_pass}) {
    const RunResult run = through(behind(baseline({played(kCheck, before)})), {gone});
    EXPECT_EQ(run.scenarios[0].verdict, Verdict::fail);
    ASSERT_EQ(run.scenarios[0].findings.size(), 1U);
    EXPECT_EQ(run.scenarios[0].findings[0].id, "pop3.1939-7.top-byte-stuffing/baseline/not-applicable");
    EXPECT_THAT(run.scenarios[0].findings[0].actual, HasSubstr("does not offer TOP"));
  }
  EXPECT_EQ(through(behind(baseline({gone})), {gone}).scenarios[0].verdict, Verdict::not_applicable);
  // What failed and is not played any more is no new failure; it is said.
  const RunResult run = through(behind(baseline({failed()})), {gone});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::not_applicable);
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("not applicable any more")));
}

TEST(Baseline, WhatIsWantedToGoCanBeKnown) {
  Gate gate = behind(baseline({played(kCheck, Verdict::pass)}));
  gate.known = {{"pop3.1939-7.top-byte-stuffing/baseline", "TOP was taken out on purpose", ""}};
  EXPECT_EQ(through(gate, {played(kCheck, Verdict::not_applicable)}).scenarios[0].verdict, Verdict::known_fail);
}

TEST(Baseline, DoesNotOutliveAnExpiredEntry) {
  Gate gate = behind(baseline({failed()}));
  gate.known = {{kCheck, "fixed in 4.2", "2026-11-21"}};
  EXPECT_EQ(through(gate, {failed()}).scenarios[0].verdict, Verdict::fail);
}

TEST(Baseline, WhatIsGoneIsSaid) {
  const RunResult run = through(behind(baseline({failed()})), {played(kCheck, Verdict::pass)});
  EXPECT_EQ(run.scenarios[0].verdict, Verdict::pass);
  EXPECT_THAT(run.notes, ElementsAre(std::string("no longer found: ") + kFinding));
  // Nothing can be said of it: not gone.
  EXPECT_THAT(through(behind(baseline({failed()})), {played(kCheck, Verdict::inconclusive)}).notes, IsEmpty());
}

TEST(Baseline, WhatIsMissingIsSaidWhereTheSameWasAskedFor) {
  const auto old = baseline({played(kCheck, Verdict::pass), played("x.a", Verdict::pass)}, "node-7", {"scenarios/"});
  RunResult run;
  run.target = "node-7";
  run.scenarios = {played(kCheck, Verdict::pass)};
  run.selection = {"scenarios/pop3"};
  compare(old, run);
  EXPECT_THAT(run.notes, IsEmpty());
  run.selection = {"scenarios/"};
  compare(old, run);
  EXPECT_THAT(run.notes, ElementsAre(AllOf(HasSubstr("x.a"), HasSubstr("not in this run"), Not(HasSubstr(kCheck)))));
}

TEST(Baseline, OfAnotherTargetIsSaid) {
  EXPECT_THAT(through(behind(baseline({}, "node-8")), {}).notes, Contains(HasSubstr("was made on node-8")));
}

TEST(Baseline, ThatIsNoneSaysWhy) {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"target":"x"})", R"({"target":"x","scenarios":[{}]})",
                           R"({"target":"x","scenarios":[{"id":"a","verdict":"green","findings":[]}]})",
                           R"({"target":"x","scenarios":[{"id":"a","verdict":"pass","findings":[{"id":"b"}]}]})",
                           R"({"target":1,"scenarios":[]})", "\xff\xfe"}) {
    const auto read = parse_baseline(text, "old.json");
    ASSERT_TRUE(read.has_error()) << text;
    EXPECT_THAT(read.error().message(), HasSubstr("old.json is no run.json of mailproof: ")) << text;
    EXPECT_THAT(read.error().message(), Not(HasSubstr("json.exception"))) << text;
  }
  const auto why = [](const char* text) { return parse_baseline(text, "f").error().message(); };
  EXPECT_EQ(why("[\n 444e4444"), "f is no run.json of mailproof: a number in it is out of every range");  // a fuzzer's
  EXPECT_EQ(why("{}"), "f is no run.json of mailproof: it has no 'target'");
  EXPECT_EQ(why("[]"), "f is no run.json of mailproof: it is no object");
  EXPECT_EQ(why(R"({"target":1})"), "f is no run.json of mailproof: the 'target' of it is no text");
  EXPECT_EQ(why(R"({"target":"x","scenarios":[{"id":"a"}]})"), "f is no run.json of mailproof: a has no 'verdict'");
  EXPECT_EQ(why("{\n  \"target\": x"), "f is no run.json of mailproof: it is broken at line 2, column 13");
}

TEST(Gate, ASlowServerIsSaidOnceAndFirst) {
  const auto slow = [](const std::string& id, const std::string& what) {
    return played(id, Verdict::inconclusive, {finding(id + "/" + what, Severity::inconclusive)});
  };
  RunResult two;
  two.scenarios = {slow("a", "conformance/late"), slow("b", "session/no-answer")};
  close({}, {}, two);
  EXPECT_THAT(two.notes, IsEmpty());
  RunResult run;
  run.scenarios = {slow("a", "conformance/late"),  slow("b", "conformance/late"), slow("c", "conformance/silent"),
                   slow("d", "session/no-answer"), played("e", Verdict::pass),    played("f", Verdict::not_applicable)};
  close({}, {}, run);
  ASSERT_FALSE(run.notes.empty());
  EXPECT_THAT(run.notes.front(),
              HasSubstr("slow: in 4 of 5 scenarios an answer did not come within its bound, in 2 it came when it was "
                        "waited for three times as long, in 2 it did not come"));
}

}  // namespace
}  // namespace mailproof::report
