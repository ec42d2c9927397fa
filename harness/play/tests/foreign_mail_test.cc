// What is not ours is never removed, moved, marked or read.
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
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kStory = R"(
accounts: [alice]
devices:
  mta:   {delivers: lmtp}
  agent: {delivers: command}
  phone: {imap: alice, idle: INBOX}
  web:   {imap: alice, kind: webmail}
  pc:    {pop3: alice, after_download: delete}
steps:
)";

std::string letter(const std::string& subject = "dinner") {
  return "From: Bob <bob@example.org>\r\nTo: alice@example.test\r\nSubject: " + subject +
         "\r\nMessage-ID: <1@example.org>\r\nDate: Wed, 25 Nov 2026 09:12:40 +0000\r\n\r\n" + std::string(kPrivate) +
         "\r\n";
}

struct World {
  explicit World(const std::string& steps, const std::function<void(server::ServerOptions&)>& with = {},
                 std::vector<WrongBlock> wrong = {})
      : rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, pop3, delivery, lmtp, admin]\n" +
                                std::string(kStory) + steps,
                            "play.yaml"),
            with, wrong.empty() ? std::vector<WrongDialogue>{} : std::vector<WrongDialogue>{{std::move(wrong)}}),
        mail(rig) {
    // "agent: {deliver: ...}" stands for the moment when somebody else's mail comes in.
    rig.admin->answer = [this](const AdminRequest& request) {
      mail.put("alice", letter());
      if (now) now();
      put_into(*rig.server, request.address, *request.input, rig.network->now());
      return AdminReply{};
    };
  }
  judge::Verdict verdict() const { return judge::judge(rig.player->history(), false).verdict; }
  void expect_untouched(std::size_t letters) {
    EXPECT_EQ(mail.sent(), letters);
    EXPECT_THAT(mail.harmed(), IsEmpty());
    EXPECT_THAT(mail.read_by(), IsEmpty());
  }
  SimRig rig;
  ForeignMail mail;
  std::function<void()> now;
};

WrongBlock on(Protocol protocol, const std::string& line, std::vector<WrongAction> actions,
              WrongBlock::At at = WrongBlock::At::line) {
  WrongBlock block{.at = at, .protocol = protocol, .text = line};
  block.actions = std::move(actions);
  return block;
}
WrongAction say(std::string text) { return {.kind = WrongAction::Kind::say, .text = std::move(text) + "\r\n"}; }
WrongAction drop(std::string pattern) { return {.kind = WrongAction::Kind::drop, .pattern = std::move(pattern)}; }
WrongAction close_it() { return {.kind = WrongAction::Kind::close}; }
void without_extensions(server::ServerOptions& options) { options.latitudes = {"imap.no-uidplus", "imap.no-move"}; }

const std::string kDownload =
    "  - mta: {deliver: mail, to: alice, count: 3}\n"
    "  - pc: {download: all, as: got}\n"
    "  - pc: quit\n"
    "  - phone: {see: mail, within: 1s}\n";

TEST(ForeignMail, WhateverIsThereBeforeEndsTheScenarioBeforeItsFirstChange) {
  mail::MessageSpec ours;
  ours.token = {1, 1, 2, "alice@example.test"};
  ours.from = ours.to = ours.token.owner;
  ours.set = "mail";
  ours.date = "Thu, 01 Jan 2026 00:00:00 +0000";
  mail::MessageSpec other = ours;
  other.token.run = 77;
  for (const LookAlike& look_alike : look_alikes(ours, other)) {
    if (look_alike.text.find(kPrivate) == std::string::npos) continue;  // mailproof's own
    World world(kDownload);
    world.mail.put("alice", look_alike.text);
    world.rig.play();
    EXPECT_THAT(world.rig.problem(), HasSubstr("1 message that is not ours")) << look_alike.what;
    EXPECT_EQ(world.verdict(), judge::Verdict::error) << look_alike.what;
    EXPECT_THAT(world.rig.told(What::step), IsEmpty());
    world.expect_untouched(1);
  }
}

TEST(ForeignMail, TheSameOverPop3WhereThereIsNoImap) {
  for (const bool with_top : {true, false}) {
    World world(
        "  - mta: {deliver: mail, to: alice, count: 3}\n"
        "  - pc: {download: all, as: got}\n"
        "  - pc: quit\n",
        {}, with_top ? std::vector<WrongBlock>{} : std::vector{on(Protocol::pop3, "CAPA", {drop("^TOP")})});
    world.rig.target.imap.clear();
    world.rig.scenario.devices.erase(world.rig.scenario.devices.begin() + 2, world.rig.scenario.devices.begin() + 4);
    for (auto& step : world.rig.scenario.steps) step.device = step.device == 4 ? 2 : step.device;
    world.mail.put("alice", letter());
    world.rig.play();
    EXPECT_THAT(world.rig.problem(), HasSubstr("the maildrop of user-alice holds 1 message that is not ours"));
    world.expect_untouched(1);
  }
}

TEST(ForeignMail, WhatAnEarlierRunLeftIsRemoved) {
  World world("  - mta: {deliver: mail, to: alice}\n  - judge: {count: 1, in: INBOX, of: alice}\n");
  mail::MessageSpec left;
  left.token = {77, 1, 2, "alice@example.test"};
  left.from = left.to = left.token.owner;
  left.set = "mail";
  left.date = "Thu, 01 Jan 2026 00:00:00 +0000";
  put_into(*world.rig.server, "alice@example.test", *mail::make_message(left).text, {});
  world.rig.play();
  EXPECT_EQ(world.rig.problem(), "");
  EXPECT_EQ(world.verdict(), judge::Verdict::pass);
}

// S2
TEST(ForeignMail, WithoutTopNothingIsFetchedOrDeletedAndNothingIsAccused) {
  for (const auto& wrong :
       {on(Protocol::pop3, "CAPA", {drop("^TOP")}), on(Protocol::pop3, "TOP 2 0", {say("-ERR not now")}),
        on(Protocol::pop3, "TOP", {say("-ERR not now")}, WrongBlock::At::prefix)}) {
    World world(
        "  - mta: {deliver: mail, to: alice}\n"
        "  - agent: {deliver: more, to: alice}\n"
        "  - pc: {download: all, as: got}\n"
        "  - pc: quit\n"
        "  - phone: {lose: more, within: 1s}\n",
        {}, {wrong});
    world.rig.play();
    world.expect_untouched(1);
    EXPECT_NE(world.verdict(), judge::Verdict::fail);
    EXPECT_NE(world.verdict(), judge::Verdict::pass) << "the downloading was not done";
  }
}

// S3
TEST(ForeignMail, WithoutUidplusNothingIsExpungedBesideWhatSomebodyElseMarked) {
  for (const char* step : {"phone: {delete: mail}", "phone: {move: mail, to: Archive}", "phone: expunge"}) {
    World world(std::string("  - mta: {deliver: mail, to: alice}\n"
                            "  - agent: {deliver: more, to: alice}\n"
                            "  - phone: {see: more, within: 1s}\n  - ") +
                    step + "\n",
                without_extensions);
    world.now = [&] { world.mail.put("alice", letter("marked"), true); };
    world.rig.play();
    EXPECT_THAT(world.rig.problem(), HasSubstr("nothing was expunged from INBOX")) << step;
    EXPECT_EQ(world.verdict(), judge::Verdict::inconclusive) << step;
    world.expect_untouched(2);
  }
}

TEST(ForeignMail, WithUidplusOursGoesAndTheMarkedOneStays) {
  World world(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - agent: {deliver: more, to: alice}\n"
      "  - phone: {delete: mail}\n"
      "  - judge: {fate: mail, is: removed-by-client}\n");
  world.now = [&] { world.mail.put("alice", letter("marked"), true); };
  world.rig.play();
  EXPECT_EQ(world.rig.problem(), "");
  EXPECT_EQ(world.rig.fate(1), history::Fate::removed_by_client);
  world.expect_untouched(2);
}

TEST(ForeignMail, AMailboxThatHoldsItIsNeitherDeletedNorRenamed) {
  for (const char* step : {"phone: {rename: INBOX, to: Old}", "phone: {remove: INBOX}"}) {
    World world(std::string("  - agent: {deliver: mail, to: alice}\n  - ") + step + "\n");
    world.rig.play();
    EXPECT_THAT(world.rig.problem(), HasSubstr("INBOX holds mail that is not ours")) << step;
    EXPECT_EQ(world.verdict(), judge::Verdict::inconclusive);
    world.expect_untouched(1);
  }
}

std::string in_alices(World& world, const std::vector<std::string>& commands) {
  std::vector<std::string> all = {"LOGIN user-alice pass"};
  all.insert(all.end(), commands.begin(), commands.end());
  return ask(*world.rig.server, Protocol::imap, all, world.rig.network->now());
}

/// RFC 9051 section 5.1.1: what stands below a mailbox is told by the server's own separator.
TEST(ForeignMail, BelowAMailboxItIsSeenWhateverSeparatesTheLevels) {
  for (const bool dot : {false, true}) {
    for (const char* step : {"phone: {rename: Projects, to: Old}", "phone: {remove: Projects}"}) {
      const std::string sub = dot ? "Projects.Sub" : "Projects/Sub";
      World world(std::string("  - phone: {create: Projects}\n"
                              "  - phone: {create: Projects/Sub}\n"
                              "  - agent: {deliver: mail, to: alice}\n  - ") +
                      step + "\n",
                  [dot](server::ServerOptions& options) {
                    if (dot) options.latitudes = {"imap.dot-separator"};
                  });
      world.now = [&] { in_alices(world, {"SELECT INBOX", "COPY * " + sub}); };
      world.rig.play();
      EXPECT_THAT(world.rig.problem(), HasSubstr("Projects/Sub holds mail that is not ours")) << step << dot;
      EXPECT_THAT(in_alices(world, {"STATUS " + sub + " (MESSAGES)"}), HasSubstr("(MESSAGES 1)")) << step << dot;
      world.expect_untouched(1);
    }
  }
}

const std::string kRename =
    "  - phone: {create: Projects}\n"
    "  - phone: {rename: Projects, to: Old}\n";

/// RFC 2180 section 3.1: a server may refuse to rename what a session has open.
TEST(ForeignMail, WhatIsLookedIntoIsLeftBeforeItIsRenamed) {
  World world(kRename);
  world.rig.play();
  EXPECT_EQ(world.rig.problem(), "");
  std::uint32_t left = 0, renamed = 0;
  for (const history::Event& e : world.rig.player->history().events()) {
    if (e.what == What::unselect && e.type == history::Type::ok && left == 0) left = e.index;
    if (e.what == What::rename && e.type == history::Type::invoke) renamed = e.index;
  }
  EXPECT_NE(left, 0U);
  EXPECT_LT(left, renamed);
}

TEST(ForeignMail, WhatCameInSinceIsLookedIntoOnceMore) {
  const auto more = [](const char* text) {
    return WrongAction{.kind = WrongAction::Kind::edit, .text = text, .pattern = "MESSAGES 0 UIDNEXT 1"};
  };
  const auto status = [](WrongAction action) {
    return on(Protocol::imap, "STATUS Projects", {std::move(action)}, WrongBlock::At::prefix);
  };
  for (const char* text : {"MESSAGES 1 UIDNEXT 2", "MESSAGES 0 UIDNEXT 2"}) {
    World once(kRename, {}, {status(more(text)), status({})});
    once.rig.play();
    EXPECT_EQ(once.rig.problem(), "") << text;
    EXPECT_THAT(once.rig.told(What::rename), Contains(HasSubstr("ok "))) << text;
    World always(kRename, {}, {status(more(text))});
    always.rig.play();
    EXPECT_THAT(always.rig.problem(), HasSubstr("what is in it changes all the time")) << text;
    EXPECT_THAT(always.rig.told(What::rename), IsEmpty()) << text;
  }
}

// S4
TEST(ForeignMail, ABackupTakesWhatIsOurs) {
  World world(
      "  - mta: {deliver: mail, to: alice, count: 2}\n"
      "  - agent: {deliver: more, to: alice}\n"
      "  - phone: compare\n"
      "  - web: compare\n"
      "  - pc: compare\n");
  world.rig.play();
  EXPECT_EQ(world.rig.problem(), "");
  world.expect_untouched(1);
}

/// RFC 1939 section 8: a site may remove at QUIT what was downloaded.
TEST(ForeignMail, AnAuditDownloadsNothingWhereADownloadMayRemoveBesideIt) {
  const std::string ours = "  - mta: {deliver: mail, to: alice}\n";
  World beside(ours + "  - agent: {deliver: more, to: alice}\n",
               [](server::ServerOptions& options) { options.latitudes = {"pop3.removes-downloaded"}; });
  beside.rig.play();
  EXPECT_THAT(beside.rig.told(What::retr), IsEmpty()) << "nobody knows whether it does";
  beside.expect_untouched(1);
  World declared(ours);
  declared.rig.target.pop3_download = Pop3Download::removes;
  declared.rig.play();
  EXPECT_THAT(declared.rig.told(What::retr), IsEmpty());
  World alone(ours);
  alone.rig.play();
  EXPECT_THAT(alone.rig.told(What::retr), testing::Not(IsEmpty()));
}

/// RFC 2449 section 6.7: TOP may begin the days after which a message goes.
TEST(ForeignMail, NoHeaderIsAskedForBesideAPolicyThatCountsDaysFromThere) {
  for (const char* policy : {"EXPIRE 30 USER", "EXPIRE NEVER"}) {
    World beside(
        "  - agent: {deliver: mail, to: alice}\n", {},
        {on(Protocol::pop3, "CAPA", {{.kind = WrongAction::Kind::edit, .text = policy, .pattern = "^EXPIRE.*$"}})});
    beside.rig.play();
    EXPECT_EQ(beside.rig.told(What::top).empty(), std::string(policy) != "EXPIRE NEVER") << policy;
    EXPECT_NE(beside.verdict(), judge::Verdict::fail);
  }
}

// S5
TEST(ForeignMail, WhatIsNotKnownIsNotEmpty) {
  for (const auto& wrong :
       {on(Protocol::imap, "STATUS", {say("${tag} NO not now")}, WrongBlock::At::prefix),
        on(Protocol::imap, "STATUS", {drop("^\\* STATUS")}, WrongBlock::At::prefix),
        on(Protocol::imap, "LIST", {say("${tag} NO not now")}, WrongBlock::At::prefix),
        on(Protocol::imap, "EXAMINE", {say("${tag} NO not now")}, WrongBlock::At::prefix),
        on(Protocol::imap, "UID FETCH", {drop("^\\* 1 FETCH"), drop("X-Letter")}, WrongBlock::At::prefix)}) {
    World world(kDownload, {}, {wrong});
    world.mail.put("alice", letter());
    world.rig.play();
    EXPECT_NE(world.rig.problem(), "") << wrong.text;
    EXPECT_THAT(world.rig.told(What::step), IsEmpty()) << wrong.text;
    world.expect_untouched(1);
  }
}

// S6
TEST(LongLists, AServerThatClosesAtAppendAndTwoThousandMessages) {
  World world("  - phone: {save: draft, to: Drafts, count: 20000, size: 1KiB}\n", {},
              {on(Protocol::imap, "APPEND", {close_it()}, WrongBlock::At::prefix)});
  world.rig.play();
  EXPECT_TRUE(world.rig.player->done());
}

TEST(LongLists, AMaildropOfFortyNineThousandThatEndsAtTheFirstTop) {
  std::string rows = "+OK";
  for (int i = 1; i <= 49'000; ++i) rows += "\r\n" + std::to_string(i) + " 100";
  for (const char* step :
       {"pc: {download: all, as: got}", "pc: {delete: mail}", "pc: {see: mail, within: 1s}", "pc: compare"}) {
    World world(std::string("  - mta: {deliver: mail, to: alice}\n  - ") + step + "\n", {},
                {on(Protocol::pop3, "STAT", {say("+OK 49000 4900000")}),
                 on(Protocol::pop3, "LIST", {say(rows + "\r\n.")}), on(Protocol::pop3, "UIDL", {say("-ERR no")}),
                 on(Protocol::pop3, "TOP", {close_it()}, WrongBlock::At::prefix)});
    world.rig.play();
    EXPECT_TRUE(world.rig.player->done()) << step;
  }
}

TEST(LongLists, AMaildropOfFortyNineThousandWithoutTop) {
  std::string rows = "+OK";
  for (int i = 1; i <= 49'000; ++i) rows += "\r\n" + std::to_string(i) + " 100";
  World world(
      "  - mta: {deliver: mail, to: alice}\n  - pc: {delete: mail}\n  - pc: {download: all, as: got}\n", {},
      {on(Protocol::pop3, "STAT", {say("+OK 49000 4900000")}), on(Protocol::pop3, "LIST", {say(rows + "\r\n.")}),
       on(Protocol::pop3, "UIDL", {say("-ERR no")}), on(Protocol::pop3, "CAPA", {drop("^TOP")})});
  world.rig.play();
  EXPECT_TRUE(world.rig.player->done());
}

TEST(LongLists, FortyNineThousandMailboxesAndACloseAtTheFirstLook) {
  std::string rows;
  for (int i = 1; i <= 49'000; ++i) rows += "* LIST () \"/\" box" + std::to_string(i) + "\r\n";
  for (const char* command : {"EXAMINE", "STATUS"}) {
    World world("  - mta: {deliver: mail, to: alice}\n", {},
                {on(Protocol::imap, "LIST", {say(rows + "${tag} OK done")}, WrongBlock::At::prefix),
                 on(Protocol::imap, command, {close_it()}, WrongBlock::At::prefix)});
    world.rig.options.baseline = std::string(command) == "STATUS";
    world.rig.play();
    EXPECT_TRUE(world.rig.player->done()) << command;
  }
}

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
  EXPECT_EQ(takes, 3U);
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
    void ring(Time) override { mail.put(rig.scenario.accounts.front().name, letter()); }
    SimRig& rig;
    ForeignMail& mail;
  };
  SimRig rig;
  ForeignMail mail;
  Arrival arrival;
};

/// A story leaves behind what it found: the next one that makes or renames a mailbox is not refused because of it.
TEST(ForeignMail, MailboxesThatAPlayingMadeGoWithItsMailAndOthersStay) {
  World world(
      "  - mta: {deliver: mail, to: alice, count: 2}\n"
      "  - web: {create: Projects}\n"
      "  - web: {create: Kept}\n"
      "  - web: {move: mail.1, to: Projects}\n"
      "  - web: {rename: Projects, to: Old projects}\n"
      "  - web: {create: Theirs}\n"
      "  - agent: {deliver: more, to: alice}\n");
  world.rig.options.load = true;  // cleans up in the end
  world.now = [&world] {
    ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "SELECT INBOX", "COPY * Theirs"},
        world.rig.network->now());
  };
  ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "CREATE Kept"}, {});
  world.rig.play();
  const std::string left = ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "LIST \"\" *"}, {});
  EXPECT_THAT(left, HasSubstr("Kept")) << "it was there before";
  EXPECT_THAT(left, HasSubstr("Theirs")) << "somebody's mail is in it";
  EXPECT_THAT(left, testing::Not(HasSubstr("Projects")));
  EXPECT_THAT(left, testing::Not(HasSubstr("Old projects")));
}

/// A server that says OK to the CREATE of what is there: it is empty, and its owner's.
TEST(ForeignMail, AMailboxThatWasThereBeforeStaysThoughACreateOfItWasOk) {
  World world("  - web: {create: Archive}\n", {}, {on(Protocol::imap, "CREATE Archive", {say("${tag} OK done")})});
  world.rig.options.load = true;  // cleans up in the end
  ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "CREATE Archive"}, {});
  world.rig.play();
  EXPECT_THAT(world.rig.told(What::create), Contains(HasSubstr("ok ")));
  EXPECT_THAT(in_alices(world, {"LIST \"\" *"}), HasSubstr("Archive"));
}

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
  LateSession another(lines, false, {on(Protocol::pop3, "TOP 1 0", {say("+OK\r\nSubject: dinner\r\n\r\n.")})});
  EXPECT_THAT(another.rig.problem(), HasSubstr("message 1 of the maildrop is not ours"));
  LateSession more(
      lines, false,
      {on(Protocol::pop3, "STAT", {say("+OK 40 4000")}), on(Protocol::pop3, "TOP 1 0", {say("-ERR not offered")})});
  EXPECT_THAT(more.rig.problem(), HasSubstr("not as many messages as INBOX over IMAP, and TOP is refused"));
  LateSession without(lines, false, {on(Protocol::pop3, "TOP 1 0", {say("-ERR not offered")})});
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
  const auto no_top = [] { return on(Protocol::pop3, "TOP", {say("-ERR not offered")}, WrongBlock::At::prefix); };
  LateSession late(lines, true, {no_top()});
  EXPECT_THAT(late.rig.problem(), HasSubstr("INBOX of user-"));
  EXPECT_THAT(late.mail.read_by(), IsEmpty());
  LateSession less(lines, false, {no_top(), on(Protocol::pop3, "STAT", {say("+OK 0 0")})});
  EXPECT_THAT(late.mail.harmed(), IsEmpty());
}

/// What STAT says is read strictly, and a reply that is owed is waited for.
TEST(BesideOthers, WhatTheCountDoesNotSayIsNotTaken) {
  const std::string lines = "      2> C: RETR 2\n      2> S: +OK\n";
  for (const char* stat : {"-ERR [SYS/TEMP] try again", "+OK", "+OK there are 1 300", "+OK 1x 300"}) {
    LateSession late(lines, true, {on(Protocol::pop3, "STAT", {say(stat)})});
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
  LateSession wrong(counts, false, {on(Protocol::pop3, "STAT", {say("+OK 3 300")})});
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
