// What is known of every command of a POP3 session, by RFC 1939 and no other reading of it than this: a first line is
// "+OK" or "-ERR", what has more lines ends with a dot alone.
#include <fmt/format.h>

#include <array>

#include "session/pop3/tests/rig.h"

namespace mailproof::session {
namespace {

/// Takes a line off the front, without its end. False: there is no whole line.
bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return true;
}

/// The whole reply to a command: '+', '-', '?' for what is neither, 0 if it did not come or was cut.
char take_reply(std::string_view& heard, std::string_view command) {
  std::string_view status;
  if (!take_line(heard, status)) return 0;
  if (status.starts_with("-ERR")) return '-';
  if (!status.starts_with("+OK")) return '?';
  const bool rows = command == "CAPA" || command == "LIST" || command == "UIDL" || command.starts_with("RETR ") ||
                    command.starts_with("TOP ");
  std::string_view line;
  while (rows && line != ".")
    if (!take_line(heard, line)) return 0;
  return '+';
}

bool is_of_transaction(std::string_view command) {
  constexpr std::array verbs = {"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET", "QUIT"};
  for (const std::string_view verb : verbs)
    if (command.substr(0, command.find(' ')) == verb) return true;
  return false;
}

}  // namespace

std::vector<std::string> Pop3Rig::truth(std::string_view said, std::string_view heard) const {
  std::vector<std::string> out;
  CommandId id = 0;
  bool lost = take_reply(heard, "greeting") == 0;
  for (std::string_view command; take_line(said, command);) {
    const char reply = lost ? char{0} : take_reply(heard, command);
    const bool transaction = is_of_transaction(command);
    lost = lost || reply == 0 || (transaction && reply == '?');
    if (transaction) out.push_back(fmt::format("done {} {}", ++id, lost ? "info" : reply == '+' ? "ok" : "fail"));
  }
  for (const auto& [asked_id, recipients] : asked)
    if (asked_id > id) out.push_back(fmt::format("done {} fail", asked_id));  // it never left
  return out;
}

}  // namespace mailproof::session
