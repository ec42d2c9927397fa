#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fate.h"
#include "history/history.h"

namespace mailproof::report {

/// What logs say of a message in an account, beside what was heard of it (history::What::observed). A log is what a
/// program means to have done, and its clock is its own: it accuses nobody. It tells who took what a recording shows
/// gone, and what became of a message where the wire says nothing.
struct Witnesses {
  /// In their order: "Dovecot's log: expunged from INBOX at 12.000 s by imap session qEb".
  std::vector<std::string> said;
  /// What they come to, where that is certain by themselves: removed_by_client, bounced or queued. Nothing: they leave
  /// it open.
  std::optional<Fate> became;
};

Witnesses witnesses(const history::History& history, std::uint32_t message, std::uint32_t account);

}  // namespace mailproof::report
