#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/peer.h"
#include "core/time.h"

namespace mailproof::server {

struct ServerContext;
class AccountState;
class Mailbox;

/// One accepted RCPT.
struct Recipient {
  AccountState* account = nullptr;
  std::string address;         ///< as given, without brackets
  std::string original;        ///< ORCPT decoded, where its type is rfc822; else empty (RFC 3461)
  bool notify_failure = true;  ///< NOTIFY (RFC 3461 section 4.1): not NEVER, and FAILURE or nothing
  bool notify_success = false;
};

/// What MAIL and RCPT said, and how it came, for the trace fields.
struct Envelope {
  std::string sender;        ///< without brackets; empty is the null reverse-path
  std::string id;            ///< ENVID decoded; empty when not given
  bool return_full = false;  ///< RET=FULL: a failure report returns the whole message, else its header
  std::string client;        ///< what EHLO, HELO or LHLO said
  std::string_view with;     ///< "ESMTPSA", "LMTP" (RFC 3848): static text
  std::vector<Recipient> recipients;
};

/// An SMTP reply to a message: "552 5.2.2 <text>".
struct DeliveryReply {
  int code = 250;
  std::string_view status = "2.0.0";  ///< RFC 3463
  std::string text;
};

/// What happens to mail between the final dot and the mailbox: quota, trace fields, the queue of reports.
///
/// Over LMTP every recipient has its own reply. SMTP has one: when nobody has room the message is refused with
/// 552 5.2.2; when only some have, it is accepted and the others come back as a report (RFC 3464), as
/// RFC 5321 section 6.1 asks. Reports go to senders of this server only, and vanish when their mailbox is full.
class Delivery {
 public:
  /// How long a report waits in the queue.
  static constexpr Duration kReportDelay = std::chrono::milliseconds(200);
  /// How often mail in the queue is tried, and for how long (RFC 5321 section 4.5.4.1 asks for half an hour and for
  /// days).
  static constexpr Duration kRetryEvery = std::chrono::seconds(20), kRetryFor = std::chrono::minutes(5);

  explicit Delivery(ServerContext& context) : context_(context) {}

  /// One reply a recipient, in their order (RFC 2033 section 4.2).
  std::vector<DeliveryReply> deliver_lmtp(const Envelope& envelope, std::string_view message, Time now);
  DeliveryReply deliver_smtp(const Envelope& envelope, std::string_view message, Time now);

  std::optional<Time> deadline() const;
  void advance(Time now);
  void attach(Waker* waker) { waker_ = waker; }

 private:
  enum class Put { stored, full };
  struct Report {
    Time due;
    std::string to;
    std::string text;
  };
  /// Mail for a mailbox without room, only with a latitude.
  struct Queued {
    Time due, gives_up;
    Envelope envelope;  ///< of one recipient
    std::string message, id;
  };

  Put put(const Envelope& envelope, const Recipient& recipient, std::string_view message, std::string_view id,
          Time now);
  void store(AccountState& account, std::string content, Time now);
  Mailbox& filed(AccountState& account, std::size_t octets);
  bool lost_on_the_way(const AccountState& account, std::string_view content);
  /// Only with a defect: somebody has no room, and everybody is told so.
  bool one_fails_all(const Envelope& envelope, std::string_view message) const;
  static DeliveryReply put_off(const Recipient& recipient);
  DeliveryReply accepted(std::string text) const;
  DeliveryReply full(const Recipient& recipient) const;
  bool bounces() const;
  std::string_view returned(std::string_view message) const;
  void report_full(const Envelope& envelope, std::vector<Recipient> failed, std::string_view message, Time now);
  void report_delivered(const Envelope& envelope, std::vector<Recipient> stored, std::string_view message, Time now);
  void queue(std::string_view to, std::string report, Time now);
  std::string_view next_account(std::string_view address) const;  ///< only with a defect
  void keep_trying(const Envelope& envelope, const std::vector<Recipient>& failed, std::string_view message,
                   const std::string& id, Time now);
  void try_again(Time now);
  std::string next_id();

  ServerContext& context_;
  Waker* waker_ = nullptr;
  std::deque<Report> reports_;  ///< in the order they are due
  std::deque<Queued> queued_;   ///< in the order they came
  std::uint64_t ids_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t repeats_ = 0;                                          ///< only with a defect
  std::set<std::pair<const AccountState*, std::string>> message_ids_;  ///< filled only for the defects that need it
  std::set<std::string> reported_;                                     ///< Message-IDs; as these
};

}  // namespace mailproof::server
