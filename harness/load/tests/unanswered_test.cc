// What is not confirmed is not counted as if it were; what was waited for in vain is the slowest of all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/customer.h"
#include "load/mail_flow.h"
#include "play/talk/takes.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = WrongAction::Kind;

WrongDialogue says(Protocol protocol, const std::string& line, std::vector<WrongAction> actions) {
  WrongBlock block{.at = WrongBlock::At::regex, .protocol = protocol, .text = line};
  block.actions = std::move(actions);
  return {{std::move(block)}};
}

scenario::ProfileStep step(Ask ask, const std::string& text = "", Of of = Of::fresh) {
  scenario::ProfileStep out;
  out.ask = ask;
  out.text = text;
  out.of = of;
  out.gets_text = play::reads_text(text);
  return out;
}

scenario::Profile pop_delete() {
  scenario::Profile out;
  out.protocol = Protocol::pop3;
  out.every = hours(1);
  out.after.policy = scenario::AfterDownload::Policy::remove;
  out.poll = {step(Ask::uidl), step(Ask::retr, "", Of::all), step(Ask::dele)};
  return out;
}

scenario::Profile imap_client(scenario::Removal how) {
  scenario::Profile out;
  out.protocol = Protocol::imap;
  out.stays = true;
  out.every = minutes(5);
  out.login = {step(Ask::select, "INBOX")};
  out.news = {step(Ask::fetch, "(UID BODY.PEEK[])", Of::fresh)};
  out.poll = {step(Ask::noop)};
  out.remove = {1, {std::chrono::seconds(1), std::chrono::seconds(1)}};
  out.how = how;
  return out;
}

/// A customer of alice's for some time, on a server that does something wrong; so many copies of one message lie there.
struct Played {
  Played(scenario::Profile what, WrongDialogue wrong, Duration time, int copies = 1, double pace = 1, bool ends = false)
      : rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery]\naccounts: [alice]\n"
                            "devices: {mta: {delivers: any}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n",
                            "play.yaml"),
            {}, {std::move(wrong)}),
        profile(std::move(what)) {
    plan.accounts = 1;
    plan.pace = pace;
    plan.profiles = {profile};
    plan.phases = {{1, 1, time}};
    PlanSettings settings;
    settings.run_id = 7;
    settings.look_first = false;
    settings.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    scene.emplace(*rig.network, rig.target, plan, settings,
                  std::vector<scenario::PoolAccount>{
                      {"user-alice", "alice@example.test", Secret("pass"), std::nullopt, "", std::nullopt}});
    const Time from = rig.network->now();
    scene->begin(from);
    parcel = scene->parcels.add(1, 0, 2048);
    const auto text = scene->compose(parcel, "alice@example.test");
    for (int i = 0; i < copies; ++i) play::put_into(*rig.server, "alice@example.test", *text, from);
    scene->accepted(parcel, from);
    customer = profile.protocol == Protocol::pop3 ? make_pop3_customer(*scene, profile, 0, 0, 1)
                                                  : make_imap_customer(*scene, profile, 0, 0, 1);
    customer->come(from);
    rig.network->run([&] { return rig.network->now() >= from + time; });
    if (ends) {  // as a plan does
      scene->stopping = scene->over = true;
      scene->stopped_at = scene->over_at = rig.network->now();
      owed = customer->owes();
    }
    customer->leave(rig.network->now());
    rig.network->run([&] { return customer->away() || rig.network->now() > from + time + minutes(5); });
    scene->parcels.at(parcel).looks = 2;
  }
  const stats::Operation& of(const std::string& name) const {
    static const stats::Operation kNone;
    const auto* found = scene->operations.find(name);
    return found == nullptr ? kNone : *found;
  }
  End end() const { return Parcels::end(scene->parcels.at(parcel)); }

  play::SimRig rig;
  scenario::Plan plan;
  scenario::Profile profile;
  std::optional<Scene> scene;
  std::size_t parcel = 0;
  std::unique_ptr<Customer> customer;
  bool owed = false;  ///< when the load was ended
};

TEST(Unanswered, ATimeOutCountsWithAllThatWasWaited) {
  const Played pop3(pop_delete(), says(Protocol::pop3, "^RETR", {{.kind = Kind::silence}}), minutes(5));
  EXPECT_EQ(pop3.of("pop3.retr").timed_out, 1U);
  EXPECT_GE(pop3.of("pop3.retr").response.percentile(50), minutes(1));
  EXPECT_GE(pop3.of("pop3.round").response.max(), minutes(1));
  EXPECT_EQ(pop3.of("pop3.retr").errors.count("no answer in time"), 1U);
  const Played fetch(imap_client(scenario::Removal::flag), says(Protocol::imap, "UID FETCH", {{.kind = Kind::silence}}),
                     minutes(5));
  EXPECT_GE(fetch.of("imap.fetch").timed_out, 1U);
  EXPECT_GE(fetch.of("imap.fetch").response.percentile(50), minutes(1));
  const Played login(imap_client(scenario::Removal::flag),
                     says(Protocol::imap, "^(LOGIN|AUTHENTICATE)", {{.kind = Kind::silence}}), minutes(1));
  EXPECT_GE(login.of("imap.connect").timed_out, 1U);
  EXPECT_GE(login.of("imap.connect").response.percentile(50), std::chrono::seconds(10));
}

TEST(Unanswered, AConnectionThatIsResetAtOnceMakesNothingQuicker) {
  const Played reset(pop_delete(), says(Protocol::pop3, "^RETR", {{.kind = Kind::reset}}), minutes(5));
  EXPECT_EQ(reset.of("pop3.retr").info, 1U);
  EXPECT_EQ(reset.of("pop3.retr").timed_out, 0U);
  EXPECT_EQ(reset.of("pop3.retr").response.count(), 0U);
}

TEST(Unconfirmed, WhatQuitWasAnsweredForIsRemoved) {
  EXPECT_EQ(Played(pop_delete(), {}, minutes(5)).end(), End::removed);
}

TEST(Unconfirmed, AQuitWithoutAnAnswerRemovesNothingForSure) {
  EXPECT_EQ(Played(pop_delete(), says(Protocol::pop3, "^QUIT", {{.kind = Kind::reset}}), minutes(5)).end(),
            End::unanswered);
}

/// RFC 1939 section 6: nothing may go then.
TEST(Unconfirmed, ADeleWithoutQuitExplainsNoAbsence) {
  EXPECT_EQ(Played(pop_delete(), says(Protocol::pop3, "^DELE", {{.kind = Kind::reset}}), minutes(5)).end(),
            End::unquit);
}

TEST(Unconfirmed, AFlagAloneRemovesNothing) {
  EXPECT_EQ(Played(imap_client(scenario::Removal::flag), {}, minutes(10)).end(), End::flagged);
}

TEST(Unconfirmed, WhatIsExpungedIsRemovedOnceTheServerSaysSo) {
  for (const auto how : {scenario::Removal::expunge, scenario::Removal::expunge_all}) {
    EXPECT_EQ(Played(imap_client(how), {}, minutes(10)).end(), End::removed);
    EXPECT_EQ(Played(imap_client(how), says(Protocol::imap, "EXPUNGE", {{.kind = Kind::reset}}), minutes(10)).end(),
              End::unanswered);
    EXPECT_EQ(
        Played(imap_client(how),
               says(Protocol::imap, "EXPUNGE", {{.kind = Kind::say, .text = "${tag} NO not now\r\n"}}), minutes(10))
            .end(),
        End::unanswered);
    EXPECT_EQ(Played(imap_client(how), says(Protocol::imap, "STORE", {{.kind = Kind::reset}}), minutes(10)).end(),
              End::flagged);
  }
}

TEST(Doubles, AreSeenByWhoRemovesThem) {
  const Played pop3(pop_delete(), {}, minutes(5), 2);
  EXPECT_EQ(pop3.scene->doubles.size(), 1U);
  const Played expunges(imap_client(scenario::Removal::expunge), {}, minutes(10), 2);
  ASSERT_EQ(expunges.scene->doubles.size(), 1U);
  EXPECT_THAT(expunges.scene->doubles.front().second, testing::HasSubstr("came as UID 1 and as UID 2"));
  EXPECT_TRUE(Played(pop_delete(), {}, minutes(5)).scene->doubles.empty());
  EXPECT_TRUE(Played(imap_client(scenario::Removal::expunge), {}, minutes(10)).scene->doubles.empty());
}

/// RFC 3501 section 5.4, and RFC 2177 section 3: a server may log out who said nothing for half an hour.
TEST(Clicks, ThatNobodyCameToAreUnserved) {
  const auto how = scenario::Removal::flag;
  const Played played(imap_client(how), says(Protocol::imap, "STORE", {{.kind = Kind::silence}}), seconds(30), 3, 1,
                      true);
  EXPECT_TRUE(played.owed);
  EXPECT_EQ(played.of("imap.store").unserved(), 2U);
  const Played served(imap_client(how), {}, seconds(30), 3, 1, true);
  EXPECT_FALSE(served.owed);
  EXPECT_EQ(served.of("imap.store").unserved(), 0U);
  EXPECT_EQ(served.of("imap.store").ok, 3U);
}

TEST(Slices, WhatWasDueCountsWhereItWasDueAndAnErrorWhereItCame) {
  Played played(imap_client(scenario::Removal::flag), {}, seconds(1));
  Scene& scene = *played.scene;
  scene.operations.start(Time{});
  const auto id = scene.operation("imap.look");
  const auto at = [](int second) { return Time{} + seconds(second); };
  scene.done(id, {at(1), at(1), at(5)});
  scene.failed(id, {at(2), at(5), at(6)}, "NO");
  scene.missed(id, at(3), at(7));
  const auto& cells = scene.operations.at(id).slices.cells();
  ASSERT_EQ(cells.size(), 8U);
  for (const std::size_t second : {1U, 2U, 3U}) EXPECT_EQ(cells[second].due, 1U) << second;
  EXPECT_EQ(cells[6].fail, 1U);
  EXPECT_EQ(cells[7].unserved, 1U);
}

TEST(Autologout, DoesNotComeToWhoKeepsHisConnection) {
  auto quiet = imap_client(scenario::Removal::flag);
  quiet.every = {};
  quiet.poll.clear();
  for (const double pace : {1.0, 0.2}) {
    const Played played(quiet, {}, hours(2), 1, pace);
    EXPECT_EQ(played.of("imap.connect").ok, 1U);
    EXPECT_EQ(played.of("imap.connection").info, 0U);
    EXPECT_GE(played.of("imap.noop").ok, 4U);
  }
  quiet.idle = minutes(29);
  EXPECT_EQ(Played(quiet, {}, hours(2), 1, 0.2).of("imap.connect").ok, 1U);
}

TEST(LastMoment, WhatIsDueWhenItEndsIsBegunAndNotMissed) {
  auto polls = pop_delete();
  Played played(polls, {}, minutes(1));
  Scene& scene = *played.scene;
  const Time end = played.rig.network->now() + minutes(1);
  scene.stopping = true;
  scene.stopped_at = end;
  EXPECT_TRUE(scene.begins(end - Duration(1)));
  EXPECT_FALSE(scene.begins(end));
  scene.over = true;
  EXPECT_FALSE(scene.begins(end - Duration(1)));
}

}  // namespace
}  // namespace mailproof::load
