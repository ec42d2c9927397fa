#include "play/tests/look_alikes.h"

#include <fmt/format.h>

namespace mailproof::play {
namespace {

std::string mail(const std::string& fields, const std::string& body = "Dear Alice,\r\n",
                 const std::string& reverse_path = "<bob@example.org>") {
  return fmt::format(
      "Return-Path: {}\r\n"
      "Received: from mx.example.org (mx.example.org [192.0.2.25])\r\n"
      "\tby mail.example.test with ESMTPS; Wed, 25 Nov 2026 09:12:44 +0000\r\n"
      "{}MIME-Version: 1.0\r\n\r\n{}{}\r\n",
      reverse_path, fields, body, kPrivate);
}

std::string text_mail(const std::string& fields, const std::string& body = "Dear Alice,\r\n") {
  return mail(
      "From: Bob Brown <bob@example.org>\r\nTo: alice@example.test\r\n"
      "Date: Wed, 25 Nov 2026 09:12:40 +0000\r\nContent-Type: text/plain; charset=us-ascii\r\n" +
          fields,
      body);
}

/// As Postfix writes it (RFC 3462, RFC 3464): its header says nothing of the message it is about.
std::string report(const std::string& fields, const std::string& returned,
                   const std::string& type = "delivery-status") {
  return mail(fmt::format("From: MAILER-DAEMON@mail.example.org (Mail Delivery System)\r\nTo: alice@example.test\r\n"
                          "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
                          "Date: Wed, 25 Nov 2026 09:12:40 +0000\r\n{}"
                          "Message-ID: <20261125091240.8E1F2A0041@mail.example.org>\r\n"
                          "Content-Type: multipart/report; report-type={};\r\n\tboundary=\"8E1F2.1795\"\r\n",
                          fields, type),
              fmt::format("--8E1F2.1795\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
                          "--8E1F2.1795\r\nContent-Type: message/delivery-status\r\n\r\n"
                          "Reporting-MTA: dns; mail.example.org\r\n\r\nFinal-Recipient: rfc822; carol@example.net\r\n"
                          "Action: failed\r\nStatus: 5.1.1\r\n\r\n"
                          "--8E1F2.1795\r\nContent-Type: text/rfc822-headers\r\n\r\n{}\r\n--8E1F2.1795--\r\n",
                          returned));
}

/// As OpenSMTPD reports, and as many a letter comes with a mail attached.
std::string mixed(const std::string& reverse_path, const std::string& attached) {
  return mail(
      "Message-ID: <b2761c59a409f694@mail.example.org>\r\n"
      "From: Mailer Daemon <MAILER-DAEMON@mail.example.org>\r\nTo: alice@example.test\r\n"
      "Subject: Delivery status notification: failed\r\nDate: Wed, 25 Nov 2026 09:12:40 +0000\r\n"
      "Content-Type: multipart/mixed;boundary=\"98241/mail\"\r\n",
      "--98241/mail\r\nContent-Type: text/plain\r\n\r\nHi!\r\n"
      "--98241/mail\r\nContent-Type: message/rfc822\r\n\r\n" +
          attached + "\r\n--98241/mail--\r\n",
      reverse_path);
}

}  // namespace

std::vector<LookAlike> look_alikes(const mail::MessageSpec& ours, const mail::MessageSpec& other_run) {
  const std::string own = *mail::make_message(ours).text;
  const std::string other = *mail::make_message(other_run).text;
  const std::string token = fmt::format("{}: {}\r\n", mail::kTokenHeader, ours.token.text());
  const std::string id = fmt::format("Message-ID: {}\r\n", ours.token.message_id());
  const std::string their_id = "Message-ID: <4711.0815@example.org>\r\n";
  auto forged = ours.token;
  forged.seed ^= 1;
  auto unmade = ours.token;
  unmade.number += 1000;
  auto elsewhere = ours.token;
  elsewhere.owner = "someone-else@example.test";
  const auto stamped = [&](const mail::Token& with) {
    return text_mail(fmt::format("{}: {}\r\nMessage-ID: {}\r\nSubject: forged\r\n", mail::kTokenHeader, with.text(),
                                 with.message_id()));
  };
  return {
      {"ours", Whose::ours, own},
      {"ours, below what servers put on top", Whose::ours,
       "Return-Path: <>\r\nDelivered-To: alice@example.test\r\nReceived: from a by b; Thu, 1 Jan 2026 00:00:00 "
       "+0000\r\n" +
           own},
      {"another run's", Whose::leftover, other},
      {"a letter", Whose::foreign, text_mail(their_id + "Subject: dinner\r\n")},
      {"a letter that quotes our header", Whose::foreign,
       text_mail(their_id + "Subject: Fwd: strange mail\r\n", "It begins with\r\n" + token + id + "\r\n" + own)},
      {"our message, attached", Whose::foreign,
       text_mail(their_id + "Subject: Fwd\r\nX-Kind: multipart/mixed\r\n",
                 "--x\r\nContent-Type: message/rfc822\r\n\r\n" + own + "--x--\r\n")},
      {"our message, attached to a letter that may be answered", Whose::foreign, mixed("<carol@example.net>", own)},
      {"a mixed message that nobody is to answer", Whose::maybe_report, mixed("<>", "Message-ID: <1@example.org>\r\n")},
      {"our header on another's letter", Whose::foreign, text_mail(token + their_id + "Subject: copied header\r\n")},
      {"our Message-ID on another's letter", Whose::foreign, text_mail(id + "Subject: same Message-ID\r\n")},
      {"two of our headers", Whose::foreign, text_mail(token + token + id + "Subject: twice\r\n")},
      {"two Message-IDs", Whose::foreign, text_mail(token + id + their_id + "Subject: twice\r\n")},
      {"our header folded into another one", Whose::foreign,
       text_mail("X-Note: see\r\n\t" + token + id + "Subject: folded\r\n")},
      {"a token of this playing with another seed", Whose::foreign, stamped(forged)},
      {"a token of this playing for a message never made", Whose::foreign, stamped(unmade)},
      {"a token of this playing with another owner", Whose::foreign, stamped(elsewhere)},
      {"a token cut short", Whose::foreign,
       text_mail(fmt::format("{}: v1 run={:016x}\r\n", mail::kTokenHeader, ours.token.run) + id)},
      {"a subject that says multipart/report", Whose::foreign,
       text_mail(their_id + "Subject: how to read Content-Type: multipart/report; report-type=delivery-status\r\n")},
      {"a report about somebody's mail", Whose::maybe_report, report("", "Message-ID: <1@example.org>\r\n")},
      {"a report about somebody's mail, with References", Whose::maybe_report,
       report("References: <1@example.org> <2@example.org>\r\n", "Message-ID: <1@example.org>\r\n")},
      {"a report that names another run's message", Whose::maybe_report,
       report(fmt::format("References: {}\r\n", other_run.token.message_id()), "Subject: x\r\n")},
      {"a report that names a message never made", Whose::maybe_report,
       report(fmt::format("References: {}\r\n", unmade.message_id()), "Subject: x\r\n")},
      {"a report that quotes ours where nobody may look", Whose::maybe_report, report("", token + id)},
      {"a report that says it is about ours", Whose::report,
       report(fmt::format("References: <1@example.org>\r\n {}\r\n", ours.token.message_id()), token + id)},
      {"a report in reply to ours", Whose::report,
       report(fmt::format("In-Reply-To: {}\r\n", ours.token.message_id()), token + id)},
      {"a read receipt for ours", Whose::foreign,
       report(fmt::format("In-Reply-To: {}\r\n", ours.token.message_id()), id, "disposition-notification")},
      {"a letter in reply to ours", Whose::foreign,
       text_mail(their_id + fmt::format("In-Reply-To: {}\r\nSubject: Re: your mail\r\n", ours.token.message_id()))},
      {"nothing at all", Whose::foreign, ""},
      {"a body without a header", Whose::foreign, fmt::format("\r\n{}{}\r\n", token, kPrivate)},
  };
}

}  // namespace mailproof::play
