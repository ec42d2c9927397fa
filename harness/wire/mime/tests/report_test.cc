#include "wire/mime/report.h"

#include <gtest/gtest.h>

#include "wire/mime/report_writer.h"

namespace mailproof::mime {
namespace {

/// As Exim 4.96 writes it: Action before Final-Recipient, no space behind "rfc822;", Status 5.0.0.
constexpr std::string_view kExim =
    "Return-Path: <>\r\n"
    "X-Failed-Recipients: user0001@example.test\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "From: Mail Delivery System <Mailer-Daemon@example.test>\r\n"
    "To: sender@example.test\r\n"
    "References: <m11.1795342177179663978@probe>\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=1795342177-eximdsn-1558538164\r\n"
    "MIME-Version: 1.0\r\n"
    "Subject: Mail delivery failed: returning message to sender\r\n"
    "\r\n"
    "--1795342177-eximdsn-1558538164\r\n"
    "Content-type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "This message was created automatically by mail delivery software.\r\n"
    "\r\n"
    "  user0001@example.test\r\n"
    "    host 127.0.0.1 [127.0.0.1]\r\n"
    "    LMTP error after BDAT 9000 LAST: 552 5.2.2 <user0001@example.test> Quota exceeded (mailbox for user is "
    "full)\r\n"
    "\r\n"
    "--1795342177-eximdsn-1558538164\r\n"
    "Content-type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; node.test\r\n"
    "\r\n"
    "Action: failed\r\n"
    "Final-Recipient: rfc822;user0001@example.test\r\n"
    "Status: 5.0.0\r\n"
    "Remote-MTA: dns; 127.0.0.1\r\n"
    "Diagnostic-Code: smtp; 552 5.2.2 <user0001@example.test> Quota exceeded (mailbox for user is full)\r\n"
    "\r\n"
    "--1795342177-eximdsn-1558538164\r\n"
    "Content-type: message/rfc822\r\n"
    "\r\n"
    "Return-path: <sender@example.test>\r\n"
    "Subject: the token\r\n"
    "\r\n"
    "body\r\n"
    "\r\n"
    "--1795342177-eximdsn-1558538164--\r\n";

/// As OpenSMTPD 6.8 writes it: multipart/mixed, the reason in the text alone.
constexpr std::string_view kOpenSmtpd =
    "Return-Path: <>\r\n"
    "Subject: Delivery status notification: failed\r\n"
    "From: Mailer Daemon <MAILER-DAEMON@node.test>\r\n"
    "To: user0007@example.test\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed;boundary=\"9824186600616963547/node.test\"\r\n"
    "Message-ID: <b2761c59a409f694@node.test>\r\n"
    "\r\n"
    "This is a MIME-encapsulated message.\r\n"
    "\r\n"
    "--9824186600616963547/node.test\r\n"
    "Content-Description: Notification\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "small07@example.test: 552 5.2.2 <small07@example.test> Quota exceeded (mailbox for user is full)\r\n"
    "\r\n"
    "--9824186600616963547/node.test\r\n"
    "Content-Description: Delivery Report\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; node.test\r\n"
    "\r\n"
    "Final-Recipient: rfc822; small07@example.test\r\n"
    "Action: failed\r\n"
    "Status: 5.0.0\r\n"
    "\r\n"
    "--9824186600616963547/node.test\r\n"
    "Content-Description: Message headers\r\n"
    "Content-Type: text/rfc822-headers\r\n"
    "\r\n"
    "Subject: the token\r\n"
    "\r\n"
    "--9824186600616963547/node.test--\r\n";

/// As Postfix 3.7.11 writes it: a folded Diagnostic-Code.
constexpr std::string_view kPostfix =
    "Return-Path: <>\r\n"
    "From: Mail Delivery System <MAILER-DAEMON@node.test>\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "\tboundary=\"CF88CA8E495.1795342327/node.test\"\r\n"
    "\r\n"
    "This is a MIME-encapsulated message.\r\n"
    "\r\n"
    "--CF88CA8E495.1795342327/node.test\r\n"
    "Content-Description: Notification\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "I'm sorry to have to inform you that your message could not\r\nbe delivered to one or more recipients. It's "
    "attached below.\r\n"
    "\r\n"
    "--CF88CA8E495.1795342327/node.test\r\n"
    "Content-Description: Delivery report\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; node.test\r\n"
    "X-Postfix-Queue-ID: CF88CA8E495\r\n"
    "X-Postfix-Sender: rfc822; user0002@example.test\r\n"
    "Arrival-Date: Sun, 22 Nov 2026 10:12:07 +0000 (UTC)\r\n"
    "\r\n"
    "Final-Recipient: rfc822; user0001@example.test\r\n"
    "Original-Recipient: rfc822;user0001@example.test\r\n"
    "Action: failed\r\n"
    "Status: 5.2.2\r\n"
    "Remote-MTA: dns; 127.0.0.1\r\n"
    "Diagnostic-Code: smtp; 552 5.2.2 <user0001@example.test> Quota exceeded\r\n"
    "    (mailbox for user is full)\r\n"
    "\r\n"
    "--CF88CA8E495.1795342327/node.test\r\n"
    "Content-Description: Undelivered Message\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Return-Path: <user0002@example.test>\r\n"
    "Subject: the token\r\n"
    "\r\n"
    "body\r\n"
    "\r\n"
    "--CF88CA8E495.1795342327/node.test--\r\n";

constexpr smtp::EnhancedStatus kFull{5, 2, 2};

TEST(DeliveryReports, OfExim) {
  const auto report = parse_report(kExim);
  ASSERT_TRUE(report) << report.error().why;
  EXPECT_EQ(report->reporting_mta, "node.test");
  ASSERT_EQ(report->recipients.size(), 1U);
  const DeliveryStatus& r = report->recipients[0];
  EXPECT_EQ(r.final_recipient, "user0001@example.test");
  EXPECT_EQ(r.original_recipient, "");
  EXPECT_EQ(r.action, "failed");
  EXPECT_EQ(r.status, (smtp::EnhancedStatus{5, 0, 0}));
  EXPECT_EQ(r.diagnostic_type, "smtp");
  EXPECT_EQ(r.diagnostic_code, "552 5.2.2 <user0001@example.test> Quota exceeded (mailbox for user is full)");
  EXPECT_EQ(r.remote_mta, "127.0.0.1");
  EXPECT_EQ(r.effective_status(), kFull);
  ASSERT_TRUE(report->returned);
  EXPECT_EQ(report->returned->of(kExim), "Return-path: <sender@example.test>\r\nSubject: the token\r\n\r\nbody\r\n");
  EXPECT_FALSE(report->returned_headers_only);
}

TEST(DeliveryReports, OfPostfix) {
  const auto report = parse_report(kPostfix);
  ASSERT_TRUE(report) << report.error().why;
  EXPECT_EQ(report->reporting_mta, "node.test");
  ASSERT_EQ(report->recipients.size(), 1U);
  const DeliveryStatus& r = report->recipients[0];
  EXPECT_EQ(r.final_recipient, "user0001@example.test");
  EXPECT_EQ(r.original_recipient, "user0001@example.test");
  EXPECT_EQ(r.action, "failed");
  EXPECT_EQ(r.diagnostic_code, "552 5.2.2 <user0001@example.test> Quota exceeded    (mailbox for user is full)");
  EXPECT_EQ(r.effective_status(), kFull);
  ASSERT_TRUE(report->returned);
  EXPECT_TRUE(report->returned->of(kPostfix).starts_with("Return-Path: <user0002@example.test>\r\n"));
}

TEST(DeliveryReports, StoredWithBareLineFeeds) {
  std::string unix_lines;
  for (const char c : kPostfix)
    if (c != '\r') unix_lines += c;
  const auto report = parse_report(unix_lines);
  ASSERT_TRUE(report) << report.error().why;
  EXPECT_EQ(report->recipients.at(0).effective_status(), kFull);
}

TEST(DeliveryReports, EffectiveStatus) {
  const auto effective = [](std::string action, std::optional<smtp::EnhancedStatus> status, std::string diagnostic) {
    DeliveryStatus r;
    r.action = std::move(action);
    r.status = status;
    r.diagnostic_code = std::move(diagnostic);
    return r.effective_status();
  };
  using S = smtp::EnhancedStatus;
  EXPECT_EQ(effective("failed", S{5, 0, 0}, "550 no such user"), (S{5, 0, 0}));
  EXPECT_EQ(effective("failed", S{5, 1, 1}, "552 5.2.2 full"), (S{5, 1, 1}));
  EXPECT_EQ(effective("failed", std::nullopt, "552 5.2.2 full"), (S{5, 2, 2}));
  EXPECT_EQ(effective("failed", std::nullopt, ""), std::nullopt);
  EXPECT_EQ(effective("failed", S{5, 0, 0}, "452 4.2.2 <x> Quota exceeded: retry timeout exceeded"), (S{4, 2, 2}));
  EXPECT_EQ(effective("delivered", S{2, 0, 0}, "452 4.2.2 before that"), (S{2, 0, 0}));
}

TEST(DeliveryReports, AMixedMessageAroundADeliveryStatusIsOne) {
  const auto report = parse_report(kOpenSmtpd);
  ASSERT_TRUE(report) << report.error().why;
  ASSERT_EQ(report->recipients.size(), 1U);
  EXPECT_EQ(report->recipients[0].final_recipient, "small07@example.test");
  EXPECT_EQ(report->recipients[0].action, "failed");
  ASSERT_TRUE(report->returned);
  EXPECT_EQ(report->returned->of(kOpenSmtpd), "Subject: the token\r\n");
  EXPECT_FALSE(parse_report("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"));
}

TEST(DeliveryReports, WhatIsNoneSaysWhy) {
  const auto why = [](std::string_view message) {
    const auto report = parse_report(message);
    return report ? std::string() : report.error().why;
  };
  EXPECT_EQ(why("Subject: hello\r\n\r\nBody\r\n"), "not a delivery report: it is text/plain");
  EXPECT_EQ(why("Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b--\r\n"),
            "not a delivery report: it reports something else: disposition-notification");
  EXPECT_EQ(why("Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"),
            "not a delivery report: it has no message/delivery-status");
  EXPECT_EQ(why("Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: "
                "message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n--b--\r\n"),
            "not a delivery report: it names no recipient");
}

TEST(DeliveryReports, CutAnywhereTheyNeverCrash) {
  for (const std::string_view whole : {kExim, kPostfix, kOpenSmtpd})
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto report = parse_report(whole.substr(0, n));
      if (report) {
        EXPECT_GT(n, whole.find("Final-Recipient") - 20);
      }
    }
}

ReportDraft draft() {
  ReportDraft d;
  d.from = "MAILER-DAEMON@mail.example.test";
  d.to = "user0002@example.test";
  d.reporting_mta = "mail.example.test";
  d.message_id = "<1.2@mail.example.test>";
  d.date = "Sun, 22 Nov 2026 10:12:07 +0000";
  d.arrival_date = d.date;
  d.boundary = "7f3a.1795342327/mail.example.test";
  d.original_envelope_id = "env-1";
  DeliveryStatus r;
  r.final_recipient = "user0001@example.test";
  r.original_recipient = "alias@example.test";
  r.action = "failed";
  r.status = kFull;
  r.diagnostic_code = "552 5.2.2 <user0001@example.test> Quota exceeded (mailbox for user is full)";
  d.recipients = {r, r};
  d.recipients[1].final_recipient = "user0003@example.test";
  d.recipients[1].original_recipient.clear();
  d.returned = "Subject: the token\r\nMIME-Version: 1.0\r\n\r\n.dot\r\n";
  return d;
}

TEST(DeliveryReports, WrittenOnesReadBack) {
  const ReportDraft d = draft();
  const std::string message = write_report(d);
  const auto report = parse_report(message);
  ASSERT_TRUE(report) << report.error().why;
  EXPECT_EQ(report->reporting_mta, d.reporting_mta);
  EXPECT_EQ(report->original_envelope_id, "env-1");
  ASSERT_EQ(report->recipients.size(), 2U);
  EXPECT_EQ(report->recipients[0].final_recipient, "user0001@example.test");
  EXPECT_EQ(report->recipients[0].original_recipient, "alias@example.test");
  EXPECT_EQ(report->recipients[0].diagnostic_type, "smtp");
  EXPECT_EQ(report->recipients[1].final_recipient, "user0003@example.test");
  EXPECT_EQ(report->recipients[1].effective_status(), kFull);
  EXPECT_EQ(report->returned->of(message), d.returned);
  for (std::size_t at = message.find('\n'); at != std::string::npos; at = message.find('\n', at + 1))
    EXPECT_EQ(message[at - 1], '\r');
}

TEST(DeliveryReports, HeadersOnly) {
  ReportDraft d = draft();
  d.headers_only = true;
  d.returned = "Subject: the token\r\n";
  const std::string message = write_report(d);
  const auto report = parse_report(message);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->returned_headers_only);
  EXPECT_EQ(report->returned->of(message), d.returned);
}

}  // namespace
}  // namespace mailproof::mime
