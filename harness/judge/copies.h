#pragma once
#include <map>
#include <tuple>

#include "judge/case.h"

namespace mailproof::judge {

/// The most copies of one message that one session had before it in one mailbox at one time, where it had more than
/// one.
struct Sighting {
  int copies = 0;
  std::uint32_t event = 0;  ///< that made it so many
};
using Sightings =
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::string>, Sighting>;  ///< message, account, mailbox

/// By content, over IMAP (a UID counts until the session is told that it is gone) and over POP3 (a number counts until
/// the session ends).
Sightings most_at_once(const Case& c);

}  // namespace mailproof::judge
