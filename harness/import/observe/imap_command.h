#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "history/event.h"
#include "session/imap/client.h"
#include "wire/imap/line.h"

namespace mailproof::imports {

/// What an IMAP client asked for, read from its command line.
struct ImapAsked {
  std::string tag;
  std::string_view name = "?";  ///< "UID FETCH", in upper case, static
  bool told = false;            ///< the history has a word for it
  std::string unknown;          ///< nobody knows what it does: its name
  history::What what = history::What::noop;
  std::string mailbox, other_mailbox;       ///< UTF-8
  std::string set;                          ///< UIDs; "" = it has none, or they are not known
  std::string flags, code, text;            ///< as the invoke of `what` has them
  std::uint32_t uidvalidity = 0;            ///< SELECT with QRESYNC
  bool secret = false;                      ///< the line holds a password
  std::string user, password;               ///< LOGIN
  std::string mechanism, initial_response;  ///< AUTHENTICATE
};

/// The mailbox name as people see it: from modified UTF-7, or as it is.
std::string mailbox_name(std::string_view wire);

/// Whether it is a command that is known, by its first word.
bool is_imap_command(std::string_view word);

/// Never fails: what cannot be understood is a command that the history has no word for. `view` is what the client
/// sees now, by which numbers become UIDs.
ImapAsked read_imap_command(const imap::LogicalLine& line, const session::ImapView& view);

/// "LOGIN", "SELECT" of a line that is not complete yet; "" = not even that is there.
std::string imap_command_word(std::string_view line_so_far);

}  // namespace mailproof::imports
