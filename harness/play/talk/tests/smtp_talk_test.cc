#include <gmock/gmock.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::HasSubstr;

/// One check of an SMTP or LMTP file with an empty mailbox.
struct Mailed {
  explicit Mailed(const std::string& lines, const std::string& more = "", std::vector<WrongBlock> wrong = {},
                  const std::string& id = "smtp.5321-3.3", const std::function<void(server::ServerOptions&)>& with = {})
      : rig(scenario::parse("id: " + id + "\ntitle: t\nchecks:\n  - id: one\n    level: MUST\n    title: it is so\n" +
                                more + "    talk: |\n" + Checked::indented(lines),
                            "check.yaml"),
            with, wrong.empty() ? std::vector<WrongDialogue>{} : std::vector<WrongDialogue>{{std::move(wrong)}}) {
    rig.play();
  }
  std::string end() const {
    const history::Event* last = nullptr;
    for (const auto& e : rig.player->history().events())
      if (e.what == What::talk && e.type != Type::obs && e.type != Type::expect) last = &e;
    return last == nullptr ? "nothing" : std::string(name(last->type)) + ": " + last->text;
  }
  SimRig rig;
};

WrongBlock said(const std::string& line, std::vector<std::string> sent, Protocol protocol = Protocol::smtp) {
  return instead_of(line, std::move(sent), protocol);
}

const std::string kEnvelope = "C: MAIL FROM:<${address}>\nS: 250\nC: RCPT TO:<${address}>\nS: 250\n";
const std::string kMail = kEnvelope + "C: DATA\nS: 354\nC: {mail}\nS: 250 2.0.0\n";

TEST(SmtpTalk, LinesOfAReplyComeInAnyOrderAndFurtherOnesAreFree) {
  Mailed check(
      "C: EHLO a.example\nS: 250-SIZE ${n:number}\nS: 250-DSN\nS?: 250-BURL\nS~~: ^250\nS!~: NOOP\nS: 250\n"
      "C: QUIT\nS: 221\nclosed\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: the server closed"));
  EXPECT_THAT(Mailed("C: EHLO a.example\nS: 250-XCLIENT\nS: 250\n").end(), HasSubstr("fail: 250 "));
}

TEST(SmtpTalk, TheLastLineOfAReplyMayBeTheOneThatIsLookedFor) {
  EXPECT_THAT(Mailed("C: EHLO a\nS: 250-DSN\nS: 250 DSN\n", "", {said("EHLO a", {"250-host\r\n250 DSN\r\n"})}).end(),
              HasSubstr("ok: 250 DSN"));
}

TEST(SmtpTalk, AReplyWithTwoCodesIsNone) {
  Mailed check("C: NOOP\nS: 250\n", "", {said("NOOP", {"250-well\r\n", "451 not\r\n"})});
  EXPECT_EQ(check.end(), "fail: 250 well\n451 not");
  EXPECT_THAT(check.rig.player->history().event(check.rig.last(What::talk).command).set,
              HasSubstr("the same code on every line"));
}

TEST(SmtpTalk, AnXInACodeIsAnyDigit) {
  const auto with = [](const std::string& pattern) {
    return Mailed("C: XYZZY\nS: " + pattern + "\n", "", {said("XYZZY", {"553-5.5.1 no\r\n553 5.5.1 never\r\n"})}).end();
  };
  EXPECT_EQ(with("5xx"), "ok: 553 5.5.1 never");
  EXPECT_EQ(with("55x 5.5.1 never $"), "ok: 553 5.5.1 never");
  EXPECT_THAT(with("4xx"), HasSubstr("fail: "));
  EXPECT_THAT(with("5xx 5.1.1"), HasSubstr("fail: "));
  EXPECT_THAT(with("4xx | 553"), HasSubstr("ok: "));
}

TEST(SmtpTalk, WhatIsNoReplyFitsNothing) {
  EXPECT_EQ(Mailed("C: NOOP\nS: 2xx\n", "", {said("NOOP", {"OK 250\r\n"})}).end(), "fail: OK 250");
}

TEST(SmtpTalk, ARegularExpressionIsAboutAllLinesOfAReply) {
  EXPECT_THAT(Mailed("C: EHLO a.example\nS~: ^250-[^\\n]+\\n(250-[^\\n]+\\n)+250 [^\\n]+$\n").end(), HasSubstr("ok: "));
}

TEST(SmtpTalk, AMessageThatItSendsIsStampedAndArrivesWhole) {
  Mailed check(kEnvelope +
               "C: DATA\nS: 354\nC: {mail lone-dot}\nS: 250\narrives: mail.1\n2> connect: pop3\n2> C: RETR 1\n"
               "2> S: +OK\n2> S: {mail.1}\n2> S: .\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK"));
}

TEST(SmtpTalk, MailThatIsTakenAndDroppedDoesNotArrive) {
  Mailed lost(kMail + "C: QUIT\nS: 221\narrives: mail.1\n", "",
              {said("DATA", {"354 go on\r\n"}), said(".", {"250 2.0.0 taken\r\n"})});
  EXPECT_EQ(lost.end(), "fail: it is in none of them after 1m");
  Mailed awaited(kMail + "await: mail.1\nC: NOOP\nS: 250\n", "",
                 {said("DATA", {"354 go on\r\n"}), said(".", {"250 2.0.0 taken\r\n"})});
  EXPECT_EQ(awaited.end(), "info: it is in none of them after 1m") << "which only prepares";
}

TEST(SmtpTalk, AnOwnBodyStandsBehindAStampedHeader) {
  Mailed check(kEnvelope + "C: DATA\nS: 354\nC!: ${head}text\\r\\n\nC: .\nS: 250\narrives: mail.1\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_EQ(check.end(), "ok: mail.1");
}

TEST(SmtpTalk, AnAddressMayBeWrittenInOtherWays) {
  Mailed check(
      "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<${quoted-address}>\nC: RCPT TO:<${nobody-empty}>\nS: 250 | 5xx\n"
      "S: 550 | 501\n");
  EXPECT_EQ(check.rig.problem(), "");
  std::string sent;
  for (const auto& e : check.rig.player->history().events()) sent += e.text + '\n';
  EXPECT_THAT(sent, HasSubstr("C: RCPT TO:<${quoted-address}>"));
  EXPECT_THAT(check.end(), HasSubstr("ok: 5"));
}

TEST(SmtpTalk, OnlyWhatEndsMailEndsIt) {
  const std::string smuggled =
      kEnvelope + "C: DATA\nS: 354\nC!: ${head}text\\r\\n\\n.\\nRSET\\r\\n.\\r\\n\nS: 250\nC: QUIT\nS: 221\n";
  EXPECT_THAT(Mailed(smuggled).end(), HasSubstr("ok: 221"));
  EXPECT_THAT(Mailed(smuggled, "", {}, "smtp.5321-4.1.1.4",
                     [](auto& options) { options.defects = {"delivery.lf-dot-ends-data"}; })
                  .end(),
              HasSubstr("fail: 250"));
}

TEST(SmtpTalk, BdatCountsItsOctets) {
  Mailed check(kEnvelope + "C: BDAT {mail office 4KiB}\nS: 250\nC: BDAT 0 LAST\nS: 250\narrives: mail.1\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_EQ(check.end(), "ok: mail.1");
}

TEST(SmtpTalk, LmtpHasAReplyForEachRecipient) {
  const std::string two =
      "C: MAIL FROM:<${address}>\nS: 250\nC: RCPT TO:<${address}>\nS: 250\nC: RCPT TO:<${address2}>\nS: 250\n"
      "C: RCPT TO:<${nobody}>\nS: 550\nC: DATA\nS: 354\nC: {mail}\nC: QUIT\nS*2: 250\nS: 221\n"
      "arrives: mail.1\narrives: mail.1 user2\n";
  Mailed check(two, "    accounts: 2\n", {}, "lmtp.2033-4.2");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_EQ(check.end(), "ok: mail.1");
  EXPECT_THAT(Mailed(two, "    accounts: 2\n", {}, "lmtp.2033-4.2",
                     [](auto& options) { options.defects = {"delivery.one-lmtp-reply-for-all"}; })
                  .end(),
              HasSubstr("fail: 221"));
}

TEST(SmtpTalk, StarttlsForgetsWhatWasSaid) {
  Mailed check(
      "C: STARTTLS\nS: 220\ntls\nC: MAIL FROM:<${address}>\nS: 503\nC: EHLO a.example\nS!~: STARTTLS\nS: 250\n",
      "    tls: clear\n    when: STARTTLS\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: 250"));
  Mailed secured("C: NOOP\nS: 250\n", "    tls: starttls\n");
  EXPECT_EQ(secured.rig.problem(), "");
  EXPECT_THAT(secured.end(), HasSubstr("ok: 250"));
}

TEST(SmtpTalk, AuthAsksForMore) {
  Mailed check(
      "C: AUTH PLAIN\nS: 334\nC: ${b64:\\0${user}\\0${pass}}\nS: 235\n2> connect: smtp authenticated\n2> C: AUTH "
      "PLAIN\n2> S: 503\n",
      "    when: AUTH PLAIN\n    state: hello\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: 503"));
}

TEST(SmtpTalk, WhatTheServerDoesNotOfferIsNotAskedFor) {
  Mailed check("C: NOOP\nS: 250\n", "    when: BURL\n");
  EXPECT_EQ(check.rig.last(What::not_applicable).text, "the server does not offer BURL");
  EXPECT_THAT(Mailed("C: NOOP\nS: 250\n", "    when: SIZE\n").end(), HasSubstr("ok: 250"));
}

TEST(SmtpTalk, TheGreetingIsTheFirstReply) {
  EXPECT_THAT(Mailed("S: 220\nC: NOOP\nS: 250\n", "    state: greeting\n").end(), HasSubstr("ok: 250"));
  EXPECT_THAT(Mailed("C: MAIL FROM:<${address}>\nS: 503\n", "    state: connected\n").end(), HasSubstr("ok: 503"));
}

TEST(SmtpTalk, AReplyThatNeverComesIsSilence) {
  Mailed check("C: NOOP\nS: 250\n", "",
               {{.protocol = Protocol::smtp, .text = "NOOP", .actions = {{.kind = WrongAction::Kind::silence}}}});
  EXPECT_THAT(check.end(), HasSubstr("info: nothing within 10s"));
}

TEST(SmtpTalk, NoReportIsSeenOnlyAfterTheSettlingTime) {
  Mailed check(kMail + "no-report: mail.1\n");
  EXPECT_EQ(check.end(), "ok: none within 5s");
  Mailed report(
      "C: MAIL FROM:<${address}>\nS: 250\nC: RCPT TO:<${address}> NOTIFY=SUCCESS\nS: 250\nC: DATA\nS: 354\nC: "
      "{mail}\nS: 250\narrives: report mail.1\nno-report: mail.1\n",
      "    when: DSN\n");
  EXPECT_THAT(report.end(), HasSubstr("fail: a delivery report about mail.1"));
}

const auto kTwoParts = [](auto& options) { options.latitudes = {"delivery.reports-of-two-parts"}; };

TEST(SmtpTalk, AReportThatReturnsNothingIsKnownByTheEnvelope) {
  const std::string mail =
      "C: RCPT TO:<${address}> NOTIFY=SUCCESS\nS: 250\nC: DATA\nS: 354\nC: {mail}\nS: 250\nawait: mail.1\n";
  const std::string named = "C: MAIL FROM:<${address}> ENVID=${envid}\nS: 250\n" + mail;
  const std::string encoded = "C: MAIL FROM:<${address}> ENVID=${envid:xtext}\nS: 250\n" + mail;
  const std::string unnamed = "C: MAIL FROM:<${address}>\nS: 250\n" + mail;
  const auto played = [](const std::string& lines) {
    return Mailed(lines, "    when: DSN\n", {}, "dsn.3461-5.2.3", kTwoParts);
  };
  const auto end = [&](const std::string& lines) { return played(lines).end(); };
  EXPECT_THAT(end(named + "arrives: report mail.1\n"), HasSubstr("ok: a delivery report about mail.1"));
  EXPECT_THAT(end(encoded + "arrives: report mail.1\n"), HasSubstr("ok: a delivery report about mail.1"));
  EXPECT_THAT(end(named + "no-report: mail.1\n"), HasSubstr("fail: a delivery report about mail.1"));
  // Nobody can tell whose mail it is about: it is somebody's, and is left where it is.
  for (const std::string line : {"arrives: report mail.1\n", "no-report: mail.1\n"})
    EXPECT_THAT(played(unnamed + line).rig.problem(), HasSubstr("1 message that is not ours; it was not changed"));
}

TEST(SmtpTalk, MailThatComesInDuringALookIsLookedAt) {
  WrongBlock slow{.at = WrongBlock::At::regex, .protocol = Protocol::imap, .text = "^UID FETCH 1:\\*"};
  slow.actions = {{.kind = WrongAction::Kind::wait, .span = std::chrono::seconds(8)},
                  {.kind = WrongAction::Kind::pass}};
  Mailed check(kMail + "wait: 6s\n" + kMail + "await: mail.2\n", "", {slow}, "smtp.5321-3.3",
               [](auto& options) { options.latitudes = {"delivery.queues"}; });
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: mail.2"));
}

TEST(SmtpTalk, MailThatComesBackIsAnsweredForAsWell) {
  const auto end = [](const std::string& wanted) {
    return Mailed(
               "C: MAIL FROM:<${address2}>\nS: 250\nC: RCPT TO:<${address}>\nS: 250\nC: DATA\nS: 354\n"
               "C: {mail office 60KiB}\nS: 250\narrives: " +
                   wanted + "\n",
               "    needs: [quota]\n    accounts: [{quota: 64KiB}, {}]\n    mailbox: {messages: 4, size: 8KiB}\n", {},
               "smtp.5321-6.1", [](auto& options) { options.latitudes = {"delivery.bounce-instead-of-refuse"}; })
        .end();
  };
  EXPECT_THAT(end("mail.last"), HasSubstr("fail: "));
  EXPECT_THAT(end("mail.last | report mail.last"), HasSubstr("ok: a delivery report about mail.5"));
}

}  // namespace
}  // namespace mailproof::play
