#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/text/deviations.h"

namespace mailproof::pop3 {

/// RFC 2449 section 8 and RFC 3206.
enum class ResponseCode : std::uint8_t { none, in_use, login_delay, sys_temp, sys_perm, auth, other };
std::string_view name(ResponseCode code);  ///< "IN-USE", without brackets; empty for none and other

/// The first line of every response. Views point into the line it was read from.
struct StatusLine {
  enum class Kind : std::uint8_t { ok, err, challenge };
  Kind kind = Kind::err;
  ResponseCode code = ResponseCode::none;
  std::string_view code_text;  ///< as sent, without brackets: "IN-USE"
  std::string_view text;       ///< behind the status and the response code; of a challenge ("+ ") its base64
};

/// status = "+OK" / "-ERR" ; or "+ " challenge (RFC 5034). Nothing if the line is none of these.
/// What is lax about it (case, no space) is noted at `offset`.
std::optional<StatusLine> parse_status_line(std::string_view line, text::Deviations& deviations, std::uint64_t offset);

/// The timestamp of a greeting that offers APOP, with its angle brackets (RFC 1939 section 7).
/// Nothing if there is none; "<>" and a lone bracket are none.
std::optional<std::string_view> apop_timestamp(std::string_view greeting_text);

}  // namespace mailproof::pop3
