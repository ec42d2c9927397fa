#include "wire/text/dot_stuffing.h"

#include <algorithm>

namespace mailproof::text {

void DotReader::end_line(std::uint64_t octets) {
  stats_.longest_line = std::max(stats_.longest_line, octets);
  line_ = 0;
}

/// Follows the line ends of a run of text up to its last octet; the run holds no CRLF but perhaps at its end.
void DotReader::scan(std::string_view run) {
  for (const char c : run) {
    ++line_;
    if (c == '\n') {
      if (state_ == State::cr) {
        ++stats_.lines;
        if (lf_dot_) ++stats_.lf_dot_lines;
        end_line(line_);
        state_ = State::line_start;
        after_bare_lf_ = lf_dot_ = false;
      } else {
        ++stats_.bare_lf;
        if (lf_dot_) ++stats_.lf_dot_lines;
        state_ = State::text;
        after_bare_lf_ = true;
        lf_dot_ = false;
      }
    } else if (c == '\r') {
      if (state_ == State::cr) lf_dot_ = false;  // ".CR CR LF" is text, however it is cut
      state_ = State::cr;
      after_bare_lf_ = false;
    } else {
      lf_dot_ = after_bare_lf_ && c == '.';
      after_bare_lf_ = false;
      state_ = State::text;
    }
  }
}

std::string_view DotReader::take(std::string_view& in) {
  while (!in.empty() && state_ != State::done) {
    if (state_ == State::line_start && in.front() == '.') {
      in.remove_prefix(1);
      line_ = 1;
      state_ = State::dot;
      continue;
    }
    if (state_ == State::dot) {
      if (in.front() == '\r') {
        in.remove_prefix(1);
        ++line_;
        state_ = State::dot_cr;
        continue;
      }
      if (in.front() == '\n') {
        ++stats_.lf_dot_lines;
      } else if (in.front() != '.') {
        ++stats_.unstuffed_dots;
      }
      state_ = State::text;
    } else if (state_ == State::dot_cr) {
      if (in.front() == '\n') {
        in.remove_prefix(1);
        state_ = State::done;
        return {};
      }
      ++stats_.unstuffed_dots;
      ++stats_.octets;
      state_ = State::cr;
      return "\r";
    }
    std::size_t end = 0;
    while (end < in.size()) {
      const std::size_t lf = in.find('\n', end);
      const std::size_t stop = lf == std::string_view::npos ? in.size() : lf + 1;
      // Of a long line only its ends matter here; what lies between cannot change the state.
      if (stop - end > 4) {
        scan(in.substr(end, 1));
        line_ += stop - end - 3;
        after_bare_lf_ = lf_dot_ = false;
        state_ = State::text;
        scan(in.substr(stop - 2, 2));
      } else {
        scan(in.substr(end, stop - end));
      }
      end = stop;
      if (state_ == State::line_start && end < in.size() && in[end] == '.') break;
    }
    const std::string_view run = in.substr(0, end);
    in.remove_prefix(end);
    stats_.octets += run.size();
    return run;
  }
  return {};
}

std::size_t DotWriter::skip_line(std::string_view chunk, std::size_t from) {
  const std::size_t lf = chunk.find('\n', from);
  if (lf == std::string_view::npos) {
    state_ = chunk.back() == '\r' ? State::cr : State::text;
    return chunk.size();
  }
  const bool cr = lf > from ? chunk[lf - 1] == '\r' : state_ == State::cr;
  state_ = cr ? State::line_start : State::text;
  return lf + 1;
}

bool needs_dot_stuffing(std::string_view text) {
  return text.starts_with('.') || text.find("\r\n.") != std::string_view::npos ||
         (!text.empty() && !text.ends_with("\r\n"));
}

std::string dot_stuffed(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  DotWriter writer;
  writer.write(text, [&](std::string_view piece) { out += piece; });
  out += writer.end();
  return out;
}

}  // namespace mailproof::text
