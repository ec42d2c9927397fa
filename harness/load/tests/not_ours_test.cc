// Whatever comes in while a load goes on, and whatever a server calls it: mail that is not ours stays as it is.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/customer.h"
#include "load/limits.h"
#include "load/shard.h"
#include "load/visits.h"
#include "play/talk/takes.h"
#include "play/tests/foreign_rig.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using Kind = WrongAction::Kind;

const std::string kAlice = "alice@example.test";
constexpr std::string_view kDinner =
    "From: Bob <bob@example.org>\r\nTo: alice@example.test\r\nSubject: dinner\r\nMessage-ID: <1@example.org>\r\n"
    "Date: Wed, 25 Nov 2026 09:12:40 +0000\r\n\r\nat eight\r\n";
constexpr std::string_view kDeliveryReport =
    "From: MAILER-DAEMON@example.org\r\nTo: alice@example.test\r\nSubject: failed\r\nMessage-ID: <2@example.org>\r\n"
    "Date: Wed, 25 Nov 2026 09:12:40 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
    "report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nof <0.1.2@mailproof.invalid>\r\n--b--\r\n";

WrongBlock says_on(const std::string& line, std::vector<WrongAction> actions) {
  WrongBlock block{.at = WrongBlock::At::regex, .protocol = Protocol::imap, .text = line};
  block.actions = std::move(actions);
  return block;
}

/// Alice's account in a load, on a server that does what a dialogue says.
struct Account {
  explicit Account(WrongDialogue wrong = {}, std::set<std::string, std::less<>> defects = {})
      : rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery]\naccounts: [alice]\n"
                            "devices: {mta: {delivers: any}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n",
                            "play.yaml"),
            [&](server::ServerOptions& options) { options.defects = defects; }, {std::move(wrong)}) {
    plan.accounts = 1;
    plan.phases = {{1, 1, minutes(30)}};
  }
  void begin(std::uint64_t run_id = 7) {
    PlanSettings settings;
    settings.run_id = run_id;
    settings.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    plan.profiles = {profile};
    scene.emplace(
        *rig.network, rig.target, plan, settings,
        std::vector<scenario::PoolAccount>{{"user-alice", kAlice, Secret("pass"), std::nullopt, "", std::nullopt}});
  }
  void put(std::string_view text) { play::put_into(*rig.server, kAlice, text, rig.network->now()); }
  /// One of the load's.
  void put_ours() {
    const std::size_t parcel = scene->parcels.add(static_cast<std::uint32_t>(scene->parcels.size() + 1), 0, 2048);
    put(*scene->compose(parcel, kAlice));
    scene->accepted(parcel, rig.network->now());
  }
  std::string ask(std::vector<std::string> commands) {
    commands.insert(commands.begin(), "LOGIN user-alice pass");
    return play::ask(*rig.server, Protocol::imap, commands, rig.network->now());
  }
  /// `meanwhile`: once all was looked at.
  Found visit(VisitWhat what, Protocol protocol = Protocol::imap, const std::function<void()>& meanwhile = {}) {
    const auto one = load::visit(*scene, protocol, what);
    Found out;
    one->may_clean = [&](const Found&) {
      if (meanwhile) meanwhile();
      return true;
    };
    one->on_over = [&](const Found& found) { out = found; };
    EXPECT_TRUE(rig.network->run([&] { return one->over(); }));
    return out;
  }
  void play(Duration time) {
    const Time from = rig.network->now();
    scene->begin(from);
    customer = make_imap_customer(*scene, profile, 0, 0, 1);
    customer->come(from);
    rig.network->run([&] { return rig.network->now() >= from + time; });
  }
  const stats::Operation& of(const std::string& name) const {
    static const stats::Operation kNone;
    const auto* found = scene->operations.find(name);
    return found == nullptr ? kNone : *found;
  }

  play::SimRig rig;
  scenario::Plan plan;
  scenario::Profile profile;
  std::optional<Scene> scene;
  std::unique_ptr<Customer> customer;
};

VisitWhat made_trash() {
  VisitWhat what;
  what.trash = what.remove_trash = true;
  return what;
}

TEST(MadeMailbox, GoesWhenNothingIsInIt) {
  Account alice;
  alice.begin();
  alice.put_ours();
  alice.ask({"CREATE Trash", "SELECT INBOX", "MOVE 1 Trash"});
  EXPECT_EQ(alice.visit(made_trash()).parcels.size(), 1U);
  EXPECT_THAT(alice.ask({"LIST \"\" Trash"}), Not(HasSubstr("* LIST")));
}

TEST(MadeMailbox, GoesWhereNothingIsLeftInTheAccount) {
  Account alice;
  alice.begin();
  alice.ask({"CREATE Trash"});
  alice.visit(made_trash());
  EXPECT_THAT(alice.ask({"LIST \"\" Trash"}), Not(HasSubstr("* LIST")));
}

TEST(MadeMailbox, StaysWhenSomebodyPutMailIntoIt) {
  Account alice;
  alice.begin();
  alice.put_ours();
  alice.ask({"CREATE Trash"});
  alice.visit(made_trash(), Protocol::imap, [&] {
    alice.put(kDinner);
    alice.ask({"SELECT INBOX", "MOVE * Trash"});
  });
  EXPECT_THAT(alice.ask({"EXAMINE Trash", "FETCH 1:* (BODY.PEEK[])"}), HasSubstr("dinner"));
}

TEST(MadeMailbox, StaysWithWhatIsBelowItAndWhereItCannotBeLookedInto) {
  for (const bool closed : {false, true}) {
    Account alice(closed ? WrongDialogue{{says_on("^EXAMINE \"?Trash",
                                                  {{.kind = Kind::say, .text = "${tag} NO [INUSE] not now\r\n"}})}}
                         : WrongDialogue{});
    alice.begin();
    alice.put_ours();
    alice.ask({closed ? "CREATE Trash" : "CREATE Trash/2024"});
    alice.visit(made_trash());
    EXPECT_THAT(alice.ask({"LIST \"\" Trash"}), HasSubstr("* LIST")) << closed;
  }
}

TEST(Look, AMailboxThatIsClosedIsNotAnEmptyOne) {
  Account alice({{says_on("^EXAMINE \"?Trash", {{.kind = Kind::say, .text = "${tag} NO [UNAVAILABLE] later\r\n"}})}});
  alice.begin();
  VisitWhat what;
  what.sent = "Copies";
  EXPECT_TRUE(alice.visit(what).unopened.empty()) << "nobody made it";
  what.trash = true;
  const Found found = alice.visit(what);
  ASSERT_TRUE(found.unopened.contains("Trash"));
  EXPECT_THAT(found.unopened.at("Trash"), HasSubstr("later"));
  EXPECT_THAT(found.opened, testing::ElementsAre("INBOX"));
}

/// RFC 2342: what people call Trash is INBOX.Trash there.
TEST(Look, AMailboxThatIsClosedIsNotAnEmptyOneBelowAPrefix) {
  for (const bool there : {true, false}) {
    Account alice({{says_on("^NAMESPACE", {{.kind = Kind::say,
                                            .text = "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n${tag} OK done\r\n"}}),
                    says_on("^EXAMINE \"?INBOX\\.Trash", {{.kind = Kind::say, .text = "${tag} NO [INUSE] later\r\n"}}),
                    says_on("^LIST", {{.kind = Kind::edit, .text = "\".\"", .pattern = "\"/\""}})}});
    alice.begin();
    if (there) alice.ask({"CREATE INBOX.Trash"});
    VisitWhat what;
    what.trash = true;
    EXPECT_EQ(alice.visit(what).unopened.contains("Trash"), there);
  }
}

TEST(Look, WhatProfilesOpenIsLookedAtBeside) {
  Account alice;
  alice.begin();
  alice.put_ours();
  alice.put(kDinner);
  alice.ask({"CREATE Archive", "SELECT INBOX", "COPY 1 Archive", "MOVE 2 Archive"});
  VisitWhat what;
  what.others = {"Archive"};
  const Found found = alice.visit(what);
  EXPECT_EQ(found.foreign, 1U);
  EXPECT_EQ(found.parcels.size(), 1U);
  EXPECT_EQ(found.elsewhere.size(), 1U) << "a mailbox may show what lies in another one";
}

TEST(Leftovers, StayBehindALoadForTheyMayBeOfOneThatGoesOn) {
  for (const auto protocol : {Protocol::imap, Protocol::pop3})
    for (const bool before : {true, false}) {
      Account alice;
      alice.begin(8);
      alice.put_ours();  // of another run
      alice.begin(7);
      alice.put_ours();
      VisitWhat what;
      what.leftovers = before;
      EXPECT_EQ(alice.visit(what, protocol).leftovers, 1U);
      EXPECT_THAT(alice.ask({"EXAMINE INBOX"}), HasSubstr(before ? "* 0 EXISTS" : "* 1 EXISTS"));
    }
}

TEST(Reports, OfOthersAreNotReadWhereASearchFindsEverything) {
  for (const bool everything : {true, false}) {
    Account alice(everything ? WrongDialogue{{says_on(
                                   "SEARCH", {{.kind = Kind::say, .text = "* SEARCH 1\r\n${tag} OK found\r\n"}})}}
                             : WrongDialogue{});
    alice.begin();
    alice.put(kDeliveryReport);
    VisitWhat what;
    what.reports = true;
    const Found found = alice.visit(what);
    EXPECT_TRUE(found.bounced.empty());
    EXPECT_EQ(found.reports_unread, everything) << "and that there are none about us is not known then";
  }
}

TEST(Reports, AreAllReadHoweverMany) {
  Account alice({{says_on("SEARCH UID [0-9,:]{4001}",
                          {{.kind = Kind::say, .text = "${tag} BAD too long (RFC 7162 section 4)\r\n"}})}});
  alice.begin();
  constexpr int kMany = 1200;
  for (int i = 1; i <= kMany; ++i) {
    std::string report(kDeliveryReport);
    report.replace(report.find("<2@"), 2, fmt::format("<{}", 100 + i));
    report.replace(report.find("<0.1.2@"), 6, fmt::format("<{}.{}.1", alice.scene->parcels.playing(), i));
    alice.put(report);
    alice.put(kDinner);  // their UIDs are not one range
  }
  VisitWhat what;
  what.reports = true;
  const Found found = alice.visit(what);
  EXPECT_EQ(found.bounced.size(), std::size_t{kMany});
  EXPECT_FALSE(found.reports_unread);
}

TEST(Reports, ThatASearchIsRefusedForStayUnread) {
  Account alice({{says_on("SEARCH", {{.kind = Kind::say, .text = "${tag} NO not now\r\n"}})}});
  alice.begin();
  alice.put(kDeliveryReport);
  VisitWhat what;
  what.reports = true;
  EXPECT_TRUE(alice.visit(what).reports_unread);
}

scenario::ProfileStep asks(Ask ask, const std::string& text = "", Of of = Of::fresh) {
  scenario::ProfileStep out;
  out.ask = ask;
  out.text = text;
  out.of = of;
  out.gets_text = ask == Ask::fetch && play::reads_text(text);
  return out;
}

/// A login a minute; what came is removed a minute and a half later, in a login of its own.
scenario::Profile comes_and_goes() {
  scenario::Profile out;
  out.protocol = Protocol::imap;
  out.every = minutes(1);
  out.login = {asks(Ask::select, "INBOX")};
  out.news = {asks(Ask::fetch, "(UID BODY.PEEK[HEADER.FIELDS (X-Mailproof Message-ID Subject)])")};
  out.remove = {1, {seconds(90), seconds(90)}};
  out.how = scenario::Removal::expunge;
  return out;
}

TEST(Uid, ThatWasGivenOutAnewIsNotWhatItWasInAnotherSession) {
  Account alice({}, {"imap.uid-reused"});
  alice.profile = comes_and_goes();
  alice.begin();
  alice.put_ours();
  alice.play(seconds(80));
  // Somebody else takes it away, and the server gives its UID to somebody's mail.
  alice.ask({"SELECT INBOX", "STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE"});
  alice.put(kDinner);
  alice.put(kDinner);
  ASSERT_THAT(alice.ask({"EXAMINE INBOX", "FETCH 1 (UID)"}), HasSubstr("UID 1)"));
  const Time from = alice.rig.network->now();
  alice.rig.network->run([&] { return alice.rig.network->now() >= from + minutes(3); });
  EXPECT_THAT(alice.ask({"EXAMINE INBOX", "FETCH 1:* (FLAGS)"}),
              testing::AllOf(HasSubstr("* 2 EXISTS"), Not(ContainsRegex("FETCH .FLAGS .[^)]*Deleted"))));
  EXPECT_EQ(alice.of("imap.store").started, 0U);
}

TEST(Uid, OfOursIsLookedAtAgainAndThenRemoved) {
  Account alice;
  alice.profile = comes_and_goes();
  alice.begin();
  alice.put_ours();
  alice.put_ours();
  alice.play(minutes(4));
  EXPECT_THAT(alice.ask({"EXAMINE INBOX"}), HasSubstr("* 0 EXISTS"));
  EXPECT_EQ(alice.of("imap.look").ok, 1U) << "the news of each login show the newest";
  EXPECT_EQ(alice.of("imap.expunge").ok, 2U);
}

/// A click that waited for a server took that long, also where a look comes before it.
TEST(Click, CountsFromWhenItsOwnerClicked) {
  Account alice({{says_on("STORE", {{.kind = Kind::wait, .span = seconds(20)}, {.kind = Kind::pass}})}});
  alice.profile = comes_and_goes();
  alice.begin();
  for (int i = 0; i < 3; ++i) alice.put_ours();
  alice.put(kDinner);  // the news of a login show the newest: the others are looked at
  alice.play(minutes(5));
  EXPECT_EQ(alice.of("imap.store").ok, 3U);
  EXPECT_GE(alice.of("imap.store").response.max(), seconds(55));
  EXPECT_LT(alice.of("imap.store").response.max(), seconds(70));
  EXPECT_EQ(alice.of("imap.look").ok, 3U);
  EXPECT_LT(alice.of("imap.look").response.max(), seconds(1));
}

/// Only the name and both numbers together name a message (RFC 3501 section 2.3.1.1).
TEST(Mailbox, WithTheSameUidvalidityIsAnotherOne) {
  Account alice(
      {{says_on("^SELECT", {{.kind = Kind::edit, .text = "UIDVALIDITY 77", .pattern = "UIDVALIDITY [0-9]+"}})}});
  alice.profile = comes_and_goes();
  alice.profile.remove = {};
  alice.profile.login = {asks(Ask::select, "INBOX"),
                         asks(Ask::fetch, "(UID BODY.PEEK[HEADER.FIELDS (X-Mailproof Message-ID Subject)])"),
                         asks(Ask::select, "Archive"), asks(Ask::store, "\\Seen", Of::known), asks(Ask::close)};
  alice.begin();
  alice.put(kDinner);
  alice.ask({"CREATE Archive", "SELECT INBOX", "STORE 1 +FLAGS.SILENT (\\Deleted)", "MOVE 1 Archive"});
  alice.put_ours();
  alice.play(seconds(30));
  EXPECT_THAT(alice.ask({"EXAMINE Archive", "FETCH 1 (FLAGS)"}),
              testing::AllOf(HasSubstr("* 1 EXISTS"), Not(ContainsRegex("FETCH .FLAGS .[^)]*Seen"))));
}

TEST(Rows, InAnOrderThatCostsTooMuchEndTheSession) {
  for (const int many : {1'000, 15'000}) {
    std::string rows;
    for (int uid = many; uid > 0; --uid) rows += fmt::format("* 1 FETCH (UID {})\r\n", uid);
    Account alice(
        {{says_on("^SELECT", {{.kind = Kind::edit, .text = "* 20000 EXISTS", .pattern = "\\* [0-9]+ EXISTS"}}),
          says_on("UID FETCH", {{.kind = Kind::say, .text = rows + "${tag} OK all\r\n"}})}});
    alice.profile = comes_and_goes();
    alice.profile.stays = true;
    alice.begin();
    alice.play(seconds(30));
    EXPECT_EQ(alice.of("imap.connection").info, many > 10'000 ? 1U : 0U) << many;
  }
}

TEST(Rows, OfFewOfAMillionFillNoMemory) {
  for (const bool full : {false, true}) {
    Account alice(
        {{says_on("^SELECT", {{.kind = Kind::edit, .text = "* 1000000 EXISTS", .pattern = "\\* [0-9]+ EXISTS"}}),
          says_on("UID FETCH", {{.kind = Kind::say, .text = "* 1000000 FETCH (UID 1000000)\r\n${tag} OK all\r\n"}})}});
    alice.profile = comes_and_goes();
    alice.profile.stays = true;
    alice.begin();
    alice.scene->sparse_views = full ? Scene::kMostSparse : 0;  // others have it
    alice.play(seconds(30));
    EXPECT_EQ(alice.of("imap.connection").info, full ? 1U : 0U);
    EXPECT_EQ(alice.scene->sparse_views, full ? Scene::kMostSparse : 4 * (1'000'000 - 4) - Scene::kSparseAlone);
    LoadResult result;
    result.plan.examples = alice.scene->examples;
    EXPECT_EQ(limit_of_ours_met(result).empty(), !full) << "it is ours";
  }
}

TEST(Rows, OfTheNewestOfManyAreWhatMailboxesHave) {
  Account alice(
      {{says_on("^SELECT", {{.kind = Kind::edit, .text = "* 20000 EXISTS", .pattern = "\\* [0-9]+ EXISTS"}}),
        says_on("UID FETCH", {{.kind = Kind::say, .text = "* 20000 FETCH (UID 20000)\r\n${tag} OK all\r\n"}})}});
  alice.profile = comes_and_goes();
  alice.profile.stays = true;
  alice.begin();
  alice.scene->sparse_views = Scene::kMostSparse;
  alice.play(seconds(30));
  EXPECT_EQ(alice.of("imap.connection").info, 0U);
  EXPECT_EQ(alice.scene->sparse_views, Scene::kMostSparse);
}

/// The server says OK to the CREATE of what is there: what the preflight saw, the copies know.
TEST(CopiesOfAStory, LeaveAMailboxThatWasThereBefore) {
  for (const bool looked : {true, false}) {
    WrongBlock created{.at = WrongBlock::At::regex, .protocol = Protocol::imap, .text = "^CREATE Kept"};
    created.actions = {{.kind = Kind::say, .text = "${tag} OK done\r\n"}};
    play::SimRig rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap]\naccounts: [alice]\n"
                                     "devices: {web: {imap: alice, kind: webmail}}\nsteps:\n  - web: {create: Kept}\n",
                                     "play.yaml"),
                     {}, {WrongDialogue{{created}}});
    play::ask(*rig.server, Protocol::imap, {"LOGIN user-alice pass", "CREATE Kept"}, {});
    play::PlayOptions options = rig.options;
    options.load = true;  // cleans up in the end
    LoadShard shard(rig.scenario, rig.target, {{rig.leased[0]}}, *rig.network, options,
                    Arrivals{.rate = 1, .total = 2});
    bool checked = !looked;
    if (looked)
      shard.preflight([&](const std::string& wrong) {
        EXPECT_EQ(wrong, "");
        checked = true;
      });
    EXPECT_TRUE(rig.network->run([&] { return checked; }));
    shard.start();
    EXPECT_TRUE(rig.network->run([&] { return shard.done(); }));
    const auto there = play::ask(*rig.server, Protocol::imap, {"LOGIN user-alice pass", "LIST \"\" *"}, {});
    EXPECT_EQ(there.find("Kept") != std::string::npos, looked) << "without a look it would not be known";
  }
}

/// One slot, which the audit of a copy holds while others come to be due: the load lasts as long as they do.
TEST(CopiesOfAStory, ComeToBeDueForAsLongAsTheLoadLasts) {
  play::SimRig rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [delivery]\naccounts: [alice]\n"
                                   "devices: {mta: {delivers: any}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n",
                                   "play.yaml"),
                   [](server::ServerOptions& options) { options.defects = {"delivery.accepts-and-drops"}; });
  LoadShard shard(rig.scenario, rig.target, {{rig.leased[0]}}, *rig.network, rig.options,
                  Arrivals{.rate = 1, .total = 4});
  const Time zero = rig.network->now();
  shard.start(zero);
  EXPECT_TRUE(rig.network->run([&] { return rig.network->now() - zero > std::chrono::milliseconds(3500); }));
  EXPECT_LT(shard.progress().begun, 4U);
  shard.end();
  EXPECT_TRUE(rig.network->run([&] { return shard.done(); }));
  EXPECT_GT(rig.network->now() - zero, seconds(4)) << "its audit waits";
  EXPECT_EQ(shard.steps_over() - zero, seconds(3)) << "the last was due then";
}

}  // namespace
}  // namespace mailproof::load
