#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "server/store/extras.h"
#include "wire/imap/flags.h"

namespace mailproof::server {

using Uid = std::uint32_t;
using Modseq = std::uint64_t;

/// \Recent is never among them: it belongs to a session's view, not to a message (RFC 3501 section 2.3.2).
using Flags = imap::FlagList;
using imap::Flag;

/// Seconds since 1970 and the zone they are shown in (RFC 3501 section 2.3.3).
struct InternalDate {
  std::int64_t seconds = 0;
  int zone_minutes = 0;
  friend bool operator==(const InternalDate&, const InternalDate&) = default;
};

/// When a run begins, by every calendar the server shows: 2026-01-01 00:00:00 +0000. A run must replay byte for byte.
inline constexpr std::int64_t kEpochSeconds = 1'767'225'600;
InternalDate internal_date(Time now);

/// One copy of a message in one mailbox. Content, UID and date never change; it outlives its expunge while a view holds
/// it.
struct Message {
  Uid uid = 0;
  std::shared_ptr<const std::string> content;  ///< RFC 5322 text, CRLF line ends
  InternalDate date;
  InternalDate saved;  ///< when it came into this mailbox
  Flags flags;
  Modseq modseq = 0;
  bool expunged = false;
  bool hidden = false;  ///< from POP3, which deleted it: only with a latitude
  Extras extras;
  std::uint64_t size() const { return content->size(); }
};
using MessagePtr = std::shared_ptr<Message>;

class AccountState;
class Mailbox;

/// Told of every change to a mailbox, at once, also of changes it made itself. Must not watch or unwatch from within.
class MailboxWatcher {
 public:
  virtual ~MailboxWatcher() = default;
  virtual void on_append(const MessagePtr& message) = 0;
  virtual void on_expunge(
      const MessagePtr& message) = 0;  ///< `message->expunged` is set; modseq is that of the expunge
  virtual void on_flags(const MessagePtr& message) = 0;
};

/// A named sequence of messages with ascending UIDs. Read freely; changed through Store, which keeps the quotas.
class Mailbox {
 public:
  struct Expunged {
    Uid uid;
    Modseq modseq;
  };

  Mailbox(AccountState& owner, std::string name, std::uint32_t uid_validity)
      : owner_(owner), name_(std::move(name)), uid_validity_(uid_validity) {}

  AccountState& owner() const { return owner_; }
  const std::string& name() const { return name_; }  ///< as its owner calls it
  std::uint32_t uid_validity() const { return uid_validity_; }
  Uid uid_next() const { return uid_next_; }
  Modseq highest_modseq() const { return highest_modseq_; }
  const std::vector<MessagePtr>& messages() const { return messages_; }  ///< ascending UID
  const std::vector<Expunged>& expunged() const { return expunged_; }    ///< in order of removal, ascending MODSEQ
  std::string_view special_use() const { return special_use_; }          ///< "\Trash" (RFC 6154), or empty
  MessagePtr find(Uid uid) const;                                        ///< null when there is none
  std::size_t unseen() const;
  std::uint64_t octets() const;

  void watch(MailboxWatcher& watcher) { watchers_.push_back(&watcher); }
  void unwatch(MailboxWatcher& watcher) { std::erase(watchers_, &watcher); }

  /// Sessions that have it open for reading and writing.
  std::size_t writers() const { return writers_; }
  void opened() { ++writers_; }
  void closed() { --writers_; }

  /// The first UID no read-write session has been told of: from here on messages are \Recent (RFC 3501 section 2.3.2).
  Uid recent_from() const { return recent_from_; }
  Uid claim_recent();  ///< returns recent_from() and makes all present messages old

  Extras& extras() { return extras_; }
  const Extras& extras() const { return extras_; }

 private:
  friend class Store;
  AccountState& owner_;
  std::string name_;
  std::string special_use_;
  std::uint32_t uid_validity_;
  Uid uid_next_ = 1;
  Uid kept_uid_ = 0;      ///< only with a defect: it is given to the next message
  MessagePtr last_gone_;  ///< what was expunged last
  Uid recent_from_ = 1;
  Modseq highest_modseq_ = 1;
  std::vector<MessagePtr> messages_;
  std::vector<Expunged> expunged_;
  std::vector<MailboxWatcher*> watchers_;
  std::size_t writers_ = 0;
  Extras extras_;
};

/// The POP3 identity of a message (RFC 1939 section 7): UIDVALIDITY and UID, 16 hex digits, never given again.
std::string uidl(const Mailbox& mailbox, const Message& message);

}  // namespace mailproof::server
