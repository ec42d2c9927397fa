#include "scenario/target/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "scenario/target/pool.h"

namespace mailproof::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const char* environment(const std::string& name) { return name == "MAILPROOF_PASSWORD" ? "s3cret" : nullptr; }

Target understood(std::string_view text, const std::string& name = "targets/node-7.yaml") {
  auto loaded = parse_target(text, name, environment);
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  return std::move(loaded.target);
}

TEST(Target, TheExample) {
  const auto target = understood(R"(target: node-7
imap: [{host: 127.0.0.1, port: 143, tls: starttls}, {host: 127.0.0.1, port: 993, tls: implicit}]   # none | starttls | implicit; the first is the default
pop3: [{port: 995, tls: implicit}]
lmtp: [{port: 24}]
smtp: [{port: 25}, {port: 587, tls: starttls, auth: yes}]
delivery: [lmtp, smtp, append]                     # ways to put mail into a mailbox, in order of preference; also: command
tls: {insecure: no}
settle: 10s                                        # how long accepted mail may take before absence counts
accounts:                                          # classes; or file: accounts.csv (login, address, password, quota)
  - {login: "user%04d", address: "user%04d@example.test", first: 1, count: 1000, password_env: MAILPROOF_PASSWORD}
  - {login: "small%02d", address: "small%02d@example.test", first: 1, count: 20, quota: 64KiB, password_env: MAILPROOF_PASSWORD}
admin: {set_quota: [...], restart: [...], kill: [...]}   # optional; scenarios that need one are not-applicable without it
allow: [failed-logins, floods, restarts]                 # what may be done to it; nothing by default
known:                                                   # deviations accepted on purpose; a passing one is reported as unexpected-pass
  - {id: pop3.1939-7.top-byte-stuffing, why: fixed in 4.2, until: 2027-03-01}
)");
  EXPECT_EQ(target.name, "node-7");
  ASSERT_EQ(target.imap.size(), 2U);
  EXPECT_EQ(target.imap[0].label(), "imap 127.0.0.1:143");
  EXPECT_EQ(target.imap[0].tls, TlsMode::starttls);
  EXPECT_EQ(target.imap[1].tls, TlsMode::implicit);
  ASSERT_EQ(target.pop3.size(), 1U);
  EXPECT_EQ(target.pop3[0].label(), "pop3 127.0.0.1:995");
  EXPECT_EQ(target.lmtp.at(0).protocol, Protocol::lmtp);
  EXPECT_EQ(target.lmtp[0].tls, TlsMode::none);
  EXPECT_FALSE(target.smtp.at(0).auth);
  EXPECT_TRUE(target.smtp.at(1).auth);
  EXPECT_THAT(target.delivery, ElementsAre(Way::lmtp, Way::smtp, Way::append));
  EXPECT_FALSE(target.insecure);
  EXPECT_EQ(target.settle, 10s);
  ASSERT_EQ(target.accounts.size(), 1020U);
  EXPECT_EQ(target.accounts[0].login, "user0001");
  EXPECT_EQ(target.accounts[999].address, "user1000@example.test");
  EXPECT_EQ(target.accounts[0].password.reveal(), "s3cret");
  EXPECT_FALSE(target.accounts[0].quota);
  EXPECT_EQ(target.accounts[1019].login, "small20");
  EXPECT_EQ(target.accounts[1019].quota, 64U * 1024);
  EXPECT_THAT(target.admin.at("restart"), ElementsAre("..."));
  EXPECT_THAT(target.allow, ElementsAre("failed-logins", "floods", "restarts"));
  ASSERT_EQ(target.known.size(), 1U);
  EXPECT_EQ(target.known[0].until, "2027-03-01");
}

TEST(Target, AnAddressOfIpv6MayStandInBrackets) {
  const std::string rest = "accounts: [{login: a@b.test, password_env: MAILPROOF_PASSWORD}]\ntarget: n\n";
  EXPECT_EQ(understood(rest + "imap: [{host: \"[::1]\"}]\n").imap[0].host, "::1");
}

TEST(Target, UsualPortsAndWaysOfDelivery) {
  const auto target = understood(
      "target: t\nimap: [{}, {tls: implicit, host: \"::1\", source: \"::1\"}]\npop3: [{}, {tls: implicit}]\n"
      "smtp: [{}, {tls: implicit}]\nlmtp: [{}]\ntls: {insecure: yes}\nsettle: 250ms\n"
      "accounts: [{login: a@example.test, password_env: MAILPROOF_PASSWORD}]\n");
  const auto ports = [](const std::vector<Endpoint>& list) {
    std::vector<int> out;
    for (const auto& one : list) out.push_back(one.port);
    return out;
  };
  EXPECT_THAT(ports(target.imap), ElementsAre(143, 993));
  EXPECT_THAT(ports(target.pop3), ElementsAre(110, 995));
  EXPECT_THAT(ports(target.smtp), ElementsAre(25, 465));
  EXPECT_THAT(ports(target.lmtp), ElementsAre(24));
  EXPECT_EQ(target.imap[1].source, "::1");
  EXPECT_THAT(target.delivery, ElementsAre(Way::lmtp, Way::smtp, Way::append));
  EXPECT_TRUE(target.insecure);
  EXPECT_EQ(target.settle, 250ms);
  EXPECT_FALSE(target.pop3_delete);
  EXPECT_FALSE(target.gives_up_after);
  const std::string rest = "target: n\nimap: [{}]\naccounts: [{login: a@b.test, password_env: MAILPROOF_PASSWORD}]\n";
  const auto declared = understood(rest + "pop3_delete: keeps-for-imap\ngives_up_after: 5m\n");
  EXPECT_EQ(declared.pop3_delete, Pop3Delete::keeps_for_imap);
  EXPECT_EQ(declared.gives_up_after, 5min);
  EXPECT_FALSE(target.pop3_download);
  EXPECT_EQ(understood(rest + "pop3_download: keeps\n").pop3_download, Pop3Download::keeps);
  EXPECT_EQ(understood(rest + "pop3_download: removes\n").pop3_download, Pop3Download::removes);
  EXPECT_EQ(understood(rest + "pop3_delete: to-trash\n").pop3_delete, Pop3Delete::to_trash);
  EXPECT_EQ(target.accounts.at(0).address, "a@example.test");
}

TEST(Target, DeliveryByACommand) {
  const auto target = understood(
      "target: t\npop3: [{}]\ndelivery: command\nadmin: {deliver: [/usr/bin/deliver, -d]}\n"
      "accounts: [{login: \"100%%-%d@example.test\", first: 0, count: 2, password_env: MAILPROOF_PASSWORD}]\n");
  EXPECT_THAT(target.delivery, ElementsAre(Way::command));
  EXPECT_THAT(target.admin.at("deliver"), ElementsAre("/usr/bin/deliver", "-d"));
  EXPECT_EQ(target.accounts.at(0).login, "100%-0@example.test");
  EXPECT_EQ(target.accounts.at(1).login, "100%-1@example.test");
}

TEST(Target, PasswordAndAccountsFilesBesideIt) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("mailproof-target-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "password") << "from a file\r\nnot this\n";
  std::ofstream(folder / "empty") << "\n";
  std::ofstream(folder / "more.csv") << "\xEF\xBB\xBFlogin,address,password,quota\r\n# two of them\r\n\r\nann, "
                                        "ann@example.test, \"com,ma \"\"q\"\"\", 64KiB\r\n"
                                        "ben,ben@example.test, plain \n";
  std::ofstream(folder / "t.yaml") << "target: t\nimap: [{}]\naccounts:\n  - {login: a@example.test, password_file: "
                                      "password}\n  - {file: more.csv}\n";
  std::ofstream(folder / "u.yaml") << "target: t\nimap: [{}]\naccounts: {file: more.csv}\n";
  std::ofstream(folder / "ca.pem") << "-----BEGIN CERTIFICATE-----\n";
  std::ofstream(folder / "ca.yaml") << "target: t\nimap: [{}]\ntls: {ca: ca.pem}\naccounts: {file: more.csv}\n";
  std::ofstream(folder / "no-ca.yaml") << "target: t\nimap: [{}]\ntls: {ca: empty}\naccounts: {file: more.csv}\n";
  std::ofstream(folder / "v.yaml")
      << "target: t\nimap: [{}]\naccounts: [{login: a@example.test, password_file: empty}, {file: empty}]\n";

  const auto loaded = load_target((folder / "t.yaml").string(), environment);
  EXPECT_TRUE(loaded.problems.empty());
  ASSERT_EQ(loaded.target.accounts.size(), 3U);
  EXPECT_EQ(loaded.target.accounts[0].password.reveal(), "from a file");
  EXPECT_EQ(loaded.target.accounts[1].login, "ann");
  EXPECT_EQ(loaded.target.accounts[1].password.reveal(), "com,ma \"q\"");
  EXPECT_EQ(loaded.target.accounts[1].quota, 64U * 1024);
  EXPECT_EQ(loaded.target.accounts[2].password.reveal(), "plain");
  EXPECT_EQ(load_target((folder / "u.yaml").string(), environment).target.accounts.size(), 2U);

  const auto certified = load_target((folder / "ca.yaml").string(), environment);
  EXPECT_TRUE(certified.problems.empty());
  EXPECT_EQ(certified.target.ca_file, (folder / "ca.pem").string());
  const auto uncertified = load_target((folder / "no-ca.yaml").string(), environment).problems;
  ASSERT_EQ(uncertified.size(), 1U);
  EXPECT_EQ(uncertified[0].expected, "a file with certificates in PEM: -----BEGIN CERTIFICATE-----");

  const auto bad = load_target((folder / "v.yaml").string(), environment).problems;
  ASSERT_EQ(bad.size(), 2U);
  EXPECT_EQ(bad[0].expected, "a file with a password in its first line");
  EXPECT_EQ(bad[1].expected, "a file with at least one account");
  const auto missing = load_target((folder / "w.yaml").string(), environment).problems;
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].expected, "a file that can be read (No such file or directory)");
  fs::remove_all(folder);
}

TEST(Target, ALoginInTwoClasses) {
  const auto loaded = parse_target(
      "target: t\nimap: [{}]\naccounts:\n  - {login: \"u%d@x.test\", count: 5, password_env: MAILPROOF_PASSWORD}\n"
      "  - {login: \"u%d@x.test\", first: 5, count: 5, password_env: MAILPROOF_PASSWORD}\n",
      "t.yaml", environment);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].message(), "t.yaml:5:5: 'u5@x.test'; expected each login once");
}

/// Two scenarios at once would each take the mail of the other for what an earlier run left.
TEST(Target, OneMailboxUnderTwoNames) {
  const auto second = [](const std::string& fields) {
    const auto loaded = parse_target(
        "target: t\nimap: [{}]\naccounts:\n  - {login: alice, address: alice@x.test, password_env: "
        "MAILPROOF_PASSWORD}\n"
        "  - {" +
            fields + ", password_env: MAILPROOF_PASSWORD}\n",
        "t.yaml", environment);
    return loaded.problems.empty() ? "" : loaded.problems[0].message();
  };
  EXPECT_EQ(second("login: Alice, address: other@x.test"), "t.yaml:5:5: 'Alice'; expected each login once");
  for (const char* fields : {"login: Alice@X.test", "login: bob, address: alice@x.test"})
    EXPECT_THAT(second(fields), testing::HasSubstr("expected each address once")) << fields;
  EXPECT_EQ(second("login: bob, address: bob@x.test"), "");
}

}  // namespace
}  // namespace mailproof::scenario
