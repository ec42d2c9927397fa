#pragma once
#include <span>
#include <string>
#include <string_view>

#include "server/smtp/delivery.h"
#include "server/store/mailbox.h"
#include "wire/smtp/status_code.h"

namespace mailproof::server {

/// What a delivery report says of all its recipients.
struct ReportFacts {
  std::string_view host;    ///< Reporting-MTA
  std::string_view id;      ///< of the report, also its boundary
  std::string_view action;  ///< "failed" or "delivered" (RFC 3464 section 2.3.3)
  smtp::EnhancedStatus status;
  std::string_view diagnostic;  ///< the SMTP reply it would have been
  InternalDate date;
};

/// A multipart/report to the sender of `envelope`, without trace fields; one report covers all of `recipients`.
/// The message comes back whole when RET=FULL asked for it and it failed, else its header (RFC 3461 section 4.3).
std::string delivery_report(const ReportFacts& facts, const Envelope& envelope, std::span<const Recipient> recipients,
                            std::string_view message);

}  // namespace mailproof::server
