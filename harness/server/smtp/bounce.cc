#include "server/smtp/bounce.h"

#include <fmt/format.h>

#include "server/smtp/delivery_trace.h"
#include "wire/mime/header.h"
#include "wire/mime/report_writer.h"

namespace mailproof::server {

std::string delivery_report(const ReportFacts& facts, const Envelope& envelope, std::span<const Recipient> recipients,
                            std::string_view message) {
  const bool whole = facts.action == "failed" && envelope.return_full;
  mime::ReportDraft draft;
  draft.from = fmt::format("MAILER-DAEMON@{}", facts.host);
  draft.to = envelope.sender;
  draft.reporting_mta = facts.host;
  draft.message_id = fmt::format("<report-{}@{}>", facts.id, facts.host);
  draft.date = draft.arrival_date = date_time(facts.date);
  draft.boundary = fmt::format("=_report_{}", facts.id);
  draft.original_envelope_id = envelope.id;
  draft.returned = whole ? message : message.substr(0, mime::header_size(message));
  draft.headers_only = !whole;
  for (const auto& recipient : recipients) {
    mime::DeliveryStatus status;
    status.final_recipient = recipient.address;
    status.original_recipient = recipient.original;
    status.action = facts.action;
    status.status = facts.status;
    status.diagnostic_code = facts.diagnostic;
    draft.recipients.push_back(std::move(status));
  }
  return mime::write_report(draft);
}

}  // namespace mailproof::server
