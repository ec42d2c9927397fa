#pragma once
#include <cstdint>
#include <string_view>

namespace mailproof {

/// One splitmix64 step; also our mixer for seeds.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Seed of one stream: hash(run seed, purpose, number). The same everywhere, for ever.
constexpr std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose, std::uint64_t number = 0) {
  std::uint64_t h = mix(seed);
  for (char c : purpose) h = mix(h ^ static_cast<unsigned char>(c));
  return mix(h ^ mix(number));
}

/// PCG32. Our own, because the standard distributions differ between libraries and a run must replay byte for byte.
class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) : state_(mix(seed)), stream_(mix(seed + 1) | 1U) {}

  constexpr std::uint32_t next() {
    const std::uint64_t old = state_;
    state_ = old * 6364136223846793005ULL + stream_;
    const auto shifted = static_cast<std::uint32_t>(((old >> 18U) ^ old) >> 27U);
    const auto rot = static_cast<std::uint32_t>(old >> 59U);
    return (shifted >> rot) | (shifted << ((32U - rot) & 31U));
  }
  /// Uniform in [0, n); n > 0. Lemire's method without the rejection: bias below 2^-32 is of no interest here.
  constexpr std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * n) >> 32U);
  }
  /// True once in n.
  constexpr bool one_in(std::uint32_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
  std::uint64_t stream_;
};

}  // namespace mailproof
