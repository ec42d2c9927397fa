#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/fate.h"
#include "core/network.h"
#include "core/time.h"

namespace mailproof::scenario {

/// Where something stands in a file, for messages to people: lines and columns count from 1.
struct Pos {
  int line = 0;
  int column = 0;
};

/// Ways to put mail into a mailbox. `any` = the target's first.
enum class Way { any, lmtp, smtp, append, command };
std::string_view name(Way way);

/// What a POP3 client does with a message on the server once it has it.
struct AfterDownload {
  enum class Policy { keep, remove, remove_after } policy = Policy::keep;
  Duration age{};  ///< remove_after: days on the client's own calendar, counted from when it first saw the message
};

/// "mail", "mail.1", "mail.2-4", "mail.last".
struct MessageRef {
  std::string set;
  int first = 0;        ///< 1-based; 0 = the whole set
  int last = 0;         ///< inclusive; -1 = to the end
  bool newest = false;  ///< ".last"
  std::string text() const;
};

/// Bound of a wait where the step names none.
inline constexpr Duration kDefaultWithin = std::chrono::seconds(10);

/// What a step does. What each verb takes stands with its struct below.
enum class Verb {
  // deliverer
  deliver,
  retry,  ///< sends the same messages again (after an unknown outcome)
  // imap
  open,     ///< SELECT
  examine,  ///< EXAMINE
  sync,     ///< asks for news (NOOP) and fetches what is new
  idle,     ///< IDLE
  see,      ///< waits until all of the messages are in its view, optionally with flags
  lose,     ///< waits until none of them is in its view any more
  read,     ///< fetches the bodies so that \Seen is set
  flag,     ///< sets flags
  unflag,   ///< clears flags
  remove,   ///< "delete"
  expunge,  ///< EXPUNGE
  move,
  copy,
  save,    ///< APPEND of new messages
  upload,  ///< APPEND of messages that exist: a client puts its local copies back
  create,
  rename,
  remove_mailbox,
  subscribe,
  try_names,  ///< mailboxes with odd names: a server may refuse them; what it takes must be there
  search,     ///< must find exactly these messages
  quota,      ///< GETQUOTAROOT, recorded
  go,         ///< offline | online
  logout,
  connect,  ///< log in (POP3: and STAT)
  smuggle,  ///< sends a command in clear text in one piece with STARTTLS or STLS, and listens under TLS for an answer
  // pop3
  list,  ///< LIST and UIDL
  download,
  reset,  ///< RSET
  quit,
  advance,  ///< puts the client's own calendar forward; nothing waits
  // both
  drop,     ///< the connection breaks, without LOGOUT or QUIT
  compare,  ///< backup: download everything over this device's protocol and compare byte for byte (recorded for the
            ///< judges)
  vanish,   ///< the device is lost with everything on it
  // admin
  set_quota,
  restart,
  kill,   ///< SIGKILL, then started again
  pause,  ///< the server stands still
  // judge
  fate,
  count,   ///< number of messages in a mailbox at the end
  agree,   ///< the views of the named devices are equal
  intact,  ///< messages have the sent bytes wherever they were seen
  usage,   ///< quota usage of an account equals the sum of its messages, within tolerance
  // several at once
  together,
};
std::string_view name(Verb verb);  ///< the word in the language: "delete" for Verb::remove

enum class Outcome { accepted, refused, deferred, bounced, refused_or_bounced };
std::string_view name(Outcome outcome);

/// What must come of logging in.
enum class Welcome { accepted, refused, either };

/// Ways to delete over IMAP; over POP3 there is DELE.
enum class How { expunge, trash, flag };
enum class Resync { full, condstore, qresync };

/// Where a step's connection is cut, for "outcome unknown".
struct Cut {
  enum class When { none, before_reply, after_reply, after_bytes, after_final_dot } when = When::none;
  std::uint64_t bytes = 0;
};

using mailproof::Fate;
using mailproof::name;

/// What a delivered message looks like. plain, office, dot-lines and header-only are safe over SMTP; the rest need LMTP
/// or APPEND.
enum class MessageKind {
  plain,
  office,
  dot_lines,
  long_lines,
  eight_bit,
  header_only,       ///< no body
  no_final_newline,  ///< the last line does not end: APPEND only
  bare_lf,           ///< LF.LF and CR.CR within: APPEND only
  dots,              ///< `size` lines that begin with a dot
  lone_dot,          ///< a line that is one dot, in the middle and at the end
  edge,              ///< lines that begin with a dot fall everywhere across the ends of buffers of `size` octets
  line,              ///< one line of `size` octets
  utf8_header,       ///< names and subject in raw UTF-8: APPEND only, and a server may refuse it
};

/// How a message goes over SMTP and LMTP: DATA, or BDAT (RFC 3030).
enum class Transfer { data, bdat };

// What verbs take. A struct belongs to one verb or to a few that take the same; what several of them share is a base.

/// Verbs that take nothing: sync, logout, list, reset, drop, compare, vanish, restart, kill, and together.
struct Nothing {};

/// What is about messages of an earlier step. By itself: the judge's intact.
struct OfMessages {
  MessageRef messages;
};

/// ... in one mailbox: read, flag, unflag, delete, move, copy, see, lose.
struct InMailbox : OfMessages {
  std::string mailbox;  ///< "" = the open one
};

struct Read : InMailbox {
  std::uint64_t pieces = 0;  ///< by partial fetches of so many octets; 0 = whole
};

struct OfNames {
  std::vector<std::string> names;
};

/// A message of the user's own, read from a file: with the line ends of mail (CRLF), and without what is made anew for
/// each delivery (Message-ID, Subject) or belongs to an earlier one (Return-Path, Bcc ...).
struct Letter {
  std::string subject;  ///< as it stood in the file, unfolded
  std::string fields;   ///< of the header, without the empty line that ends it
  std::string body;
};

/// New messages, which become a set.
struct NewMessages {
  std::string set;
  int count = 1;
  std::uint64_t size = 0;  ///< octets of each; 0 = natural size of the kind
  MessageKind kind = MessageKind::plain;
  std::string mime = {};     ///< a check's own text in place of a kind's, with CRLF line ends; see mail::MessageSpec
  std::string subject = {};  ///< as people write it; "" = the set's name, or the letter's
  std::shared_ptr<const Letter> letter = {};  ///< none = made from the seed
};

/// How messages go out, and what must come of it.
struct Sending {
  std::optional<Way> via;  ///< overrides the device
  Transfer by = Transfer::data;
  std::optional<Outcome> expect;  ///< what must come of it
  std::string status;             ///< enhanced status code expected in the refusal or the report, "5.2.2"
  Duration within = kDefaultWithin;
};

struct Deliver : NewMessages, Sending {
  std::vector<std::size_t> to;     ///< accounts
  std::optional<Outcome> until;    ///< go on sending one by one until this happens (or at_most)
  int at_most = 0;                 ///< of `until`
  std::optional<Duration> settle;  ///< of `until`: how long to wait for a report before the next one goes out
  std::string latitude;            ///< why a server may do otherwise than expected, in the RFC's words
  Cut cut;
};

struct Retry : OfMessages, Sending {};

/// open, examine, idle, expunge, create, remove_mailbox, subscribe, quota.
struct OfMailbox {
  std::string mailbox;  ///< "" (idle, expunge) = the open one
};

struct Rename {
  std::string mailbox, to;
};

/// see, lose.
struct Await : InMailbox {
  Duration within = kDefaultWithin;
  Duration stays{};                ///< see: as it was seen it must stay for so long
  std::vector<std::string> flags;  ///< see: "\\Seen" or keywords, as the protocol writes them
};

/// flag, unflag.
struct Flag : InMailbox {
  std::vector<std::string> flags = {"\\Flagged"};
};

struct Delete : InMailbox {
  How how = How::expunge;
};

/// move, copy.
struct Move : InMailbox {
  std::string to;  ///< mailbox
};

struct Save : NewMessages {
  std::string to = "INBOX";
};

struct Upload : OfMessages {
  std::string to = "INBOX";
};

struct Search {
  std::string keys;                 ///< as the protocol writes them
  std::optional<MessageRef> finds;  ///< none = nothing
  std::string mailbox;              ///< "" = the open one
};

struct Go {
  bool online = true;
  Resync resync = Resync::full;
};

struct Connect {
  Welcome expect = Welcome::accepted;
  bool plaintext = false;  ///< logs in without asking for TLS
};

struct Smuggle {
  std::string command;
};

struct Download : OfMessages {
  enum class Which { named, fresh, all } which = Which::named;  ///< fresh, all: `messages` means nothing
  std::string as;                                               ///< name of the set of what was got
  std::optional<AfterDownload> after;                           ///< overrides the device
};

struct Quit {
  Cut cut;
};

/// advance, pause.
struct LetPass {
  Duration span{};
};

struct SetQuota {
  std::optional<std::size_t> account, customer;  ///< one of them
  std::optional<std::uint64_t> quota;            ///< none = no limit
};

/// The judge's fate.
struct HasFate : OfMessages {
  Fate is = Fate::present;
  std::optional<std::size_t> by;       ///< device that asked
  std::optional<Protocol> over;        ///< over which protocol
  std::optional<std::size_t> copy_on;  ///< device that must hold a local copy
  bool copy_on_nobody = false;         ///< no device may hold one
};

/// The judge's count.
struct HasCount {
  int count = 0;
  std::string mailbox = "INBOX";
  std::optional<std::size_t> account;
};

/// The judge's agree.
struct Agree {
  std::vector<std::size_t> devices;
  std::string mailbox = "INBOX";
};

/// The judge's usage.
struct Usage {
  std::size_t account = 0;
};

using Takes = std::variant<Nothing, OfMessages, Read, OfNames, Deliver, Retry, OfMailbox, Rename, Await, Flag, Delete,
                           Move, Save, Upload, Search, Go, Connect, Smuggle, Download, Quit, LetPass, SetQuota, HasFate,
                           HasCount, Agree, Usage>;

/// The struct of a verb, with its defaults.
Takes takes_of(Verb verb);

/// One step, fully checked: names are resolved to indexes, words to enums, defaults filled in.
struct Step {
  static constexpr std::size_t kJudge = static_cast<std::size_t>(-1);
  static constexpr std::size_t kAdmin = static_cast<std::size_t>(-2);
  Pos pos;
  std::string text;             ///< as written, one line, for reports: "phone: {see: mail, within: 5s}"
  std::size_t device = kJudge;  ///< index into Scenario::devices; kJudge for judge steps and `together`, kAdmin
  Verb verb = Verb::together;
  int times = 1;               ///< done so often, one after the other
  Cut cut;                     ///< of what an IMAP device sends for it: its connection ends there
  Takes takes;                 ///< of the verb: what takes_of() says
  std::vector<Step> together;  ///< children of Verb::together

  Step() = default;
  explicit Step(Verb does) { become(does); }
  void become(Verb does) {
    verb = does;
    takes = takes_of(does);
  }

  /// What the verb takes, or the part of it that it shares with others; null: it takes nothing of the kind.
  template <class Part>
  const Part* maybe() const {
    return part<const Part>(takes);
  }
  /// The same where the verb leaves no doubt. Throws std::bad_variant_access otherwise.
  template <class Part>
  const Part& get() const {
    return *sure(part<const Part>(takes));
  }
  template <class Part>
  Part& get() {
    return *sure(part<Part>(takes));
  }

 private:
  template <class Part, class From>
  static Part* part(From& from) {
    return std::visit(
        [](auto& one) -> Part* {
          if constexpr (std::is_convertible_v<decltype(&one), Part*>) return &one;
          return nullptr;
        },
        from);
  }
  template <class Part>
  static Part* sure(Part* found) {
    if (found == nullptr) throw std::bad_variant_access();
    return found;
  }
};

}  // namespace mailproof::scenario
