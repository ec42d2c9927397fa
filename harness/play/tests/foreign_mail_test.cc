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
      mail.put("alice", foreign_letter());
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
        {}, with_top ? std::vector<WrongBlock>{} : std::vector{wrong_on(Protocol::pop3, "CAPA", {drop("^TOP")})});
    world.rig.target.imap.clear();
    world.rig.scenario.devices.erase(world.rig.scenario.devices.begin() + 2, world.rig.scenario.devices.begin() + 4);
    for (auto& step : world.rig.scenario.steps) step.device = step.device == 4 ? 2 : step.device;
    world.mail.put("alice", foreign_letter());
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
  for (const auto& wrong : {wrong_on(Protocol::pop3, "CAPA", {drop("^TOP")}),
                            wrong_on(Protocol::pop3, "TOP 2 0", {wrong_say("-ERR not now")}),
                            wrong_on(Protocol::pop3, "TOP", {wrong_say("-ERR not now")}, WrongBlock::At::prefix)}) {
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
    world.now = [&] { world.mail.put("alice", foreign_letter("marked"), true); };
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
  world.now = [&] { world.mail.put("alice", foreign_letter("marked"), true); };
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
    return wrong_on(Protocol::imap, "STATUS Projects", {std::move(action)}, WrongBlock::At::prefix);
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
    World beside("  - agent: {deliver: mail, to: alice}\n", {},
                 {wrong_on(Protocol::pop3, "CAPA",
                           {{.kind = WrongAction::Kind::edit, .text = policy, .pattern = "^EXPIRE.*$"}})});
    beside.rig.play();
    EXPECT_EQ(beside.rig.told(What::top).empty(), std::string(policy) != "EXPIRE NEVER") << policy;
    EXPECT_NE(beside.verdict(), judge::Verdict::fail);
  }
}

// S5
TEST(ForeignMail, WhatIsNotKnownIsNotEmpty) {
  for (const auto& wrong :
       {wrong_on(Protocol::imap, "STATUS", {wrong_say("${tag} NO not now")}, WrongBlock::At::prefix),
        wrong_on(Protocol::imap, "STATUS", {drop("^\\* STATUS")}, WrongBlock::At::prefix),
        wrong_on(Protocol::imap, "LIST", {wrong_say("${tag} NO not now")}, WrongBlock::At::prefix),
        wrong_on(Protocol::imap, "EXAMINE", {wrong_say("${tag} NO not now")}, WrongBlock::At::prefix),
        wrong_on(Protocol::imap, "UID FETCH", {drop("^\\* 1 FETCH"), drop("X-Letter")}, WrongBlock::At::prefix)}) {
    World world(kDownload, {}, {wrong});
    world.mail.put("alice", foreign_letter());
    world.rig.play();
    EXPECT_NE(world.rig.problem(), "") << wrong.text;
    EXPECT_THAT(world.rig.told(What::step), IsEmpty()) << wrong.text;
    world.expect_untouched(1);
  }
}

// S6
TEST(LongLists, AServerThatClosesAtAppendAndTwoThousandMessages) {
  World world("  - phone: {save: draft, to: Drafts, count: 20000, size: 1KiB}\n", {},
              {wrong_on(Protocol::imap, "APPEND", {close_it()}, WrongBlock::At::prefix)});
  world.rig.play();
  EXPECT_TRUE(world.rig.player->done());
}

TEST(LongLists, AMaildropOfFortyNineThousandThatEndsAtTheFirstTop) {
  std::string rows = "+OK";
  for (int i = 1; i <= 49'000; ++i) rows += "\r\n" + std::to_string(i) + " 100";
  for (const char* step :
       {"pc: {download: all, as: got}", "pc: {delete: mail}", "pc: {see: mail, within: 1s}", "pc: compare"}) {
    World world(std::string("  - mta: {deliver: mail, to: alice}\n  - ") + step + "\n", {},
                {wrong_on(Protocol::pop3, "STAT", {wrong_say("+OK 49000 4900000")}),
                 wrong_on(Protocol::pop3, "LIST", {wrong_say(rows + "\r\n.")}),
                 wrong_on(Protocol::pop3, "UIDL", {wrong_say("-ERR no")}),
                 wrong_on(Protocol::pop3, "TOP", {close_it()}, WrongBlock::At::prefix)});
    world.rig.play();
    EXPECT_TRUE(world.rig.player->done()) << step;
  }
}

TEST(LongLists, AMaildropOfFortyNineThousandWithoutTop) {
  std::string rows = "+OK";
  for (int i = 1; i <= 49'000; ++i) rows += "\r\n" + std::to_string(i) + " 100";
  World world(
      "  - mta: {deliver: mail, to: alice}\n  - pc: {delete: mail}\n  - pc: {download: all, as: got}\n", {},
      {wrong_on(Protocol::pop3, "STAT", {wrong_say("+OK 49000 4900000")}),
       wrong_on(Protocol::pop3, "LIST", {wrong_say(rows + "\r\n.")}),
       wrong_on(Protocol::pop3, "UIDL", {wrong_say("-ERR no")}), wrong_on(Protocol::pop3, "CAPA", {drop("^TOP")})});
  world.rig.play();
  EXPECT_TRUE(world.rig.player->done());
}

TEST(LongLists, FortyNineThousandMailboxesAndACloseAtTheFirstLook) {
  std::string rows;
  for (int i = 1; i <= 49'000; ++i) rows += "* LIST () \"/\" box" + std::to_string(i) + "\r\n";
  for (const char* command : {"EXAMINE", "STATUS"}) {
    World world("  - mta: {deliver: mail, to: alice}\n", {},
                {wrong_on(Protocol::imap, "LIST", {wrong_say(rows + "${tag} OK done")}, WrongBlock::At::prefix),
                 wrong_on(Protocol::imap, command, {close_it()}, WrongBlock::At::prefix)});
    world.rig.options.baseline = std::string(command) == "STATUS";
    world.rig.play();
    EXPECT_TRUE(world.rig.player->done()) << command;
  }
}

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
  World world("  - web: {create: Archive}\n", {},
              {wrong_on(Protocol::imap, "CREATE Archive", {wrong_say("${tag} OK done")})});
  world.rig.options.load = true;  // cleans up in the end
  ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "CREATE Archive"}, {});
  world.rig.play();
  EXPECT_THAT(world.rig.told(What::create), Contains(HasSubstr("ok ")));
  EXPECT_THAT(in_alices(world, {"LIST \"\" *"}), HasSubstr("Archive"));
}

/// Empty or not: whose name a story happens to use had it for something.
TEST(ForeignMail, AMailboxThatWasThereBeforeIsNeitherRenamedNorDeletedNorWhatIsBelowIt) {
  for (const char* step : {"web: {remove: Kept}", "web: {rename: Kept, to: Old}", "web: {remove: kept}"})
    for (const bool looked : {true, false}) {  // itself, or an earlier one for the copies of a load
      const MailboxesBefore before = {{1, {"inbox", "kept/2026"}}};
      World world("  - mta: {deliver: mail, to: alice}\n  - " + std::string(step) + "\n");
      world.rig.options.baseline = looked;
      if (!looked) world.rig.options.before = &before;
      ask(*world.rig.server, Protocol::imap, {"LOGIN user-alice pass", "CREATE Kept/2026"}, {});
      world.rig.play();
      EXPECT_THAT(world.rig.problem(), HasSubstr("was there before the scenario")) << step;
      EXPECT_EQ(world.verdict(), judge::Verdict::inconclusive) << step;
      EXPECT_THAT(in_alices(world, {"LIST \"\" *"}), HasSubstr("Kept/2026")) << step;
    }
}

void with_dots(server::ServerOptions& options) { options.latitudes = {"imap.dot-separator"}; }

/// RFC 2342 section 5: NAMESPACE may tell nothing. Names are as on the wire then.
std::vector<WrongBlock> tells_no_namespace(bool tells_none) {
  if (!tells_none) return {};
  return {wrong_on(Protocol::imap, "NAMESPACE", {wrong_say("* NAMESPACE NIL NIL NIL\r\n${tag} OK done")})};
}

TEST(ForeignMail, WhatIsBelowAMailboxWasThereBeforeWhateverSeparatesTheLevels) {
  for (const bool no_namespace : {false, true})
    for (const char* step : {"web: {remove: Kept}", "web: {rename: Kept, to: Old}"}) {
      World world("  - web: {create: Kept}\n  - " + std::string(step) + "\n", with_dots,
                  tells_no_namespace(no_namespace));
      in_alices(world, {"CREATE Kept.2026"});
      world.rig.play();
      EXPECT_THAT(world.rig.problem(), HasSubstr("was there before the scenario")) << step << no_namespace;
      EXPECT_EQ(world.verdict(), judge::Verdict::inconclusive) << step << no_namespace;
      for (const What what : {What::remove, What::rename}) EXPECT_THAT(world.rig.told(what), IsEmpty()) << step;
      EXPECT_THAT(in_alices(world, {"LIST \"\" *"}), HasSubstr("Kept.2026")) << step << no_namespace;
    }
}

TEST(ForeignMail, WhatWasRenamedWithWhatIsBelowItGoesWhateverSeparatesTheLevels) {
  for (const bool no_namespace : {false, true}) {
    World world(std::string("  - web: {create: Projects}\n  - web: {create: ") +
                    (no_namespace ? "Projects.Sub" : "Projects/Sub") + "}\n  - web: {rename: Projects, to: Old}\n",
                with_dots, tells_no_namespace(no_namespace));
    world.rig.options.load = true;  // cleans up in the end
    world.rig.play();
    EXPECT_EQ(world.rig.problem(), "") << no_namespace;
    EXPECT_THAT(world.rig.told(What::rename), Contains(HasSubstr("ok "))) << no_namespace;
    const std::string left = in_alices(world, {"LIST \"\" *"});
    EXPECT_THAT(left, testing::Not(HasSubstr("Old"))) << no_namespace;
    EXPECT_THAT(left, testing::Not(HasSubstr("Projects"))) << no_namespace;
  }
}

}  // namespace
}  // namespace mailproof::play
