#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/fate.h"
#include "core/network.h"
#include "core/time.h"

namespace mailproof::history {

// What only one kind of event has. Numbers are 0 where nothing was told.

/// select, examine: what the ok says of the mailbox. An invoke with QRESYNC has the highestmodseq that the client
/// knows.
struct SelectFacts {
  std::uint32_t exists = 0, uidnext = 0;
  std::uint64_t highestmodseq = 0;
};

/// exists: so many messages now, and so many by what the session believed before.
struct ExistsFacts {
  std::uint32_t now = 0, before = 0;
};

/// row
struct RowFacts {
  std::uint64_t modseq = 0;
  bool empty = false;  ///< RFC822.SIZE 0 was told: a fact, where an absent size is none
};

/// piece: of BODY[]<from.asked>; so many octets were asked for.
struct PieceFacts {
  std::uint32_t from = 0, asked = 0;
};

/// quota: of one resource; STORAGE in octets, the protocol's units of 1024 multiplied out.
struct QuotaFacts {
  std::uint64_t used = 0, limit = 0;
};

/// top: lines of the body as asked for; an ok tells also how many came.
struct TopFacts {
  std::uint32_t lines_asked = 0;
  std::uint64_t body_lines = 0;
};

/// stat, enumerated and baseline: so many messages were there. count: so many are expected.
struct CountFacts {
  std::uint32_t messages = 0;
};

/// deliver: the SMTP reply; 0 = there was none.
struct ReplyFacts {
  std::uint32_t code = 0;
};

/// Waits: within what is awaited (see, lose, found, downloaded, welcome), how long the play did nothing (settle) or the
/// server stood still (admin).
struct BoundFacts {
  Duration bound{};
};

/// admin that sets a quota; 0 = no limit from now on.
struct LimitFacts {
  std::uint64_t octets = 0;
};

/// copy, move: the UIDs in the destination, in the order of the source's in `set`, as COPYUID tells them.
struct CopyFacts {
  std::string destinations;
};

/// outcome: why another one is no fault of the server's; "" = it is one.
struct OutcomeFacts {
  std::string may_differ;
};

/// fate: what is expected of every message in `set`.
struct FateFacts {
  static constexpr std::uint32_t kUnknown = 0xffffffff;  ///< a device that the history does not list
  Fate fate = Fate::unknown;
  std::optional<Protocol> over = {};  ///< the protocol that its removal was asked for over
  std::uint32_t by = 0;               ///< the device that asked for its removal; 0 = any
  std::uint32_t copy_on = 0;          ///< a device that holds a copy; 0 = not asked
  bool nobody_has_copy = false;       ///< no device that is still there holds one of its own
};

/// agree: the devices that must see the same messages.
struct AgreeFacts {
  std::vector<std::uint32_t> devices;
};

/// audit: which look it is, from 1.
struct AuditFacts {
  std::uint32_t round = 0;
};

/// talk: the line of the check's file.
struct TalkFacts {
  std::uint32_t line = 0;
};

/// rule: how many connections it looked at; a fail tells what it wants of what it found.
struct RuleFacts {
  std::string wants;
  std::uint32_t connections = 0;
};

using Facts = std::variant<std::monostate, SelectFacts, ExistsFacts, RowFacts, PieceFacts, QuotaFacts, TopFacts,
                           CountFacts, ReplyFacts, BoundFacts, LimitFacts, CopyFacts, OutcomeFacts, FateFacts,
                           AgreeFacts, AuditFacts, TalkFacts, RuleFacts>;

}  // namespace mailproof::history
