#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "history/history.h"
#include "history/ledger/ledger.h"

namespace mailproof::history {

/// What the audit was told last of one resource of a root.
struct ToldUsage {
  std::uint64_t used = 0;
  std::uint32_t event = 0, session = 0;
  bool changed = false;  ///< while this session listed the mailboxes
};

/// What the audit was told of an account's quota, and what stood in its mailboxes by the newest listings.
struct AuditedUsage {
  std::map<std::string, ToldUsage> storage, message;  ///< by root
  std::uint64_t octets = 0, messages = 0;
  std::uint64_t in_inbox = 0;                       ///< messages
  std::uint64_t octets_in_views = 0, in_views = 0;  ///< of those: mailboxes that may only show what others hold
  bool unsized = false;                             ///< the size of some is not known
  bool listed = false, whole = true;                ///< a mailbox was; none was left out
  bool comparable() const { return listed && whole; }
  std::uint64_t slack() const;  ///< servers add trace headers to what they store, and count in whole KiB
  /// STORAGE of some root is near the sum; true where none is told.
  bool fits() const;
  bool counted() const;  ///< MESSAGE of some root is their number; true where none is told
};

/// By account.
std::map<std::uint32_t, AuditedUsage> audited_usages(const History& history, const Ledger& ledger);

}  // namespace mailproof::history
