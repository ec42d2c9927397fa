#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "play/ownership.h"

namespace mailproof::play {

/// What one command line of IMAP, its literals in it, does to messages. What a line asks for that only shows headers,
/// flags and sizes is nothing, as whose a message is is seen by them.
struct Taking {
  enum class What : std::uint8_t {
    nothing,
    opens,    ///< SELECT, EXAMINE: what comes next is about that mailbox
    numbers,  ///< removes, changes, moves, copies or reads the messages of a set
    uids,     ///< the same, by UID
    marked,   ///< EXPUNGE, UID EXPUNGE, CLOSE: removes what bears \Deleted
    mailbox,  ///< DELETE, RENAME: with all that is in it
    unknown,  ///< no command that is known to take nothing
  };
  What what = What::nothing;
  std::string mailbox = {};                ///< of opens and mailbox; INBOX in capitals
  std::size_t set_at = 0, set_octets = 0;  ///< where the set stands in the line
};
Taking what_it_takes(std::string_view line);
/// Whether these FETCH items ask for more than headers, flags and sizes, or set \Seen (RFC 3501 section 6.4.5); of what
/// is not known it is assumed.
bool reads_text(std::string_view items);

/// Command lines, without their ends, and where they begin. What stands behind the last line end is left out.
struct CommandLine {
  std::size_t at = 0;
  std::string_view text;
};
std::vector<CommandLine> command_lines(std::string_view bytes);

/// What a connection of a talk has open, by what was said over it and what was heard.
class OpenMailbox {
 public:
  void said(std::string_view bytes);
  void heard(std::string_view line);

  /// Which mailboxes that may be: while a SELECT is not answered, the one before and the one that it names.
  const std::set<std::string>& names() const { return names_; }
  std::uint32_t messages() const { return messages_; }  ///< in the connection's view
  const std::string& unfinished() const { return unfinished_; }
  /// The first of RFC 3501's flags that a command line is to set for good, a FETCH of a text \Seen, and the mailbox
  /// does not keep; "" = none. One that is not in PERMANENTFLAGS "the server will either ignore" or keep for the
  /// session (section 7.1); without PERMANENTFLAGS all are kept (section 6.3.1). Of one that was opened by EXAMINE
  /// nothing is said: what becomes of it is the check's affair.
  std::string_view not_kept(std::string_view line) const;
  /// Whether a command line is to change messages of a mailbox that SELECT opened as [READ-ONLY], which a server may do
  /// to who "is not permitted to modify the mailbox" (section 6.3.1).
  bool not_let(std::string_view line) const;

 private:
  std::string unfinished_;  ///< of a line that is being said
  std::set<std::string> names_;
  std::map<std::string, std::string, std::less<>> selects_;  ///< tag -> mailbox, not answered yet
  std::uint32_t messages_ = 0;
  bool examined_ = false;
  bool read_only_ = false;                ///< by SELECT
  std::optional<std::string> permanent_;  ///< PERMANENTFLAGS, in capitals
};

/// A write that is about to go out over a connection which has `open` open: what it takes, and whether it may.
class TakingWrite {
 public:
  /// `before`: what was said of the line that the write goes on with.
  TakingWrite(const OpenMailbox& open, std::string_view bytes);

  /// Where it takes messages, but for mailboxes that a check made.
  const std::set<std::string>& mailboxes() const { return mailboxes_; }
  /// By looks into them all: "" = it may be sent once its stars are written as numbers; else why it may not.
  std::string refused(const std::map<std::string, OwnedSoFar>& looked);
  /// A * as the number, or UID, of the newest message that was looked at: by where it stands in the write.
  const std::map<std::size_t, std::string>& stars() const { return stars_; }

 private:
  struct Set {
    std::string text;
    std::ptrdiff_t at = 0;  ///< in the write; below 0: in what was said before it
    bool by_uid = false;
    bool behind_removal = false;      ///< in the same write: what number a message has by then is not known
    bool behind_search = false;       ///< in the same write: $ may be what nobody looked at (RFC 5182)
    std::set<std::string> mailboxes;  ///< of which it may be
    std::uint32_t in_view = 0;        ///< messages that the connection was told of
  };
  std::string refused(const Set& set, std::uint32_t newest, std::uint32_t last);

  std::set<std::string> mailboxes_;
  std::vector<Set> sets_;
  std::map<std::size_t, std::string> stars_;
};

}  // namespace mailproof::play
