#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "server/store/store.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::server {

/// What one IMAP session believes about its selected mailbox (RFC 3501 section 2.3.1.2): message number n is
/// entries()[n-1]. Changes made elsewhere wait here until the session may tell its client; a message expunged meanwhile
/// keeps its number and can still be read (RFC 2180 section 4.1.1).
class ImapView final : public MailboxWatcher {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_view_stale() = 0;  ///< there is something to tell
  };
  struct Entry {
    MessagePtr message;
    bool recent = false;
    bool flags_changed = false;
  };
  struct Removal {
    std::size_t number;  ///< the message number at the moment it is told
    Uid uid;
  };

  ImapView(AccountState& account, std::shared_ptr<Mailbox> mailbox, bool read_only, Listener& listener);
  ~ImapView() override;
  ImapView(const ImapView&) = delete;

  AccountState& account() const { return account_; }
  Mailbox& mailbox() const { return *mailbox_; }
  bool read_only() const { return read_only_; }
  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  Uid last_uid() const { return entries_.empty() ? 0 : entries_.back().message->uid; }
  std::size_t recent() const;
  Entry* find(Uid uid);

  /// Indexes of the entries a set names, ascending, each once. UIDs nobody has are passed over; a message number beyond
  /// the view makes it nothing (RFC 3501 section 9, seq-number: "it is an error").
  std::optional<std::vector<std::size_t>> resolve(imap::SequenceSet set, bool by_uid) const;

  bool has_removals() const { return removals_ > 0; }
  bool has_arrivals() const { return !arrivals_.empty(); }
  bool has_flag_changes() const { return flag_changes_ > 0; }

  /// Forgets expunged entries and returns them in the order they are to be told.
  std::vector<Removal> take_removals();
  /// Appends what arrived; afterwards size() is the new EXISTS.
  void take_arrivals();
  void forget_arrivals() { arrivals_.clear(); }  ///< only with a defect
  /// Marks an entry as told.
  void told(Entry& entry);

  void on_append(const MessagePtr& message) override;
  void on_expunge(const MessagePtr& message) override;
  void on_flags(const MessagePtr& message) override;

 private:
  void add(const MessagePtr& message, Uid recent_from);

  AccountState& account_;
  std::shared_ptr<Mailbox> mailbox_;
  Listener& listener_;
  const bool read_only_;
  std::vector<Entry> entries_;
  std::vector<MessagePtr> arrivals_;
  std::size_t removals_ = 0;
  std::size_t flag_changes_ = 0;
};

}  // namespace mailproof::server
