#pragma once
#include <map>
#include <set>

#include "play/imap_session.h"

namespace mailproof::play {

/// Keeps up with the open mailbox of an ImapSession: which messages are there, which of them are ours, with what flags.
/// Looks at headers first and fetches a body only when the header carries our token or announces a delivery report.
class MailboxReader {
 public:
  using Then = std::function<void(bool ok)>;
  struct Item {
    std::uint32_t message = 0;  ///< 0 = not one of ours
    bool looked_at = false;     ///< its header was seen
    bool full = false;          ///< its body was seen
    bool stamped = false, report = false;
    std::set<std::string> flags;  ///< lower case
  };

  explicit MailboxReader(ImapSession& session);

  /// SELECT or EXAMINE, then everything that is there.
  void open(const std::string& mailbox, bool examine, Then then);
  /// Looks at what is new. With nothing new it calls `then` at once.
  void catch_up(Then then);
  /// Looks at everything again, flags included.
  void look_again(Then then);

  const std::map<std::uint32_t, Item>& items() const { return items_; }
  std::vector<std::uint32_t> uids_of(const std::vector<std::uint32_t>& messages) const;
  bool has(std::uint32_t message) const;
  /// UIDs of everything that is ours: stamped, or a report on one of our messages.
  std::vector<std::uint32_t> ours() const;
  std::size_t foreign() const;  ///< messages that are not ours and no reports
  const std::string& mailbox() const { return session_.view().mailbox; }
  std::function<void()> changed;

 private:
  void fetch(const std::string& set, Then then);
  void fetch_bodies(Then then);

  ImapSession& session_;
  std::map<std::uint32_t, Item> items_;
  bool lost_count_ = false;  ///< something went whose UID was never learnt
};

}  // namespace mailproof::play
