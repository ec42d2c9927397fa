#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace mailproof {

/// The only place that touches OpenSSL's digests.
std::array<std::byte, 32> sha256(std::string_view data);
std::string hex(Bytes data);
std::string md5_hex(std::string_view data);                             ///< APOP (RFC 1939 section 7)
std::string hmac_md5_hex(std::string_view key, std::string_view data);  ///< CRAM-MD5 (RFC 2195)
std::array<std::byte, 32> hmac_sha256(std::string_view key, std::string_view data);
std::array<std::byte, 32> pbkdf2_sha256(std::string_view password, std::string_view salt, int iterations);

std::string base64(std::string_view data);
/// Standard alphabet, padding required, no line breaks.
Result<std::string> unbase64(std::string_view text);

/// A 64-bit content hash fed in pieces; independent of how the pieces are cut. Not cryptographic: nobody forges our own
/// mail.
class ContentHash {
 public:
  void add(std::string_view data);
  std::uint64_t value() const;

 private:
  void word(std::uint64_t w);
  std::uint64_t state_ = 0x6d61696c70726f6fULL;
  std::uint64_t pending_ = 0;
  unsigned filled_ = 0;
  std::uint64_t length_ = 0;
};

/// The same for what comes in bulk, and by the kilobyte: four words at a time that do not wait for each other. Gives
/// other values than ContentHash.
class BulkHash {
 public:
  void add(std::string_view data);
  std::uint64_t value() const;

 private:
  static constexpr std::size_t kLanes = 4, kStripe = 8 * kLanes;
  using Lanes = std::array<std::uint64_t, kLanes>;
  static void stripe(Lanes& lanes, const char* octets);
  Lanes lanes_ = {0x6d61696c70726f6fULL, 0x8a5cd789635d2dffULL, 0x121fd2155c472f96ULL, 0xd1e3a91cf7d0b0c5ULL};
  std::array<char, kStripe> pending_{};
  std::uint64_t length_ = 0;
};

}  // namespace mailproof
