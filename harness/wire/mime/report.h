#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "wire/mime/multipart.h"
#include "wire/smtp/status_code.h"

namespace mailproof::mime {

/// What a report says of one recipient (RFC 3464 section 2.3). Addresses without their type ("rfc822;").
struct DeliveryStatus {
  std::string final_recipient;
  std::string original_recipient;
  std::string action;  ///< lower-case: failed, delayed, delivered, relayed, expanded
  std::optional<smtp::EnhancedStatus> status;
  std::string diagnostic_type;  ///< lower-case: "smtp"
  std::string diagnostic_code;  ///< "552 5.2.2 <...> Quota exceeded"
  std::string remote_mta;

  /// What really happened: Exim writes Status 5.0.0 and has 5.2.2 only in the diagnostic. Where Status says no more
  /// than its class, or is missing, the diagnostic's status counts; one of another class only if the action is failed
  /// (a retry that expired).
  std::optional<smtp::EnhancedStatus> effective_status() const;
};

struct DeliveryReport {
  std::string reporting_mta;
  std::string original_envelope_id;
  std::vector<DeliveryStatus> recipients;  ///< at most kMostRecipients
  /// The third part: the returned message or only its header, as octets of the report. Nothing if there is none.
  std::optional<Range> returned;
  bool returned_headers_only = false;
};

inline constexpr std::size_t kMostReportRecipients = 1000;
inline constexpr std::size_t kMostReportOctets = 256 * 1024;  ///< what lies behind is not looked at

/// A whole message as multipart/report with report-type delivery-status (RFC 6522, RFC 3464), or as the multipart/mixed
/// around a delivery-status that OpenSMTPD writes. An Error says why it is none.
Result<DeliveryReport> parse_report(std::string_view message);

}  // namespace mailproof::mime
