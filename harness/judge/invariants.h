#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace mailproof::judge {

/// A sentence about what POP3, IMAP and delivery promise, over a whole history.
struct Invariant {
  /// hard: a MUST, or mail lost, altered or leaked. bounded: only so long after the change can it be said that it is
  /// not so. warning: a SHOULD. Both: hard in one part, a warning in another.
  enum class Kind : std::uint8_t { hard, bounded, warning, hard_and_warning };
  int number;
  Kind kind;
  std::string_view what;
  std::string_view source;   ///< RFC and section; "" = no RFC says it, people count on it
  std::string_view classes;  ///< findings that say it is broken: "judge/class", a comma between them
  std::string_view checks;   ///< checks that say it on the wire, where a story does not come across it; the same way
};

/// All 38, in order.
std::span<const Invariant> invariants();
std::string_view name(Invariant::Kind kind);

}  // namespace mailproof::judge
