#include "report/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

namespace mailproof::report {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Words = std::vector<std::string>;

constexpr std::chrono::sys_seconds kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h;

Certificate certificate() {
  Certificate out;
  out.subject = "mail.example.test";
  out.issuer = "Example CA";
  out.names = {"mail.example.test", "127.0.0.1"};
  out.valid_from = kNow - days(30);
  out.valid_until = kNow + days(60);
  out.verified = true;
  return out;
}

ProbedEndpoint endpoint(Protocol protocol, TlsMode tls) {
  ProbedEndpoint out;
  out.endpoint.protocol = protocol;
  out.endpoint.host = "mail.example.test";
  out.endpoint.port = 143;
  out.endpoint.tls = tls;
  out.answered = out.usable = true;
  out.greeting = "mail.example.test ready";
  return out;
}

/// A target that nothing hinders and that lacks nothing.
Probe good() {
  Probe probe;
  probe.target = "node-7";
  probe.version = "0.1.0";
  probe.at = kNow;
  ProbedEndpoint imap = endpoint(Protocol::imap, TlsMode::starttls);
  imap.before_tls = Words{"IMAP4rev1", "STARTTLS", "LOGINDISABLED"};
  imap.after_tls = Words{"IMAP4rev1", "AUTH=PLAIN", "AUTH=SCRAM-SHA-256"};
  imap.after_login = Words{"IMAP4rev1", "UIDPLUS", "IDLE", "QUOTA"};
  imap.tls_version = "TLSv1.3";
  imap.cipher = "TLS_AES_256_GCM_SHA384";
  imap.certificate = certificate();
  imap.connect_ms = 12.345;
  imap.noop_ms = 0.4;
  imap.crowd = ProbedCrowd{12, 12, 12, {}};
  ProbedEndpoint pop3 = endpoint(Protocol::pop3, TlsMode::implicit);
  pop3.after_tls = Words{"USER", "SASL PLAIN LOGIN", "UIDL"};
  pop3.after_login = Words{"UIDL", "TOP", "LOGIN-DELAY 0"};
  pop3.no_crowd = "limits not tried: the target file does not allow floods";
  ProbedEndpoint smtp = endpoint(Protocol::smtp, TlsMode::none);
  smtp.before_tls = Words{"AUTH PLAIN", "SIZE 52428800"};
  probe.endpoints = {imap, pop3, smtp};
  ProbedAccount user;
  user.login = "user0001";
  user.imap = ProbedLogin{true, "", true, 0};
  user.pop3 = ProbedLogin{true, "", true, 0};
  user.quotas.emplace();
  ProbedAccount small = user;
  small.login = "small01";
  small.quota = 64 * 1024;
  small.quotas = {{"User quota", "STORAGE", 3, 64}};
  probe.accounts = {user, small};
  probe.pool = 1040;
  probe.pool_limited = 40;
  probe.delivery = {"smtp"};
  probe.open_files = 65536;
  return probe;
}

TEST(Probe, AGoodTargetHasNoObstacles) {
  EXPECT_THAT(obstacles(good()), IsEmpty());
  EXPECT_EQ(probe_status(good()), 0);
  EXPECT_THAT(probe_text(good()), HasSubstr("Nothing hinders a run."));
}

/// What is wrong with the good target, and the one sentence that this comes to.
struct Wrong {
  std::string name;
  std::function<void(Probe&)> spoil;
  bool hinders;
  std::string says;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

class Obstacles : public testing::TestWithParam<Wrong> {};

TEST_P(Obstacles, AreSaidInOneSentence) {
  Probe probe = good();
  GetParam().spoil(probe);
  const auto all = obstacles(probe);
  ASSERT_EQ(all.size(), 1U) << probe_text(probe);
  EXPECT_EQ(all[0].text, GetParam().says);
  EXPECT_EQ(all[0].hinders, GetParam().hinders);
  EXPECT_EQ(probe_status(probe), GetParam().hinders ? 1 : 0);
  EXPECT_THAT(probe_text(probe), HasSubstr("  - " + GetParam().says + "\n"));
  EXPECT_THAT(probe_text(probe), HasSubstr(GetParam().hinders ? "Runs would fail:" : "Runs would be less than they"));
}

std::vector<Wrong> wrongs() {
  return {
      {"Unreachable",
       [](Probe& p) {
         p.endpoints[1] = endpoint(Protocol::pop3, TlsMode::implicit);
         p.endpoints[1].answered = p.endpoints[1].usable = false;
         p.endpoints[1].trouble = "connect: connection refused";
       },
       true, "pop3 mail.example.test:143 cannot be used: connect: connection refused"},
      {"PlaintextRefusedWhereOtherEndpointsHaveTls",
       [](Probe& p) {
         ProbedEndpoint& imap = p.endpoints.emplace_back(endpoint(Protocol::imap, TlsMode::none));
         imap.before_tls = Words{"IMAP4rev1", "STARTTLS", "LOGINDISABLED"};
         imap.usable = false;
       },
       false, "imap mail.example.test:143 takes no login without TLS: only stories about that refusal can use it"},
      {"PlaintextRefused",
       [](Probe& p) {
         ProbedEndpoint& imap = *p.endpoints.insert(p.endpoints.begin(), endpoint(Protocol::imap, TlsMode::none));
         imap.before_tls = Words{"IMAP4rev1", "STARTTLS", "LOGINDISABLED"};
         imap.usable = false;
         imap.trouble = "LOGIN: the server offers no way to log in here: LOGINDISABLED";
       },
       true, "imap mail.example.test:143 takes no login without TLS, and the target says tls: none"},
      {"PlaintextRefusedByPop3",
       [](Probe& p) {
         ProbedEndpoint& pop3 = *p.endpoints.insert(p.endpoints.begin(), endpoint(Protocol::pop3, TlsMode::none));
         pop3.before_tls = Words{"STLS", "UIDL", "SASL"};
       },
       true, "pop3 mail.example.test:143 takes no login without TLS, and the target says tls: none"},
      {"LoginRefusedWithoutTlsThoughOffered",
       [](Probe& p) {
         ProbedEndpoint& imap = p.endpoints.emplace_back(endpoint(Protocol::imap, TlsMode::none));
         imap.before_tls = Words{"IMAP4rev1", "XTLSREQUIRED"};
         imap.usable = false;
         imap.login_refused = true;
         imap.trouble = "the login of user0001 is refused: NO LOGIN Command disabled";
       },
       false, "imap mail.example.test:143 takes no login without TLS: only stories about that refusal can use it"},
      {"LoginRefusedAtOneEndpointWithTls",
       [](Probe& p) {
         ProbedEndpoint& imap = p.endpoints.emplace_back(endpoint(Protocol::imap, TlsMode::implicit));
         imap.usable = false;
         imap.login_refused = true;
         imap.trouble = "the login of user0001 is refused: NO not from here";
       },
       true, "imap mail.example.test:143 cannot be used: the login of user0001 is refused: NO not from here"},
      {"MessagesNotTold",
       [](Probe& p) {
         p.accounts[0].imap = ProbedLogin{true, "STATUS: NO no such mailbox", true, std::nullopt};
       },
       false, "what user0001 holds is not told over IMAP: STATUS: NO no such mailbox"},
      {"LoginRefused",
       [](Probe& p) {
         p.accounts[0].imap = ProbedLogin{false, "NO [AUTHENTICATIONFAILED] wrong password", true, std::nullopt};
       },
       true, "the login of user0001 over IMAP is refused: NO [AUTHENTICATIONFAILED] wrong password"},
      {"ForeignMail",
       [](Probe& p) {
         p.accounts[0].mailboxes = {{"Archive", 3, 1}};
       },
       true, "Archive of user0001 holds 2 messages that are not ours: a run touches no such mailbox"},
      {"MailNotSearched",
       [](Probe& p) {
         p.accounts[0].mailboxes = {{"INBOX", 1, std::nullopt}};
       },
       true, "INBOX of user0001 holds 1 message, and whose could not be seen: a run touches only what is ours"},
      {"MaildropWithoutImap",
       [](Probe& p) {
         p.accounts[0].imap.reset();
         p.accounts[0].pop3->messages = 2;
       },
       true, "the maildrop of user0001 holds 2 messages: without IMAP a run touches no such maildrop"},
      {"CertificateEndsSoon", [](Probe& p) { p.endpoints[0].certificate->valid_until = kNow + days(5) + 1h; }, false,
       "the certificate of imap mail.example.test:143 expires in 5 days"},
      {"CertificateOverlooked",
       [](Probe& p) {
         p.insecure = true;
         p.endpoints[0].certificate->verified = false;
         p.endpoints[0].certificate->trouble = "does not match host 127.0.0.2";
       },
       false,
       "the certificate of 'mail.example.test' (names: mail.example.test, 127.0.0.1; valid until 2027-01-21) of imap "
       "mail.example.test:143 does not match host 127.0.0.2, which this target says to overlook"},
      {"ConnectionLimit",
       [](Probe& p) {
         p.endpoints[0].crowd = ProbedCrowd{12, 12, 10, {"NO [UNAVAILABLE] Maximum number of connections exceeded"}};
       },
       false,
       "imap mail.example.test:143 serves 10 of 12 connections at once from this address (`connections:` in the target "
       "file keeps runs to it); the others: NO [UNAVAILABLE] "
       "Maximum number of connections exceeded"},
      {"LoginDelay", [](Probe& p) { p.endpoints[1].after_login->back() = "LOGIN-DELAY 60"; }, false,
       "POP3 advertises LOGIN-DELAY 60: it may refuse who logs in again sooner; stories wait, up to a minute"},
      {"NoUidplus", [](Probe& p) { std::erase(*p.endpoints[0].after_login, "UIDPLUS"); }, false,
       "IMAP offers no UIDPLUS: single messages cannot be expunged, and nobody learns the UID of what he saved"},
      {"NoIdle", [](Probe& p) { std::erase(*p.endpoints[0].after_login, "IDLE"); }, false,
       "IMAP offers no IDLE: devices that wait for news must ask for it"},
      {"NoUidl", [](Probe& p) { std::erase(*p.endpoints[1].after_login, "UIDL"); }, false,
       "POP3 offers no UIDL: a client that leaves mail on the server cannot know what it has"},
      {"NoTop", [](Probe& p) { std::erase(*p.endpoints[1].after_login, "TOP"); }, false,
       "POP3 offers no TOP: headers cannot be looked at alone"},
      {"NoQuotaExtension", [](Probe& p) { std::erase(*p.endpoints[0].after_login, "QUOTA"); }, false,
       "IMAP offers no QUOTA: usage and limits cannot be compared with what is there"},
      {"AnotherQuota", [](Probe& p) { p.accounts[1].quotas->front().limit = 100; }, false,
       "small01 should have a quota of 64KiB, and the server says 100KiB (User quota)"},
      {"NoQuotaRoot", [](Probe& p) { p.accounts[1].quotas->clear(); }, false,
       "small01 should have a quota of 64KiB, and the server tells of none"},
      {"NoQuotaClass", [](Probe& p) { p.pool_limited = 0; }, false,
       "no account of the target has a quota: stories about full mailboxes do not apply"},
      {"FewAccounts", [](Probe& p) { p.pool = 140; }, false,
       "the target has 100 accounts without a quota: 500 copies of a story at once need as many or more"},
      {"NoDelivery", [](Probe& p) { p.delivery.clear(); }, true,
       "the target has no way of delivery: no story can send a message"},
      {"NoSmtp", [](Probe& p) { p.endpoints.pop_back(); }, false,
       "the target has no SMTP: stories with bounces do not apply"},
      {"FewFiles", [](Probe& p) { p.open_files = 1024; }, false,
       "this process may open 1024 files: 500 copies need about 2000 (ulimit -n)"},
  };
}
INSTANTIATE_TEST_SUITE_P(Probe, Obstacles, testing::ValuesIn(wrongs()),
                         [](const auto& param) { return param.param.name; });

TEST(Probe, OurOwnMessagesAreNoObstacle) {
  Probe probe = good();
  probe.accounts[0].mailboxes = {{"INBOX", 4, 4}};
  EXPECT_THAT(obstacles(probe), IsEmpty());
  EXPECT_THAT(probe_text(probe), HasSubstr("4 in INBOX, 4 of them ours"));
}

TEST(Probe, WhatFailsStandsBeforeWhatLimits) {
  Probe probe = good();
  probe.endpoints[0].certificate->valid_until = kNow + days(1);
  probe.delivery.clear();
  const auto all = obstacles(probe);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].hinders);
  EXPECT_FALSE(all[1].hinders);
  EXPECT_THAT(all[1].text, HasSubstr("expires in 1 day"));
}

TEST(Probe, NothingCanBeSaidWhereNobodyAnswersOrItWasInterrupted) {
  Probe probe = good();
  probe.interrupted = true;
  EXPECT_EQ(probe_status(probe), 3);
  probe = good();
  for (ProbedEndpoint& one : probe.endpoints) one.answered = one.usable = false;
  probe.endpoints[0].trouble = "connect: connection refused";
  EXPECT_EQ(probe_status(probe), 3);
  EXPECT_THAT(probe_text(probe), HasSubstr("Nothing can be said: no endpoint answered."));
}

TEST(Probe, Mechanisms) {
  const Probe probe = good();
  EXPECT_THAT(mechanisms(probe.endpoints[0]), ElementsAre("PLAIN", "SCRAM-SHA-256", "LOGIN (the command)"));
  EXPECT_THAT(mechanisms(probe.endpoints[1]), ElementsAre("USER", "PLAIN", "LOGIN"));
  EXPECT_THAT(mechanisms(probe.endpoints[2]), ElementsAre("PLAIN"));
  ProbedEndpoint pop3 = endpoint(Protocol::pop3, TlsMode::none);
  EXPECT_THAT(mechanisms(pop3), IsEmpty());
  pop3.before_tls = Words{"UIDL"};
  pop3.greeting = "ready <1896.697170952@mail.example.test>";
  EXPECT_THAT(mechanisms(pop3), ElementsAre("APOP"));
}

TEST(Probe, TextShowsWhatIsOffered) {
  const std::string text = probe_text(good());
  EXPECT_THAT(text, HasSubstr("node-7: 1040 accounts, 40 with a quota; delivery by smtp\n"));
  EXPECT_THAT(text, HasSubstr("\nimap mail.example.test:143 (starttls)\n"
                              "  greeting       mail.example.test ready\n"
                              "  before TLS     IMAP4rev1 STARTTLS LOGINDISABLED\n"
                              "  TLS            TLSv1.3, TLS_AES_256_GCM_SHA384\n"
                              "  certificate    'mail.example.test' for mail.example.test, 127.0.0.1; from 'Example "
                              "CA'; valid 2026-10-23 to\n"
                              "                 2027-01-21, 60 days left; verified\n"
                              "  after TLS      IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256\n"));
  EXPECT_THAT(text, HasSubstr("  connections    12 of 12 served at once\n"
                              "  round trip     12.35 ms to the greeting, 0.40 ms a NOOP\n"));
  EXPECT_THAT(text, HasSubstr("  quota          \"User quota\": STORAGE 3KiB of 64KiB\n"));
}

TEST(Probe, NothingThatAServerSaysReachesTheTerminal) {
  Probe probe = good();
  probe.endpoints[0].greeting = "hello \x1b[2J\r\nworld";
  probe.endpoints[0].certificate->subject = "\x1b]0;title";
  probe.accounts[0].imap = ProbedLogin{false, "NO \x1b[31m\n\nred", true, std::nullopt};
  EXPECT_THAT(probe_text(probe), AllOf(Not(HasSubstr("\x1b")), HasSubstr("hello \\x1b[2J / world")));
  EXPECT_THAT(probe_json(probe), Not(HasSubstr("\x1b")));
}

TEST(Probe, ALongListIsWrappedAndNoWordIsLost) {
  Probe probe = good();
  Words many;
  for (int i = 100; i < 160; ++i) many.push_back("X-CAPABILITY-" + std::to_string(i));
  many.push_back(std::string(200, 'Y'));
  probe.endpoints[0].after_login->insert(probe.endpoints[0].after_login->end(), many.begin(), many.end());
  const std::string text = probe_text(probe);
  for (const std::string& word : many) EXPECT_THAT(text, HasSubstr(word));
  std::size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find("YYY") == std::string::npos) longest = std::max(longest, line.size());
  EXPECT_LE(longest, 110U);
}

TEST(Probe, JsonHoldsTheSame) {
  const auto json = nlohmann::json::parse(probe_json(good()));
  EXPECT_EQ(json["status"], 0);
  EXPECT_EQ(json["at"], "2026-11-22T12:00:00Z");
  const auto& imap = json["endpoints"][0];
  EXPECT_EQ(imap["capabilities"]["after_login"], Words({"IMAP4rev1", "UIDPLUS", "IDLE", "QUOTA"}));
  EXPECT_EQ(imap["certificate"]["days_left"], 60);
  EXPECT_EQ(imap["certificate"]["valid_until"], "2027-01-21T12:00:00Z");
  EXPECT_FALSE(imap["certificate"].contains("trouble"));
  EXPECT_EQ(imap["connections"]["served"], 12);
  EXPECT_FALSE(json["endpoints"][1]["capabilities"].contains("before_tls")) << "not seen is not empty";
  EXPECT_TRUE(json["endpoints"][1]["connections"].contains("not_tried"));
  EXPECT_EQ(json["accounts"][1]["promised_quota"], 65536);
  EXPECT_EQ(json["accounts"][1]["quotas"][0]["limit"], 64);
  EXPECT_TRUE(json["obstacles"].empty());
}

}  // namespace
}  // namespace mailproof::report
