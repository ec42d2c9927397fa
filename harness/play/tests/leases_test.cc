// Which accounts of the target a scenario gets that has customers, and what else keeps it from being played.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/requirements.h"

namespace mailproof::play {
namespace {

using scenario::Account;
using scenario::PoolAccount;
using scenario::Scenario;
using scenario::Step;
using scenario::Target;
using scenario::Verb;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Chosen = std::vector<std::size_t>;

constexpr std::uint64_t kSmall = 65'536, kAcme = 131'072;

PoolAccount of(const std::string& login, const std::string& customer = "", std::uint64_t customer_quota = 0,
               std::optional<std::uint64_t> quota = std::nullopt) {
  PoolAccount out{login, login + "@example.test", Secret("secret"), quota};
  out.customer = customer;
  if (!customer.empty()) out.customer_quota = customer_quota;
  return out;
}

Account wants(const std::string& name, std::optional<std::size_t> customer = std::nullopt,
              std::optional<std::uint64_t> quota = std::nullopt) {
  Account out{name, quota, {}};
  out.customer = customer;
  return out;
}

/// Two customers of three boxes each (the last one with a limit of its own), one of two with another limit, and an
/// account that is nobody's.
struct Leases {
  Leases() {
    for (const std::string customer : {"c01", "c02"}) {
      target.accounts.push_back(of(customer + "box1", customer, kAcme));
      target.accounts.push_back(of(customer + "box2", customer, kAcme));
      target.accounts.push_back(of(customer + "box3", customer, kAcme, kSmall));
    }
    target.accounts.push_back(of("big1", "big", 10 * kAcme));
    target.accounts.push_back(of("big2", "big", 10 * kAcme));
    target.accounts.push_back(of("user1"));
    scenario.id = "quota.shared";
  }
  Chosen choose(std::vector<scenario::Customer> customers, std::vector<Account> accounts) {
    scenario.customers = std::move(customers);
    scenario.accounts = std::move(accounts);
    why.clear();
    return choose_accounts(scenario, target, taken, why);
  }
  void give_back(const Chosen& chosen) {
    for (const auto index : chosen) taken[index] = false;
  }
  Scenario scenario;
  Target target;
  std::vector<bool> taken;
  std::string why;
};

const scenario::Customer kOne{"acme", kAcme, {}}, kOther{"zulu", kAcme, {}};

TEST(CustomerLeases, ItsAccountsComeFromOneCustomer) {
  Leases pool;
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0), wants("carol"), wants("ben", 0)}), ElementsAre(0U, 8U, 1U));
  EXPECT_EQ(pool.why, "");
}

TEST(CustomerLeases, ACustomerIsLeasedWholeEvenIfOneBoxWillDo) {
  Leases pool;
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0)}), ElementsAre(0U));
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0)}), ElementsAre(3U)) << "what is in one box counts for the others";
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0)}), IsEmpty());
  EXPECT_EQ(pool.why, "quota.shared needs an unused customer with a quota of 128KiB, the pool has no more");
}

TEST(CustomerLeases, GivenBackItIsToBeHadAgain) {
  Leases pool;
  const auto first = pool.choose({kOne}, {wants("anna", 0), wants("ben", 0)});
  pool.choose({kOne}, {wants("anna", 0)});
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0)}), IsEmpty());
  pool.give_back(first);
  EXPECT_EQ(pool.choose({kOne}, {wants("anna", 0), wants("ben", 0)}), first);
}

TEST(CustomerLeases, TwoOfAScenarioAreTwoOfTheTarget) {
  Leases pool;
  EXPECT_THAT(pool.choose({kOne, kOther}, {wants("anna", 0), wants("zoe", 1), wants("ben", 0)}),
              ElementsAre(0U, 3U, 1U));
}

TEST(CustomerLeases, ItsLimitIsExactlyTheOneThatIsAskedFor) {
  Leases pool;
  EXPECT_THAT(pool.choose({{"big", 10 * kAcme, {}}}, {wants("anna", 0)}), ElementsAre(6U));
  EXPECT_THAT(pool.choose({{"odd", kAcme + 1, {}}}, {wants("anna", 0)}), IsEmpty());
}

TEST(CustomerLeases, ABoxMayHaveALimitOfItsOwn) {
  Leases pool;
  EXPECT_THAT(pool.choose({kOne}, {wants("anna", 0, kSmall), wants("ben", 0)}), ElementsAre(2U, 0U));
}

TEST(CustomerLeases, AnAccountOfNobodyIsNoCustomersBox) {
  Leases pool;
  EXPECT_THAT(pool.choose({}, {wants("carol"), wants("dave")}), IsEmpty());
  EXPECT_EQ(pool.why,
            "quota.shared needs 2 unused accounts without a quota or with one of 32MiB or more, the pool has no more");
  EXPECT_THAT(pool.choose({}, {wants("small", std::nullopt, kSmall)}), IsEmpty()) << "box3 is a customer's";
}

TEST(CustomerLeases, WithTooFewBoxesNothingIsTaken) {
  Leases pool;
  EXPECT_THAT(pool.choose({kOne}, {wants("carol"), wants("a", 0), wants("b", 0), wants("c", 0)}), IsEmpty());
  EXPECT_EQ(pool.why, "quota.shared needs 3 unused accounts without a quota of one customer, the pool has no more");
  EXPECT_THAT(pool.taken, testing::Each(false));
  EXPECT_THAT(pool.choose({kOne}, {wants("carol"), wants("a", 0)}), ElementsAre(8U, 0U));
}

/// A target that can do all of it.
Target able() {
  Target target;
  target.imap = {{Protocol::imap, "127.0.0.1", 143, TlsMode::none, false, ""},
                 {Protocol::imap, "127.0.0.1", 1143, TlsMode::starttls, false, ""}};
  target.pop3 = {{Protocol::pop3, "127.0.0.1", 110, TlsMode::none, false, ""},
                 {Protocol::pop3, "127.0.0.1", 1110, TlsMode::starttls, false, ""}};
  target.lmtp = {{Protocol::lmtp, "127.0.0.1", 24, TlsMode::none, false, ""}};
  target.delivery = {scenario::Way::lmtp, scenario::Way::command};
  target.accounts = {of("c01box1", "c01", kAcme)};
  for (const char* verb : {"set_quota", "set_customer_quota", "restart", "kill", "pause", "deliver"})
    target.admin[verb] = {"/usr/local/sbin/mail-admin", verb};
  target.allow = {"restarts", "failed-logins"};
  return target;
}

Scenario of_admin(Verb verb, bool customers = false) {
  Scenario scenario;
  Step step(verb);
  step.device = Step::kAdmin;
  if (customers) step.get<scenario::SetQuota>().customer = 0;
  scenario.steps.push_back(std::move(step));
  return scenario;
}

TEST(NotApplicable, AnAdminVerbWithoutItsCommand) {
  const std::pair<Verb, std::string> verbs[] = {
      {Verb::set_quota, "set_quota"}, {Verb::restart, "restart"}, {Verb::kill, "kill"}, {Verb::pause, "pause"}};
  for (const auto& [verb, word] : verbs) {
    Target target = able();
    EXPECT_EQ(not_applicable(of_admin(verb), target), std::nullopt) << word;
    target.admin.erase(word);
    EXPECT_EQ(not_applicable(of_admin(verb), target), "the target file has no admin command " + word);
  }
  Target target = able();
  target.admin.erase("set_customer_quota");
  EXPECT_EQ(not_applicable(of_admin(Verb::set_quota), target), std::nullopt);
  EXPECT_EQ(not_applicable(of_admin(Verb::set_quota, true), target),
            "the target file has no admin command set_customer_quota");
}

TEST(NotApplicable, WhoKillsMustBeAbleToStartAgain) {
  Target target = able();
  target.admin.erase("restart");
  EXPECT_EQ(not_applicable(of_admin(Verb::kill), target),
            "the target file has no admin command restart, to start it again after kill");
  EXPECT_EQ(not_applicable(of_admin(Verb::pause), target), std::nullopt);
}

TEST(NotApplicable, WhatDisturbsOthersMustBeAllowed) {
  Target target = able();
  target.allow = {"floods"};
  for (const Verb verb : {Verb::restart, Verb::kill, Verb::pause}) {
    ASSERT_TRUE(not_applicable(of_admin(verb), target));
    EXPECT_THAT(*not_applicable(of_admin(verb), target), HasSubstr("does not allow restarts"));
  }
  EXPECT_EQ(not_applicable(of_admin(Verb::set_quota), target), std::nullopt) << "nobody else notices a limit";
}

TEST(NotApplicable, StepsAtTheSameTimeCountToo) {
  Scenario scenario;
  Step together(Verb::together);
  together.together = of_admin(Verb::kill).steps;
  scenario.steps.push_back(std::move(together));
  Target target = able();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.allow.clear();
  EXPECT_TRUE(not_applicable(scenario, target));
}

TEST(NotApplicable, AStoryAboutClearTextNeedsAnEndpointWithStarttls) {
  for (const bool plaintext : {true, false})
    for (const auto kind : {scenario::DeviceKind::imap, scenario::DeviceKind::pop3}) {
      Scenario scenario;
      scenario.accounts.resize(1);
      scenario.devices.resize(1);
      scenario.devices[0].kind = kind;
      Step step(plaintext ? Verb::connect : Verb::smuggle);
      step.device = 0;
      if (plaintext) step.get<scenario::Connect>().plaintext = true;
      scenario.steps.push_back(step);
      Target target = able();
      EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
      const bool imap = kind == scenario::DeviceKind::imap;
      (imap ? target.imap : target.pop3).resize(1);
      EXPECT_EQ(not_applicable(scenario, target), imap ? "the target has no imap endpoint with tls: starttls"
                                                       : "the target has no pop3 endpoint with tls: starttls");
    }
  Scenario plain;
  plain.accounts.resize(1);
  plain.devices.resize(1);
  Step step(Verb::connect);
  step.device = 0;
  plain.steps.push_back(step);
  Target target = able();
  target.imap.resize(1);
  EXPECT_EQ(not_applicable(plain, target), std::nullopt) << "an ordinary login asks for nothing";
}

TEST(NotApplicable, ALoginThatShouldFailMustBeAllowed) {
  Scenario scenario;
  scenario.accounts.resize(1);
  scenario.devices.resize(1);
  Step step(Verb::connect);
  step.device = 0;
  step.get<scenario::Connect>().plaintext = true;
  scenario.steps = {step};
  Target target;
  target.imap = {{Protocol::imap, "127.0.0.1", 143, TlsMode::starttls, false, ""}};
  target.accounts = {of("user1")};
  EXPECT_THAT(not_applicable(scenario, target).value_or(""), HasSubstr("does not allow failed logins"));
  target.allow = {"failed-logins"};
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  scenario.steps.front().get<scenario::Connect>().plaintext = false;
  target.allow.clear();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt) << "an ordinary login needs no leave";
}

TEST(NotApplicable, ACustomersLimitMustBeThereExactly) {
  Scenario scenario;
  scenario.customers = {kOne};
  EXPECT_EQ(not_applicable(scenario, able()), std::nullopt);
  scenario.customers[0].quota = kAcme - 1;
  ASSERT_TRUE(not_applicable(scenario, able()));
  EXPECT_THAT(*not_applicable(scenario, able()), HasSubstr("no customer of the target has a quota of"));
}

TEST(NotApplicable, DeliveryByCommandNeedsTheCommand) {
  Scenario scenario;
  scenario.devices.resize(1);
  scenario.devices[0].kind = scenario::DeviceKind::deliverer;
  scenario.devices[0].way = scenario::Way::command;
  Target target = able();
  EXPECT_EQ(not_applicable(scenario, target), std::nullopt);
  target.admin.erase("deliver");
  EXPECT_EQ(not_applicable(scenario, target), "the target cannot deliver by command");
}

}  // namespace
}  // namespace mailproof::play
