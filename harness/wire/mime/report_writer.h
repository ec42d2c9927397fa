#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "wire/mime/report.h"

namespace mailproof::mime {

/// Everything a delivery report is written from; all of it is the caller's, so that a run replays.
struct ReportDraft {
  std::string from;           ///< address of the reporter: "MAILER-DAEMON@mail.example.test"
  std::string to;             ///< the sender of what could not be delivered
  std::string reporting_mta;  ///< host name
  std::string message_id;     ///< with its brackets
  std::string date;           ///< as format_message_date writes it
  std::string arrival_date;   ///< of the original; empty = not said
  std::string boundary;       ///< must not occur in `returned`
  std::string original_envelope_id;
  std::vector<DeliveryStatus> recipients;
  std::string_view returned;  ///< the message, or its header; empty: the report has no such part
  bool headers_only = false;  ///< `returned` holds only the header (RET=HDRS)
};

/// A multipart/report message with CRLF line ends (RFC 6522, RFC 3464). parse_report reads it back.
std::string write_report(const ReportDraft& draft);

}  // namespace mailproof::mime
