#include "wire/imap/framer.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mailproof::imap {
namespace {

/// Buffers of a connection at rest stay below this, so that thousands of idle connections cost little.
constexpr std::size_t kept_capacity = 256;
/// What LineScan::begin_response wants to see of a line, and the least line limit.
constexpr std::size_t head_size = 256;
constexpr std::array<std::string_view, 2> number_responses{"* SEARCH ", "* SORT "};
constexpr std::size_t longest_number_head = 9;

}  // namespace

Framer::Framer(Reads reads, FramerSink& sink, const FramerLimits& limits)
    : sink_(sink), limits_(limits), reads_(reads) {
  limits_.line = std::max(limits_.line, head_size);
}

std::size_t Framer::feed(std::string_view in) {
  const std::size_t size = in.size();
  while (!in.empty() && !stopped_ && !dead_) {
    switch (state_) {
      case State::literal:
        in = take_literal(in);
        break;
      case State::numbers:
        in = take_numbers(in);
        break;
      case State::line:
        in = head_checked_ ? take_line_bytes(in) : take_head(in);
        break;
    }
  }
  return size - in.size();
}

void Framer::restart() {
  forget_line();
  state_ = State::line;
  line_offset_ = offset_;
  stopped_ = false;
  dead_ = false;
}

std::string_view Framer::take_head(std::string_view in) {
  if (reads_ == Reads::commands) {
    head_checked_ = true;
    return in;
  }
  std::string_view head = in;
  const bool whole = buffer_.empty() && in.size() >= longest_number_head;
  // Nearly every line is over with one octet: "* s" is what all of them begin with.
  if (whole && (in[0] != '*' || to_lower(in[2]) != 's')) {
    head_checked_ = true;
    return in;
  }
  if (!whole) {
    // Byte by byte until the beginning tells whether numbers follow; a line rarely breaks here.
    if (in.front() == '\n') {
      head_checked_ = true;
      return in;
    }
    buffer_ += in.front();
    ++offset_;
    in.remove_prefix(1);
    head = buffer_;
  }
  for (const std::string_view prefix : number_responses) {
    if (!istarts_with(head, prefix)) continue;
    head_checked_ = true;
    if (whole) {
      buffer_ = head.substr(0, prefix.size() - 1);
      offset_ += prefix.size();
      in.remove_prefix(prefix.size());
    } else {
      buffer_.pop_back();
    }
    state_ = State::numbers;
    space_before_ = true;
    return in;
  }
  if (whole || head.size() >= longest_number_head) head_checked_ = true;
  return in;
}

std::string_view Framer::take_numbers(std::string_view in) {
  std::size_t i = 0;
  bool over = false;
  for (; i < in.size() && !stopped_; ++i) {
    const char c = in[i];
    if (c >= '0' && c <= '9') {
      if (number_ <= std::numeric_limits<std::uint32_t>::max())
        number_ = number_ * 10 + static_cast<std::uint64_t>(c - '0');
      ++digits_;
      continue;
    }
    if (c == ' ') {
      if (digits_ == 0 && space_before_) note(DeviationCode::space_extra, buffer_.size(), buffer_);
      emit_number();
      space_before_ = true;
      continue;
    }
    over = true;
    break;
  }
  offset_ += i;
  in.remove_prefix(i);
  if (!over) return in;
  leave_numbers(in.front() != '\r' && in.front() != '\n');
  return in;
}

void Framer::emit_number() {
  if (digits_ == 0) return;
  if (number_ > std::numeric_limits<std::uint32_t>::max()) {
    note(DeviationCode::number_overflow, buffer_.size(), buffer_);
    truncated_ = true;
  } else if (number_ == 0) {
    note(DeviationCode::number_zero, buffer_.size(), buffer_);  // search-data: nz-number; no message has it
  } else {
    sink_.on_number(static_cast<std::uint32_t>(number_));
  }
  number_ = 0;
  digits_ = 0;
  space_before_ = false;
}

// Something else than numbers goes on as an ordinary line: "* SEARCH 2 5 (MODSEQ 917)" leaves "* SEARCH (MODSEQ 917)".
void Framer::leave_numbers(bool with_pending_digits) {
  state_ = State::line;
  if (!with_pending_digits) {
    if (digits_ == 0 && space_before_) note(DeviationCode::space_extra, buffer_.size(), buffer_);
    emit_number();
    return;
  }
  if (space_before_) buffer_ += ' ';
  if (digits_ > 0) buffer_ += std::to_string(number_);
  number_ = 0;
  digits_ = 0;
  space_before_ = false;
}

std::string_view Framer::take_line_bytes(std::string_view in) {
  const std::size_t newline = in.find('\n');
  if (newline == std::string_view::npos) {
    append(in);
    offset_ += in.size();
    return {};
  }
  const std::string_view piece = in.substr(0, newline);
  in.remove_prefix(newline + 1);
  const bool in_one_piece = buffer_.empty() && !skipping_ && piece.size() <= limits_.line;
  if (!in_one_piece) append(piece);
  offset_ += piece.size() + 1;
  bool cr = false;
  std::string_view text = in_one_piece ? piece : std::string_view(buffer_);
  if (skipping_) {
    cr = last_was_cr_;
  } else if (!text.empty() && text.back() == '\r') {
    cr = true;
    text.remove_suffix(1);
  }
  if (!cr) note(DeviationCode::bare_lf, text.size(), text);
  physical_line_end(text);
  return in;
}

void Framer::append(std::string_view bytes) {
  if (!skipping_) {
    const std::size_t room = limits_.line - std::min(limits_.line, buffer_.size());
    if (bytes.size() <= room) {
      buffer_ += bytes;
      return;
    }
    // A CR is no part of the line if LF follows, so it is kept out of the scan until that is known.
    buffer_ += bytes.substr(0, room);
    bytes.remove_prefix(room);
    note(DeviationCode::line_too_long, buffer_.size(), buffer_);
    skipping_ = true;
    truncated_ = true;
    last_was_cr_ = false;
    if (!scan_.begun()) reads_ == Reads::commands ? scan_.begin_command() : scan_.begin_response(buffer_);
    std::string_view unscanned = std::string_view(buffer_).substr(std::min(scan_.scanned(), buffer_.size()));
    if (!unscanned.empty() && unscanned.back() == '\r') {
      last_was_cr_ = true;
      unscanned.remove_suffix(1);
    }
    scan_.scan(unscanned);
  }
  skipped_ += bytes.size();
  if (bytes.empty()) return;
  if (last_was_cr_) scan_.scan("\r");
  last_was_cr_ = bytes.back() == '\r';
  if (last_was_cr_) bytes.remove_suffix(1);
  scan_.scan(bytes);
}

void Framer::physical_line_end(std::string_view text) {
  if (!skipping_) {
    // Only "}" can end an announcement; all other lines are done without a look at their grammar.
    if (text.empty() || text.back() != '}') return end_line(text);
    if (scan_.begun() || reads_ == Reads::commands || !scan_.scan_plain_data(text)) {
      if (!scan_.begun()) reads_ == Reads::commands ? scan_.begin_command() : scan_.begin_response(text);
      scan_.scan(text.substr(scan_.scanned()));
    }
  }
  const LineScan::Announcement announced = scan_.announcement();
  switch (announced.verdict) {
    case LineScan::Verdict::no_literal:
      return end_line(text);
    case LineScan::Verdict::malformed:
      return die(DeviationCode::literal_malformed, text);
    case LineScan::Verdict::literal:
      break;
  }
  if (!skipping_) {
    if (text.data() == buffer_.data())
      buffer_.resize(text.size());
    else
      buffer_ = text;
  }
  begin_literal(announced);
}

void Framer::begin_literal(const LineScan::Announcement& announced) {
  scan_.resume_after_literal();
  state_ = State::literal;
  remaining_ = announced.size;
  action_ = LiteralAction::discard;
  const bool may_refuse = reads_ == Reads::commands && announced.synchronising;
  if (reads_ == Reads::responses && !announced.synchronising)
    note(DeviationCode::literal_nonsync_from_server, buffer_.size(), buffer_);
  const bool too_large = announced.size > limits_.literal;
  if (too_large) note(DeviationCode::literal_too_large, buffer_.size(), buffer_);
  if (!truncated_ && literals_.size() >= limits_.literals) {
    note(DeviationCode::literal_too_many, buffer_.size(), buffer_);
    truncated_ = true;
  }
  if (truncated_) {
    // Nobody will send "+" for a command that is already refused, so nothing more of it comes.
    if (may_refuse) {
      state_ = State::line;
      return end_line(buffer_);
    }
    if (remaining_ == 0) end_literal();
    return;
  }
  LiteralBegin begin;
  begin.line = buffer_;
  begin.size = announced.size;
  begin.number = static_cast<std::uint32_t>(literals_.size());
  begin.synchronising = announced.synchronising;
  begin.too_large = too_large;
  Literal literal;
  literal.at = buffer_.size() - announced.marker;
  literal.marker = announced.marker;
  literal.size = announced.size;
  literal.number = begin.number;
  action_ = sink_.on_literal_begin(begin);
  if (action_ == LiteralAction::refuse && may_refuse) {
    state_ = State::line;
    forget_line();
    return;
  }
  if (action_ == LiteralAction::refuse) action_ = LiteralAction::discard;
  const bool fits = announced.size <= limits_.kept_literal && kept_.size() + announced.size <= limits_.kept_in_line;
  if (action_ == LiteralAction::keep && !fits) action_ = LiteralAction::stream;
  literal.in_memory = action_ == LiteralAction::keep;
  literals_.push_back(literal);
  kept_places_.push_back({kept_.size(), literal.in_memory ? static_cast<std::size_t>(announced.size) : 0});
  if (remaining_ == 0) end_literal();
}

std::string_view Framer::take_literal(std::string_view in) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, in.size()));
  const std::string_view octets = in.substr(0, n);
  remaining_ -= n;
  offset_ += n;
  if (action_ == LiteralAction::keep)
    kept_ += octets;
  else if (action_ == LiteralAction::stream)
    sink_.on_literal_chunk(octets);
  if (remaining_ == 0 && !stopped_) end_literal();
  return in.substr(n);
}

void Framer::end_literal() {
  state_ = State::line;
  if (action_ == LiteralAction::stream) sink_.on_literal_end();
}

void Framer::end_line(std::string_view text) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) note(DeviationCode::nul, nul, text);
  if (const std::size_t cr = text.find('\r'); cr != std::string_view::npos) note(DeviationCode::bare_cr, cr, text);
  for (std::size_t i = 0; i < literals_.size(); ++i)
    if (literals_[i].in_memory)
      literals_[i].data = std::string_view(kept_).substr(kept_places_[i].begin, kept_places_[i].size);
  LogicalLine line;
  line.text = text;
  line.literals = literals_;
  line.stream_offset = line_offset_;
  line.truncated = truncated_;
  sink_.on_line(line);
  forget_line();
}

void Framer::forget_line() {
  buffer_.clear();
  kept_.clear();
  if (buffer_.capacity() > kept_capacity) std::string().swap(buffer_);
  if (kept_.capacity() > kept_capacity) std::string().swap(kept_);
  literals_.clear();
  kept_places_.clear();
  if (literals_.capacity() > kept_capacity / sizeof(Literal)) std::vector<Literal>().swap(literals_);
  if (kept_places_.capacity() > kept_capacity / sizeof(Kept)) std::vector<Kept>().swap(kept_places_);
  scan_.reset();
  skipped_ = 0;
  line_offset_ = offset_;
  number_ = 0;
  digits_ = 0;
  space_before_ = false;
  head_checked_ = false;
  skipping_ = false;
  truncated_ = false;
  last_was_cr_ = false;
}

void Framer::die(DeviationCode code, std::string_view excerpt) {
  const std::size_t tail = std::min<std::size_t>(excerpt.size(), 40);
  note(code, excerpt.size(), excerpt.substr(excerpt.size() - tail));
  dead_ = true;
}

}  // namespace mailproof::imap
