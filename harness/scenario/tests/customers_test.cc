// Customers, the admin, logins, and what a client does with its own copies: what is understood, and its JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scenario/scenario.h"
#include "scenario/story/verbs.h"
#include "scenario/target/target.h"

namespace mailproof::scenario {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHead = R"(id: test.customers
needs: [imap, pop3, delivery, quota, tls, admin]
customers: {acme: {quota: 128KiB}, zulu: {quota: 1MiB}}
accounts: {alice: {}, anna: {customer: acme}, ben: {customer: acme, quota: 64KiB}, zoe: {customer: zulu}}
devices:
  mta:   {delivers: any}
  agent: {delivers: command}
  phone: {imap: anna, tls: starttls}
  pc:    {pop3: anna}
steps:
  - mta: {deliver: mail, to: [anna, ben], count: 3}
)";

Scenario understood(const std::string& lines) {
  auto loaded = parse(std::string(kHead) + lines, "f.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  return loaded.scenarios.empty() ? Scenario{} : std::move(loaded.scenarios.front());
}

Step step(const std::string& action) {
  auto scenario = understood("  - " + action + "\n");
  return scenario.steps.size() < 2 ? Step{} : std::move(scenario.steps.at(1));
}

json as_json(const std::string& action) {
  return json::parse(to_json(understood("  - " + action + "\n")))["steps"].at(1);
}

/// Beside where the step stands and how it was written.
json facts(const std::string& action) {
  auto out = as_json(action);
  EXPECT_EQ(out["line"], 12);
  EXPECT_EQ(out["text"], action);
  for (const char* key : {"line", "column", "text"}) out.erase(key);
  return out;
}

TEST(Customers, AccountsSayWhoseTheyAre) {
  const auto scenario = understood("");
  ASSERT_EQ(scenario.customers.size(), 2U);
  EXPECT_EQ(scenario.customers[0].name, "acme");
  EXPECT_EQ(scenario.customers[0].quota, 128U * 1024);
  EXPECT_EQ(scenario.customers[1].quota, 1024U * 1024);
  EXPECT_EQ(scenario.accounts[0].customer, std::nullopt);
  EXPECT_EQ(scenario.accounts[1].customer, 0U);
  EXPECT_EQ(scenario.accounts[2].customer, 0U);
  EXPECT_EQ(scenario.accounts[2].quota, 64U * 1024);
  EXPECT_EQ(scenario.accounts[3].customer, 1U);
  const auto written = json::parse(to_json(scenario));
  EXPECT_EQ(written["customers"],
            json({{{"name", "acme"}, {"quota", 131'072}}, {{"name", "zulu"}, {"quota", 1'048'576}}}));
  EXPECT_EQ(written["accounts"], json({{{"name", "alice"}},
                                       {{"name", "anna"}, {"customer", "acme"}},
                                       {{"name", "ben"}, {"quota", 65'536}, {"customer", "acme"}},
                                       {{"name", "zoe"}, {"customer", "zulu"}}}));
  EXPECT_EQ(written["devices"][1], json({{"name", "agent"}, {"delivers", "command"}}));
}

TEST(Customers, AScenarioWithoutThemSaysNothingAboutThem) {
  const auto loaded = parse(
      "id: t.t\nneeds: [imap]\naccounts: [alice]\ndevices: {phone: {imap: alice}}\nsteps: [phone: sync]\n", "f.yaml");
  ASSERT_EQ(loaded.scenarios.size(), 1U);
  EXPECT_FALSE(json::parse(to_json(loaded.scenarios[0])).contains("customers"));
}

TEST(AdminSteps, SetQuotaOfAnAccountOrACustomer) {
  const auto account = step("admin: {set_quota: ben, to: 256KiB}");
  EXPECT_EQ(account.device, Step::kAdmin);
  EXPECT_EQ(account.verb, Verb::set_quota);
  EXPECT_EQ(account.get<SetQuota>().account, 2U);
  EXPECT_EQ(account.get<SetQuota>().customer, std::nullopt);
  EXPECT_EQ(account.get<SetQuota>().quota, 262'144U);
  const auto customer = step("admin: {set_quota: zulu, to: unlimited}");
  EXPECT_EQ(customer.get<SetQuota>().customer, 1U);
  EXPECT_EQ(customer.get<SetQuota>().account, std::nullopt);
  EXPECT_EQ(customer.get<SetQuota>().quota, std::nullopt);
  EXPECT_EQ(facts("admin: {set_quota: ben, to: 256KiB}"),
            json({{"verb", "set_quota"}, {"account", "ben"}, {"quota", 262'144}}));
  EXPECT_EQ(facts("admin: {set_quota: acme, to: unlimited}"),
            json({{"verb", "set_quota"}, {"customer", "acme"}, {"quota", "unlimited"}}));
}

TEST(AdminSteps, RestartKillAndPause) {
  EXPECT_EQ(step("admin: restart").verb, Verb::restart);
  EXPECT_EQ(step("admin: kill").verb, Verb::kill);
  EXPECT_EQ(step("admin: {pause: 2500ms}").get<LetPass>().span, 2500ms);
  EXPECT_EQ(facts("admin: restart"), json({{"verb", "restart"}}));
  EXPECT_EQ(facts("admin: kill"), json({{"verb", "kill"}}));
  EXPECT_EQ(facts("admin: {pause: 2s}"), json({{"verb", "pause"}, {"span", "2s"}}));
}

TEST(LoginSteps, ConnectSaysWhatIsExpectedAndWhetherWithoutTls) {
  EXPECT_EQ(step("phone: connect").get<Connect>().expect, Welcome::accepted);
  EXPECT_FALSE(step("phone: {connect: now}").get<Connect>().plaintext);
  EXPECT_EQ(step("phone: {connect: now, expect: either}").get<Connect>().expect, Welcome::either);
  const auto plain = step("pc: {connect: plaintext, expect: refused}");
  EXPECT_TRUE(plain.get<Connect>().plaintext);
  EXPECT_EQ(plain.get<Connect>().expect, Welcome::refused);
  EXPECT_EQ(plain.maybe<Sending>(), nullptr) << "that is a delivery's";
  EXPECT_EQ(facts("phone: {connect: now}"), json({{"device", "phone"}, {"verb", "connect"}, {"expect", "accepted"}}));
  EXPECT_EQ(facts("pc: {connect: plaintext, expect: refused}"),
            json({{"device", "pc"}, {"verb", "connect"}, {"expect", "refused"}, {"plaintext", true}}));
}

TEST(LoginSteps, SmuggleKeepsTheCommandAsItIs) {
  EXPECT_EQ(step("phone: {smuggle: LIST \"\" *}").get<Smuggle>().command, "LIST \"\" *");
  EXPECT_EQ(facts("pc: {smuggle: CAPA}"), json({{"device", "pc"}, {"verb", "smuggle"}, {"smuggle", "CAPA"}}));
}

TEST(LocalCopies, UploadVanishAdvanceAndSee) {
  EXPECT_EQ(step("phone: {upload: mail.1-2, to: Archive}").get<Upload>().to, "Archive");
  EXPECT_EQ(facts("phone: {upload: mail.1-2, to: Archive}"),
            json({{"device", "phone"}, {"verb", "upload"}, {"messages", "mail.1-2"}, {"mailbox", "Archive"}}));
  EXPECT_EQ(step("phone: {upload: mail}").get<Upload>().to, "INBOX");
  EXPECT_EQ(facts("pc: vanish"), json({{"device", "pc"}, {"verb", "vanish"}}));
  EXPECT_EQ(step("pc: {advance: 15 days}").get<LetPass>().span, 15 * 24h);
  EXPECT_EQ(facts("pc: {advance: 15 days}"), json({{"device", "pc"}, {"verb", "advance"}, {"span", "15d"}}));
  EXPECT_EQ(facts("pc: {see: mail.3, within: 20s}"),
            json({{"device", "pc"}, {"verb", "see"}, {"messages", "mail.3"}, {"within", "20s"}}));
}

TEST(LocalCopies, TheJudgeMayAskThatNobodyHasOne) {
  const auto nobody = step("judge: {fate: mail, is: removed-by-client, by: pc, copy_on: nobody}");
  EXPECT_TRUE(nobody.get<HasFate>().copy_on_nobody);
  EXPECT_EQ(nobody.get<HasFate>().copy_on, std::nullopt);
  const auto device = step("judge: {fate: mail, is: removed-by-client, copy_on: pc}");
  EXPECT_FALSE(device.get<HasFate>().copy_on_nobody);
  EXPECT_EQ(device.get<HasFate>().copy_on, 3U);
  EXPECT_EQ(
      facts("judge: {fate: mail, is: removed-by-client, by: pc, copy_on: nobody}"),
      json({{"verb", "fate"}, {"messages", "mail"}, {"is", "removed-by-client"}, {"by", "pc"}, {"copy_on", "nobody"}}));
}

const char* environment(const std::string&) { return "s3cret"; }

LoadedTarget target(const std::string& lines) {
  return parse_target("target: t\nimap: [{}]\nlmtp: [{}]\n" + lines, "targets/node.yaml", environment);
}

TEST(TargetKeys, AClassMayBeACustomers) {
  auto loaded = target(
      "accounts:\n"
      "  - {login: \"c%02da\", address: \"c%02da@example.test\", count: 2, password_env: P}\n"
      "  - {login: \"box%d\", address: \"box%d@example.test\", count: 3, customer: c07, customer_quota: 128KiB, "
      "password_env: P}\n"
      "  - {login: own, address: own@example.test, quota: 64KiB, customer: c07, customer_quota: 128KiB, "
      "password_env: P}\n");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  const auto& accounts = loaded.target.accounts;
  ASSERT_EQ(accounts.size(), 6U);
  EXPECT_EQ(accounts[0].customer, "");
  EXPECT_EQ(accounts[0].customer_quota, std::nullopt);
  for (std::size_t i = 2; i < 6; ++i) {
    EXPECT_EQ(accounts[i].customer, "c07");
    EXPECT_EQ(accounts[i].customer_quota, 131'072U);
  }
  EXPECT_EQ(accounts[2].quota, std::nullopt);
  EXPECT_EQ(accounts[5].quota, 65'536U);
}

TEST(TargetKeys, ACustomerAndItsLimitBelongTogether) {
  for (const std::string half : {"customer: c07", "customer_quota: 128KiB"}) {
    const auto loaded = target("accounts: [{login: box, address: box@example.test, " + half + ", password_env: P}]\n");
    ASSERT_EQ(loaded.problems.size(), 1U) << half;
    EXPECT_THAT(loaded.problems[0].message(), HasSubstr("customer: and customer_quota: together"));
  }
}

TEST(TargetKeys, EveryAdminCommandIsKeptAsItIs) {
  auto loaded = target(
      "accounts: [{login: a, address: a@example.test, password_env: P}]\n"
      "admin:\n"
      "  set_quota: [doveadm, quota, \"{login}\", \"{octets}\"]\n"
      "  set_customer_quota: [limit, \"{customer}\", \"{octets}\"]\n"
      "  restart: [systemctl, restart, dovecot]\n"
      "  kill: [kill-it]\n"
      "  pause: [stand-still, \"{milliseconds}\"]\n"
      "  deliver: [dovecot-lda, -d, \"{address}\"]\n");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  const auto& admin = loaded.target.admin;
  EXPECT_EQ(admin.size(), 6U);
  EXPECT_THAT(admin.at("set_quota"), ElementsAre("doveadm", "quota", "{login}", "{octets}"));
  EXPECT_THAT(admin.at("set_customer_quota"), ElementsAre("limit", "{customer}", "{octets}"));
  EXPECT_THAT(admin.at("pause"), ElementsAre("stand-still", "{milliseconds}"));
  EXPECT_THAT(admin.at("deliver"), ElementsAre("dovecot-lda", "-d", "{address}"));
}

}  // namespace
}  // namespace mailproof::scenario
