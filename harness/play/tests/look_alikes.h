#pragma once
#include <string>
#include <vector>

#include "play/messages.h"
#include "play/ownership.h"

namespace mailproof::play {

/// In the body of all mail that is not ours: what no session may ever have been sent.
inline constexpr std::string_view kPrivate = "-- private: not for mailproof --";

/// Mail that might be taken for ours, and what it is.
struct LookAlike {
  std::string what;
  Whose whose;
  std::string text;
};

/// Made around a message of this playing, and one of another.
std::vector<LookAlike> look_alikes(const mail::MessageSpec& ours, const mail::MessageSpec& other_run);

}  // namespace mailproof::play
