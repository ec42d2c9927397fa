#include "mail/stamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace mailproof::mail {
namespace {

constexpr std::array<std::string_view, 48> kWords = {
    "invoice",  "meeting",  "attached", "please", "quarter",  "regards", "project",  "the",      "server",   "delivery",
    "with",     "budget",   "tomorrow", "review", "customer", "and",     "contract", "schedule", "draft",    "of",
    "summary",  "thanks",   "report",   "for",    "offer",    "address", "update",   "we",       "question", "answer",
    "office",   "travel",   "agenda",   "to",     "notes",    "number",  "version",  "price",    "order",    "in",
    "shipping", "received", "monday",   "team",   "signed",   "copy",    "until",    "call"};

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <class Text>
void add_sentence(Text& out, Rng& rng, std::size_t width) {
  const std::size_t from = out.size();
  while (true) {
    const auto word = kWords[rng.below(kWords.size())];
    if (out.size() - from + word.size() + 2 > width) break;
    if (out.size() != from) out.push_back(' ');
    out.append(word.data(), word.data() + word.size());
  }
  if (out.size() == from) {
    for (std::size_t i = 0; i < width; ++i) out.push_back('-');
    return;
  }
  out[from] = static_cast<char>(out[from] - ('a' - 'A'));
  out.push_back('.');
}

std::string sentence(Rng& rng, std::size_t width) {
  std::string out;
  out.reserve(width);
  add_sentence(out, rng, width);
  return out;
}

std::string text_line(Rng& rng, Look look) {
  switch (look) {
    case Look::dot_lines:
      switch (rng.below(5)) {
        case 0:
          return ".";
        case 1:
          return "..";
        case 2:
          return fmt::format(".{}", sentence(rng, 50));
        default:
          break;
      }
      break;
    case Look::long_lines:
      if (rng.one_in(4)) return sentence(rng, 1200 + rng.below(900));
      break;
    case Look::eight_bit:
      if (rng.one_in(2)) return fmt::format("Grüße aus Köln, 価格は未定です: {}", sentence(rng, 30));
      break;
    default:
      break;
  }
  if (rng.one_in(9)) return {};
  if (rng.one_in(7)) return fmt::format("> {}", sentence(rng, 60));
  return sentence(rng, 48 + rng.below(24));
}

std::string base64_line(Rng& rng) {
  std::string out(76, ' ');
  for (char& c : out) c = kBase64[rng.below(64)];
  return out;
}

/// Fills `text` with lines until `target` octets, the last line cut or stretched so that it comes out exactly (when
/// there is room for one).
template <class Line>
void fill(std::string& text, std::uint64_t target, Line&& line) {
  text.reserve(target + 2);
  while (text.size() < target) {
    std::string next = line();
    const std::uint64_t left = target - text.size();
    if (next.size() + 2 + 82 > left) {  // the last one or two: plain padding of the exact length
      const std::uint64_t first = left > 78 ? left / 2 : left;
      if (first < 2) return;
      next.assign(first - 2, 'x');
    }
    text += next;
    text += "\r\n";
  }
}

/// How the Subject ends: all that make_message() draws before it is the boundary.
constexpr std::size_t kSubjectWidth = 40;

std::string subject_end(std::uint32_t number, Rng& rng) {
  return fmt::format("{}: {}", number, sentence(rng, kSubjectWidth));
}

std::string header(const MessageSpec& spec, Rng& rng, const std::string& boundary) {
  const auto& token = spec.token;
  const std::string& called = spec.subject.empty() ? spec.set : spec.subject;
  if (spec.letter.fields != nullptr)
    return fmt::format("{}: {}\r\nMessage-ID: {}\r\nSubject: {} {}\r\n{}\r\n", kTokenHeader, token.text(),
                       token.message_id(), called, subject_end(token.number, rng), *spec.letter.fields);
  std::string type = "text/plain; charset=us-ascii";
  std::string encoding = "7bit";
  if (spec.look == Look::eight_bit) {
    type = "text/plain; charset=utf-8";
    encoding = "8bit";
  } else if (spec.look == Look::office) {
    type = fmt::format("multipart/mixed;\r\n\tboundary=\"{}\"", boundary);
  }
  const bool utf8 = spec.look == Look::utf8_header;
  return fmt::format(
      "{}: {}\r\n"
      "Message-ID: {}\r\n"
      "Date: {}\r\n"
      "From: {} <{}>\r\n"
      "To: <{}>\r\n"
      "Subject: {}{} {}\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: {}\r\n"
      "Content-Transfer-Encoding: {}\r\n"
      "X-Mailer: mailproof\r\n\r\n",
      kTokenHeader, token.text(), token.message_id(), spec.date, utf8 ? "Jörg Köhler" : "Mailproof Sender", spec.from,
      spec.to, utf8 ? "Grüße aus Köln, " : "", called, subject_end(token.number, rng), type, encoding);
}

constexpr std::uint64_t kDots = 500, kEdge = 4096, kLine = 2048;

/// Bodies that are about one thing. False: this look has none of its own.
bool odd_body(const MessageSpec& spec, Rng& rng, std::string& text) {
  const auto size = [&](std::uint64_t natural) { return spec.size != 0 ? spec.size : natural; };
  switch (spec.look) {
    case Look::header_only:
      return true;
    case Look::no_final_newline:
      text += fmt::format("{}\r\n{}\r\nthe last line has no end", sentence(rng, 60), sentence(rng, 60));
      return true;
    case Look::bare_lf:
      text += fmt::format("{}\n.\n{}\r\n{}\r.\r{}\r\n", sentence(rng, 40), sentence(rng, 40), sentence(rng, 40),
                          sentence(rng, 40));
      return true;
    case Look::dots:
      for (std::uint64_t i = 0; i < size(kDots); ++i) text += fmt::format(".{}\r\n", sentence(rng, 10 + rng.below(30)));
      return true;
    case Look::lone_dot:
      text += fmt::format("{}\r\n.\r\n{}\r\n.\r\n", sentence(rng, 60), sentence(rng, 60));
      return true;
    case Look::edge:
      for (const auto end = text.size() + 8 * size(kEdge); text.size() < end;)
        text += fmt::format(".{}\r\n", base64_line(rng).substr(0, 3 + rng.below(5)));
      return true;
    case Look::line: {
      std::string line;
      while (line.size() < size(kLine)) line += sentence(rng, 60) + ' ';
      text += line.substr(0, size(kLine) - 1) + "x\r\n";
      return true;
    }
    default:
      return false;
  }
}

/// The text of a check, with what makes it ours.
std::string stamped_mime(const MessageSpec& spec, Rng& rng) {
  const std::string end = subject_end(spec.token.number, rng);
  std::string text =
      fmt::format("{}: {}\r\nMessage-ID: {}\r\n", kTokenHeader, spec.token.text(), spec.token.message_id());
  std::string_view rest = spec.mime;
  bool found = false, inside = false;
  while (!rest.empty()) {
    const auto newline = rest.find("\r\n");
    const std::string_view line = rest.substr(0, newline);
    if (inside && !line.starts_with(' ') && !line.starts_with('\t')) {
      text.insert(text.size() - 2, " " + end);
      inside = false;
    }
    if (line.empty() || newline == std::string_view::npos) break;
    inside = inside || istarts_with(line, "Subject:");
    found = found || inside;
    text += rest.substr(0, newline + 2);
    rest.remove_prefix(newline + 2);
  }
  if (!found) text += fmt::format("Subject: {} {}\r\n", spec.set, end);
  return text.append(rest);
}

}  // namespace

bool subject_fits(const Token& token, std::string_view subject) {
  Rng rng(token.seed);
  rng.next();
  fmt::memory_buffer end;  // as subject_end() makes it
  fmt::format_to(fmt::appender(end), " {}: ", token.number);
  add_sentence(end, rng, kSubjectWidth);
  return subject.ends_with(std::string_view(end.data(), end.size()));
}

Stamped make_message(const MessageSpec& spec) {
  Rng rng(spec.token.seed);
  const std::string boundary = fmt::format("=_mp_{:08x}", rng.next());
  const bool given = !spec.mime.empty();
  std::string text = given ? stamped_mime(spec, rng) : header(spec, rng, boundary);
  Stamped out;
  const std::string body = given ? text.substr(std::min(text.find("\r\n\r\n") + 4, text.size())) : "";
  text.resize(text.size() - body.size());
  out.header_octets = text.size();
  out.header_lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
  BulkHash header_hash;
  header_hash.add(text);
  out.header_hash = header_hash.value();
  const std::uint64_t natural = text.size() + 600 + rng.below(1400);
  const std::uint64_t target = std::max<std::uint64_t>(spec.size != 0 ? spec.size : natural, text.size() + 64);
  text.reserve(target);
  if (given) {
    text += body;
  } else if (spec.letter.body != nullptr) {
    text += *spec.letter.body;
  } else if (odd_body(spec, rng, text)) {
  } else if (spec.look == Look::office) {
    text += fmt::format(
        "This is a multi-part message in MIME format.\r\n--{}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
        boundary);
    for (int i = 0; i < 4; ++i) text += text_line(rng, Look::plain) + "\r\n";
    text += fmt::format(
        "--{}\r\nContent-Type: application/pdf; name=\"offer.pdf\"\r\nContent-Transfer-Encoding: "
        "base64\r\nContent-Disposition: attachment; filename=\"offer.pdf\"\r\n\r\n",
        boundary);
    const std::string end = fmt::format("--{}--\r\n", boundary);
    fill(text, std::max<std::uint64_t>(target, text.size() + end.size() + 160) - end.size(),
         [&] { return base64_line(rng); });
    text += end;
  } else {
    fill(text, target, [&] { return text_line(rng, spec.look); });
  }
  out.body_lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) - out.header_lines;
  BulkHash hash;
  hash.add(text);
  out.hash = hash.value();
  out.text = std::make_shared<const std::string>(std::move(text));
  return out;
}

}  // namespace mailproof::mail
