#include "wire/imap/command.h"

#include <fmt/format.h>

#include <utility>

#include "core/bytes.h"
#include "wire/imap/chars.h"
#include "wire/imap/utf7.h"

namespace mailproof::imap {
namespace {

constexpr std::size_t literal_minus_limit = 4096;  // RFC 7888 section 5
constexpr std::size_t longest_in_line = 1024;      // servers limit their command lines (RFC 7162 section 4: 8192)

enum class Form : std::uint8_t { atom, quoted, literal };

/// The simplest form that can carry `value`. NIL would be read as none, so it is quoted.
Form form_of(std::string_view value, CharClass bare) {
  bool atom = !value.empty() && !iequals(value, "NIL");
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet == 0 || octet == '\r' || octet == '\n' || octet > 127) return Form::literal;
    if (!is(bare, c)) atom = false;
  }
  if (value.size() > longest_in_line) return Form::literal;
  return atom ? Form::atom : Form::quoted;
}

}  // namespace

void CommandWriter::begin(std::string_view tag, std::string_view name, LiteralSupport literals) {
  text_.assign(tag);
  text_ += ' ';
  text_ += name;
  parts_.clear();
  parts_.push_back({Part::Kind::text, text_.size(), nullptr});
  next_part_ = 0;
  next_text_ = 0;
  literals_ = literals;
  ended_sending_ = false;
}

CommandWriter::Part& CommandWriter::part(Part::Kind kind) {
  if (parts_.empty() || parts_.back().kind != kind) parts_.push_back({kind, 0, nullptr});
  return parts_.back();
}

void CommandWriter::put(std::string_view text, bool secret) {
  part(secret ? Part::Kind::secret : Part::Kind::text).size += text.size();
  text_ += text;
}

void CommandWriter::put_word(std::string_view text) {
  part(Part::Kind::text).size += text.size() + 1;
  text_ += ' ';
  text_ += text;
}

// literal = "{" number64 ["+"] "}" CRLF *CHAR8
void CommandWriter::announce(std::size_t size) {
  const bool nonsync =
      literals_ == LiteralSupport::plus || (literals_ == LiteralSupport::minus && size <= literal_minus_limit);
  put(fmt::format("{{{}{}}}\r\n", size, nonsync ? "+" : ""));
  if (!nonsync) parts_.push_back({Part::Kind::wait, 0, nullptr});
}

void CommandWriter::string(std::string_view value, bool secret, bool pattern) {
  put(" ");
  switch (form_of(value, pattern ? list_char : astring_char)) {
    case Form::atom:
      put(value, secret);
      return;
    case Form::literal:
      announce(value.size());
      put(value, secret);
      return;
    case Form::quoted:
      break;
  }
  put("\"");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"' || value[i] == '\\') put("\\", secret);
    put(value.substr(i, 1), secret);
  }
  put("\"");
}

void CommandWriter::raw(std::string_view text) { put_word(text); }

void CommandWriter::astring(std::string_view value) { string(value, false, false); }

void CommandWriter::secret_astring(const Secret& value) { string(value.reveal(), true, false); }

void CommandWriter::secret_raw(const Secret& text) {
  put(" ");
  put(text.reveal(), true);
}

void CommandWriter::mailbox(std::string_view utf8) {
  if (same_in_utf7(utf8)) return string(utf8, false, false);
  const auto name = encode_utf7(utf8);
  string(name ? std::string_view(*name) : utf8, false, false);
}

void CommandWriter::utf8_mailbox(std::string_view utf8) {
  put(" \"");
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (utf8[i] == '"' || utf8[i] == '\\') put("\\");
    put(utf8.substr(i, 1));
  }
  put("\"");
}

void CommandWriter::list_mailbox(std::string_view utf8) {
  const auto name = encode_utf7(utf8);
  string(name ? std::string_view(*name) : utf8, false, true);
}

void CommandWriter::flag_list(std::span<const std::string> flags) {
  put(" (");
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (i > 0) put(" ");
    put(flags[i]);
  }
  put(")");
}

void CommandWriter::literal(std::shared_ptr<const std::string> octets) {
  put(" ");
  announce(octets->size());
  parts_.push_back({Part::Kind::body, 0, std::move(octets)});
}

void CommandWriter::end() { put("\r\n"); }

bool CommandWriter::send(Outbox& out) {
  while (next_part_ < parts_.size()) {
    Part& part = parts_[next_part_++];
    const std::string_view text = std::string_view(text_).substr(next_text_, part.size);
    next_text_ += part.size;
    switch (part.kind) {
      case Part::Kind::text:
        out.text(text);
        break;
      case Part::Kind::secret:
        out.secret(text);
        break;
      case Part::Kind::body:
        out.body(std::move(part.body));
        break;
      case Part::Kind::wait:
        return true;
    }
  }
  ended_sending_ = true;
  return false;
}

}  // namespace mailproof::imap
