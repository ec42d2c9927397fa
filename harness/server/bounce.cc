#include "server/bounce.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/delivery_trace.h"

namespace mailproof::server {
namespace {

using Out = std::back_insert_iterator<std::string>;

bool is_8bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
}

std::string_view header_of(std::string_view message) {
  if (message.starts_with("\r\n")) return {};
  const auto end = message.find("\r\n\r\n");
  return end == std::string_view::npos ? message : message.substr(0, end + 2);
}

void write_header(Out out, const ReportFacts& facts, const Envelope& envelope, bool failed, bool eight_bit) {
  fmt::format_to(out,
                 "From: Mail Delivery System <MAILER-DAEMON@{0}>\r\n"
                 "To: <{1}>\r\n"
                 "Subject: {2}\r\n"
                 "Date: {3}\r\n"
                 "Message-ID: <report-{4}@{0}>\r\n"
                 "Auto-Submitted: auto-replied\r\n"
                 "MIME-Version: 1.0\r\n"
                 "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                 "\tboundary=\"=_report_{4}\"\r\n"
                 "{5}"
                 "\r\n",
                 facts.host, envelope.sender,
                 failed ? "Undelivered mail returned to sender" : "Your message was delivered", date_time(facts.date),
                 facts.id, eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

void write_explanation(Out out, const ReportFacts& facts, std::span<const Recipient> recipients, bool failed) {
  fmt::format_to(out,
                 "--=_report_{}\r\n"
                 "Content-Type: text/plain; charset=us-ascii\r\n"
                 "\r\n"
                 "This is the mail system at host {}.\r\n"
                 "{}\r\n\r\n",
                 facts.id, facts.host,
                 failed ? "Your message could not be delivered to:" : "Your message was delivered to:");
  for (const auto& recipient : recipients) fmt::format_to(out, "  <{}>\r\n", recipient.address);
  if (failed) fmt::format_to(out, "\r\nThe reason was: {}\r\n", facts.diagnostic);
  fmt::format_to(out, "\r\n");
}

/// RFC 3464 section 2.1: per-message fields, then per-recipient fields, each group closed by an empty line.
void write_status(Out out, const ReportFacts& facts, const Envelope& envelope, std::span<const Recipient> recipients) {
  fmt::format_to(out, "--=_report_{}\r\nContent-Type: message/delivery-status\r\n\r\n", facts.id);
  if (!envelope.id.empty()) fmt::format_to(out, "Original-Envelope-Id: {}\r\n", envelope.id);
  fmt::format_to(out, "Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n\r\n", facts.host, date_time(facts.date));
  for (const auto& recipient : recipients) {
    if (!recipient.original.empty()) fmt::format_to(out, "Original-Recipient: {}\r\n", recipient.original);
    fmt::format_to(out, "Final-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\n", recipient.address, facts.action,
                   facts.status);
    if (!facts.diagnostic.empty()) fmt::format_to(out, "Diagnostic-Code: smtp; {}\r\n", facts.diagnostic);
    fmt::format_to(out, "\r\n");
  }
}

}  // namespace

std::string delivery_report(const ReportFacts& facts, const Envelope& envelope, std::span<const Recipient> recipients,
                            std::string_view message) {
  const bool failed = facts.action == "failed";
  const bool whole = failed && envelope.return_full;
  const auto returned = whole ? message : header_of(message);
  const bool eight_bit = is_8bit(returned);
  std::string text;
  const Out out(text);
  write_header(out, facts, envelope, failed, eight_bit);
  write_explanation(out, facts, recipients, failed);
  write_status(out, facts, envelope, recipients);
  fmt::format_to(out, "--=_report_{}\r\nContent-Type: {}\r\n{}\r\n{}", facts.id,
                 whole ? "message/rfc822" : "text/rfc822-headers",
                 eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "", returned);
  fmt::format_to(out, "\r\n--=_report_{}--\r\n", facts.id);
  return text;
}

}  // namespace mailproof::server
