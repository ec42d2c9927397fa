#include "core/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace mailproof {
namespace {

const unsigned char* octets(std::string_view data) { return reinterpret_cast<const unsigned char*>(data.data()); }

template <std::size_t N>
std::array<std::byte, N> digest(const EVP_MD* kind, std::string_view data) {
  std::array<std::byte, N> out{};
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size, kind, nullptr) != 1)
    throw std::runtime_error("OpenSSL digest unavailable");
  return out;
}

template <std::size_t N>
std::array<std::byte, N> hmac(const EVP_MD* kind, std::string_view key, std::string_view data) {
  std::array<std::byte, N> out{};
  unsigned size = 0;
  if (HMAC(kind, key.data(), static_cast<int>(key.size()), octets(data), data.size(),
           reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr)
    throw std::runtime_error("OpenSSL HMAC unavailable");
  return out;
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::array<std::byte, 32> sha256(std::string_view data) { return digest<32>(EVP_sha256(), data); }
std::string md5_hex(std::string_view data) { return hex(digest<16>(EVP_md5(), data)); }
std::string hmac_md5_hex(std::string_view key, std::string_view data) { return hex(hmac<16>(EVP_md5(), key, data)); }
std::array<std::byte, 32> hmac_sha256(std::string_view key, std::string_view data) {
  return hmac<32>(EVP_sha256(), key, data);
}

std::array<std::byte, 32> pbkdf2_sha256(std::string_view password, std::string_view salt, int iterations) {
  std::array<std::byte, 32> out{};
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt), static_cast<int>(salt.size()),
                        iterations, EVP_sha256(), 32, reinterpret_cast<unsigned char*>(out.data())) != 1)
    throw std::runtime_error("OpenSSL PBKDF2 unavailable");
  return out;
}

std::string hex(Bytes data) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const std::byte b : data) {
    out += digits[std::to_integer<unsigned>(b) >> 4U];
    out += digits[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

std::string base64(std::string_view data) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, data.size() - i);
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8U | (k < n ? static_cast<unsigned char>(data[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= n ? kAlphabet[word >> (18U - 6U * static_cast<unsigned>(k)) & 63U] : '=';
  }
  return out;
}

Result<std::string> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return Error{"", "base64: length is not a multiple of four"};
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    unsigned word = 0;
    std::size_t padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const bool last = i + 4 == text.size();
      if (c == '=' && last && k >= 2) {
        ++padding;
        word <<= 6U;
        continue;
      }
      const auto at = kAlphabet.find(c);
      if (at == std::string_view::npos || padding != 0) return Error{"", "base64: character outside the alphabet"};
      word = word << 6U | static_cast<unsigned>(at);
    }
    for (std::size_t k = 0; k + padding < 3; ++k) out += static_cast<char>(word >> (16U - 8U * k) & 255U);
  }
  return out;
}

void ContentHash::word(std::uint64_t w) {
  state_ ^= w * 0x9fb21c651e98df25ULL;
  state_ = (state_ << 29U | state_ >> 35U) * 0xd6e8feb86659fd93ULL;
}

void ContentHash::add(std::string_view data) {
  length_ += data.size();
  // Eight octets at a time, wherever the pieces were cut: what is pending comes before them.
  while (data.size() >= 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, data.data(), 8);
    if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
    data.remove_prefix(8);
    if (filled_ == 0) {
      word(eight);
    } else {
      word(pending_ | eight << (8U * filled_));
      pending_ = eight >> (64U - 8U * filled_);
    }
  }
  for (const char c : data) {
    pending_ |= std::uint64_t{static_cast<unsigned char>(c)} << (8U * filled_);
    if (++filled_ == 8) {
      word(pending_);
      pending_ = 0;
      filled_ = 0;
    }
  }
}

std::uint64_t ContentHash::value() const {
  ContentHash end = *this;
  end.word(pending_);
  end.word(length_);
  std::uint64_t x = end.state_;
  x = (x ^ (x >> 32U)) * 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32U);
}

void BulkHash::stripe(Lanes& lanes, const char* octets) {
  const auto word = [octets](std::size_t at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, octets + at, 8);
    if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
    return eight;
  };
  // Two words go into one product of twice the width: one multiplication for sixteen octets.
  __extension__ using Product = unsigned __int128;
  const auto mix = [](std::uint64_t& one, std::uint64_t& other, std::uint64_t a, std::uint64_t b) {
    const Product product = Product{a ^ one} * (b ^ other);
    one = static_cast<std::uint64_t>(product);
    other = static_cast<std::uint64_t>(product >> 64U);
  };
  static_assert(kLanes == 4);
  mix(lanes[0], lanes[1], word(0), word(8));
  mix(lanes[2], lanes[3], word(16), word(24));
}

void BulkHash::add(std::string_view data) {
  if (data.empty()) return;  // an empty view may point to nothing, which memcpy must not be given
  const std::size_t filled = length_ % kStripe;
  length_ += data.size();
  if (filled != 0) {
    const auto some = data.substr(0, kStripe - filled);
    std::memcpy(pending_.data() + filled, some.data(), some.size());
    if (filled + some.size() < kStripe) return;
    stripe(lanes_, pending_.data());
    data.remove_prefix(some.size());
  }
  Lanes lanes = lanes_;
  const char* at = data.data();
  std::size_t left = data.size();
  for (; left >= kStripe; left -= kStripe, at += kStripe) stripe(lanes, at);
  lanes_ = lanes;
  if (left != 0) std::memcpy(pending_.data(), at, left);
}

std::uint64_t BulkHash::value() const {
  Lanes lanes = lanes_;
  if (const std::size_t filled = length_ % kStripe; filled != 0) {
    auto last = pending_;
    std::fill(last.begin() + static_cast<std::ptrdiff_t>(filled), last.end(), '\0');
    stripe(lanes, last.data());
  }
  std::uint64_t x = length_ * 0x9fb21c651e98df25ULL;
  for (const std::uint64_t lane : lanes) x = std::rotl(x ^ lane, 29) * 0xd6e8feb86659fd93ULL;
  x = (x ^ (x >> 32U)) * 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32U);
}

}  // namespace mailproof
