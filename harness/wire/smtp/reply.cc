#include "wire/smtp/reply.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"

namespace mailproof::smtp {
namespace {

bool is_code(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' && line[2] >= '0' &&
         line[2] <= '9';
}

}  // namespace

std::string Reply::summary() const {
  std::string one_line = text;
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  return printable(enhanced ? fmt::format("{} {} {}", code, enhanced->text(), one_line)
                            : fmt::format("{} {}", code, one_line));
}

const Reply* ReplyReader::next(std::string_view& in) {
  while (!broken_) {
    const auto line = lines_.next(in);
    if (!line) return nullptr;
    take_line(*line);
    if (!broken_ && !open_) return &reply_;
  }
  in = {};
  return nullptr;
}

void ReplyReader::give_up(std::string_view line) {
  broken_ = true;
  garbage_ = printable(line);
}

/// Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
void ReplyReader::take_line(const text::Line& line) {
  std::string_view rest = line.text;
  if (line.bare_lf) deviations_.note("smtp.line.bare-lf", line.offset, rest);
  // A challenge may have 12288 octets (RFC 4954 section 4).
  if (line.octets > kLineLimit && !rest.starts_with("334 ")) deviations_.note("smtp.line.too-long", line.offset, rest);
  const bool separated = rest.size() == 3 || (rest.size() > 3 && (rest[3] == ' ' || rest[3] == '-'));
  if (!is_code(rest) || !separated) {
    deviations_.note("smtp.reply.garbage", line.offset, rest);
    return give_up(rest);
  }
  const int code = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  const bool more = rest.size() > 3 && rest[3] == '-';
  if (!open_) {
    reply_.enhanced.reset();
    reply_.text.clear();
    reply_.lines = 0;
  } else if (code != reply_.code) {
    deviations_.note("smtp.reply.codes-differ", line.offset, rest);
  }
  open_ = more;
  reply_.code = code;
  rest.remove_prefix(std::min<std::size_t>(4, rest.size()));
  if (++reply_.lines > kLinesKept) {
    deviations_.note("smtp.reply.too-many-lines", line.offset, rest);
    if (reply_.lines >= kLinesBroken) give_up("a reply without end");
    return;
  }
  if (rest.size() >= 5 && (code < 300 || code >= 400)) {
    std::string_view tail = rest;
    const auto status = take_enhanced_status(tail);
    // RFC 2034 section 4: the class must agree with the first digit of the reply code.
    if (status && status->klass == code / 100) {
      if (!reply_.enhanced) reply_.enhanced = status;
      rest = tail;
    } else if (status) {
      deviations_.note("smtp.reply.status-class", line.offset, line.text);
    }
  }
  if (reply_.lines > 1) reply_.text += '\n';
  reply_.text += rest;
}

}  // namespace mailproof::smtp
