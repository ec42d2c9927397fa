#pragma once
#include <span>
#include <string>
#include <string_view>

#include "server/delivery.h"
#include "server/store_mailbox.h"

namespace mailproof::server {

/// What a delivery report says of all its recipients.
struct ReportFacts {
  std::string_view host;        ///< Reporting-MTA
  std::string_view id;          ///< of the report, also its boundary
  std::string_view action;      ///< "failed" or "delivered" (RFC 3464 section 2.3.3)
  std::string_view status;      ///< "5.2.2"
  std::string_view diagnostic;  ///< the SMTP reply it would have been; empty for "delivered"
  InternalDate date;
};

/// A multipart/report (RFC 6522, RFC 3464) to the sender of `envelope`, CRLF line ends, without trace fields.
/// One report covers all of `recipients`. The message comes back whole when RET=FULL asked for it and it failed, else
/// its header.
std::string delivery_report(const ReportFacts& facts, const Envelope& envelope, std::span<const Recipient> recipients,
                            std::string_view message);

}  // namespace mailproof::server
