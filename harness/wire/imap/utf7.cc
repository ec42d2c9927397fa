#include "wire/imap/utf7.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace mailproof::imap {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr bool is_printable(std::uint32_t c) { return c >= 0x20 && c <= 0x7e; }
constexpr bool is_surrogate(std::uint32_t c) { return c >= 0xd800 && c <= 0xdfff; }

Error wrong(std::size_t octet, std::string_view why) { return {fmt::format("octet {}", octet), std::string(why)}; }

/// One code point of UTF-8 (RFC 3629), or nothing when it is malformed there.
std::optional<std::uint32_t> take_utf8(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  const unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || at + more >= text.size()) return std::nullopt;
  std::uint32_t c = lead & (0x3fU >> more);
  for (unsigned i = 1; i <= more; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xc0U) != 0x80U) return std::nullopt;
    c = (c << 6U) | (next & 0x3fU);
  }
  const bool overlong = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
  if (overlong || is_surrogate(c) || c > 0x10ffff) return std::nullopt;
  at += more + 1;
  return c;
}

void put_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(static_cast<unsigned char>(octet)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6U));
    put(0x80 | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12U));
    put(0x80 | ((c >> 6U) & 0x3fU));
    put(0x80 | (c & 0x3fU));
  } else {
    put(0xf0 | (c >> 18U));
    put(0x80 | ((c >> 12U) & 0x3fU));
    put(0x80 | ((c >> 6U) & 0x3fU));
    put(0x80 | (c & 0x3fU));
  }
}

/// The base64 of a shift: UTF-16 big endian units in, characters out.
class Base64Out {
 public:
  explicit Base64Out(std::string& out) : out_(out) {}
  void unit(std::uint32_t u) {
    bits_ = (bits_ << 16U) | u;
    count_ += 16;
    while (count_ >= 6) {
      count_ -= 6;
      out_ += alphabet[(bits_ >> count_) & 0x3fU];
    }
  }
  void finish() {
    if (count_ > 0) out_ += alphabet[(bits_ << (6 - count_)) & 0x3fU];
  }

 private:
  std::string& out_;
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
};

/// Decodes the base64 of one shift into UTF-8. Null when it is fine, else what is wrong.
const char* decode_shift(std::string_view base64, std::string& out) {
  std::uint64_t bits = 0;
  unsigned count = 0;
  std::uint32_t high = 0;
  for (const char ch : base64) {
    const std::size_t value = alphabet.find(ch);
    if (value == std::string_view::npos) return "not a character of modified base64";
    bits = (bits << 6U) | value;
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const auto unit = static_cast<std::uint32_t>((bits >> count) & 0xffffU);
    if (high != 0) {
      if (unit < 0xdc00 || unit > 0xdfff) return "a high surrogate without its low one";
      put_utf8(out, 0x10000 + ((high - 0xd800) << 10U) + (unit - 0xdc00));
      high = 0;
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
      high = unit;
    } else if (is_surrogate(unit)) {
      return "a low surrogate without its high one";
    } else if (is_printable(unit)) {
      return "printable ASCII must not be in base64";
    } else {
      put_utf8(out, unit);
    }
  }
  if (high != 0) return "a high surrogate without its low one";
  const std::uint64_t left_over = bits & ((1ULL << count) - 1);
  if (count >= 6 || left_over != 0) return "bits left over at the end of base64";
  return nullptr;
}

}  // namespace

Result<std::string> encode_utf7(std::string_view utf8) {
  std::string out;
  std::size_t at = 0;
  while (at < utf8.size()) {
    if (utf8[at] == '&') {
      out += "&-";
      ++at;
    } else if (is_printable(static_cast<unsigned char>(utf8[at]))) {
      out += utf8[at++];
    } else {
      out += '&';
      Base64Out shift(out);
      while (at < utf8.size() && !is_printable(static_cast<unsigned char>(utf8[at]))) {
        const auto c = take_utf8(utf8, at);
        if (!c) return wrong(at, "not UTF-8");
        if (*c >= 0x10000) {
          shift.unit(0xd800 + ((*c - 0x10000) >> 10U));
          shift.unit(0xdc00 + ((*c - 0x10000) & 0x3ffU));
        } else {
          shift.unit(*c);
        }
      }
      shift.finish();
      out += '-';
    }
  }
  return out;
}

Result<std::string> decode_utf7(std::string_view name) {
  std::string out;
  std::size_t at = 0;
  bool after_shift = false;
  while (at < name.size()) {
    const char c = name[at];
    if (!is_printable(static_cast<unsigned char>(c))) return wrong(at, "not a printable ASCII character");
    if (c != '&') {
      out += c;
      ++at;
      after_shift = false;
      continue;
    }
    const std::size_t end = name.find('-', at);
    if (end == std::string_view::npos) return wrong(at, "a shift without its end");
    if (end == at + 1) {
      out += '&';
      after_shift = false;
    } else {
      if (after_shift) return wrong(at, "a superfluous shift");
      if (const char* why = decode_shift(name.substr(at + 1, end - at - 1), out)) return wrong(at, why);
      after_shift = true;
    }
    at = end + 1;
  }
  return out;
}

}  // namespace mailproof::imap
