#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/network.h"
#include "core/peer.h"
#include "core/secret.h"

namespace mailproof::server {

struct Account {
  std::string login;    ///< "user0001"; the address is accepted as a login too
  std::string address;  ///< "user0001@example.test"
  Secret password;
  std::optional<std::uint64_t> quota;  ///< octets for this mailbox owner; nullopt = unlimited
  std::string customer = {};           ///< who pays for it: accounts of one customer share a limit beside their own
};

/// One switch of the reference server, as `mailproof server --list-defects` prints it.
struct Switch {
  std::string_view name;  ///< "pop3.dele-without-quit": protocol, then lower-case words joined by '-'
  std::string_view what;  ///< what the server then does
  std::string_view
      caught_by;  ///< defects: the judge that must fire ("removal"); latitudes: the RFC that leaves it open
};

struct ServerOptions {
  std::uint64_t seed = 1;  ///< UIDVALIDITY, UIDLs, APOP timestamps, boundaries of reports
  std::string host = "mail.example.test";
  std::string domain = "example.test";  ///< mail for other domains is refused with 550 5.7.1
  std::vector<Account> accounts;
  std::optional<std::uint64_t> domain_quota;  ///< second level: shared by all accounts without a customer together
  std::map<std::string, std::uint64_t, std::less<>> customer_quotas;  ///< ... by those of each customer
  std::set<std::string, std::less<>> defects;
  std::set<std::string, std::less<>> latitudes;
  bool offer_tls = true;        ///< STARTTLS / STLS are advertised
  bool plaintext_login = true;  ///< else LOGINDISABLED, no USER, no AUTH PLAIN before TLS
};

/// The reference server: IMAP, POP3, SMTP, LMTP in memory. Single-threaded; owns no socket, clock or thread.
/// Correct by default; defects and latitudes switch single behaviours. Not a product: nothing is stored on disk.
class Server {
 public:
  explicit Server(ServerOptions options);  ///< unknown defect or latitude names must have been refused before
  ~Server();
  Server(const Server&) = delete;

  /// A new connection. `tls` says whether it is already secured (implicit), `needs_tls` that nobody logs in before it
  /// is. The server must outlive the peer.
  std::unique_ptr<Peer> accept(Protocol protocol, bool tls, bool needs_tls = false);

  /// SIGKILL and a new start: what was answered for stays, unless a defect loses it.
  void killed();
  /// All its connections are gone at once, and who had a maildrop has it no more.
  void disconnected();
  /// What its owner does to it. False when there is no such account or customer.
  bool set_quota(std::string_view login, std::optional<std::uint64_t> octets);
  bool set_customer_quota(std::string_view customer, std::optional<std::uint64_t> octets);

  /// Work that is due later: queued mail, delayed bounces. The driver calls advance() at or after deadline().
  std::optional<Time> deadline() const;
  void advance(Time now);
  /// Told when deadline() moved outside of advance(); may be null.
  void attach(Waker* waker);

  static std::span<const Switch> defects();
  static std::span<const Switch> latitudes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof::server
