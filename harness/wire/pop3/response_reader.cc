#include "wire/pop3/response_reader.h"

#include <utility>

namespace mailproof::pop3 {
namespace {

constexpr std::uint64_t kFirstLineLimit = 512;  // RFC 2449 section 4, CRLF included
constexpr std::uint64_t kTextLineLimit = 1000;  // far beyond any line of a listing; a stuffed dot adds one

}  // namespace

ResponseReader::Event ResponseReader::next(std::string_view& in) {
  if (broken_) {
    offset_ += in.size();
    in = {};
    return Event::more;
  }
  return body_ == Body::none ? next_status(in) : next_body(in);
}

void ResponseReader::expect(Body body) {
  body_ = body;
  dots_.reset();
  rest_ = {};
}

ResponseReader::Event ResponseReader::next_status(std::string_view& in) {
  const std::size_t before = in.size();
  const auto line = lines_.next(in);
  offset_ += before - in.size();
  if (!line) return Event::more;
  if (line->bare_lf) deviations_.note("pop3.line.bare-lf", line->offset, line->text);
  // A challenge may be as long as its mechanism wants (RFC 5034 section 4: at least 12288 octets).
  const bool challenge = line->text.starts_with("+ ");
  if (line->octets > kFirstLineLimit && !challenge) deviations_.note("pop3.line.too-long", line->offset, line->text);
  chunk_ = line->text;
  const auto status = parse_status_line(line->text, deviations_, line->offset);
  if (!status) {
    broken_ = true;
    deviations_.note("pop3.status.garbage", line->offset, line->text);
    return Event::garbage;
  }
  status_ = *status;
  return Event::status;
}

ResponseReader::Event ResponseReader::next_body(std::string_view& in) {
  while (true) {
    if (!rest_.empty()) {
      if (const auto line = body_lines_.next(rest_)) {
        if (line->cut) deviations_.note("pop3.line.too-long", offset_, line->text);
        chunk_ = line->text;
        return Event::line;
      }
    }
    if (dots_.done()) {
      end_body();
      return Event::end;
    }
    if (in.empty()) return Event::more;
    const std::size_t before = in.size();
    const std::string_view text = dots_.take(in);
    offset_ += before - in.size();
    if (text.empty()) continue;
    if (body_ == Body::lines) {
      rest_ = text;
      continue;
    }
    chunk_ = text;
    return Event::chunk;
  }
}

void ResponseReader::end_body() {
  const text::DotStats& seen = dots_.stats();
  if (seen.unstuffed_dots != 0) deviations_.note("pop3.text.unstuffed-dot", offset_, {}, seen.unstuffed_dots);
  const bool mail = std::exchange(body_, Body::none) == Body::text;
  if (mail) return;  // its line ends and lengths are those of who wrote it: RFC 1939 section 3 bounds responses
  if (seen.bare_lf != 0) deviations_.note("pop3.text.bare-lf", offset_, {}, seen.bare_lf);
  if (seen.lf_dot_lines != 0) deviations_.note("pop3.text.lf-dot", offset_, {}, seen.lf_dot_lines);
  if (seen.longest_line > kTextLineLimit + 1) deviations_.note("pop3.text.long-line", offset_);
}

}  // namespace mailproof::pop3
