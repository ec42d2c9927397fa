#include "play/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/context.h"

namespace mailproof::play {
namespace {

using scenario::Need;
using scenario::Target;
using scenario::Way;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Chosen = std::vector<std::size_t>;

constexpr std::uint64_t kSmall = 65536;

Endpoint endpoint(Protocol protocol, TlsMode tls = TlsMode::none) {
  return {protocol, "127.0.0.1", 4000, tls, false, ""};
}

scenario::PoolAccount account(const std::string& login, std::optional<std::uint64_t> quota = std::nullopt) {
  return {login, login + "@example.test", Secret("secret"), quota};
}

/// Offers everything a scenario may ask for.
Target complete() {
  Target target;
  target.imap = {endpoint(Protocol::imap), endpoint(Protocol::imap, TlsMode::starttls)};
  target.pop3 = {endpoint(Protocol::pop3)};
  target.lmtp = {endpoint(Protocol::lmtp)};
  target.smtp = {endpoint(Protocol::smtp)};
  target.delivery = {Way::lmtp, Way::smtp, Way::append};
  target.accounts = {account("user1"), account("small1", kSmall), account("user2"), account("small2", kSmall)};
  target.admin["restart"] = {"/sbin/restart"};
  return target;
}

struct Missing {
  Need need;
  const char* why;
  void (*take)(Target&);
};

TEST(PlaysAlone, WhatOthersCouldSufferFrom) {
  scenario::Scenario scenario;
  scenario.id = "pop3.2449-4.line-oversized";
  EXPECT_FALSE(plays_alone(scenario));
  scenario.steps.emplace_back().verb = scenario::Verb::together;
  EXPECT_FALSE(plays_alone(scenario));
  scenario.steps.back().together.emplace_back().verb = scenario::Verb::kill;
  EXPECT_TRUE(plays_alone(scenario)) << "restarts, kills or pauses the target, wherever that stands";
  scenario.steps.clear();
  scenario.id = "robust.2449-4.line-oversized-pop";
  EXPECT_TRUE(plays_alone(scenario)) << "may bring the server down";
}

class Needs : public testing::TestWithParam<Missing> {};

TEST_P(Needs, AreNamedWhereTheTargetHasThemNot) {
  scenario::Scenario scenario;
  scenario.needs = {GetParam().need};
  Target target = complete();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  GetParam().take(target);
  EXPECT_EQ(not_applicable(scenario, target), GetParam().why);
  scenario.needs.clear();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt) << "nobody asked for it";
}

TEST(Requirements, WhoseMailAMailboxHoldsMustBeSeen) {
  scenario::Scenario scenario;
  scenario.needs = {Need::lmtp};
  Target target = complete();
  target.imap.clear();
  target.pop3.clear();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt) << "no account is lent for it";
  scenario.accounts.emplace_back();
  EXPECT_EQ(not_applicable(scenario, target),
            "the target has neither IMAP nor POP3, by which it is seen whose mail a mailbox holds");
  target.pop3 = complete().pop3;
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    Requirements, Needs,
    testing::Values(
        Missing{Need::imap, "the target has no IMAP", [](Target& target) { target.imap.clear(); }},
        Missing{Need::pop3, "the target has no POP3", [](Target& target) { target.pop3.clear(); }},
        Missing{Need::smtp, "the target has no SMTP", [](Target& target) { target.smtp.clear(); }},
        Missing{Need::lmtp, "the target has no LMTP", [](Target& target) { target.lmtp.clear(); }},
        Missing{Need::bounce, "only a target with SMTP can bounce", [](Target& target) { target.smtp.clear(); }},
        Missing{Need::delivery, "the target has no way of delivery (lmtp, smtp, append or a command)",
                [](Target& target) { target.delivery = {Way::command}; }},
        Missing{Need::quota, "no account of the target has a quota",
                [](Target& target) {
                  for (auto& one : target.accounts) one.quota.reset();
                }},
        Missing{Need::tls, "the target has no TLS", [](Target& target) { target.imap.resize(1); }},
        Missing{Need::admin, "the target file has no admin commands", [](Target& target) { target.admin.clear(); }}));

TEST(Requirements, TlsIsThereWhereOnlySmtpHasIt) {
  scenario::Scenario scenario;
  scenario.needs = {Need::tls};
  Target target = complete();
  target.imap.resize(1);
  EXPECT_EQ(not_applicable(scenario, target), "the target has no TLS");
  target.smtp.front().tls = TlsMode::starttls;
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
}

TEST(Requirements, ADeliveringDeviceNeedsItsOwnWay) {
  scenario::Scenario scenario;
  scenario.accounts.resize(1);
  scenario.devices.resize(1);
  scenario.devices[0].kind = scenario::DeviceKind::deliverer;
  Target target = complete();
  target.smtp.clear();
  for (const Way way : {Way::any, Way::lmtp, Way::append}) {
    scenario.devices[0].way = way;
    EXPECT_EQ(not_applicable(scenario, target), std::nullopt) << name(way);
  }
  scenario.devices[0].way = Way::smtp;
  EXPECT_EQ(not_applicable(scenario, target), "the target cannot deliver by smtp");
}

TEST(Requirements, ADeviceThatAsksForTlsNeedsItInItsOwnProtocol) {
  scenario::Scenario scenario;
  scenario.accounts.resize(1);
  scenario.devices.resize(1);
  auto& device = scenario.devices[0];
  device.tls = TlsMode::starttls;
  EXPECT_EQ(not_applicable(scenario, complete()), std::nullopt);
  device.kind = scenario::DeviceKind::pop3;
  ASSERT_TRUE(not_applicable(scenario, complete()));
  EXPECT_THAT(*not_applicable(scenario, complete()), HasSubstr("no pop3 endpoint with tls: starttls"));
  device.tls = TlsMode::none;
  EXPECT_EQ(not_applicable(scenario, complete()), std::nullopt);
}

TEST(Requirements, AQuotaIsMetByExactlyThatQuota) {
  scenario::Scenario scenario;
  scenario.accounts = {{"bob", kSmall, {}}};
  EXPECT_EQ(not_applicable(scenario, complete()), std::nullopt);
  scenario.accounts[0].quota = kSmall + 1;
  ASSERT_TRUE(not_applicable(scenario, complete()));
  EXPECT_THAT(*not_applicable(scenario, complete()), HasSubstr("no account class of the target has a quota of"));
}

TEST(Requirements, MoreAccountsThanTheTargetHasAreNotToBeWaitedFor) {
  scenario::Scenario scenario;
  scenario.accounts = {{"alice", std::nullopt, {}}, {"bob", std::nullopt, {}}};
  Target target = complete();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.accounts = {account("user1")};
  EXPECT_EQ(not_applicable(scenario, target), "2 accounts are needed, and the target has 1");
}

TEST(Requirements, AStoryKeepsToTheConnectionsThatTheTargetAllows) {
  scenario::Scenario scenario;
  scenario.accounts = {{"alice", {}, {}}, {"bob", {}, {}}};
  scenario.devices.resize(4);
  scenario.devices[0].kind = scenario::DeviceKind::deliverer;
  for (std::size_t i = 1; i < 4; ++i) scenario.devices[i].account = i == 3 ? 1 : 0;
  Target target = complete();
  EXPECT_EQ(connected_by(scenario, target).of_one_account, 3U) << "two devices, and a look where something is missing";
  EXPECT_EQ(connected_by(scenario, target).in_all, 5U);
  target.connections = {.user = 3, .address = 5};
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.connections.user = 2;
  EXPECT_THAT(not_applicable(scenario, target).value_or(""),
              HasSubstr("may need 3 connections of one user at the same time; the target file allows 2"));
  target.connections = {.user = 0, .address = 4};
  EXPECT_THAT(not_applicable(scenario, target).value_or(""),
              HasSubstr("may need 5 connections at the same time; the target file allows an address 4"));
}

TEST(Requirements, WhatABackendAnnouncesIsNotHeldAgainstItsProxy) {
  scenario::Scenario scenario;
  scenario.check.emplace();
  scenario.check->unless = {std::string(kBackend)};
  Target target = complete();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.behind_proxy = true;
  EXPECT_EQ(not_applicable(scenario, target), "the target file says that capabilities come from a backend");
}

TEST(Requirements, ACertificateThatNobodyVerifiesIsNotCalledValid) {
  scenario::Scenario scenario;
  scenario.check.emplace();
  scenario.check->unless = {std::string(kUnverified)};
  Target target = complete();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.insecure = true;
  EXPECT_EQ(not_applicable(scenario, target), "certificates are not verified (insecure)");
}

TEST(DeliveryWay, IsTheFirstThatTheTargetCanWhereAnyWillDo) {
  Target target = complete();
  EXPECT_EQ(delivery_way(target, Way::any), Way::lmtp);
  target.lmtp.clear();  // named first, but without an endpoint
  EXPECT_EQ(delivery_way(target, Way::any), Way::smtp);
  target.delivery = {Way::append, Way::smtp};
  EXPECT_EQ(delivery_way(target, Way::any), Way::append);
  EXPECT_EQ(delivery_way(target, Way::smtp), Way::smtp);
}

struct Pool {
  Chosen choose(std::vector<scenario::Account> wanted) {
    scenario::Scenario scenario;
    scenario.id = "quota.full";
    scenario.accounts = std::move(wanted);
    return choose_accounts(scenario, target, taken, why);
  }
  Target target = complete();
  std::vector<bool> taken;
  std::string why;
};

TEST(ChooseAccounts, GivesEachItsClassAndNoneTwice) {
  Pool pool;
  EXPECT_THAT(pool.choose({{"bob", kSmall, {}}, {"alice", std::nullopt, {}}}), ElementsAre(1U, 0U));
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}, {"bob", kSmall, {}}}), ElementsAre(2U, 3U));
  EXPECT_THAT(pool.taken, ElementsAre(true, true, true, true));
}

/// An account without a quota is none with: a full mailbox would never be full.
TEST(ChooseAccounts, ThatRunOutSayWhatIsNeededAndTakeNothing) {
  Pool pool;
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}, {"b", kSmall, {}}, {"c", kSmall, {}}, {"d", kSmall, {}}}),
              IsEmpty());
  EXPECT_EQ(pool.why, "quota.full needs 3 unused accounts with a quota of 64KiB, the pool has no more");
  EXPECT_THAT(pool.taken, ElementsAre(false, false, false, false));
  EXPECT_THAT(pool.choose({{"b", kSmall, {}}, {"c", kSmall, {}}}), ElementsAre(1U, 3U)) << "they are still to be had";
}

/// At a hoster every mailbox has a limit; one that is never reached hinders nobody.
TEST(ChooseAccounts, WithoutALimitTakesAnAccountWithRoomEnough) {
  Pool pool;
  for (auto& account : pool.target.accounts)
    if (!account.quota) account.quota = 2ULL << 30;
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}, {"bob", kSmall, {}}}), ElementsAre(0U, 1U));
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}, {"carol", std::nullopt, {}}}), IsEmpty())
      << "small is too small";
  pool.taken = {true, false, false, false};
  pool.target.accounts[3].quota.reset();
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}}), ElementsAre(3U)) << "without any comes first";
}

TEST(ChooseAccounts, AStoryOfManyMessagesNeedsRoomForThem) {
  Target target = complete();
  for (auto& account : target.accounts) account.quota = 64ULL << 20;
  std::vector<bool> taken;
  std::string why;
  const auto chosen = [&](int count) {
    scenario::Scenario scenario;
    scenario.accounts = {{"alice", std::nullopt, {}}};
    scenario::Step step(scenario::Verb::deliver);
    step.get<scenario::Deliver>().count = count;
    scenario.steps.push_back(step);
    taken.clear();
    return choose_accounts(scenario, target, taken, why);
  };
  EXPECT_THAT(chosen(10), ElementsAre(0U));
  EXPECT_THAT(chosen(1000), IsEmpty());
}

TEST(ChooseAccounts, LeavesWhatOthersHaveLeased) {
  Pool pool;
  pool.taken = {true, false, false, false};
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}}), ElementsAre(2U));
  EXPECT_THAT(pool.choose({{"alice", std::nullopt, {}}}), IsEmpty());
  EXPECT_EQ(pool.why,
            "quota.full needs 1 unused accounts without a quota or with one of 32MiB or more, the pool has no more");
}

}  // namespace
}  // namespace mailproof::play
