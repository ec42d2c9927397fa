// Lost is what two looks did not find where it may be; whoever writes is told apart from whoever else does.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/customers.h"
#include "play/tests/foreign_rig.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

/// A load of alice and bob, of which alice has one message that her phone moves to Trash, or leaves.
struct Audited {
  Audited(WrongDialogue wrong, bool removes)
      : rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery]\naccounts: [alice, bob]\n"
                            "devices: {mta: {delivers: any}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n",
                            "play.yaml"),
            {}, {std::move(wrong)}) {
    phone.name = "phone";
    phone.protocol = Protocol::imap;
    phone.stays = true;
    scenario::ProfileStep select, fetch;
    select.ask = Ask::select;
    select.text = "INBOX";
    fetch.ask = Ask::fetch;
    fetch.text = "(UID BODY.PEEK[HEADER.FIELDS (Subject)])";
    fetch.of = Of::fresh;
    phone.login = {select};
    phone.news = {fetch};
    phone.remove = {removes ? 1.0 : 0.0, {seconds(1), seconds(1)}};
    phone.how = scenario::Removal::trash;
    plan.name = "office";
    plan.accounts = 2;
    plan.phases = {{1, 1, seconds(30)}};
    plan.mix = {{{"phone"}, 1, {}}};
  }
  /// `meanwhile`: when all have gone.
  void play(bool one_message, const std::function<void()>& meanwhile = {}) {
    rig.target.gives_up_after = gives_up_after;
    plan.profiles.insert(plan.profiles.begin(), phone);
    PlanPart part;
    part.plan = &plan;
    part.settings.run_id = 7;
    part.settings.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    for (const char* name : {"alice", "bob"})
      part.accounts.push_back({fmt::format("user-{}", name), fmt::format("{}@example.test", name), Secret("pass"),
                               std::nullopt, "", std::nullopt});
    if (reports_to_bob) part.sender = part.accounts[1];
    Customers customers(*rig.network, rig.target, std::move(part));
    Scene& scene = customers.scene();
    parcels = &scene.parcels;
    bool done = false;
    customers.check([&](const std::string& wrong) {
      EXPECT_EQ(wrong, "");
      done = true;
    });
    rig.network->run([&] { return done; });
    if (one_message) {
      const std::size_t parcel = scene.parcels.add(1, 0, 2048);
      const auto text = scene.compose(parcel, "bob@example.test");
      if (!bounces) play::put_into(*rig.server, "alice@example.test", *text, rig.network->now());
      scene.accepted(parcel, rig.network->now());
    }
    customers.start();
    rig.network->run([&] { return customers.gone(); });
    if (meanwhile) meanwhile();
    done = false;
    customers.audit([&] { done = true; });
    rig.network->run([&] { return done; });
    customers.harvest(totals, findings, "");
    aborted = customers.aborted();
    parcels = nullptr;
  }
  bool found(const std::string& what) const { return findings.contains("office/ledger/" + what); }
  std::uint64_t fate(const std::string& what) const {
    const auto one = totals.ledger.fates.find(what);
    return one == totals.ledger.fates.end() ? 0 : one->second;
  }

  play::SimRig rig;
  scenario::Profile phone;
  scenario::Plan plan;
  StoryTotals totals;
  std::map<std::string, Tally> findings;
  std::string aborted;
  Parcels* parcels = nullptr;  ///< while it is played
  bool bounces = false;        ///< alice's message came to her server, and never into her mailbox
  bool reports_to_bob = false;
  std::optional<Duration> gives_up_after;
};

/// On the n-th connections by IMAP: two looks before the load, two phones, two audits, and the last look at alice's.
WrongDialogue closed(const std::string& mailbox, std::vector<unsigned> connections,
                     Protocol protocol = Protocol::imap) {
  WrongDialogue out;
  for (const unsigned n : connections) {
    WrongBlock block{.at = WrongBlock::At::regex, .protocol = protocol, .connection = n, .text = mailbox};
    block.actions = {{.kind = WrongAction::Kind::say,
                      .text = protocol == Protocol::pop3 ? "-ERR [IN-USE] maildrop locked\r\n"
                                                         : "${tag} NO [UNAVAILABLE] later\r\n"}};
    out.blocks.push_back(std::move(block));
  }
  return out;
}

TEST(Audit, WhatWasMovedToTrashIsThere) {
  Audited plain({}, true);
  plain.play(true);
  EXPECT_EQ(plain.fate("present"), 1U);
  EXPECT_TRUE(plain.findings.empty());
}

TEST(Audit, ATrashThatIsClosedForAMomentHidesNothing) {
  Audited once(closed("^EXAMINE \"?Trash", {5, 6}), true);
  once.play(true);
  EXPECT_EQ(once.fate("present"), 1U);
  EXPECT_TRUE(once.findings.empty());
}

/// RFC 5530 section 3: UNAVAILABLE says nothing of a mailbox that is empty.
TEST(Audit, ATrashThatNobodyCouldLookIntoLosesNothing) {
  Audited always(closed("^EXAMINE \"?Trash", {5, 6, 7}), true);
  always.play(true);
  EXPECT_FALSE(always.found("lost"));
  EXPECT_EQ(always.fate("not-looked-for"), 1U);
  ASSERT_TRUE(always.found("not-looked-at"));
  EXPECT_EQ(always.findings.at("office/ledger/not-looked-at").first.severity, judge::Severity::inconclusive);
}

TEST(Audit, WhatIsGoneFromTrashIsLost) {
  Audited gone({}, true);
  gone.play(true, [&] {
    play::ask(*gone.rig.server, Protocol::imap,
              {"LOGIN user-alice pass", "SELECT Trash", "STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE"},
              gone.rig.network->now());
  });
  EXPECT_TRUE(gone.found("lost"));
  EXPECT_EQ(gone.fate("lost"), 1U);
}

TEST(Audit, OneOmissionIsNoLossWhereTheOtherLooksFailed) {
  WrongDialogue wrong = closed("^EXAMINE \"?INBOX", {7});
  for (auto& block : closed("^(PASS|AUTH)", {1}, Protocol::pop3).blocks) wrong.blocks.push_back(block);
  Audited one(std::move(wrong), false);
  one.play(true, [&] {
    play::ask(*one.rig.server, Protocol::imap,
              {"LOGIN user-alice pass", "SELECT INBOX", "STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE"},
              one.rig.network->now());
  });
  EXPECT_FALSE(one.found("lost"));
  EXPECT_TRUE(one.found("not-looked-at"));
}

/// Nor is it said that what POP3 downloads goes by a policy.
TEST(Audit, OneOmissionIsNoPolicyWhereTheOtherLooksFailed) {
  for (const bool fails : {true, false}) {
    WrongDialogue wrong = closed("^EXAMINE \"?INBOX", {7});
    for (auto& block : closed("^(PASS|AUTH)", {1}, Protocol::pop3).blocks) wrong.blocks.push_back(block);
    Audited one(fails ? std::move(wrong) : WrongDialogue{}, false);
    one.play(true, [&] {
      one.parcels->at(0).downloaded = true;
      play::ask(*one.rig.server, Protocol::imap,
                {"LOGIN user-alice pass", "SELECT INBOX", "STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE"},
                one.rig.network->now());
    });
    EXPECT_EQ(one.found("gone-after-download"), !fails);
    EXPECT_EQ(one.fate("not-looked-for"), fails ? 1U : 0U);
  }
}

/// RFC 5321 section 6.1: a report to the sender is an end, too. Where nobody could read them nothing is known to be
/// lost.
TEST(Audit, NothingIsLostThatAReportMayBeAboutWhichNobodyRead) {
  for (const bool shut : {true, false}) {
    // Two looks before the load and the sender's, two phones, the sender's, two audits, and the sender's twice.
    Audited one(shut ? closed("^(SELECT|EXAMINE) \"?INBOX", {6, 9, 10}) : WrongDialogue{}, false);
    one.bounces = one.reports_to_bob = true;
    one.gives_up_after = seconds(1);
    one.plan.deliveries.via = scenario::Way::smtp;
    one.play(true);
    EXPECT_EQ(one.fate("queued"), shut ? 1U : 0U);
    EXPECT_EQ(one.fate("lost"), shut ? 0U : 1U);
  }
}

/// While it drains nothing new is begun, which is no rate of the server's.
TEST(AbortWhen, IsNotHeldAgainstTheDrain) {
  WrongDialogue silent;
  silent.blocks.push_back({.at = WrongBlock::At::regex, .protocol = Protocol::imap, .text = "MOVE"});
  silent.blocks.back().actions = {{.kind = WrongAction::Kind::silence}};
  Audited one(std::move(silent), true);
  one.rig.target.settle = seconds(25);
  one.phone.every = seconds(2);
  scenario::ProfileStep noop;
  noop.ask = Ask::noop;
  one.phone.poll = {noop};
  one.phone.remove.after = {seconds(25), seconds(25)};
  one.plan.abort_when = {*scenario::slo_of("imap.noop rate < 0.1/s")};
  one.play(true);
  EXPECT_EQ(one.aborted, "");
}

TEST(Writers, SendAllThatIsDueAndWhatTheyCannotIsNoMissOfTheServers) {
  Audited long_one({}, false);
  long_one.phone.send = scenario::Letters{};
  long_one.phone.send->every = seconds(1);
  long_one.phone.send->least = long_one.phone.send->most = 1024;
  long_one.phone.send->save_to = "Sent";
  long_one.plan.phases = {{1, 1, seconds(1100)}};
  long_one.plan.accounts = 2;
  long_one.play(false);
  const auto* send = long_one.totals.operations.find("submission.send");
  ASSERT_NE(send, nullptr);
  EXPECT_EQ(send->unserved(), 0U);
  EXPECT_GT(send->ok, 2U * 1050);
}

TEST(Writers, OfOneCustomerNumberTheirLettersApart) {
  Audited two({}, false);
  two.phone.send = scenario::Letters{};
  two.phone.send->every = seconds(5);
  two.phone.send->least = two.phone.send->most = 2048;
  two.plan.profiles = {two.phone};
  two.plan.profiles.back().name = "pc";
  two.plan.mix = {{{"phone", "pc"}, 1, {}}};
  two.play(false);
  EXPECT_GE(two.totals.ledger.accepted, 16U);
  EXPECT_EQ(two.fate("present"), two.totals.ledger.accepted);
  EXPECT_TRUE(two.findings.empty());
}

}  // namespace
}  // namespace mailproof::load
