#include "scenario/story/letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"
#include "wire/mime/header.h"
#include "wire/mime/structure.h"

namespace mailproof::scenario {
namespace {

constexpr std::size_t kMostLetter = 32U << 20;
constexpr std::size_t kMostLine = 998;  ///< RFC 5322 section 2.1.1
constexpr std::size_t kMostSubject = 200;
constexpr std::size_t kMostParts = 1000;

/// Made anew for every message, so that it can be told from all others.
constexpr std::array<std::string_view, 3> kOurs = {"X-Mailproof", "Message-ID", "Subject"};
/// Of a delivery before this one. An MTA takes them out, or acts on them: what was sent would not be what comes.
constexpr std::array<std::string_view, 13> kOfDelivery = {
    "Return-Path",    "Delivered-To", "X-Original-To", "Envelope-To", "Received",   "Bcc",   "Resent-Bcc",
    "Content-Length", "Status",       "X-Status",      "X-UID",       "X-Keywords", "X-IMAP"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return iequals(one, name); });
}

class LetterReader {
 public:
  LetterReader(std::string_view text, const std::string& file, Complaints& complaints)
      : file_(file), complaints_(complaints) {
    lines(text);
  }

  std::shared_ptr<const Letter> read() {
    if (!good_) return nullptr;
    auto letter = std::make_shared<Letter>();
    header(*letter);
    if (good_) parts(mime::parse_structure(text_, {.depth = 32, .parts = kMostParts}));
    return good_ ? letter : nullptr;
  }

 private:
  void wrong(std::size_t at, std::string_view text, std::string expected) {
    good_ = false;
    const auto line =
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at, text_.size())), '\n');
    complaints_.elsewhere(file_, {static_cast<int>(line) + 1, 1}, std::string(text), std::move(expected));
  }

  /// Every line ends in CRLF, as mail is sent.
  void lines(std::string_view text) {
    while (!text.empty() && good_) {
      const auto end = text.find('\n');
      std::string_view line = text.substr(0, end);
      if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos)
        return wrong(text_.size(), line, "neither CR within a line nor NUL (RFC 5322 section 2.3)");
      if (line.size() > kMostLine)
        return wrong(text_.size(), line,
                     fmt::format("a line of at most {} octets (RFC 5322 section 2.1.1)", kMostLine));
      text_ += line;
      text_ += "\r\n";
    }
  }

  void header(Letter& letter) {
    std::string_view rest = text_;
    bool from = false, date = false;
    while (const auto field = mime::take_field(rest)) {
      const auto at = static_cast<std::size_t>(field->raw.data() - text_.data());
      const bool ascii = std::none_of(field->raw.begin(), field->raw.end(),
                                      [](char c) { return static_cast<unsigned char>(c) > 0x7E; });
      if (field->name.empty() || field->name.find_first_of(" \t") != std::string_view::npos)
        return wrong(at, field->raw, "a header field like Subject: ..., or the empty line that ends the header");
      if (!ascii) return wrong(at, field->raw, "ASCII in the header; other letters as RFC 2047 writes them");
      from = from || iequals(field->name, "From");
      date = date || iequals(field->name, "Date");
      if (iequals(field->name, "Subject")) letter.subject = mime::unfold(field->body);
      if (!among(kOurs, field->name) && !among(kOfDelivery, field->name)) letter.fields += field->raw;
    }
    if (!from || !date)
      return wrong(0, text_.substr(0, text_.find('\r')),
                   fmt::format("also {} in the header (RFC 5322 section 3.6)", !from ? "From:" : "Date:"));
    letter.body = text_.substr(mime::header_size(text_));
  }

  void parts(const mime::Part& part) {
    if (part.is_multipart()) {
      const std::string_view boundary = part.content_type.parameter("boundary");
      const std::string_view head = part.header.of(text_);
      if (boundary.empty())
        return wrong(part.header.begin, head.substr(0, head.find('\r')),
                     "a boundary in the Content-Type of what is a multipart (RFC 2046 section 5.1.1)");
      const auto split = mime::split_multipart(text_, part.body, boundary, kMostParts);
      if (split.parts.empty())
        return wrong(part.body.begin, "no part",
                     fmt::format("a line --{} before each part (RFC 2046 section 5.1.1)", boundary));
      if (!split.closed && !split.cut)
        return wrong(part.body.end, "the end",
                     fmt::format("a line --{}-- behind the last part (RFC 2046 section 5.1.1)", boundary));
    }
    for (const auto& inside : part.parts)
      if (good_) parts(inside);
  }

  const std::string& file_;
  Complaints& complaints_;
  std::string text_;
  bool good_ = true;
};

}  // namespace

std::optional<std::string> read_subject(const Node& node, Complaints& complaints) {
  auto text = read_text(node, "one line of text", complaints);
  if (!text) return std::nullopt;
  const bool line = std::none_of(text->begin(), text->end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
  if (line && text->size() <= kMostSubject) return text;
  complaints.value(node, fmt::format("one line of text, of at most {} octets", kMostSubject));
  return std::nullopt;
}

std::shared_ptr<const Letter> parse_letter(std::string_view text, const std::string& file, Complaints& complaints) {
  return LetterReader(text, file, complaints).read();
}

std::shared_ptr<const Letter> read_letter(const Node& node, Complaints& complaints) {
  const auto name = read_text(node, "the name of a file with a message, relative to this one", complaints);
  if (!name) return nullptr;
  const std::string path = beside(complaints.file(), *name);
  const auto text = read_file(path, kMostLetter);
  if (text) return parse_letter(*text, path, complaints);
  complaints.value(node, text.error().why);
  return nullptr;
}

}  // namespace mailproof::scenario
