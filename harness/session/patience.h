#pragma once
#include <algorithm>
#include <cstdint>

#include "core/time.h"

namespace mailproof::session {

/// How long an answer is awaited: the bound from its beginning and again from every sign of life, but in all no longer
/// than one bound more for every MiB that moved. A slow line may take its time over a long message; a trickle that
/// never ends may not.
class Patience {
 public:
  void begin(Time now) {
    since_ = alive_ = now;
    moved_ = 0;
    answered_ = false;
    prolonged_ = 0;
  }
  /// The server says that it is at work (RFC 9585, INPROGRESS): the bound begins again, but not for ever.
  void progress(Time now) {
    if (prolonged_ >= kProlonged) return;
    ++prolonged_;
    since_ = alive_ = now;
    moved_ = 0;
  }
  void sent(std::uint64_t octets, Time now) {
    alive_ = now;
    moved_ += octets;
  }
  void received(std::uint64_t octets, Time now) {
    sent(octets, now);
    answered_ = true;
  }
  Time due(Duration bound) const {
    return std::min(alive_ + bound, since_ + bound * static_cast<std::int64_t>(1 + moved_ / kOctets));
  }
  /// Something came, but not the end of the answer.
  bool answered() const { return answered_; }
  Duration waited(Time now) const { return now - since_; }

 private:
  static constexpr std::uint64_t kOctets = 1U << 20;
  static constexpr int kProlonged = 30;
  Time since_{};
  Time alive_{};
  std::uint64_t moved_ = 0;
  bool answered_ = false;
  int prolonged_ = 0;
};

}  // namespace mailproof::session
