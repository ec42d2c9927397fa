#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/network.h"
#include "core/time.h"
#include "scenario/check/imaptest_replies.h"

namespace mailproof::scenario {

/// How much the requirement behind a check binds (RFC 2119). `practice`: no RFC says it, but clients count on it.
enum class Level { must, should, practice, may };
std::string_view name(Level level);  ///< "MUST"

/// What a broken practice does to mail. Anything but `none` makes it a failure.
enum class Harm { none, lost, altered, leaked };
std::string_view name(Harm harm);

/// Where a connection stands when a talk gets it.
enum class Standing {
  greeting,       ///< nothing was read yet
  authorization,  ///< the greeting was read; IMAP: not authenticated; SMTP and LMTP: nothing was said yet
  hello,          ///< SMTP and LMTP: EHLO or LHLO was answered
  authenticated,  ///< logged in; POP3: TRANSACTION
  selected,       ///< IMAP: INBOX is open
};

/// Which of the target's endpoints a talk goes to.
enum class TalkTls {
  target,    ///< the first, with STARTTLS done where it says so
  none,      ///< one in clear text
  clear,     ///< one with STARTTLS, which is not asked for
  starttls,  ///< one with STARTTLS, which is done before the talk begins
  implicit,
};

/// How a talk opens a connection.
struct TalkConnect {
  Protocol protocol = Protocol::pop3;
  Standing standing = Standing::authenticated;
  TalkTls tls = TalkTls::target;
  std::size_t account = 0;   ///< index into Scenario::accounts
  std::string tls_max = {};  ///< "1.1": offers no newer version of TLS
};

/// One line of a talk, or of a reply's block. Patterns are kept as written; play/ compares them.
struct TalkLine {
  enum class Op {
    send,          ///< C: text, with CRLF
    send_raw,      ///< C!: text with escapes, without
    reply,         ///< S: the next reply; alternatives
    reply_regex,   ///< S~:
    maybe,         ///< S?:
    never,         ///< S!:
    closed,        ///< the server closes
    quiet,         ///< nothing may come for span
    within,        ///< bound of the next wait: span
    wait,          ///< span passes
    close,         ///< FIN
    reset,         ///< RST
    half_close,    ///< our sending side only
    stop_reading,  ///< leave what comes in the socket
    read,          ///< ... no longer
    tls,           ///< handshake now: text = "", "fails" or "either"
    compress,      ///< IMAP: what is said from here on is deflated, on both sides (RFC 4978)
    connect,       ///< opens the connection (again)
    deliver,       ///< delivers: step = index into Check::deliveries
    arrives,       ///< waits until what text names is in a mailbox: "mail.1", "mail.1 user2", "report mail.1"
    no_report,     ///< no delivery report about the message that text names is in a mailbox after the settling time
    note,          ///< records text
    took,          ///< binds the variable text: milliseconds between what was said last and what came last
    ask,           ///< IMAP: says the command text until the untagged lines behind it have come
    imaptest,      ///< the replies to a group of commands of an ImapTest script
    same,          ///< operands
    differ,
    fewer,
    at_most,
    // In a block only.
    any_lines,    ///< "..."
    every_regex,  ///< S~~: every line matches
    no_regex,     ///< S!~: none does; outside, of IMAP: no untagged reply does
    distinct,     ///< column `number`: pairwise different; outside: the value was never seen by this check before
  };
  Op op = Op::send;
  int connection = 1;
  int count = 1;        ///< C*n:, S*n:
  int command = 1;      ///< S2: of the open IMAP commands, the second
  std::string text;     ///< what stands behind the colon
  std::string written;  ///< the whole line, for reports
  Duration span{};
  std::vector<std::string> alternatives;  ///< reply, maybe, never: patterns; "closed" is one
  std::vector<TalkLine> block;            ///< reply: its lines, when `has_block`; SMTP, LMTP: written before it
  bool has_block = false;
  bool asks_block = false;  ///< send, POP3: the talk awaits a block behind +OK
  bool prepares = false;    ///< P: in place of S: what comes instead says nothing of what the check is about
  bool applies = false;     ///< A: in place of S: where something else comes the check is not applicable
  TalkConnect connect;
  std::shared_ptr<const ImapTestReplies> imaptest = {};
  std::size_t delivery = 0;
  int number = 0;
  int line = 0;  ///< in the file
};

/// Among what a check is played without: a target whose certificates are not verified (insecure), where a handshake
/// that succeeds says nothing of them. No server offers it.
inline constexpr std::string_view kUnverified = "unverified-certificates";

/// What a check is, beside the steps that it shares with stories.
struct Check {
  Level level = Level::must;
  Harm harm = Harm::none;
  std::string file_id;              ///< "pop3.1939-5"
  std::string slug;                 ///< "list-empty"
  std::string note;                 ///< why it differs from what one would expect
  std::vector<std::string> when;    ///< capabilities without which it is not applicable
  std::vector<std::string> unless;  ///< ... with which
  std::vector<std::string> allow;   ///< what the target must permit: failed-logins, floods
  std::string rule;                 ///< a wire rule, or empty
  int repeat = 1;
  bool strict_untagged = false;
  TalkConnect first;                                      ///< how connections open that do not say so themselves
  std::vector<TalkLine> talk;                             ///< empty: a check by steps
  std::map<std::string, std::string, std::less<>> given;  ///< variables that have their value from the beginning
  std::set<std::string> own;  ///< "box", "box/a", "sep": what the talk says of mailboxes of its own
  /// Index of the first step that is a delivery of the talk's own; those before it fill the mailbox.
  std::size_t deliveries = 0;
  bool talks() const { return !talk.empty(); }
  bool looks() const { return !when.empty() || !unless.empty(); }  ///< asks first what the server offers
  /// Looks at what only a real TLS connection has: versions, alerts, certificates.
  bool real_tls() const;
};

}  // namespace mailproof::scenario
