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

#include "server/server.h"
#include "server/store/mailbox.h"
#include "server/switches.h"

namespace mailproof::server {

/// So many messages an account may have (MESSAGE of RFC 9208).
inline constexpr std::uint64_t kMessageQuota = 1'000'000;

/// Between the parts of a mailbox name.
inline constexpr char kHierarchyDelimiter = '/';

/// "inbox" in any case is "INBOX", also as the first part of a longer name (RFC 3501 section 5.1).
std::string canonical_mailbox_name(std::string_view name);

/// What the accounts of one customer, or of the domain, have together.
struct SharedLimit {
  std::string name;  ///< of its quota root
  std::optional<std::uint64_t> quota;
  std::uint64_t usage = 0;
};

/// Everything one user owns.
class AccountState {
 public:
  const Account& config() const { return config_; }
  std::optional<std::uint64_t> quota() const { return config_.quota; }
  std::uint64_t usage() const { return usage_; }        ///< octets over all mailboxes
  std::uint64_t messages() const;                       ///< over all mailboxes
  std::uint64_t expunged() const { return expunged_; }  ///< so many, ever
  SharedLimit& shared() const { return *shared_; }
  Mailbox& inbox() const { return *inbox_; }
  std::shared_ptr<Mailbox> mailbox(std::string_view name) const;  ///< null when there is none of this name
  const std::map<std::string, std::shared_ptr<Mailbox>, std::less<>>& mailboxes() const { return mailboxes_; }
  const std::set<std::string, std::less<>>& subscriptions() const { return subscriptions_; }

  Extras extras;

  /// The POP3 session that has the maildrop to itself (RFC 1939 section 4); null when nobody has.
  const void* maildrop_owner = nullptr;
  Time maildrop_free_at{};  ///< and until then, though nobody has it any more: only with a latitude
  std::uint32_t maildrop_logins = 0;
  std::uint32_t selects = 0;

 private:
  friend class Store;
  Account config_;
  std::uint64_t usage_ = 0, expunged_ = 0;
  SharedLimit* shared_ = nullptr;
  std::shared_ptr<Mailbox> inbox_;
  std::map<std::string, std::shared_ptr<Mailbox>, std::less<>> mailboxes_;
  std::set<std::string, std::less<>> subscriptions_;
};

/// Told of what becomes of every mailbox of every account, at once. Must not watch or unwatch from within.
class StoreWatcher {
 public:
  virtual ~StoreWatcher() = default;
  /// `copied` is the message it is a copy of, or null.
  virtual void on_added(AccountState&, Mailbox&, const MessagePtr&, const Message* copied) { (void)copied; }
  virtual void on_expunged(AccountState&, Mailbox&, std::span<const MessagePtr>) {}
  virtual void on_flags(Mailbox&, const MessagePtr&) {}
  virtual void on_created(AccountState&, Mailbox&) {}
  virtual void on_removed(AccountState&, Mailbox&) {}
  virtual void on_subscribed(AccountState&, std::string_view name, bool subscribed) { (void)name, (void)subscribed; }
  virtual void on_renamed(AccountState&, Mailbox&, std::string_view from) { (void)from; }
};

enum class Room { fits, over_account, over_domain };

/// All accounts of the server, in memory. Every change goes through here, so that quotas hold and watchers hear of it.
class Store {
 public:
  explicit Store(const ServerOptions& options);
  Store(const Store&) = delete;

  AccountState* by_login(std::string_view login_or_address);  ///< null when unknown; case does not matter
  AccountState* by_address(std::string_view address);         ///< null when it is not one of ours
  const std::vector<std::unique_ptr<AccountState>>& accounts() const { return accounts_; }

  /// Whether `octets` more may be stored. Nothing but the caller enforces it.
  Room would_fit(const AccountState& account, std::uint64_t octets) const;
  SharedLimit* shared(std::string_view customer);  ///< null when no account is the customer's; "" = the domain
  void set_quota(AccountState& account, std::optional<std::uint64_t> octets) { account.config_.quota = octets; }

  /// `copied`: the message it is a copy of.
  MessagePtr append(AccountState& account, Mailbox& mailbox, std::shared_ptr<const std::string> content, Flags flags,
                    InternalDate date, const Message* copied = nullptr);
  /// `moves`: the source goes, which with a defect takes its copies along, but not this one.
  MessagePtr copy(AccountState& account, const Message& message, Mailbox& to, bool moves = false);
  /// MODSEQ rises and watchers are told only when the flags really change. Returns whether they did.
  bool set_flags(Mailbox& mailbox, const MessagePtr& message, Flags flags);
  /// Removes those of `uids` that exist; all get one MODSEQ. Returns how many there were. `pop3`: it was asked for over
  /// POP3, which makes a difference with a defect only.
  std::size_t expunge(AccountState& account, Mailbox& mailbox, std::span<const Uid> uids, bool pop3 = false);

  void empty(AccountState& account, Mailbox& mailbox);  ///< expunges all of it

  /// Creates missing superiors too (RFC 3501 section 6.3.3). Null when it exists already.
  std::shared_ptr<Mailbox> create(AccountState& account, std::string_view name);
  /// Expunges all messages, then forgets the name. Sessions that have it selected keep an empty mailbox.
  bool remove(AccountState& account, std::string_view name);
  /// Takes inferiors along. Renaming INBOX moves its messages and leaves it empty (RFC 3501 section 6.3.5).
  /// False when the source does not exist or the target does.
  bool rename(AccountState& account, std::string_view from, std::string_view to);

  void subscribe(AccountState& account, const std::string& name, bool subscribed);

  /// The server was killed and began anew: nothing is lost or changed, but with a defect.
  void killed();

  /// What time it is, for what is stored from now on.
  void at(Time now) { now_ = now; }

  void watch(StoreWatcher& watcher) { watchers_.push_back(&watcher); }
  void unwatch(StoreWatcher& watcher) { std::erase(watchers_, &watcher); }

  void set_special_use(Mailbox& mailbox, std::string use) { mailbox.special_use_ = std::move(use); }

  static bool has_inferiors(const AccountState& account, std::string_view name);

 private:
  // Only with a defect.
  void expunge_copies(AccountState& account, const std::vector<MessagePtr>& gone);
  void forget_newest();  ///< as if the newest message of every mailbox had never come to the disk
  static void number_anew(Mailbox& mailbox);

  Uid take_uid(Mailbox& mailbox);
  SharedLimit& share(const ServerOptions& options, const std::string& customer);
  std::shared_ptr<Mailbox> create_one(AccountState& account, std::string_view name, std::string_view special_use);

  std::vector<std::unique_ptr<AccountState>> accounts_;
  std::map<std::string, AccountState*, std::less<>> by_login_;  ///< lower case: logins and addresses
  std::map<std::string, AccountState*, std::less<>> by_address_;
  std::map<std::string, SharedLimit, std::less<>> shared_;  ///< by customer
  std::vector<StoreWatcher*> watchers_;
  const Switches switches_;
  Time now_{};
  std::uint32_t next_uid_validity_;
};

}  // namespace mailproof::server
