#pragma once
#include "load/mailbox_visit.h"

namespace mailproof::load {

/// In SessionNote::profile: no customer's.
inline constexpr std::uint16_t kAuditor = 0xffff;

std::unique_ptr<MailboxVisit> visit_maildrop(Scene& scene, VisitWhat what);

}  // namespace mailproof::load
