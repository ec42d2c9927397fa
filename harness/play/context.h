#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/admin.h"
#include "core/network.h"
#include "history/history.h"
#include "history/ledger/ledger.h"
#include "history/talk_ends.h"
#include "history/wire_log.h"
#include "play/learnt.h"
#include "play/messages.h"
#include "play/one_by_one.h"
#include "scenario/scenario.h"
#include "scenario/target/target.h"
#include "session/client.h"

namespace mailproof::play {

/// Among what a check is played without: LOGIN-DELAY with more than 0 seconds. Such a server SHOULD refuse a login that
/// follows another (RFC 2449 section 6.5), with or without a code that says so; where it does, the check is over and
/// was not applicable.
inline constexpr std::string_view kDelayedLogins = "delayed-logins";

/// Among what a check is played without: a target that says that a proxy answers before login, and its backend after
/// it. No server offers it.
inline constexpr std::string_view kBackend = "capabilities-of-a-backend";

using scenario::kUnverified;
inline bool is_of_the_target(std::string_view unless) { return unless == kBackend || unless == kUnverified; }

/// A capability that a check asks for, and where it must stand: it counts in the state where it is used. A proxy
/// announces its own before login, and the server's behind it afterwards.
struct WantedOffer {
  enum class Where { before_login, after_login, anywhere };
  std::string words;  ///< with arguments that it must have, in any order: "SASL PLAIN". "CAPA", "APOP", kDelayedLogins
  Where where = Where::anywhere;
};

/// What a server said it offers.
struct Offered {
  std::vector<std::string> before, after;  ///< login: capabilities, arguments behind them: "SASL PLAIN LOGIN"
  std::string greeting;
  bool listed = false;    ///< CAPA or CAPABILITY was answered
  bool complete = false;  ///< asked after login too
  /// USER: whether it lets in. Only tried where no mechanism offered sends the password: section 6.2 of RFC 2449 has it
  /// that USER and PASS "may not be available to all users".
  std::optional<bool> by_password;
  std::optional<bool> apop;  ///< whether APOP is a command here; only asked where it is wanted
  bool has(const WantedOffer& wanted) const;
  bool knows(const WantedOffer& wanted) const;  ///< whether it is offered or not
};
/// By endpoint and how TLS came about: what was asked once on a real server need not be asked before every check.
using OfferedBefore = std::map<std::string, Offered, std::less<>>;

/// Mailboxes that were there before a scenario, by account number: as LIST named them, in small letters. They are not
/// the scenario's, though nothing may be in them.
using MailboxesBefore = std::map<std::uint32_t, std::set<std::string>>;

/// All mailboxes of the leased accounts, which a look that began then saw to be empty.
struct SeenEmpty {
  MailboxesBefore mailboxes;
  Time at{};
};

/// How a check ended that is played once more because of it: by what may pass.
struct EarlierEnd {
  std::string line;                                  ///< of the talk, as written
  std::string awaited;                               ///< what would have done
  std::string came;                                  ///< "nothing within 10s"
  std::string code = std::string(history::kSilent);  ///< history/talk_ends.h
  std::uint32_t number = 0;                          ///< of the line in its file; 0 = not known
};

struct PlayOptions {
  std::uint64_t run_seed = 1;
  std::uint32_t copy = 0;
  /// In every token; differs between runs on a real server, so that leftovers are told apart.
  std::uint64_t run_id = 0;
  double patience = 1;                                   ///< scales every bound
  bool keep = false;                                     ///< leave the messages where they are
  bool baseline = true;                                  ///< look at the leased mailboxes first
  const MailboxesBefore* before = nullptr;               ///< without a baseline: what an earlier one found
  const SeenEmpty* seen_empty = nullptr;                 ///< what is not looked at again; null: everything is
  bool only_baseline = false;                            ///< end after it: used before a load
  bool load = false;                                     ///< flight recorders instead of whole byte logs
  std::vector<Protocol> keep_bytes;                      ///< all bytes of sessions of these, for wire rules
  bool alone = false;                                    ///< the server is ours: nobody else's mail comes in meanwhile
  bool overheard = false;                                ///< others may hear what goes to the target in clear text
  bool own_mailboxes = false;                            ///< mail that is not ours may be there, be read and be removed
  std::size_t wire_limit = 4U << 20;                     ///< kept bytes of a session's log
  std::string date = "Thu, 01 Jan 2026 00:00:00 +0000";  ///< Date: of the messages (RFC 5322)
  std::string version = "0.1.0";
  /// A check that is played once more because of it: what comes now was late, and what does not come is looked into.
  std::optional<EarlierEnd> earlier = {};
  Learnt* learnt = nullptr;          ///< null: every scenario waits for itself (simulated time costs nothing)
  OfferedBefore* offered = nullptr;  ///< null: every check asks for itself
  /// Is told when nothing but time is awaited, with no session open, and when that is over. May be null.
  std::function<void(bool begins)> only_waits = {};
  Admin* admin = nullptr;  ///< does what admin steps and delivery by command ask; null = the target has no commands
  /// Shared by all sessions of a thread: SCRAM costs thousands of HMACs.
  sasl::SaltedPasswords* salted_passwords = nullptr;
};

/// POP3 logins of one account, where the server wants time between them (LOGIN-DELAY, RFC 2449 section 6.5). Not every
/// server that announces it refuses who comes sooner: what is waited is what a refusal taught.
struct LoginPace {
  std::optional<Time> last;  ///< that was let in
  Duration enforced{};
};

/// What everyone who plays one scenario shares. Lives as long as the Player.
struct Context {
  Network& network;
  const scenario::Target& target;
  history::History& history;
  history::Ledger& ledger;
  Messages& messages;
  const PlayOptions& options;
  std::vector<scenario::PoolAccount> accounts;          ///< leased, by scenario account index
  std::vector<std::unique_ptr<history::WireLog>> logs;  ///< by session number - 1
  std::vector<std::uint32_t> ordinals;                  ///< sessions so far, by device number (0 = audit)
  std::uint32_t step = 0;                               ///< of the events that are appended now
  bool over = false;                                    ///< nothing more is recorded (clean-up)
  std::string problem;                                  ///< first reason why playing cannot go on; "" = none
  Later later{network};                                 ///< what is to be called soon, from the loop
  /// What each session may leave in memory, by session number - 1, and what all of them together left there.
  std::deque<session::Share> shares = {};
  std::uint64_t kept = 0;
  std::map<std::uint32_t, LoginPace> pop3_logins = {};  ///< by account number
  MailboxesBefore before = {};                          ///< what the baseline finds; who asks: there_before()

  Duration scaled(Duration d) const {
    return Duration(static_cast<std::int64_t>(static_cast<double>(d.count()) * options.patience));
  }
  /// When mail that SMTP took counts as missing: its MTA may queue it (RFC 5321 section 4.5.4.1), and busy ones do.
  Duration queued() const { return scaled(std::max(target.settle, Duration(std::chrono::seconds(60)))); }
  /// How long accepted mail is waited for: all of `bound`, unless the run has learnt better.
  Duration enough(Duration bound) const { return options.learnt == nullptr ? bound : options.learnt->enough(bound); }
  history::Event event(history::Type type, history::What what, std::uint32_t session = 0) const {
    history::Event e;
    e.at = network.now();
    e.type = type;
    e.what = what;
    e.session = session;
    e.step = step;
    return e;
  }
  /// Appends, unless the history is closed; the index, 0 then.
  std::uint32_t append(history::Event e) { return over ? 0 : counted(history.append(std::move(e))).index; }
  /// Something of a session stays in memory: so many octets.
  void keeps(std::uint32_t session, std::size_t octets);
  /// Records that we cannot go on. Only the first reason is kept as `problem`.
  void fail(std::string_view code, std::string text);

  /// The target turns out not to have what the scenario is about, before anything was played: not-applicable.
  void inapplicable(std::string why);

  /// A new session in the history, with its log. device 0 = the audit.
  std::uint32_t new_session(std::uint32_t device, Protocol protocol, std::uint32_t account, std::uint32_t audit_round,
                            const Endpoint& where, std::string_view lane = {});
  /// For the client of this session, which may make us keep in memory no more than the session's share. `mechanism`:
  /// how to log in; "" = the best that is offered. `profile`: as which kind of client; null = as none.
  session::ClientConfig client_config(const Endpoint& endpoint, std::uint32_t account, std::uint32_t session,
                                      const std::string& mechanism = "", const scenario::Profile* profile = nullptr);
  /// The mailboxes of an account that were there before the scenario: as the baseline found them, or where this
  /// playing has none, an earlier one.
  const std::set<std::string>& there_before(std::uint32_t account) const;
  /// The target's endpoint for a protocol: the first, or the first with this TLS mode. Null if there is none.
  const Endpoint* endpoint(Protocol protocol, std::optional<TlsMode> tls = std::nullopt) const;

 private:
  const history::Event& counted(const history::Event& e);
};

}  // namespace mailproof::play
