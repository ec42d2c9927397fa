#include "wire/mime/report.h"

#include <utility>

#include "core/bytes.h"
#include "wire/mime/header.h"
#include "wire/mime/structure.h"
#include "wire/text/words.h"

namespace mailproof::mime {
namespace {

Error no_report(std::string_view why) { return Error{"", "not a delivery report: " + std::string(why)}; }

/// type ";" value, with blanks anywhere around both.
std::pair<std::string, std::string> typed(std::string_view body) {
  const std::string text = unfold(body);
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string::npos) return {"", text};
  const std::string_view view = text;
  return {lower(text::trim(view.substr(0, semicolon))), std::string(text::trim(view.substr(semicolon + 1)))};
}

std::string address_of(std::string_view body) {
  std::string address = typed(body).second;
  if (address.size() >= 2 && address.front() == '<' && address.back() == '>')
    address = address.substr(1, address.size() - 2);
  return address;
}

void skip_empty_lines(std::string_view& rest) {
  while (rest.starts_with("\r\n") || rest.starts_with('\n')) rest.remove_prefix(rest.front() == '\r' ? 2 : 1);
}

/// Comments may follow the code: "5.2.2 (mailbox full)".
std::optional<smtp::EnhancedStatus> status_of(std::string_view body) {
  const std::string text = unfold(body);
  std::string_view rest = text;
  return smtp::take_enhanced_status(rest);
}

/// per-recipient-fields, in any order
bool set_recipient_field(DeliveryStatus& recipient, const Field& field) {
  const std::string name = lower(field.name);
  if (name == "final-recipient") {
    recipient.final_recipient = address_of(field.body);
  } else if (name == "original-recipient") {
    recipient.original_recipient = address_of(field.body);
  } else if (name == "action") {
    recipient.action = lower(unfold(field.body));
    recipient.action.resize(recipient.action.find_first_of(" (") == std::string::npos
                                ? recipient.action.size()
                                : recipient.action.find_first_of(" ("));
  } else if (name == "status") {
    recipient.status = status_of(field.body);
  } else if (name == "diagnostic-code") {
    auto [type, code] = typed(field.body);
    recipient.diagnostic_type = std::move(type);
    recipient.diagnostic_code = std::move(code);
  } else if (name == "remote-mta") {
    recipient.remote_mta = typed(field.body).second;
  } else {
    return false;
  }
  return name == "final-recipient" || name == "action" || name == "status";
}

/// delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
void read_status_part(std::string_view rest, DeliveryReport& report) {
  while (report.recipients.size() < kMostReportRecipients) {
    skip_empty_lines(rest);
    if (rest.empty()) return;
    DeliveryStatus recipient;
    bool about_recipient = false;
    while (const auto field = take_field(rest)) {
      if (iequals(field->name, "reporting-mta")) {
        report.reporting_mta = typed(field->body).second;
      } else if (iequals(field->name, "original-envelope-id")) {
        report.original_envelope_id = unfold(field->body);
      } else {
        about_recipient = set_recipient_field(recipient, *field) || about_recipient;
      }
    }
    if (about_recipient) report.recipients.push_back(std::move(recipient));
  }
}

}  // namespace

std::optional<smtp::EnhancedStatus> DeliveryStatus::effective_status() const {
  if (status && (status->subject != 0 || status->detail != 0)) return status;
  const auto diagnosed = smtp::find_enhanced_status(diagnostic_code);
  if (!diagnosed) return status;
  return !status || status->klass == diagnosed->klass || action == "failed" ? diagnosed : status;
}

Result<DeliveryReport> parse_report(std::string_view message) {
  const Part root = parse_structure(message.substr(0, kMostReportOctets), {2, 64});
  const bool mixed = root.content_type.is("multipart", "mixed");
  if (!mixed && !root.content_type.is("multipart", "report"))
    return no_report("it is " + printable(root.content_type.type, 40) + "/" + printable(root.content_type.subtype, 40));
  const std::string_view type = mixed ? "" : root.content_type.parameter("report-type");
  if (!type.empty() && !iequals(type, "delivery-status"))
    return no_report("it reports something else: " + printable(type, 40));
  DeliveryReport report;
  bool status_seen = false;
  for (const Part& part : root.parts) {
    const ContentType& content = part.content_type;
    if (content.is("message", "delivery-status") && !std::exchange(status_seen, true)) {
      read_status_part(part.body.of(message), report);
    } else if (status_seen && !report.returned) {
      const bool headers_only = content.is("text", "rfc822-headers") || content.is("message", "rfc822-headers");
      if (!headers_only && !content.is("message", "rfc822") && !content.is("message", "global")) continue;
      report.returned = part.body;
      report.returned_headers_only = headers_only;
    }
  }
  if (!status_seen) return no_report("it has no message/delivery-status");
  if (report.recipients.empty()) return no_report("it names no recipient");
  return report;
}

}  // namespace mailproof::mime
