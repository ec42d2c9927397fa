#pragma once
#include <cstddef>
#include <string>

#include "core/rng.h"

namespace mailproof::explore {

/// What a check has beside its talk.
struct TalkHead {
  std::string title, refs, when, needs, mailbox, more;
  std::string level = "MUST";
};

struct ImapTalk {
  TalkHead head;
  std::string talk;
};

/// One theme of IMAP, with a mailbox, commands and numbers of its own: the last message, numbers that another session's
/// EXPUNGE must not move, counts of STATUS, names that RENAME and DELETE leave, what the session appends itself, and
/// mod-sequences of a silent STORE.
ImapTalk imap_talk(std::size_t theme, Rng& rng);
std::size_t imap_themes();  ///< how many there are

}  // namespace mailproof::explore
