#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "wire/sasl/mechanism.h"

namespace mailproof::play {

/// What one logs in with: by the password, or by this mechanism, where the server offers none that sends it.
struct WayIn {
  std::optional<sasl::Mechanism> mechanism;
};

/// How a server builds the names of an account's own mailboxes.
struct Hierarchy {
  std::string prefix;     ///< of the personal namespace (RFC 2342 section 5), mostly ""
  std::string delimiter;  ///< "" = there are no levels
};

/// What the scenarios of a run learn from each other about a server over time: how long accepted mail takes to arrive,
/// that some never does, what one logs in with, and how mailboxes are named. One that loses every second message would
/// else cost every bound of every scenario. Safe to use from several threads.
class Learnt {
 public:
  void arrived(Duration after);  ///< what was waited for came after so long
  /// An accepted message was nowhere, looked for over every protocol, twice, with the settling time between.
  void lost();

  /// This server loses mail, and how fast it delivers what it does not lose is known.
  bool loses() const;
  /// How long is waited for accepted mail: `bound`, or where the run knows better a large multiple of what nine of ten
  /// of the newest arrivals took. One that a hiccup of the machine held up does not make all others be waited for.
  Duration enough(Duration bound) const;

  /// `door`: an endpoint, and whether TLS is up. Nothing: nobody asked there.
  std::optional<WayIn> way_in(const std::string& door) const;
  void way_in(const std::string& door, WayIn way);

  /// `account`: an endpoint and a login. Nothing: nobody asked there.
  std::optional<Hierarchy> hierarchy(const std::string& account) const;
  void hierarchy(const std::string& account, Hierarchy told);

 private:
  bool known() const { return lost_ >= kLost && arrived_ >= kArrived; }
  static constexpr std::uint64_t kLost = 2, kArrived = 5;
  static constexpr int kMultiple = 10;
  static constexpr std::size_t kNewest = 64;
  static constexpr Duration kLeast = std::chrono::milliseconds(500);

  mutable std::mutex mutex_;
  std::uint64_t lost_ = 0, arrived_ = 0;
  std::vector<Duration> newest_;  ///< kNewest of them at most, a ring
  std::map<std::string, WayIn> ways_in_;
  std::map<std::string, Hierarchy> hierarchies_;
};

/// When to look again for what has not come in so long: soon at first and then ever more seldom, so that how long it
/// took is known, and learnt from, to within as much again.
Duration look_again_after(Duration waited);

/// Why less was waited than the scenario says, for people.
std::string waited_only(Duration waited);

}  // namespace mailproof::play
