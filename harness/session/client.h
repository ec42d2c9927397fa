#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/network.h"
#include "core/peer.h"
#include "core/secret.h"
#include "wire/sasl/salted_passwords.h"

namespace mailproof::session {

/// Numbers commands of one session from 1, in the order they were asked for. 0 = none.
using CommandId = std::uint32_t;

/// How an operation ended: it happened, it certainly did not, or nobody can say (timeout or drop before the answer).
enum class Outcome { ok, fail, info };

/// How far a session had come when the server said what it offers.
enum class Stage { plaintext, secured, authenticated };

struct Login {
  std::string user;
  Secret password;
  std::string mechanism;  ///< "PLAIN", "SCRAM-SHA-256", "APOP", "LOGIN" (IMAP: the command), "USER"; "" = the best that
                          ///< is offered
  std::vector<std::string> preferred = {};  ///< where no mechanism is asked for: the first of these that is offered,
                                            ///< before the best
};

/// What of one session may stay in the memory of those who listen to it, in octets. They add to `used` what they keep;
/// the session ends itself once more is used than it may: a server can go on for ever, and many answers of a bearable
/// size are too much as well. Belongs to whoever made the session, and outlives it.
struct Share {
  std::uint64_t most = 0;
  std::uint64_t used = 0;
  bool spent() const { return used > most; }
  std::string why() const;  ///< as the reason of an end
};

/// When a client asks what the server offers.
enum class AskCapabilities : std::uint8_t {
  usual,         ///< IMAP: where the server did not say it unasked; POP3: before the login and after it
  before_login,  ///< IMAP: also where the greeting says it; POP3: only then
  never,         ///< POP3: USER, TOP and UIDL are tried then. Of IMAP it is as usual
};

/// What every client session is told at construction.
struct ClientConfig {
  Endpoint endpoint;  ///< protocol, host (named in errors) and TLS mode
  Login login;        ///< SMTP without auth and LMTP: unused
  AskCapabilities capabilities = AskCapabilities::usual;
  bool log_in = true;                                  ///< false: ready where the login would begin
  Duration greeting_bound = std::chrono::seconds(10);  ///< also for each further bring-up step but POP3's login
  Duration command_bound = std::chrono::seconds(60);   ///< for a reply; see Patience for what prolongs it
  std::uint64_t max_response_bytes =
      256U << 20;                           ///< of one command's replies, literals included; beyond it the session ends
  std::uint64_t max_responses = 1'000'000;  ///< ... counted; also of unasked data between commands
  std::uint64_t max_moved = 100'000'000;  ///< IMAP: messages that come, go and move in the view from one SELECT to the
                                          ///< next: work that a few octets ask for
  bool people_names = false;  ///< IMAP: mailbox names are as people see them: below the personal namespace, which is
                              ///< asked for after the login (RFC 2342 section 5), levels separated by "/"
  bool utf8 =
      false;  ///< POP3: UTF8 (RFC 6856) is said before the login where it is offered, and messages come as they are
  std::size_t max_line = 64U << 10;        ///< a logical line without literals
  std::uint64_t max_literal = 1ULL << 32;  ///< announced size above which the session ends
  const Share* share = nullptr;            ///< null = nobody counts what is kept
  sasl::SaltedPasswords* salted_passwords =
      nullptr;  ///< SCRAM's costly part, remembered by whoever opens many sessions
};

/// Why a session is over. `step` is what it was doing ("connect", "greeting", "STARTTLS", "LOGIN", "UID FETCH"), `seen`
/// the last thing the server said, made printable. message() is the sentence for people: host, protocol, step and what
/// was seen.
struct Ended {
  EndReason reason = EndReason::none;
  bool clean = false;          ///< after LOGOUT/QUIT and its reply
  bool ready = false;          ///< it had come as far as authenticated/ready
  bool login_refused = false;  ///< the server said no to the login
  bool broken = false;         ///< the server broke the protocol or a limit; reason is then `dropped`: we closed
  bool beyond = false;         ///< ... and the limit is ours alone: no RFC says that it is too much
  std::string where;           ///< "imap 127.0.0.1:143"
  std::string step;
  std::string why;  ///< "connection refused", "no greeting within 10s", "literal of 10737418240 octets announced"
  std::string seen;
  std::string message() const;
};

/// A departure from the grammar or the protocol that did not stop us. `code` is stable: "imap.crlf.bare_lf",
/// "tls.bytes-behind-starttls".
struct Deviation {
  std::string_view code;
  std::string excerpt;       ///< printable
  std::uint64_t offset = 0;  ///< in the stream of received bytes
};

}  // namespace mailproof::session
