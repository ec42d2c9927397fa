// Checks and stories beside mail of others, which comes in while they are played: none of it is touched, and no server
// is accused of what it did to the count.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "judge/judge.h"
#include "play/tests/foreign_rig.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// What a scenario is accused of, by the ids of the findings.
std::set<std::string> accusations(const SimRig& rig) {
  std::set<std::string> out;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings)
    if (finding.severity == judge::Severity::fail) out.insert(finding.id + ": " + finding.actual);
  return out;
}

/// Whether somebody changes limits or stops the server: nobody does so here.
bool needs_an_admin(const scenario::Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [](const scenario::Step& step) { return step.device == scenario::Step::kAdmin; });
}

/// How many seeds to stir with: more than the usual few where somebody has the time.
int seeds() {
  const char* wanted = std::getenv("MAILPROOF_STIRRED_SEEDS");
  return wanted == nullptr ? 4 : std::max(4, std::atoi(wanted));
}

/// All stories and checks, with other people's mail coming in beside them.
/// What would take INBOX along with all that is in it is left out where others may have mail there.
TEST(BesideOthers, InboxIsNeitherRenamedNorDeleted) {
  auto loaded =
      scenario::load({"scenarios/conformance/imap/9051-6.3.5.yaml", "scenarios/conformance/imap/9051-6.3.6.yaml",
                      "scenarios/conformance/mixed/snapshot.yaml"},
                     "scenarios");
  ASSERT_THAT(loaded.problems, IsEmpty());
  std::size_t takes = 0;
  for (auto& one : loaded.scenarios) {
    const bool of_inbox =
        one.check && std::any_of(one.check->talk.begin(), one.check->talk.end(), [](const auto& line) {
          return line.text.find("RENAME INBOX") != std::string::npos ||
                 line.text.find("DELETE INBOX") != std::string::npos;
        });
    if (!of_inbox) continue;
    ++takes;
    scenario::Loaded alone;
    alone.scenarios.push_back(std::move(one));
    SimRig rig(std::move(alone));
    rig.play();
    EXPECT_THAT(rig.told(What::not_applicable), testing::Contains(testing::HasSubstr("RENAME INBOX")))
        << rig.scenario.id;
  }
  EXPECT_EQ(takes, 6U);
}

/// A check whose second session comes a second after its first; somebody else's mail is there by then, where it comes.
struct LateSession {
  explicit LateSession(const std::string& lines, bool comes, std::vector<WrongBlock> wrong = {})
      : rig(scenario::parse("id: pop3.1939-5\ntitle: a test\nneeds: [pop3]\nmailbox: {messages: 1}\nchecks:\n"
                            "  - id: one\n    level: MUST\n    title: a test\n    talk: |\n"
                            "      C: NOOP\n      S: +OK\n      C: QUIT\n      S: +OK\n      wait: 1s\n" +
                                lines,
                            "play.yaml"),
            {}, wrong.empty() ? std::vector<WrongDialogue>{} : std::vector<WrongDialogue>{{std::move(wrong)}}),
        mail(rig),
        arrival{rig, mail} {
    if (comes) rig.network->set_alarm(arrival, Time{} + std::chrono::milliseconds(600));
    rig.play();
  }
  struct Arrival final : public Alarm {
    Arrival(SimRig& on, ForeignMail& what) : rig(on), mail(what) {}
    ~Arrival() override { rig.network->set_alarm(*this, std::nullopt); }
    void ring(Time) override { mail.put(rig.scenario.accounts.front().name, foreign_letter()); }
    SimRig& rig;
    ForeignMail& mail;
  };
  SimRig rig;
  ForeignMail mail;
  Arrival arrival;
};

/// Numbers are a session's own: what came in since the mailbox was looked at may have the number that a check takes.
TEST(BesideOthers, ACheckTakesNoNumberThatItDidNotLookAtInThatSession) {
  for (const std::string line : {"DELE 2", "RETR 2", "DELE 1"}) {
    LateSession late("      2> C: " + line + "\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n", true);
    EXPECT_EQ(late.mail.sent(), 1U);
    EXPECT_THAT(late.mail.harmed(), IsEmpty()) << line;
    EXPECT_THAT(late.mail.read_by(), IsEmpty()) << line;
    EXPECT_THAT(late.rig.problem(), HasSubstr("message 2 of the maildrop is not ours"));
    EXPECT_EQ(judge::judge(late.rig.player->history(), false).verdict, judge::Verdict::inconclusive);
    EXPECT_THAT(accusations(late.rig), IsEmpty());
  }
  const std::string unread =
      "      2> stop-reading\n      2> C: RETR 2\n      2> read\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n";
  LateSession looked(unread, true);
  EXPECT_THAT(looked.rig.problem(), HasSubstr("message 2 of the maildrop is not ours"));
  EXPECT_THAT(looked.mail.read_by(), IsEmpty());
  LateSession unread_alone(
      "      2> stop-reading\n      2> C: RETR 1\n      2> read\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n",
      false);
  EXPECT_EQ(unread_alone.rig.problem(), "");
  EXPECT_EQ(judge::judge(unread_alone.rig.player->history(), false).verdict, judge::Verdict::pass);
  LateSession alone("      2> C: DELE 1\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n", false);
  EXPECT_EQ(alone.rig.problem(), "");
  EXPECT_EQ(judge::judge(alone.rig.player->history(), false).verdict, judge::Verdict::pass);
}

/// A maildrop that is another store than what IMAP showed, and one that cannot be looked at.
TEST(BesideOthers, ACheckTakesNothingFromAMaildropThatHoldsSomethingElse) {
  const std::string lines = "      2> C: DELE 1\n      2> S: +OK\n";
  LateSession another(lines, false,
                      {wrong_on(Protocol::pop3, "TOP 1 0", {wrong_say("+OK\r\nSubject: dinner\r\n\r\n.")})});
  EXPECT_THAT(another.rig.problem(), HasSubstr("message 1 of the maildrop is not ours"));
  LateSession more(lines, false,
                   {wrong_on(Protocol::pop3, "STAT", {wrong_say("+OK 40 4000")}),
                    wrong_on(Protocol::pop3, "TOP 1 0", {wrong_say("-ERR not offered")})});
  EXPECT_THAT(more.rig.problem(), HasSubstr("not as many messages as INBOX over IMAP, and TOP is refused"));
  LateSession without(lines, false, {wrong_on(Protocol::pop3, "TOP 1 0", {wrong_say("-ERR not offered")})});
  EXPECT_EQ(without.rig.problem(), "") << "it holds no more than IMAP showed";
}

/// TOP with lines shows text; and no RFC says which message has which number.
TEST(BesideOthers, TheTextThatTopShowsIsLookedAtBefore) {
  for (const char* line : {"TOP 2 10", "TOP 2 999999", "top 2 1"}) {
    LateSession late(std::string("      2> C: ") + line + "\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n",
                     true);
    EXPECT_THAT(late.mail.read_by(), IsEmpty()) << line;
    EXPECT_THAT(late.rig.problem(), HasSubstr("message 2 of the maildrop is not ours")) << line;
  }
  LateSession header("      2> C: TOP 2 0\n      2> S: +OK\n      2> C: QUIT\n      2> S: +OK\n", true);
  EXPECT_EQ(header.rig.problem(), "") << "a header is what a look asks for";
}

/// However the words come: in one write with others, or in pieces.
TEST(BesideOthers, ACommandThatTakesIsSeenInAllThatIsSent) {
  for (const char* lines : {"      2> C!: NOOP\\r\\nRETR 2\\r\\n\n      2> S: +OK\n      2> S: +OK\n",
                            "      2> C!: RE|TR 2\\r\\n\n      2> S: +OK\n",
                            "      2> C!: RE\n      wait: 1s\n      2> C!: TR 2\\r\\n\n      2> S: +OK\n"}) {
    LateSession late(lines, true);
    EXPECT_THAT(late.mail.read_by(), IsEmpty()) << lines;
    EXPECT_THAT(late.rig.problem(), AnyOf(HasSubstr("message 2 of the maildrop is not ours"), HasSubstr("was begun")))
        << lines;
  }
}

/// Without TOP what came in is seen over IMAP, however few messages there are by then.
TEST(BesideOthers, WithoutTopAMaildropIsTakenFromOnlyWhereImapShowsThatItIsAllOurs) {
  const std::string lines = "      2> C: RETR 2\n      2> S: +OK\n";
  const auto no_top = [] {
    return wrong_on(Protocol::pop3, "TOP", {wrong_say("-ERR not offered")}, WrongBlock::At::prefix);
  };
  LateSession late(lines, true, {no_top()});
  EXPECT_THAT(late.rig.problem(), HasSubstr("INBOX of user-"));
  EXPECT_THAT(late.mail.read_by(), IsEmpty());
  LateSession less(lines, false, {no_top(), wrong_on(Protocol::pop3, "STAT", {wrong_say("+OK 0 0")})});
  EXPECT_THAT(late.mail.harmed(), IsEmpty());
}

/// What STAT says is read strictly, and a reply that is owed is waited for.
TEST(BesideOthers, WhatTheCountDoesNotSayIsNotTaken) {
  const std::string lines = "      2> C: RETR 2\n      2> S: +OK\n";
  for (const char* stat : {"-ERR [SYS/TEMP] try again", "+OK", "+OK there are 1 300", "+OK 1x 300"}) {
    LateSession late(lines, true, {wrong_on(Protocol::pop3, "STAT", {wrong_say(stat)})});
    EXPECT_THAT(late.rig.problem(), HasSubstr("STAT was answered")) << stat;
    EXPECT_THAT(late.mail.read_by(), IsEmpty()) << stat;
  }
  LateSession owed("      2> C!: LIST 1\\r\\n\n      2> read\n      2> C!: RETR 2\\r\\n\n      2> S: +OK\n", true);
  EXPECT_THAT(owed.mail.read_by(), IsEmpty());
  EXPECT_THAT(owed.rig.problem(), HasSubstr("message 2 of the maildrop is not ours"));
}

/// A line that only counts takes nothing: what came in before it is seen when it came out wrong.
TEST(BesideOthers, WhatCountsOthersMailIsNotTheServersFault) {
  const std::string counts = "      2> C: STAT\n      2> S: +OK 1 ${_}\n      2> C: QUIT\n      2> S: +OK\n";
  LateSession late(counts, true);
  EXPECT_THAT(accusations(late.rig), IsEmpty());
  EXPECT_EQ(judge::judge(late.rig.player->history(), false).verdict, judge::Verdict::inconclusive);
  LateSession wrong(counts, false, {wrong_on(Protocol::pop3, "STAT", {wrong_say("+OK 3 300")})});
  EXPECT_THAT(accusations(wrong.rig), testing::SizeIs(1)) << "nobody else's mail is there";
}

class Stirred : public testing::TestWithParam<int> {};

TEST_P(Stirred, NoStoryOrCheckTouchesItNorIsTheServerAccusedOfIt) {
  auto loaded = scenario::load({"scenarios", "fixtures/stories"}, "scenarios");
  ASSERT_THAT(loaded.problems, IsEmpty());
  ASSERT_GT(loaded.scenarios.size(), 200U);
  std::size_t letters = 0, came_in = 0, runs = 0;
  ForeignMail::Harm all;
  for (auto& one : loaded.scenarios) {
    if (std::find(one.tags.begin(), one.tags.end(), "slow") != one.tags.end()) continue;
    scenario::Loaded alone;
    alone.scenarios.push_back(std::move(one));
    SimRig rig(std::move(alone));
    rig.target.imap.push_back({Protocol::imap, "sim", 993, TlsMode::implicit, false, ""});
    rig.target.pop3.push_back({Protocol::pop3, "sim", 995, TlsMode::implicit, false, ""});
    rig.options.load = GetParam() % 2 == 1;  // cleans up in the end
    ForeignMail mail(rig);
    mail.arrive(6, static_cast<std::uint64_t>(GetParam()) * 1000 + letters);
    rig.play();
    letters += mail.sent();
    came_in += mail.sent() != 0 ? 1 : 0;
    ++runs;
    const ForeignMail::Harm harm = mail.harm();
    all.missing += harm.missing;
    all.changed += harm.changed;
    all.seen += harm.seen;
    all.marked += harm.marked;
    EXPECT_THAT(harm.lines, IsEmpty()) << rig.scenario.id;
    EXPECT_THAT(mail.read_by(), IsEmpty()) << rig.scenario.id;
    // On the correct server nothing is accused in quiet (run and prove hold it to that), nor here.
    if (needs_an_admin(rig.scenario)) continue;
    EXPECT_THAT(accusations(rig), IsEmpty()) << rig.scenario.id;
  }
  EXPECT_GT(came_in, 150U) << "beside most of them mail came in while they were played";
  // Read by scripts/beside-others.
  std::printf(
      "beside others, seed %d: %zu runs, %zu messages watched, %zu missing, %zu changed, %zu \\Seen, %zu \\Deleted\n",
      GetParam(), runs, letters, all.missing, all.changed, all.seen, all.marked);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Stirred, testing::Range(1, 1 + seeds()));

}  // namespace
}  // namespace mailproof::play
