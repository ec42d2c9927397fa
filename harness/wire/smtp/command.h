#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mailproof::smtp {

enum class Verb : std::uint8_t {
  helo,
  ehlo,
  lhlo,
  mail,
  rcpt,
  data,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  starttls,
  auth,
  bdat,
  unknown
};
std::string_view name(Verb verb);

/// RFC 5321 section 4.5.3.1.4: 512 octets with CRLF; the MAIL and RCPT extensions here add at most 1000.
/// A SASL response may have 12288 octets (RFC 4954 section 4).
inline constexpr std::size_t kCommandLimit = 1512;
inline constexpr std::size_t kSaslLineLimit = 12288;

/// A command line as a server reads it; LineReader cuts it. Views point into the line.
struct Command {
  Verb verb = Verb::unknown;
  std::string_view keyword;
  std::string_view arguments;  ///< all behind one space; for MAIL and RCPT "FROM:<...> ..."
};
Command parse_command(std::string_view line);

enum class Body : std::uint8_t { seven_bit, eight_bit_mime, binary_mime };
enum class Ret : std::uint8_t { unspecified, full, headers };  ///< RFC 3461 section 4.3

/// RFC 3461 section 4.1, as a set. `never` excludes the others.
struct Notify {
  bool given = false;
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;
};

struct MailFrom {
  std::string path;  ///< without angle brackets and source route; empty for <>
  std::optional<std::uint64_t> size;
  Body body = Body::seven_bit;
  Ret ret = Ret::unspecified;
  std::string envid;  ///< decoded
  bool smtputf8 = false;
  std::string auth;  ///< RFC 4954 section 5, decoded
};

struct RcptTo {
  std::string path;
  Notify notify;
  std::string orcpt_type;  ///< "rfc822"
  std::string orcpt;       ///< decoded; empty if not given
};

/// The arguments of MAIL and RCPT. Error::where is the reply code that RFC 5321 wants, "501" or "555"; `why` is fit for
/// the reply.
Result<MailFrom> parse_mail_from(std::string_view arguments);
Result<RcptTo> parse_rcpt_to(std::string_view arguments);

/// The client's MAIL: "MAIL FROM:<a@b> SIZE=9 RET=HDRS", without CRLF.
std::string mail_command(const MailFrom& from);

}  // namespace mailproof::smtp
