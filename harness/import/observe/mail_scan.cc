#include "import/observe/mail_scan.h"

#include <algorithm>

#include "core/bytes.h"
#include "wire/mime/encoded_words.h"

namespace mailproof::imports {
namespace {

constexpr std::size_t kMostSubject = 200;
constexpr std::size_t kMostId = 998;  // RFC 5322 section 2.1.1: a line

/// At most so many octets, and no character of UTF-8 is cut.
void shorten(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  text.resize(most);
}

}  // namespace

void MailScan::field() {
  ++fields_;
  if (message_id_.empty() && iequals(header_.name(), "Message-ID")) {
    message_id_ = header_.value();
    shorten(message_id_, kMostId);
  } else if (subject_.empty() && iequals(header_.name(), "Subject")) {
    subject_ = mime::decoded_words(header_.value());
    shorten(subject_, kMostSubject);
  }
}

void MailScan::body(std::string_view text) {
  while (!text.empty()) {
    const std::size_t stop = std::min(text.find_first_of("\r\n"), text.size());
    if (stop > 0) {
      for (; line_ends_ > 0; --line_ends_) body_.add("\n");
      body_.add(text.substr(0, stop));
      in_line_ = true;
    } else if (text.front() == '\n') {
      ++line_ends_;
      ++body_lines_;
      in_line_ = false;
    }
    text.remove_prefix(std::max<std::size_t>(stop, 1));
  }
}

void MailScan::add(std::string_view chunk) {
  octets_ += chunk.size();
  while (!header_ended_ && !chunk.empty()) {
    const auto event = header_.next(chunk);
    if (event == mime::HeaderReader::Event::field) field();
    header_ended_ = event == mime::HeaderReader::Event::end;
  }
  body(chunk);
}

void MailScan::end() {
  const bool had_id = !message_id_.empty();
  while (!header_ended_ && header_.finish() == mime::HeaderReader::Event::field) field();
  id_at_end_ = !had_id && !message_id_.empty();
  header_octets_ = header_.octets();
  if (in_line_) ++body_lines_;  // the last line has no end
  in_line_ = false;
}

}  // namespace mailproof::imports
