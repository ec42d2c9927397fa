#pragma once
#include <cstdint>
#include <string_view>

#include "mail/stamp.h"

namespace mailproof::play {

/// Knows the messages of one playing.
class OwnMessages {
 public:
  virtual ~OwnMessages() = default;
  /// Its number, when this is the very token that was made for it; else 0.
  virtual std::uint32_t exactly(const mail::Token& token) const = 0;
  virtual bool of_this_playing(const mail::Token& token) const = 0;
  /// Whether this Message-ID, in its angle brackets, is of a message of this playing.
  virtual bool made(std::string_view message_id) const = 0;
};

}  // namespace mailproof::play
