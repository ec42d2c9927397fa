#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/blocks.h"
#include "core/network.h"
#include "core/pop3_delete.h"
#include "core/pop3_download.h"
#include "core/secret_mask.h"
#include "history/event.h"
#include "history/of_kind.h"

namespace mailproof::history {

struct AccountInfo {
  std::string name;  ///< in the scenario: "alice"
  std::string login, address;
  std::optional<std::uint64_t> quota;
  std::uint32_t customer = 0;  ///< number of the customer that owns it; 0 = none
};

/// Who owns accounts that share a limit.
struct CustomerInfo {
  std::string name;
  std::uint64_t quota = 0;
};

enum class DeviceKind : std::uint8_t { deliverer, imap, pop3, auditor };

struct DeviceInfo {
  std::string name;  ///< "phone"; the auditor is "audit"
  DeviceKind kind = DeviceKind::imap;
  std::uint32_t account = 0;
  std::string policy;  ///< pop3: "keep", "delete", "delete after 14d"
};

/// One connection. `audit_round` > 0: opened by the audit, or fresh to ask again (round counts from 1).
struct SessionInfo {
  std::string label;  ///< "phone#2"
  std::uint32_t device = 0;
  Protocol protocol = Protocol::imap;
  std::uint32_t account = 0;
  std::uint32_t audit_round = 0;
  std::string endpoint;
};

/// One of our messages, as attempted.
struct MessageInfo {
  std::string set;          ///< "mail"
  std::uint32_t index = 0;  ///< within the set, from 1
  std::uint64_t seed = 0;   ///< its body can be made again from it
  std::uint64_t size = 0;   ///< octets as sent
  std::uint64_t hash = 0;   ///< ContentHash of the canonical content (see stamp.h)
  std::uint32_t header_lines = 0, body_lines = 0;
  std::uint64_t header_octets = 0;  ///< canonical header incl. the blank line
  std::uint64_t header_hash = 0;    ///< ContentHash of just that
  std::uint32_t sender = 0;         ///< account of the envelope sender; 0 = null or outside the scenario
  std::string subject = {};         ///< by which people know it; "" = it has none of its own
  /// Other people's mail, of a recording: its Message-ID, and no seed; hash and size are 0 until somebody read it
  /// whole.
  std::string message_id = {};
  /// mail.1, or mail.1 "Rechnung": for people.
  std::string name() const {
    const std::string plain = set + "." + std::to_string(index);
    return subject.empty() ? plain : plain + " \"" + subject + "\"";
  }
};

/// What a conformance check asks; a story has none.
struct CheckInfo {
  std::string level;        ///< "MUST", "SHOULD", "PRACTICE", "MAY"
  std::string harm;         ///< "lost", "altered", "leaked" or empty: what a broken practice does
  bool talk = false;        ///< played as talk on the wire: only what the talk says is judged
  std::string requirement;  ///< "RFC 1939 section 5: LIST on an empty maildrop ..."
};

/// Facts about the whole that judges need.
struct HistoryInfo {
  std::string scenario;
  std::string title;
  std::uint64_t scenario_hash = 0;
  std::uint64_t run_seed = 0, seed = 0;
  std::uint32_t copy = 0;
  std::string target;
  std::string version;
  Duration settle{};
  std::optional<Pop3Delete> pop3_delete;      ///< as the target file says; nothing: any
  std::optional<Pop3Download> pop3_download;  ///< as the target file says; nothing: as announced, or any
  std::optional<Duration> gives_up_after;     ///< how long the MTA tries, as the target file says; nothing: for days
  double patience = 1;
  bool simulated = false;
  bool load = false;
  /// Nothing was played: this is what was heard of sessions of others. Accounts and devices are added as they turn up.
  bool recorded = false;
  /// ... and it has every session of these accounts: what nobody asked for in it, nobody asked for.
  bool all_clients = false;
  std::vector<CustomerInfo> customers;
  std::vector<AccountInfo> accounts;
  std::vector<DeviceInfo> devices;
  std::vector<std::string> steps;  ///< as written, by step number
  std::optional<CheckInfo> check = {};
};

using Messages = Blocks<MessageInfo, 32>;

/// Everything that happened in one scenario (or one copy of it under load). Append-only; judges are pure functions of
/// it.
class History {
 public:
  HistoryInfo info;
  /// Passwords that whoever is played with may repeat: none is written into an event. Set before the first.
  SecretMask secrets;

  std::uint32_t add_session(SessionInfo session);  ///< its number, from 1
  std::uint32_t add_message(MessageInfo message);  ///< its number, from 1
  /// Gives the event its index, tells listeners, keeps it. The reference is valid for ever.
  const Event& append(Event event);

  const std::vector<SessionInfo>& sessions() const { return sessions_; }
  const Messages& messages() const { return messages_; }
  const Events& events() const { return events_; }
  /// The events of these kinds, in order: `wanted` is asked of a Kind.
  template <class Wanted>
  OfKind<Wanted> where(Wanted wanted) const {
    return {events_, kinds_, wanted};
  }
  /// The events that are about these.
  template <class... Whats>
  auto about(Whats... whats) const {
    return where([whats...](Kind kind) { return ((kind.what == whats) || ...); });
  }
  const SessionInfo& session(std::uint32_t number) const { return sessions_.at(number - 1); }
  const MessageInfo& message(std::uint32_t number) const { return messages_.at(number - 1); }
  const Event& event(std::uint32_t index) const { return events_.at(index - 1); }
  /// The event that began what this one belongs to; itself, where there is none.
  const Event& asked(const Event& e) const { return e.command == 0 ? e : event(e.command); }
  const AccountInfo& account(std::uint32_t number) const { return info.accounts.at(number - 1); }
  const DeviceInfo& device(std::uint32_t number) const { return info.devices.at(number - 1); }
  /// Account an event is about: its own field, else its session's; 0 = none.
  std::uint32_t account_of(const Event& event) const;
  /// "phone", "audit", or "" for the play itself.
  std::string_view device_name(const Event& event) const;

  /// Called for every event as it is appended (ledger, writer, statistics).
  void listen(std::function<void(const Event&)> listener) { listeners_.push_back(std::move(listener)); }

  /// Evidence: what the session's byte log holds at a place, "S: ..." / "C: ..." lines; set by whoever keeps the logs,
  /// may be empty.
  std::function<std::string(std::uint32_t session, WireRef at)> excerpt;

 private:
  void mask(Event& event) const;

  std::vector<SessionInfo> sessions_;
  Messages messages_;
  Events events_;
  std::vector<Kind> kinds_;  ///< of each event
  std::vector<std::function<void(const Event&)>> listeners_;
};

/// "1,3,5-7" <-> message numbers, for Event::set of expectations.
std::string format_numbers(const std::vector<std::uint32_t>& numbers);
std::vector<std::uint32_t> parse_numbers(std::string_view text);
/// Protocol UID sets ("3,5:7") as a sorted list; '*' and reversed ranges were resolved before recording. At most a
/// million.
std::vector<std::uint32_t> parse_uids(std::string_view set);
std::string format_uids(const std::vector<std::uint32_t>& uids);

}  // namespace mailproof::history
