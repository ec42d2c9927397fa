#include "wire/mime/base_subject.h"

#include "core/bytes.h"
#include "wire/mime/encoded_words.h"

namespace mailproof::mime {
namespace {

constexpr std::string_view kBlanks = " \t";

/// Tabs, continuations and several blanks become one.
std::string single_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) out += c;
    if (blank && !out.ends_with(' ')) out += ' ';
  }
  return out;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!istarts_with(text, word)) return false;
  text.remove_prefix(word.size());
  return true;
}

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size())); }

// subj-blob = "[" *BLOBCHAR "]" *WSP
bool take_blob(std::string_view& text) {
  if (!text.starts_with('[')) return false;
  const auto end = text.find_first_of("[]", 1);
  if (end == std::string_view::npos || text[end] != ']') return false;
  text.remove_prefix(end + 1);
  skip_blanks(text);
  return true;
}

// subj-leader = (*subj-blob subj-refwd) / WSP
// subj-refwd  = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
bool take_leader(std::string_view& text, bool& reply) {
  if (!text.empty() && kBlanks.find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
    return true;
  }
  auto rest = text;
  while (take_blob(rest)) {
  }
  if (!take_word(rest, "re") && !take_word(rest, "fwd") && !take_word(rest, "fw")) return false;
  skip_blanks(rest);
  take_blob(rest);
  if (!rest.starts_with(':')) return false;
  text = rest.substr(1);
  return reply = true;
}

// subj-trailer = "(fwd)" / WSP
bool take_trailer(std::string_view& text, bool& reply) {
  constexpr std::string_view kForwarded = "(fwd)";
  if (!text.empty() && kBlanks.find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
    return true;
  }
  if (text.size() < kForwarded.size() || !iequals(text.substr(text.size() - kForwarded.size()), kForwarded))
    return false;
  text.remove_suffix(kForwarded.size());
  return reply = true;
}

/// The capital of a letter of the blocks that have one at a fixed distance.
char32_t capital(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (within(U'a', U'z') || within(0xE0, 0xF6) || within(0xF8, 0xFE)) return c - 0x20;
  const bool odd_is_small = within(0x100, 0x137) || within(0x14A, 0x177) || within(0x460, 0x481);
  const bool even_is_small = within(0x139, 0x148) || within(0x179, 0x17E);
  if (odd_is_small && c != 0x131) return c & ~char32_t{1};
  if (even_is_small && c % 2 == 0) return c - 1;
  if (within(0x3B1, 0x3C1) || within(0x3C3, 0x3CB) || within(0x430, 0x44F)) return c - 0x20;
  if (within(0x450, 0x45F)) return c - 0x50;
  return c;
}

}  // namespace

BaseSubject base_subject(std::string_view subject) {
  BaseSubject base;
  const auto decoded = single_blanks(decoded_words(subject));
  std::string_view text = decoded;
  for (bool again = true; again;) {
    while (take_trailer(text, base.reply)) {
    }
    for (bool more = true; more;) {
      more = take_leader(text, base.reply);
      auto rest = text;
      if (take_blob(rest) && !rest.empty()) {
        text = rest;
        more = true;
      }
    }
    // subj-fwd = "[fwd:" subject "]"
    again = istarts_with(text, "[fwd:") && text.ends_with(']');
    if (!again) break;
    text = text.substr(5, text.size() - 6);
    base.reply = true;
  }
  base.text = text;
  return base;
}

std::string casemapped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool two =
        (octet & 0xE0U) == 0xC0U && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0U) == 0x80U;
    if (!two) {
      out += octet < 0x80 ? static_cast<char>(capital(octet)) : text[i];
      continue;
    }
    const char32_t c = capital((octet & 0x1FU) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    out += static_cast<char>(0xC0U | (c >> 6U));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  }
  return out;
}

}  // namespace mailproof::mime
