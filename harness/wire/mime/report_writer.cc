#include "wire/mime/report_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mailproof::mime {
namespace {

bool all_have_action(const std::vector<DeliveryStatus>& recipients, std::string_view action) {
  return std::all_of(recipients.begin(), recipients.end(), [&](const DeliveryStatus& r) { return r.action == action; });
}

/// RFC 2045 section 6.2: what holds octets over 127 must say so, and so must everything around it.
std::string_view transfer_encoding(std::string_view content) {
  const bool eight_bit = std::any_of(content.begin(), content.end(), [](char c) { return (c & 0x80) != 0; });
  return eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "";
}

std::string_view subject(const ReportDraft& draft) {
  if (all_have_action(draft.recipients, "delivered")) return "Successful Mail Delivery Report";
  if (all_have_action(draft.recipients, "delayed")) return "Delayed Mail (still being retried)";
  return "Undelivered Mail Returned to Sender";
}

void write_explanation(std::string& out, const ReportDraft& draft) {
  fmt::format_to(std::back_inserter(out), "This is the mail system at host {}.\r\n\r\n", draft.reporting_mta);
  for (const DeliveryStatus& r : draft.recipients)
    fmt::format_to(std::back_inserter(out), "<{}>: {}\r\n    {}\r\n", r.final_recipient, r.action, r.diagnostic_code);
}

void write_recipient(std::string& out, const DeliveryStatus& r) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "\r\nFinal-Recipient: rfc822; {}\r\n", r.final_recipient);
  if (!r.original_recipient.empty()) fmt::format_to(to, "Original-Recipient: rfc822; {}\r\n", r.original_recipient);
  fmt::format_to(to, "Action: {}\r\n", r.action);
  if (r.status) fmt::format_to(to, "Status: {}\r\n", r.status->text());
  if (!r.remote_mta.empty()) fmt::format_to(to, "Remote-MTA: dns; {}\r\n", r.remote_mta);
  if (!r.diagnostic_code.empty())
    fmt::format_to(to, "Diagnostic-Code: {}; {}\r\n", r.diagnostic_type.empty() ? "smtp" : r.diagnostic_type,
                   r.diagnostic_code);
}

}  // namespace

std::string write_report(const ReportDraft& draft) {
  std::string out;
  out.reserve(2048 + draft.returned.size());
  auto to = std::back_inserter(out);
  fmt::format_to(to, "From: Mail Delivery System <{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: {}\r\n",
                 draft.from, draft.to, subject(draft), draft.date, draft.message_id);
  fmt::format_to(to,
                 "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{}\"\r\n{}\r\n",
                 draft.boundary, transfer_encoding(draft.returned));
  fmt::format_to(
      to, "This is a MIME-encapsulated message.\r\n\r\n--{}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
      draft.boundary);
  write_explanation(out, draft);
  fmt::format_to(to, "\r\n--{}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {}\r\n",
                 draft.boundary, draft.reporting_mta);
  if (!draft.original_envelope_id.empty())
    fmt::format_to(to, "Original-Envelope-Id: {}\r\n", draft.original_envelope_id);
  if (!draft.arrival_date.empty()) fmt::format_to(to, "Arrival-Date: {}\r\n", draft.arrival_date);
  for (const DeliveryStatus& r : draft.recipients) write_recipient(out, r);
  if (!draft.returned.empty())
    fmt::format_to(to, "\r\n--{}\r\nContent-Type: {}\r\n{}\r\n", draft.boundary,
                   draft.headers_only ? "text/rfc822-headers" : "message/rfc822", transfer_encoding(draft.returned));
  out += draft.returned;
  fmt::format_to(to, "\r\n--{}--\r\n", draft.boundary);
  return out;
}

}  // namespace mailproof::mime
