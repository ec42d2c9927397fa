#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"

namespace mailproof::text {

/// Runs a reader over `bytes` whole, then in every two pieces, octet by octet, and in seeded random pieces: what it
/// tells must be the same each time. `read(pieces)` makes a fresh reader, feeds it the pieces and returns what it saw
/// as text.
template <class Read>
std::string expect_same_at_every_split(std::string_view bytes, Read&& read) {
  const std::string whole = read(std::vector<std::string_view>{bytes});
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    const std::string split = read(std::vector<std::string_view>{bytes.substr(0, at), bytes.substr(at)});
    EXPECT_EQ(whole, split) << "split at octet " << at;
    if (whole != split) return whole;
  }
  std::vector<std::string_view> octets;
  for (std::size_t at = 0; at < bytes.size(); ++at) octets.push_back(bytes.substr(at, 1));
  EXPECT_EQ(whole, read(octets)) << "octet by octet";
  Rng rng(bytes.size());
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + rng.below(9);
      pieces.push_back(bytes.substr(at, n));
      at += n;
    }
    EXPECT_EQ(whole, read(pieces)) << "random pieces, round " << round;
  }
  return whole;
}

}  // namespace mailproof::text
