#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/network.h"
#include "core/rng.h"
#include "core/secret_mask.h"
#include "load/flight_recorder.h"
#include "load/parcels.h"
#include "load/samples.h"
#include "mail/stamp.h"
#include "scenario/plan/plan.h"
#include "scenario/target/target.h"
#include "session/client.h"
#include "stats/operations.h"

namespace mailproof::load {

/// What the customers of a plan need to know that is the same for all of them.
struct PlanSettings {
  std::uint64_t seed = 1, run_id = 0;
  double patience = 1;               ///< multiplies every bound
  bool keep = false;                 ///< our messages stay in the mailboxes
  bool own_mailboxes = false;        ///< other mail may be there and be read
  bool look_first = true;            ///< no text is fetched before its header showed that it is ours: see README
  double audited = 1;                ///< part of the accounts
  std::string date;                  ///< of the messages
  std::vector<std::string> sources;  ///< addresses to connect from, in turn; empty: as the endpoint says
  sasl::SaltedPasswords* salted_passwords = nullptr;
  unsigned job = 0, jobs = 1;  ///< accounts here are those with the numbers job, job + jobs, ... of the plan
};

/// A session of a customer, of a delivery or of the audit: who had it, and when.
struct SessionNote {
  std::uint32_t account = 0;
  std::uint16_t profile = 0;  ///< index into Plan::profiles
  Protocol protocol = Protocol::imap;
  Time opened{}, ended{};
};

/// How an operation went.
struct Times {
  Time intended{}, start{}, end{};
};

/// All that the customers on one thread share. Single-threaded.
class Scene {
 public:
  Scene(Network& network, const scenario::Target& target, const scenario::Plan& plan, PlanSettings settings,
        std::vector<scenario::PoolAccount> accounts);

  Network& network;
  const scenario::Target& target;
  const scenario::Plan& plan;
  const PlanSettings settings;
  const std::vector<scenario::PoolAccount> accounts;
  Parcels parcels;
  stats::Operations operations;  ///< of the load
  std::vector<SessionNote> sessions;
  /// Of each account: whether its mailbox for deleted mail was made by us.
  enum class Trash : std::uint8_t { unknown, asked, ours };
  std::vector<Trash> trash;
  std::vector<Trash> sent;  ///< the same of the one for what its owner sent
  bool over = false;        ///< the measured time is over: what is due from here on does not count
  bool stopping = false;    ///< nothing new is begun, but what was due before
  /// When they came true. What was due before `over` counts when it ends, however late: slow answers would be left out.
  Time over_at{}, stopped_at{};
  bool counts(Time intended) const { return !over || intended < over_at; }
  /// What is due in the last moment is begun, though the clock that says so comes after the one that ends the load.
  bool begins(Time due) const { return !stopping || (due < stopped_at && !over); }
  /// What becomes of what POP3 downloads (RFC 1939 section 8): as the target file says, else as CAPA does.
  std::optional<Pop3Download> pop3_download;
  /// RFC 2449 section 6.5: POP3 wants so much time between two logins of an account. The longest that was announced.
  Duration login_delay{};
  std::uint64_t put_off = 0;  ///< polls that waited for it
  std::size_t connections = 0, most_connections = 0;
  /// Octets of places that views keep for messages of which nothing was told: a line of a server makes a million. A
  /// mailbox of some ten thousand, of which a device looks at the newest, is what many have, and does not count.
  std::size_t sparse_views = 0;
  static constexpr std::size_t kMostSparse = 64U << 20, kSparseAlone = 256U << 10;
  static constexpr std::string_view kFullOfPlaces = "no more room here for the places of messages that it tells of";
  stats::Histogram lateness;                    ///< an alarm of ours rang so late: one for each
  std::map<std::string, std::string> examples;  ///< class of error -> the first one, in full
  Samples samples;                              ///< "imap.fetch: NO" -> what went over the wire, of the first few
  /// How often the recorder of a session that brought mail is kept after it is over.
  static constexpr std::size_t kMostDeliveries = 256;
  std::map<std::uint32_t, FlightRecorder> deliveries;  ///< by session, the latest

  /// Times in the life of a customer, at the plan's pace.
  Duration paced(Duration d) const {
    return Duration(static_cast<std::int64_t>(static_cast<double>(d.count()) / plan.pace));
  }
  Duration drawn(scenario::Span span, Rng& rng) const;

  session::ClientConfig client_config(const Endpoint& endpoint, const scenario::PoolAccount* account,
                                      std::size_t who) const;
  /// What is the same for all IMAP sessions of customers to one endpoint from one address that begin alike.
  std::shared_ptr<const session::ClientConfig> imap_config(const Endpoint& endpoint, std::size_t who,
                                                           session::AskCapabilities capabilities, bool people_names);
  /// The target's first with this mode, or its first.
  const Endpoint* endpoint(Protocol protocol, std::optional<TlsMode> tls) const;

  /// The message itself; its size and hash are then known to the ledger.
  std::shared_ptr<const std::string> compose(std::size_t parcel, const std::string& from);

  /// Time zero of the plan: from here on figures are counted over time.
  void begin(Time zero);
  /// Octets that a session of the load moved; not those of the looks before and after it.
  void moved(Time now, std::uint64_t in, std::uint64_t out) {
    if (began_ && !over) operations.moved(now, in, out);
  }
  /// A handshake of TLS that came to something: a row of its own for those that took up a session, as the server did.
  void handshake(std::string_view who, const TlsFacts& facts, Time now);
  /// A device whose profile, or the plan, says so takes up TLS sessions of its own, and of no other device or account.
  void let_resume(Link& link, const scenario::Profile& profile, std::uint32_t account, std::uint16_t device) const {
    if (plan.resume_tls.value_or(profile.resume_tls)) link.resume_as(std::uint64_t{account} << 16U | device);
  }
  std::uint32_t note_session(std::uint32_t account, std::uint16_t profile, Protocol protocol);
  void session_over(std::uint32_t session);

  // Figures.
  stats::Operations::Id operation(std::string_view name) { return operations.id(name); }
  /// The same without looking through names: of what an IMAP profile asks for, with the one name that it has.
  stats::Operations::Id operation(scenario::Ask ask, std::string_view name) {
    auto& known = of_asks_[static_cast<std::size_t>(ask)];
    if (!known) known = operations.id(name);
    return *known;
  }
  void done(stats::Operations::Id id, const Times& times);
  /// Was due, and nobody came to it.
  void missed(stats::Operations::Id id, Time due, Time now);
  /// `wire`: of the session that it happened to, of `account`; null: there is none.
  void failed(stats::Operations::Id id, const Times& times, std::string_view error_class,
              const FlightRecorder* wire = nullptr, std::uint32_t account = 0);
  void unanswered(stats::Operations::Id id, const Times& times, std::string_view error_class,
                  const FlightRecorder* wire = nullptr, std::uint32_t account = 0);
  /// The same of one that was waited for until nobody waited any more: it counts as having taken so long.
  void timed_out(stats::Operations::Id id, const Times& times, std::string_view error_class,
                 const FlightRecorder* wire = nullptr, std::uint32_t account = 0);
  /// One of both, by how the session ended.
  void lost(EndReason how, stats::Operations::Id id, const Times& times, std::string_view error_class,
            const FlightRecorder* wire = nullptr, std::uint32_t account = 0) {
    how == EndReason::timeout ? timed_out(id, times, error_class, wire, account)
                              : unanswered(id, times, error_class, wire, account);
  }
  /// What a recorder holds, without the passwords of anybody.
  std::string masked(const FlightRecorder& wire) const;
  void example(std::string_view error_class, const std::string& text);

  // What became of a message.
  void accepted(std::size_t parcel, Time now);
  /// A device has its header. `told`: when the server told an idling device that there is something; none: it asked.
  void seen(std::size_t parcel, std::uint32_t session, std::optional<Time> told, Time now);
  /// An IMAP device has it under this UID of INBOX. Two UIDs are two messages (RFC 9051 section 2.3.1.1).
  void lies_at(std::size_t parcel, std::uint32_t uid, std::uint32_t uidvalidity, std::uint32_t session);
  /// A device has two of it before it, which `where` names.
  void twice(std::size_t parcel, std::uint32_t session, const std::string& where);
  void content_seen(std::size_t parcel, std::uint32_t session, std::uint64_t hash, Time now);
  /// POP3 shows again what a POP3 session removed, and QUIT was answered +OK.
  void reappeared(std::size_t parcel, std::uint32_t session);
  void leaked(const mail::Token& token, std::uint32_t account, std::uint32_t session);

  /// A reader of messages for as long as one comes in.
  std::unique_ptr<mail::ContentScanner> borrow_scanner();
  void give_back(std::unique_ptr<mail::ContentScanner> scanner);

  /// What is wrong beside a loss: class -> lines for people, each naming message, account and session.
  std::map<std::string, std::vector<std::string>> wrongs;
  std::vector<std::pair<std::size_t, std::string>> doubles;  ///< of parcels with `twice`: the same
  std::string session_text(std::uint32_t session) const;
  std::string parcel_text(std::size_t parcel) const;

 private:
  void visible(std::size_t parcel);
  void sample(stats::Operations::Id id, std::string_view error_class, const FlightRecorder* wire,
              std::uint32_t account);
  void connected(int change);
  bool began_ = false;
  Time zero_{};
  SecretMask secrets_;
  std::vector<std::unique_ptr<mail::ContentScanner>> scanners_;
  std::vector<std::uint32_t> inbox_uidvalidity_;                            ///< by account; 0 = not known
  std::vector<std::shared_ptr<const session::ClientConfig>> imap_configs_;  ///< as many as there are kinds of sessions
  std::array<std::optional<stats::Operations::Id>, static_cast<std::size_t>(scenario::Ask::end_if_empty) + 1> of_asks_;
  stats::Operations::Id visible_, visible_imap_, visible_pop3_, notice_;
};

}  // namespace mailproof::load
