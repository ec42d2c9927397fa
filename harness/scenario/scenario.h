#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fate.h"
#include "core/network.h"
#include "core/time.h"
#include "scenario/check/check.h"

namespace mailproof::scenario {

/// Where something stands in a file, for messages to people: lines and columns count from 1.
struct Pos {
  int line = 0;
  int column = 0;
};

/// What a scenario asks of the target. Missing = not-applicable, with this word as the reason.
enum class Need { imap, pop3, delivery, smtp, lmtp, quota, bounce, tls, admin };
std::string_view name(Need need);

/// A hosting customer: the accounts it owns share one limit beside their own.
struct Customer {
  std::string name;
  std::uint64_t quota = 0;  ///< needs a customer of the target with exactly this limit
  Pos pos;
};

struct Account {
  std::string name;                    ///< "alice": a name inside the scenario, leased from the target's pool
  std::optional<std::uint64_t> quota;  ///< needs an account of a class with exactly this quota
  Pos pos;
  std::optional<std::size_t> customer = {};  ///< index into Scenario::customers
};

enum class DeviceKind { deliverer, imap, pop3 };

/// Ways to put mail into a mailbox. `any` = the target's first.
enum class Way { any, lmtp, smtp, append, command };
std::string_view name(Way way);

/// What a POP3 client does with a message on the server once it has it.
struct AfterDownload {
  enum class Policy { keep, remove, remove_after } policy = Policy::keep;
  Duration age{};  ///< remove_after: days on the client's own calendar, counted from when it first saw the message
};

struct Device {
  std::string name;
  DeviceKind kind = DeviceKind::imap;
  std::size_t account = 0;          ///< index into Scenario::accounts (imap, pop3)
  Way way = Way::any;               ///< deliverer
  std::optional<std::size_t> from;  ///< deliverer: account that sends; none = the null-report-free pool address
                                    ///< "postmaster" of the first account
  std::string idle;                 ///< imap: mailbox it idles in from the start; "" = none
  bool webmail = false;             ///< imap: a new login per step, logged out afterwards
  AfterDownload after;              ///< pop3
  std::optional<TlsMode> tls;       ///< picks the target's endpoint with this mode; none = its first
  Pos pos;
};

/// "mail", "mail.1", "mail.2-4", "mail.last".
struct MessageRef {
  std::string set;
  int first = 0;        ///< 1-based; 0 = the whole set
  int last = 0;         ///< inclusive; -1 = to the end
  bool newest = false;  ///< ".last"
  std::string text() const;
};

enum class Verb {
  // deliverer
  deliver,  ///< messages.set named by the step; to, count, size, until, at_most, expect, status, within, settle, via,
            ///< cut, kind
  retry,    ///< sends the same messages again (after an unknown outcome)
  // imap
  open,     ///< SELECT mailbox
  examine,  ///< EXAMINE mailbox
  sync,     ///< asks for news (NOOP) and fetches what is new
  idle,     ///< IDLE in mailbox (default: the open one)
  see,      ///< waits until all of messages are in its view of `in`, optionally with flags
  lose,     ///< waits until none of messages is in its view any more
  read,     ///< fetches the bodies so that \Seen is set
  flag,     ///< sets flags
  unflag,   ///< clears flags
  remove,   ///< "delete": how = expunge | trash | flag (IMAP), DELE (POP3)
  expunge,  ///< EXPUNGE of the open mailbox
  move,
  copy,
  save,    ///< APPEND new messages to mailbox `to`
  upload,  ///< APPEND messages that exist to mailbox `to`: a client puts its local copies back
  create,
  rename,
  remove_mailbox,
  subscribe,
  search,  ///< runs `query`, must find exactly messages
  quota,   ///< GETQUOTAROOT of mailbox, recorded
  go,      ///< offline | online (resync: full | condstore | qresync)
  logout,
  connect,  ///< log in (POP3: and STAT); welcome, plaintext
  smuggle,  ///< sends `query` in clear text in one piece with STARTTLS or STLS, and listens under TLS for an answer
  // pop3
  list,      ///< LIST and UIDL
  download,  ///< new | all | messages; as names the set of what was got
  reset,     ///< RSET
  quit,
  advance,  ///< puts the client's own calendar forward by `span`; nothing waits
  // both
  drop,     ///< the connection breaks, without LOGOUT or QUIT
  compare,  ///< backup: download everything over this device's protocol and compare byte for byte (recorded for the
            ///< judges)
  vanish,   ///< the device is lost with everything on it
  // admin
  set_quota,  ///< of `account` or `customer`, to quota
  restart,
  kill,   ///< SIGKILL, then started again
  pause,  ///< the server stands still for `span`
  // judge
  fate,    ///< messages, is, by, over, copy_on
  count,   ///< number of messages in mailbox `in` of account `of` at the end
  agree,   ///< the views of the named devices are equal
  intact,  ///< messages have the sent bytes wherever they were seen
  usage,   ///< quota usage of account equals the sum of its messages, within tolerance
  // several at once
  together,
};
std::string_view name(Verb verb);  ///< the word in the language: "delete" for Verb::remove

enum class Outcome { accepted, refused, deferred, bounced, refused_or_bounced };
std::string_view name(Outcome outcome);

/// What must come of logging in.
enum class Welcome { accepted, refused, either };

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

/// One step, fully checked: names are resolved to indexes, words to enums, defaults filled in. Fields not used by the
/// verb keep theirs.
struct Step {
  static constexpr std::size_t kJudge = static_cast<std::size_t>(-1);
  static constexpr std::size_t kAdmin = static_cast<std::size_t>(-2);
  Pos pos;
  std::string text;             ///< as written, one line, for reports: "phone: {see: mail, within: 5s}"
  std::size_t device = kJudge;  ///< index into Scenario::devices; kJudge for judge steps and `together`, kAdmin
  Verb verb = Verb::together;
  std::vector<Step> together;                                   ///< children of Verb::together
  std::optional<MessageRef> messages;                           ///< the set or part the verb is about
  enum class Which { named, fresh, all } which = Which::named;  ///< download: new | all
  std::string as;                                               ///< download, save: name of the resulting set
  std::vector<std::size_t> to_accounts;                         ///< deliver: accounts
  std::string mailbox;  ///< open, examine, idle, create, rename, remove_mailbox, subscribe, quota, expunge, count, save
                        ///< (to), see/lose/search (in)
  std::string to_mailbox;  ///< move, copy, rename: destination
  int count = 1;           ///< deliver, save: how many; count: expected number
  std::uint64_t size = 0;  ///< deliver, save: octets of each message; 0 = natural size of the kind
  MessageKind kind = MessageKind::plain;
  std::optional<Way> via;         ///< deliver: overrides the device
  std::optional<Outcome> expect;  ///< deliver: what must come of it
  std::optional<Outcome> until;   ///< deliver: go on sending one by one until this happens (or at_most)
  int at_most = 0;
  std::string status;              ///< deliver: enhanced status code expected in the refusal or the report, "5.2.2"
  std::optional<Duration> within;  ///< bound of a wait; 10 s where none is written
  std::optional<Duration> settle;  ///< deliver until: how long to wait for a report before the next one goes out
  std::vector<std::string> flags;  ///< flag, unflag, see: "\\Seen" or keywords, as the protocol writes them
  How how = How::expunge;
  Resync resync = Resync::full;
  bool online = true;                  ///< go
  std::optional<AfterDownload> after;  ///< download: overrides the device
  Cut cut;
  std::string query;                    ///< search, smuggle
  Fate fate = Fate::present;            ///< fate: is
  std::optional<std::size_t> by;        ///< fate: device that asked
  std::optional<Protocol> over;         ///< fate: over which protocol
  std::optional<std::size_t> copy_on;   ///< fate: device that must hold a local copy
  bool copy_on_nobody = false;          ///< fate: no device may hold one
  std::vector<std::size_t> devices;     ///< agree
  std::optional<std::size_t> account;   ///< count, usage, set_quota
  std::optional<std::size_t> customer;  ///< set_quota
  std::optional<std::uint64_t> quota;   ///< set_quota; none = no limit
  Duration span{};                      ///< advance, pause
  Welcome welcome = Welcome::accepted;  ///< connect
  std::string latitude;                 ///< why a server may do otherwise than expected, in the RFC's words
  bool plaintext = false;               ///< connect: logs in without asking for TLS
};

struct Scenario {
  std::string path;  ///< file it came from
  std::string id;
  Pos id_pos;
  std::string title;
  std::string why;
  std::vector<std::string> refs;
  std::vector<std::string> tags;
  std::vector<Need> needs;
  std::vector<Customer> customers;
  std::vector<Account> accounts;
  std::vector<Device> devices;
  std::vector<Step> steps;
  std::optional<Check> check = {};  ///< a check of a conformance file, not a story
  std::uint64_t hash = 0;           ///< ContentHash of the file's bytes
};

/// "MUST", "SHOULD", "PRACTICE" or "MAY" of a check; "" for a story.
std::string level_of(const Scenario& scenario);

/// One complaint about a file: "file:line:column: 'text'; expected ...; did you mean '...'?"
struct Problem {
  std::string file;
  Pos pos;           ///< line 0 = about the file as a whole
  std::string text;  ///< the offending text, shortened
  std::string expected;
  std::string hint;  ///< nearest known word, or empty
  std::string message() const;
};

struct Loaded {
  std::vector<Scenario> scenarios;
  std::vector<Problem> problems;    ///< nothing is played if any file is bad
  std::vector<Problem> notes = {};  ///< what is hardly meant, and no mistake
};

/// Reads scenario files. `paths` are files, folders (recursively, *.yaml, sorted) or ids looked up below `root`.
Loaded load(const std::vector<std::string>& paths, const std::string& root);
/// Checks text as if it were file `name`.
Loaded parse(std::string_view text, const std::string& name);
/// What was understood, as JSON, for `mailproof check --json`.
std::string to_json(const Scenario& scenario);

}  // namespace mailproof::scenario
