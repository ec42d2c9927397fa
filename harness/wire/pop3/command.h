#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "wire/text/line_reader.h"

namespace mailproof::pop3 {

enum class Verb : std::uint8_t {
  user,
  pass,
  apop,
  auth,
  capa,
  stls,
  stat,
  list,
  retr,
  dele,
  noop,
  rset,
  top,
  uidl,
  utf8,
  lang,
  quit,
  unknown
};
std::string_view name(Verb verb);

/// A command line as a server reads it. Views point into the line.
struct Command {
  Verb verb = Verb::unknown;
  std::string_view keyword;    ///< as sent
  std::string_view arguments;  ///< all of the rest behind one space: a password may hold spaces
};
Command parse_command(std::string_view line);

/// Reads command lines for a server: LineReader with the limit that suits the state.
/// RFC 2449 section 4: 255 octets with CRLF. A SASL response is base64 of any size: RFC 5034 wants at least 12288.
inline constexpr std::size_t kCommandLimit = 253;
inline constexpr std::size_t kSaslLineLimit = 12288;

/// What a success looks like: a status line alone, or with lines of data or a message behind it (RFC 1939 section 5,
/// RFC 2449 section 5, RFC 5034 section 4, RFC 6856 section 3.2).
enum class Success : std::uint8_t { one_line, lines, message, unknown };
Success success_of(const Command& command);
inline bool has_block(Success success) { return success == Success::lines || success == Success::message; }

/// The arguments of the commands that take numbers; an Error says what a -ERR should say.
Result<std::uint32_t> parse_message_number(std::string_view arguments);  ///< RETR, DELE; LIST and UIDL with one
struct TopArguments {
  std::uint32_t number = 0;
  std::uint32_t lines = 0;
};
Result<TopArguments> parse_top(std::string_view arguments);
struct ApopArguments {
  std::string_view name;
  std::string_view digest;  ///< 32 hex digits
};
Result<ApopArguments> parse_apop(std::string_view arguments);

}  // namespace mailproof::pop3
