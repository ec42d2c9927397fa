#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/mime/date.h"
#include "wire/mime/report.h"

/// Ranges stay inside the message, and what is called a report names somebody.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailproof;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const auto report = mime::parse_report(message);
  if (report) {
    if (report->recipients.empty() || report->recipients.size() > mime::kMostReportRecipients) __builtin_trap();
    if (report->returned && (report->returned->begin > report->returned->end || report->returned->end > size))
      __builtin_trap();
    for (const auto& recipient : report->recipients) (void)recipient.effective_status();
  }
  if (const auto date = mime::parse_message_date(message)) {
    if (mime::parse_internal_date(mime::format_internal_date(*date)) != date) __builtin_trap();
  }
  return 0;
}
