#pragma once
#include <map>
#include <optional>
#include <set>

#include "judge/case.h"

namespace mailproof::judge {

/// Messages that one QUIT removed, and nobody else, and IMAP does not show any more: where it goes on showing another
/// of that QUIT, that is no policy.
class RemovedForAll {
 public:
  explicit RemovedForAll(const Case& c);
  /// One that went with the QUIT which was to remove this one, too; null: there is none.
  const history::Cell* beside(const history::Cell& kept) const;

 private:
  const Case& c_;
  std::map<std::uint32_t, const history::Cell*> by_quit_;
};

/// What this server does for IMAP with what POP3 deletes: as the target file declares it or, where that says nothing,
/// as the audit saw it. It is a finding of the removal judge, or none; what follows from it accuses nobody once more.
class Pop3Policy {
 public:
  explicit Pop3Policy(const Case& c);

  /// POP3 asked for the removal of this message, and IMAP may go on showing it in this mailbox.
  bool shows(std::uint32_t account, std::string_view mailbox, std::uint32_t message) const;
  /// POP3 removed something that goes on counting against this account's quota.
  bool fills(std::uint32_t account) const { return fuller_.contains(account); }
  /// This message was refused for want of room that what POP3 removed takes.
  bool refuses(std::uint32_t message) const;
  /// How many messages of this mailbox are there in IMAP's view for that reason alone.
  std::size_t beside(std::uint32_t account, std::string_view mailbox) const;

 private:
  void look_at_what_stayed();

  const Case& c_;
  std::optional<Pop3Delete> policy_;  ///< nothing: it removes, or nobody knows
  std::set<std::uint32_t> fuller_;    ///< accounts
};

}  // namespace mailproof::judge
