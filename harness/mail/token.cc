#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>

#include "mail/stamp.h"

namespace mailproof::mail {
namespace {

void write_message_id(const Token& token, fmt::appender to) {
  fmt::format_to(to, "<{:016x}.{}.{:08x}@mailproof.invalid>", token.run, token.number,
                 static_cast<std::uint32_t>(token.seed));
}

/// What a token header says, before any of it is kept.
struct Said {
  std::uint64_t run = 0;
  std::uint32_t number = 0;
  std::uint64_t seed = 0;
  std::string_view owner;
};

constexpr std::uint64_t each(unsigned octet) { return octet * 0x0101'0101'0101'0101ULL; }

/// Eight hexadecimal digits as Token::text() writes them, all at once; false: one of them is something else.
bool read_eight(const char* at, std::uint64_t& into) {
  std::uint64_t octets = 0;
  std::memcpy(&octets, at, 8);
  if constexpr (std::endian::native == std::endian::little) octets = __builtin_bswap64(octets);
  const std::uint64_t letters = octets >> 6U & each(1);  // what "a" to "f" have, and "0" to "9" have not
  std::uint64_t values = (octets & each(0x0f)) + letters * 9;
  const std::uint64_t from_ten = (values + each(6)) >> 4U & each(1);
  if (octets != values + each('0') + letters * ('a' - '0' - 10) || letters != from_ten || (values & each(0xf0)) != 0)
    return false;
  values = (values | values >> 4U) & 0x00ff'00ff'00ff'00ffULL;
  values = (values | values >> 8U) & 0x0000'ffff'0000'ffffULL;
  into = into << 32U | ((values | values >> 16U) & 0xffff'ffffU);
  return true;
}

/// As Token::text() writes it, and nothing else in between.
bool read_usual_token(std::string_view value, Said& out) {
  if (value.starts_with(' ')) value.remove_prefix(1);
  const char* at = value.data();
  const char* const end = at + value.size();
  const auto word = [&](std::string_view text) {
    const bool there = static_cast<std::size_t>(end - at) >= text.size() && std::string_view(at, text.size()) == text;
    at += there ? text.size() : 0;
    return there;
  };
  const auto hex = [&](std::uint64_t& into) {
    const bool there = end - at >= 16 && read_eight(at, into) && read_eight(at + 8, into);
    at += there ? 16 : 0;
    return there;
  };
  const auto number = [&](std::uint32_t& into) {
    const auto [next, error] = std::from_chars(at, end, into);
    at = next;
    return error == std::errc{};
  };
  if (!word("v1 run=") || !hex(out.run) || !word(" n=") || !number(out.number) || !word(" seed=") || !hex(out.seed) ||
      !word(" owner="))
    return false;
  const char* from = at;
  while (at != end && static_cast<unsigned char>(*at) > ' ') ++at;
  out.owner = std::string_view(from, static_cast<std::size_t>(at - from));
  return at == end || *at == '\r' || *at == '\n' || *at == ' ' || *at == '\t';
}

std::optional<Said> read_token(std::string_view value) {
  Said out;
  if (read_usual_token(value, out)) return out;
  out = {};
  const auto field = [&](std::string_view key, int base, auto& into) {
    const auto at = value.find(key);
    if (at == std::string_view::npos) return false;
    const auto rest = value.substr(at + key.size());
    return std::from_chars(rest.data(), rest.data() + rest.size(), into, base).ec == std::errc{};
  };
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  if (!value.starts_with("v1 ")) return std::nullopt;
  if (!field(" run=", 16, out.run) || !field(" n=", 10, out.number) || !field(" seed=", 16, out.seed))
    return std::nullopt;
  const auto owner = value.find(" owner=");
  if (owner == std::string_view::npos) return std::nullopt;
  const auto rest = value.substr(owner + 7);
  const auto ends = [](char c) { return c == ' ' || c == '\r' || c == '\n' || c == '\t'; };
  out.owner = rest.substr(0, static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), ends) - rest.begin()));
  return out;
}

}  // namespace

std::string Token::text() const {
  return fmt::format("v1 run={:016x} n={} seed={:016x} owner={}", run, number, seed, owner);
}

std::string Token::message_id() const {
  fmt::memory_buffer out;
  write_message_id(*this, fmt::appender(out));
  return fmt::to_string(out);
}

bool Token::parse_into(std::string_view value, Token& into) {
  const auto said = read_token(value);
  if (!said) return false;
  into.run = said->run;
  into.number = said->number;
  into.seed = said->seed;
  into.owner = said->owner;
  return true;
}

std::optional<Token> Token::parse(std::string_view value) {
  Token token;
  return parse_into(value, token) ? std::optional(std::move(token)) : std::nullopt;
}

bool Token::is_said_by(std::string_view value) const {
  const auto said = read_token(value);
  return said && said->run == run && said->number == number && said->seed == seed && said->owner == owner;
}

bool Token::has_message_id(std::string_view id) const {
  fmt::memory_buffer ours;
  write_message_id(*this, fmt::appender(ours));
  return id == std::string_view(ours.data(), ours.size());
}

}  // namespace mailproof::mail
