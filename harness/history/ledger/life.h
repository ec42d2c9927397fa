#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/fate.h"

namespace mailproof::history {

/// How sure a line of a life is.
enum class Sure : std::uint8_t {
  certain,   ///< the server answered or told it
  inferred,  ///< it follows from what was told: a complete listing does not have it
  unknown,   ///< no answer came
};
std::string_view name(Sure sure);

/// One thing that happened to a message.
struct LifeLine {
  std::uint32_t event = 0;  ///< where it stands in the history
  std::string_view word;    ///< "accepted", "visible", "told gone", ...
  std::string text;
  Sure sure = Sure::certain;
  bool detail = false;  ///< told only to who asks for all of it; findings leave it out
};

/// What became of it in one account.
struct LifeEnd {
  std::uint32_t account = 0;
  Fate fate = Fate::unknown;
  std::string asked;  ///< who asked for its removal, when and how; "" = nobody, or it is there
  /// A mailbox that had it, certainly or perhaps.
  struct Place {
    std::string mailbox;
    std::uint32_t copies = 0;  ///< by the last complete listing
    bool listed = false;       ///< there was one, and nothing was asked of it since
    std::uint32_t first_seen = 0, last_seen = 0, first_absent = 0;  ///< events; 0 = never
  };
  std::vector<Place> places;
};

/// A copy that a POP3 client took, and still has.
struct LocalCopy {
  std::string device;
  std::uint32_t event = 0;  ///< when it was downloaded
};

/// The life of one message, over all sessions and protocols, in the order of time.
struct Life {
  std::vector<LifeLine> lines;
  std::vector<LifeEnd> ends;  ///< by account
  std::vector<LocalCopy> local;
  bool nothing_left = false;  ///< no copy anywhere, because a device is gone that had one
};

}  // namespace mailproof::history
