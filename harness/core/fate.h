#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof {

/// What became of a message in an account: what a scenario expects, and what the ledger finds.
enum class Fate : std::uint8_t {
  present,
  removed_by_client,
  expired_by_client_policy,
  moved,
  refused,
  deferred,
  queued,
  bounced,
  suppressed_duplicate,
  lost,
  unknown
};
std::string_view name(Fate fate);

}  // namespace mailproof
