#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.h"
#include "history/facts.h"

namespace mailproof::history {

/// invoke/ok/fail/info as in Jepsen: asked; happened; certainly did not happen; nobody knows. obs is what the server
/// told, asked or not.
enum class Type : std::uint8_t { invoke, ok, fail, info, obs, fault, expect };
std::string_view name(Type type);

/// What an event is about. The comment says which fields it has beside those every event has, and which facts.
enum class What : std::uint8_t {
  // Connections. fail/info text = where, step, what was seen.
  connect,  ///< invoke; ok = ready (authenticated); fail = never became ready; code = end reason, of an
            ///< ok over POP3 what EXPIRE says (announced.h). Of a recording, where all of it is told once
            ///< it is known who logs in: size = nanoseconds since the first octet
  end,  ///< obs: the session is over. text = message, code = end reason, flags "clean" | "ours" | "broken" | "beyond"
        ///< (bounds of ours)
  deviation,  ///< obs: code = stable code, text = excerpt
  // IMAP commands. `set` = UIDs as sent, mailbox = where, other_mailbox = to where.
  select,   ///< ok: uidvalidity; SelectFacts
  examine,  ///< as select
  unselect,
  close,
  noop,
  idle,
  enable,  ///< text = what; ok: code = "QRESYNC" where ENABLED said that this is on
  fetch,
  store,    ///< set, flags, code = "+FLAGS.SILENT"
  copy,     ///< set; ok with COPYUID: set = source uids, uidvalidity = the destination's; CopyFacts
  move,     ///< as copy
  expunge,  ///< set empty = EXPUNGE, else UID EXPUNGE
  append,   ///< message, mailbox; ok: uidvalidity, uid when APPENDUID came
  search,   ///< text = query; ok: set = result UIDs
  create,
  remove,
  rename,
  subscribe,
  list,
  status,
  get_quota,  ///< mailbox
  logout,
  // IMAP data (obs)
  exists,    ///< ExistsFacts
  expunged,  ///< seq, uid (0 = this session never learnt it)
  vanished,  ///< set, code = "EARLIER" or ""
  row,       ///< FETCH row: seq, uid, flags (when has_flags), size (0 = absent), text = INTERNALDATE; RowFacts
  mailbox,   ///< LIST row: mailbox, flags = attributes, other_mailbox = the name under which it was asked for (OLDNAME)
  quota,     ///< text = root, code = resource; QuotaFacts
  // Content (obs), over IMAP or POP3
  message,  ///< message (0 = not ours), mailbox, uidvalidity, uid | seq + text = UIDL; size = octets, hash = of the
            ///< canonical content; set = where it begins to be another than what was sent, in words;
            ///< code = "full" | "header"; flags = "foreign-run" if stamped by another run
  report,   ///< a delivery report seen: message = the one reported on (0 = unknown), account = recipient, code =
            ///< effective status, text = action + diagnostic, uid/uidl where
  nil,      ///< content asked for, NIL came: uid
  piece,  ///< a partial fetch brought size octets of a message: uid, seq, message; PieceFacts. The pieces joined are a
          ///< `message` afterwards
  // POP3 commands
  stat,      ///< ok: size = octets; CountFacts
  pop_list,  ///< ok; each row an obs of the same What: seq, size
  pop_uidl,  ///< ok; each row an obs: seq, text = UIDL
  retr,      ///< seq; ok: size = octets unstuffed
  top,       ///< seq; ok: size = octets, hash of what came; TopFacts
  dele,      ///< seq, message when known
  rset,
  quit,
  pop_noop,
  // Delivery. One invoke a transaction with the message; per recipient an ok/fail/info with account and code.
  deliver,    ///< invoke: message, text = way; ok/fail/info: message, account, code = enhanced status, text = reply,
              ///< flags "at-rcpt", and "locally" where we did not even ask; ReplyFacts
  final_dot,  ///< obs: message: the last byte went out
  // What the scenario expects. expect: what is awaited (step, set of messages in `set` as numbers, mailbox);
  // ok = met, fail = missed (set = the messages that were not as expected), info = could not be asked.
  see,         ///< flags = flags awaited; BoundFacts
  lose,        ///< BoundFacts
  outcome,     ///< of a delivery: code = expected outcome, text = expected status; OutcomeFacts
  found,       ///< search; BoundFacts
  downloaded,  ///< all of the wanted messages came; BoundFacts
  fate,        ///< set; FateFacts, which code and text say in words
  count,       ///< mailbox, account; CountFacts
  agree,       ///< AgreeFacts, which text says in words
  intact,      ///< set
  usage,       ///< account
  welcome,  ///< a login: code = "accepted" | "refused" | "either", flags = "plaintext" where it is tried without TLS;
            ///< outcome: session = the one that tried; BoundFacts
  asked_again,  ///< obs after a miss: a fresh session was asked; set = the messages it has there, text = how
  // The run itself
  step,        ///< obs: step begins, text = as written
  audit,       ///< obs: AuditFacts; text = "begin" | "end" | why a part could not be done
  enumerated,  ///< obs, closes a complete listing by this session: mailbox, uidvalidity, code = "imap" | "pop3";
               ///< CountFacts
  settle,      ///< obs: waited for the target; BoundFacts
  baseline,    ///< obs: account, text = mailbox; CountFacts
  admin,       ///< invoke: code = verb ("set_quota"), account | text = customer; LimitFacts or, of a pause, BoundFacts;
               ///< ok = done, fail: text = what the command said
  undone,      ///< obs: a step was not done for the messages in set; text = why; code "refused", "refused-removal"
  vanish,      ///< obs: a device is gone with everything on it: text = its name
  smuggled,    ///< obs, clear text behind STARTTLS: code = "sent" | "answered" | "silent", text = what was sent or came
  talk,        ///< expect: a line of a check's talk: text = as written, set = what would do, one a line; TalkFacts;
               ///< ok, fail: text = what came instead; obs: what the talk did itself: text = the line as written
  rule,        ///< a wire rule: code = its name; fail: text = what it found; RuleFacts
  observed,    ///< obs: something worth telling that is neither right nor wrong: text
  not_applicable,  ///< obs: the scenario was not played; text = why
  problem,         ///< obs: we failed ourselves (lease, unreachable, interrupted); text = why; code = "interrupted" |
                   ///< "unreachable" | "login" | ...
};
std::string_view name(What what);

/// A place in a session's byte log.
struct WireRef {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

/// One thing that happened. Numbers are 1-based references into the History; 0 = none.
struct Event {
  std::uint32_t index = 0;  ///< its place in the history, from 1
  Type type = Type::obs;
  What what = What::step;
  bool has_flags = false;  ///< `flags` was told (an empty list is a fact, an absent one is not)
  Time at;
  std::uint32_t session = 0;  ///< 0 = the play itself
  std::uint32_t command = 0;  ///< index of the invoke or expect event it belongs to
  std::uint32_t step = 0;     ///< step of the scenario, from 1; 0 = audit or set-up
  std::uint32_t message = 0;  ///< number of one of our messages
  std::uint32_t account = 0;  ///< where it is not the session's own
  std::uint32_t uidvalidity = 0;
  std::uint32_t uid = 0;   ///< IMAP: of one message
  std::uint32_t seq = 0;   ///< its number in the mailbox or maildrop
  std::uint64_t size = 0;  ///< octets
  std::uint64_t hash = 0;
  WireRef raw;
  std::string mailbox, other_mailbox;
  std::string set;
  std::string flags;  ///< space-separated, sorted: "\\Deleted \\Seen $Work"
  std::string code;
  std::string text;
  Facts facts;  ///< what only this kind of event has

  /// The facts of this type, or empty ones where the event has others or none.
  template <class F>
  const F& get() const {
    static const F none{};
    const F* own = std::get_if<F>(&facts);
    return own == nullptr ? none : *own;
  }
};
static_assert(sizeof(Event) <= 320, "a history of 100,000 events is kept in memory");

}  // namespace mailproof::history
