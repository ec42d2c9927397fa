#include "mail/stamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
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

std::uint32_t count_lines(std::string_view text) {
  std::uint32_t lines = 0;
  for (const char c : text) lines += c == '\n' ? 1U : 0U;
  return lines;
}

}  // namespace

std::string Token::text() const {
  return fmt::format("v1 run={:016x} n={} seed={:016x} owner={}", run, number, seed, owner);
}

namespace {

void write_message_id(const Token& token, fmt::appender to) {
  fmt::format_to(to, "<{:016x}.{}.{:08x}@mailproof.invalid>", token.run, token.number,
                 static_cast<std::uint32_t>(token.seed));
}

}  // namespace

std::string Token::message_id() const {
  fmt::memory_buffer out;
  write_message_id(*this, fmt::appender(out));
  return fmt::to_string(out);
}

namespace {

/// What a token header says, before any of it is kept.
struct Said {
  std::uint64_t run = 0;
  std::uint32_t number = 0;
  std::uint64_t seed = 0;
  std::string_view owner;
};

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
  const auto number = [&](int base, auto& into) {
    const auto [next, error] = std::from_chars(at, end, into, base);
    at = next;
    return error == std::errc{};
  };
  if (!word("v1 run=") || !number(16, out.run) || !word(" n=") || !number(10, out.number) || !word(" seed=") ||
      !number(16, out.seed) || !word(" owner="))
    return false;
  const char* from = at;
  while (at != end && *at != ' ' && *at != '\r' && *at != '\n' && *at != '\t') ++at;
  out.owner = std::string_view(from, static_cast<std::size_t>(at - from));
  return true;
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

namespace {

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
  out.header_lines = count_lines(text);
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
  out.body_lines = count_lines(text) - out.header_lines;
  BulkHash hash;
  hash.add(text);
  out.hash = hash.value();
  out.text = std::make_shared<const std::string>(std::move(text));
  return out;
}

namespace {
constexpr std::size_t kLongestHeaderLine = 2048;  // our token line is far shorter; longer lines are not it
constexpr std::size_t kKept = 128 * 1024;
constexpr std::size_t kHeaderKept = 16 * 1024;
}  // namespace

namespace {

constexpr std::size_t kKeptMemory = 4096;  ///< of the memory of what was kept: more is given back

/// Sixty-four octets at a time, which the compiler makes a few instructions of.
std::size_t newlines(std::string_view text) {
  std::size_t out = 0;
  for (; text.size() >= 64; text.remove_prefix(64)) {
    std::uint8_t here = 0;
    for (std::size_t i = 0; i < 64; ++i) here = static_cast<std::uint8_t>(here + (text[i] == '\n' ? 1 : 0));
    out += here;
  }
  for (const char c : text) out += c == '\n' ? 1U : 0U;
  return out;
}

/// "Received: ..." and the like, or a further line of one.
bool is_of_another_field(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return true;
  for (const std::string_view ours : {kTokenHeader, std::string_view("Message-ID"), std::string_view("Subject")})
    if (istarts_with(line, ours)) return false;
  const auto colon = line.find(':');
  return colon != std::string_view::npos && colon != 0 &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

void ContentScanner::begin() {
  if (token_) std::swap(*token_, spare_);
  token_.reset();
  hash_ = BulkHash();
  header_hash_ = octets_ = canonical_ = 0;
  body_lines_ = 0;
  header_ended_ = stamped_ = line_too_long_ = false;
  others_above_ = true;
  sent_.reset();
  difference_.reset();
  line_.clear();
  kept_.clear();
  header_.clear();
}

void ContentScanner::canonical(std::string_view part) {
  constexpr std::size_t kShown = 24;
  hash_.add(part);
  if (sent_ && !difference_) {
    const std::string_view rest = std::string_view(*sent_).substr(std::min<std::uint64_t>(canonical_, sent_->size()));
    const auto same = static_cast<std::size_t>(std::mismatch(part.begin(), part.end(), rest.begin(), rest.end()).first -
                                               part.begin());
    if (same < part.size())
      difference_ = {canonical_ + same, std::string(rest.substr(same, kShown)), std::string(part.substr(same, kShown))};
  } else if (difference_ && difference_->came.size() < kShown) {
    difference_->came += part.substr(0, kShown - difference_->came.size());
  }
  canonical_ += part.size();
}

/// One line of the header. Its octets are counted by who calls.
void ContentScanner::line(std::string_view line) {
  if (!line_too_long_ && line.size() > kTokenHeader.size() && line[kTokenHeader.size()] == ':' &&
      istarts_with(line, kTokenHeader) && Token::parse_into(line.substr(kTokenHeader.size() + 1), spare_)) {
    std::swap(token_ ? *token_ : token_.emplace(), spare_);
    stamped_ = true;
    if (as_sent_) sent_ = as_sent_(*token_);
    kept_.clear();
    if (kept_.capacity() > kKeptMemory) kept_.shrink_to_fit();
  } else if (!stamped_ && (line_too_long_ || !is_of_another_field(line))) {
    others_above_ = false;
  }
  if (!line_too_long_ && (line == "\r\n" || line == "\n")) header_ended_ = true;
  line_too_long_ = false;
}

/// Takes whole lines where they lie; what is left of the chunk is the body's.
std::string_view ContentScanner::header_lines(std::string_view chunk) {
  std::string_view uncounted;  // of the canonical content, up to where we are
  const auto count = [&](std::string_view part) {
    uncounted = uncounted.empty() ? part : std::string_view(uncounted.data(), uncounted.size() + part.size());
  };
  while (!chunk.empty() && !header_ended_) {
    const auto newline = chunk.find('\n');
    const auto part = chunk.substr(0, newline == std::string_view::npos ? chunk.size() : newline + 1);
    chunk.remove_prefix(part.size());
    if (header_.size() < kHeaderKept) header_.append(part.substr(0, kHeaderKept - header_.size()));
    if (!stamped_ && kept_.size() < kKept) kept_.append(part.substr(0, kKept - kept_.size()));
    if (newline != std::string_view::npos && line_.empty()) {
      line(part);
      if (stamped_) count(part);
      continue;
    }
    line_.append(part);
    if (newline != std::string_view::npos) {
      line(line_);
      if (stamped_) canonical(line_);
      line_.clear();
    } else if (line_.size() > kLongestHeaderLine) {  // hand it over in pieces
      if (stamped_) canonical(std::exchange(uncounted, {}));
      if (stamped_) canonical(line_);
      line_.clear();
      line_too_long_ = true;
    }
  }
  if (stamped_) canonical(uncounted);
  if (stamped_ && header_ended_) header_hash_ = hash_.value();
  return chunk;
}

void ContentScanner::add(std::string_view chunk) {
  octets_ += chunk.size();
  if (!header_ended_) chunk = header_lines(chunk);
  if (chunk.empty()) return;
  body_lines_ += static_cast<std::uint32_t>(newlines(chunk));
  if (stamped_) {
    canonical(chunk);
  } else if (kept_.size() < kKept) {
    kept_.append(chunk.substr(0, kKept - kept_.size()));
  }
}

void ContentScanner::end() {
  if (!line_.empty()) {
    line(line_);
    if (stamped_) canonical(line_);
    line_.clear();
  }
  if (sent_ && !difference_ && canonical_ < sent_->size())
    difference_ = {canonical_, sent_->substr(canonical_, 24), ""};
  sent_.reset();
}

}  // namespace mailproof::mail
