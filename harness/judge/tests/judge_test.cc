#include "judge/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "history/settled.h"
#include "judge/case.h"
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

void throws(const history::History&, const history::Ledger&, std::vector<Finding>&) {
  throw std::runtime_error("no such message");
}
void throws_anything(const history::History&, const history::Ledger&, std::vector<Finding>&) { throw 42; }
void invents(const history::History& h, const history::Ledger& l, std::vector<Finding>& out) {
  Case(h, l, "loss", out).find("invented", {"a", "b", {}, 0, ""});
}

Finding of(Severity severity) {
  Finding f;
  f.id = "s/j/c";
  f.severity = severity;
  return f;
}

TEST(Judges, ASecondLookThatWasLeftOutAccusesNobody) {
  const auto judged = [](bool left_out) {
    Scene s;
    const auto mail = s.accepted(2);
    s.expect(What::count, 0, "", [&](Event& e) {
      e.mailbox = "INBOX";
      e.account = s.alice;
      e.facts = history::CountFacts{2};
    });
    s.both(1, {{mail[0], 1}});
    if (left_out) s.obs(What::settle, 0, [](Event& e) { e.code = history::kNotSettled; });
    return judge(s.history, false);
  };
  EXPECT_EQ(judged(false).verdict, Verdict::fail);
  EXPECT_EQ(judged(true).verdict, Verdict::inconclusive);
  for (const Finding& finding : judged(true).findings)
    EXPECT_EQ(finding.severity, Severity::inconclusive) << finding.id;
}

TEST(Judges, WhatCannotBeToldThereIsNotApplicableAndTheRestIsJudged) {
  const auto judged = [](bool offered, bool lost) {
    Scene s;
    const auto mail = s.accepted(1);
    const std::uint32_t usage = s.expect(What::usage, 0, "", [&](Event& e) { e.account = s.alice; });
    if (!offered) s.done(usage, Type::info, [](Event& e) { e.text = "the server does not offer QUOTA"; });
    lost ? s.audited({}) : s.audited(Scene::all(mail));
    return judge(s.history, true);
  };
  EXPECT_EQ(judged(true, false).verdict, Verdict::inconclusive);
  EXPECT_EQ(judged(false, false).verdict, Verdict::not_applicable);
  EXPECT_EQ(judged(false, false).note, "the server does not offer QUOTA");
  EXPECT_THAT(judged(false, false).findings, SizeIs(0));
  EXPECT_EQ(judged(false, true).verdict, Verdict::fail);
}

TEST(Judges, OneThatThrowsIsAnErrorAndTheOthersStillSpeak) {
  Scene scene;
  scene.audited({});
  const auto says = [](const history::History&, const history::Ledger&, std::vector<Finding>& out) {
    out.push_back(of(Severity::latitude));
  };
  const std::array<Judge, 4> all{
      {{"thrower", "", throws}, {"stranger", "", throws_anything}, {"inventor", "", invents}, {"speaker", "", says}}};
  const Judgement judgement = judge_by(all, scene.history, false);
  EXPECT_EQ(judgement.verdict, Verdict::error);
  ASSERT_THAT(judgement.findings, SizeIs(2));
  EXPECT_EQ(judgement.findings[0].id, "test.story/judging/crashed");
  EXPECT_THAT(judgement.findings[0].actual, HasSubstr("the judge thrower crashed: no such message"));
  EXPECT_THAT(judgement.findings[0].actual, HasSubstr("stranger"));
  EXPECT_THAT(judgement.findings[0].actual, HasSubstr("no class of findings loss/invented"));
  EXPECT_EQ(judgement.findings[1].severity, Severity::latitude);
}

TEST(Judges, NotApplicableIsNeutralWithItsReason) {
  Scene scene;
  scene.obs(What::not_applicable, 0, [](Event& e) { e.text = "the target has no POP3"; });
  const Judgement judgement = judge(scene.history, true);
  EXPECT_EQ(judgement.verdict, Verdict::not_applicable);
  EXPECT_EQ(judgement.note, "the target has no POP3");
  EXPECT_TRUE(judgement.findings.empty());
}

TEST(Judges, WhatWasSeenBeforeSomethingWasLackingCounts) {
  const auto judged = [](bool lost, bool talk) {
    Scene s;
    const auto mail = s.accepted(1);
    if (talk) s.history.info.check = history::CheckInfo{"MUST", "", true, "RFC 1939"};
    lost ? s.audited({}) : s.audited(Scene::all(mail));
    s.obs(What::not_applicable, 0, [](Event& e) { e.text = "the server does not offer UIDL"; });
    return judge(s.history, true);
  };
  EXPECT_EQ(judged(false, false).verdict, Verdict::not_applicable);
  EXPECT_THAT(judged(false, false).findings, SizeIs(0));
  EXPECT_EQ(judged(true, false).verdict, Verdict::fail);
  EXPECT_EQ(judged(true, true).verdict, Verdict::not_applicable) << "a talk says it of itself";
}

TEST(Judges, NothingPlayedIsInconclusive) {
  Scene scene;
  const Judgement judgement = judge(scene.history, false);
  EXPECT_EQ(judgement.verdict, Verdict::inconclusive);
  EXPECT_EQ(judgement.note, "nothing was played");
  scene.history.info.recorded = true;
  EXPECT_EQ(judge(scene.history, false).note, "nothing was heard that can be judged");
}

TEST(Judges, StrictTurnsLatitudeIntoFail) {
  Scene scene;
  const auto mail = scene.accepted(1);
  scene.obs(What::deviation, scene.watches(scene.phone, mail), [](Event& e) { e.code = "imap.crlf.bare_lf"; });
  scene.audited(Scene::all(mail));
  EXPECT_EQ(judge(scene.history, false).verdict, Verdict::latitude);
  EXPECT_EQ(judge(scene.history, true).verdict, Verdict::fail);
}

TEST(Judges, HowLongALineIsAndHowManyLiteralsItHasIsNotTheGrammars) {
  Scene scene;
  const auto mail = scene.accepted(1);
  const auto session = scene.watches(scene.phone, mail);
  for (const char* code : {"imap.line.too_long", "imap.literal.too_many"})
    scene.obs(What::deviation, session, [&](Event& e) {
      e.code = code;
      e.text = "* THREAD (1)(2)";
    });
  scene.audited(Scene::all(mail));
  EXPECT_EQ(judge(scene.history, true).verdict, Verdict::pass);
}

// RFC 2177 section 3: a server may log off who idles; while another command runs it leaves open what became of that.
TEST(Judges, ByeDuringIdleIsTheServersRight) {
  const struct {
    What what;
    std::string_view why;
    Verdict verdict;
  } ends[] = {{What::idle, "closed by the other end after BYE: autologout", Verdict::pass},
              {What::idle, "the server said BYE: autologout", Verdict::pass},
              {What::idle, "closed by the other end", Verdict::latitude},
              {What::noop, "closed by the other end after BYE: autologout", Verdict::latitude}};
  for (const auto& end : ends) {
    const std::string said(end.why);
    Scene scene;
    const auto mail = scene.accepted(1);
    const std::uint32_t hand = scene.watches(scene.phone, mail);
    scene.ask(end.what, hand, {}, Type::info);
    scene.obs(What::end, hand, [&](Event& e) {
      e.code = "closed";
      e.text = said;
    });
    scene.audited(Scene::all(mail));
    EXPECT_EQ(judge(scene.history, false).verdict, end.verdict) << said;
  }
}

TEST(Judges, HowDeepAListNestsIsNotTheGrammars) {
  Scene scene;
  const auto mail = scene.accepted(1);
  const auto session = scene.watches(scene.phone, mail);
  for (const char* code : {"imap.list.too_deep", "imap.syntax"})
    scene.obs(What::deviation, session, [&](Event& e) {
      e.code = code;
      e.text = "(((((";
    });
  scene.audited(Scene::all(mail));
  EXPECT_EQ(judge(scene.history, true).verdict, Verdict::pass);
  scene.obs(What::deviation, session, [](Event& e) {
    e.code = "imap.syntax";
    e.text = "* FETCH";
  });
  EXPECT_EQ(judge(scene.history, false).verdict, Verdict::latitude);
}

TEST(Judges, AMissedExpectationThatALossExplainsIsToldOnce) {
  Scene scene;
  const auto mail = scene.accepted(2);
  const std::uint32_t see = scene.expect(What::see, scene.imap(scene.phone), "1-2");
  scene.answer(see, Type::fail, "2");
  scene.fate("2", {.fate = history::Fate::present});
  scene.audited({{mail[0], 1}});
  const Judgement judgement = judge(scene.history, false);
  ASSERT_THAT(judgement.findings, SizeIs(1));
  EXPECT_EQ(judgement.findings[0].id, "test.story/loss/lost");
  EXPECT_THAT(judgement.findings[0].messages, ElementsAre("mail.2"));
  EXPECT_THAT(judgement.findings[0].evidence, Contains(HasSubstr("also missed: ")));
}

TEST(Judges, AMissThatTheAccusationDoesNotCoverStays) {
  Scene scene;
  const auto mail = scene.accepted(3);
  const std::uint32_t see =
      scene.expect(What::see, scene.imap(scene.phone), "2-3", [](Event& e) { e.flags = "\\Seen"; });
  scene.answer(see, Type::fail, "2-3");
  scene.audited({{mail[0], 1}, {mail[1], 2}});
  const Judgement judgement = judge(scene.history, false);
  EXPECT_THAT(judgement.findings, SizeIs(2));
}

TEST(Judges, ManyLostMessagesAreOneFindingThatNamesThemAll) {
  Scene scene;
  scene.accepted(40);
  scene.audited({});
  const Judgement judgement = judge(scene.history, false);
  ASSERT_THAT(judgement.findings, SizeIs(1));
  EXPECT_THAT(judgement.findings[0].messages, SizeIs(40));
  EXPECT_THAT(judgement.findings[0].actual, HasSubstr("... and more of the same kind"));
  EXPECT_LT(judgement.findings[0].life.size(), 40U);
  EXPECT_LE(judgement.findings[0].evidence.size(), 9U);
}

TEST(Judges, SayTheSameEveryTime) {
  Scene scene;
  const auto mail = scene.accepted(3);
  scene.audited({{mail[0], 1}, {mail[0], 2}});
  const Judgement a = judge(scene.history, false), b = judge(scene.history, false);
  ASSERT_EQ(a.findings.size(), b.findings.size());
  for (std::size_t i = 0; i < a.findings.size(); ++i) {
    EXPECT_EQ(a.findings[i].id, b.findings[i].id);
    EXPECT_EQ(a.findings[i].actual, b.findings[i].actual);
    EXPECT_EQ(a.findings[i].evidence, b.findings[i].evidence);
  }
}

/// References to nowhere, as a damaged history file could hold them: no judge may read beyond the end.
TEST(Judges, SurviveAHistoryWithHostileNumbers) {
  Scene scene;
  const std::uint32_t hand = scene.imap(scene.phone), pop = scene.pop3(scene.pc);
  for (const What what : {What::row, What::message, What::expunged, What::exists, What::pop_list, What::pop_uidl,
                          What::vanished, What::nil, What::enumerated})
    for (const std::uint32_t session : {hand, pop})
      scene.obs(what, session, [what](Event& e) {
        if (what == What::exists) e.facts = history::ExistsFacts{4294967295U, 0};
        if (what == What::enumerated) e.facts = history::CountFacts{4294967295U};
        e.seq = 4294967295U;
        e.uid = 4294967295U;
        e.uidvalidity = 4294967295U;
        e.set = "1:4294967295";
        e.mailbox = std::string(3000, 'x');
        e.flags = "\\Deleted";
      });
  scene.select(hand, "INBOX", 4294967295U);
  scene.expunged(hand, 5, 5);
  const Judgement judgement = judge(scene.history, false);
  EXPECT_NE(judgement.verdict, Verdict::pass);
  for (const Finding& finding : judgement.findings) EXPECT_EQ(finding.id.find("crashed"), std::string::npos);
}

TEST(Verdicts, TheWorstWinsAndNeutralOnesDoNotCount) {
  using V = Verdict;
  EXPECT_EQ(worst(std::array{V::pass, V::latitude}), V::latitude);
  EXPECT_EQ(worst(std::array{V::latitude, V::inconclusive}), V::inconclusive);
  EXPECT_EQ(worst(std::array{V::unexpected_pass, V::inconclusive}), V::unexpected_pass);
  EXPECT_EQ(worst(std::array{V::fail, V::unexpected_pass}), V::fail);
  EXPECT_EQ(worst(std::array{V::fail, V::error}), V::error);
  EXPECT_EQ(worst(std::array{V::not_applicable, V::pass, V::known_fail}), V::pass);
  EXPECT_EQ(worst(std::array{V::not_applicable, V::known_fail}), V::inconclusive);
  EXPECT_EQ(worst({}), V::inconclusive);
}

TEST(Verdicts, BecomeExitStatuses) {
  using V = Verdict;
  EXPECT_EQ(exit_status(std::array{V::pass, V::latitude, V::not_applicable, V::known_fail}, false), 0);
  EXPECT_EQ(exit_status(std::array{V::pass, V::fail}, false), 1);
  EXPECT_EQ(exit_status(std::array{V::error, V::fail}, false), 3);
  EXPECT_EQ(exit_status(std::array{V::unexpected_pass}, false), 1);
  EXPECT_EQ(exit_status(std::array{V::pass, V::error}, false), 3);
  EXPECT_EQ(exit_status(std::array{V::pass, V::inconclusive}, false), 3);
  EXPECT_EQ(exit_status(std::array{V::pass}, true), 3);
  EXPECT_EQ(exit_status(std::array{V::fail}, true), 1);
  EXPECT_EQ(exit_status(std::array{V::not_applicable}, false), 3);
  EXPECT_EQ(exit_status({}, false), 3);
}

}  // namespace
}  // namespace mailproof::judge
