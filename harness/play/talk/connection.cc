#include "play/talk/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/pop3/command.h"

namespace mailproof::play {

TalkConnection::TalkConnection(Context& context, std::uint32_t session, Protocol protocol)
    : context_(context),
      session_(session),
      protocol_(protocol),
      recorded_(*this, *context.logs.at(session - 1)),
      deflated_(recorded_) {
  deflated_.on_garbage = [this] {
    garbled_ = true;
    drop(true);
  };
}

TalkConnection::~TalkConnection() { link_.reset(); }

bool pop3_logs_in(std::string_view command) {
  const std::string word = upper(command.substr(0, command.find_first_of(" \t\r\n")));
  return word == "PASS" || word == "APOP" || word == "AUTH";
}

void TalkConnection::open(const Endpoint& endpoint) { link_ = context_.network.open(endpoint, deflated_); }

void TalkConnection::send(const std::vector<Piece>& pieces) {
  if (over_) return;
  if (std::exchange(holding_, false)) take(std::exchange(held_, {}));  // it was not deflated after all
  for (const Piece& piece : pieces) {
    compressing_ =
        compressing_ || (protocol_ == Protocol::imap && upper(piece.text).find(" COMPRESS ") != std::string::npos);
    if (piece.secret) {
      out_.secret(piece.text);
    } else {
      out_.text(piece.text);
    }
    protocol_ == Protocol::imap ? open_mailbox_.said(piece.text) : said(piece);
  }
  if (waker_ != nullptr) waker_->wake();
}

/// Keeps which commands were sent: how long a reply is depends on them.
void TalkConnection::said(const Piece& piece) {
  for (const char c : piece.text) {
    if (chunk_ > 0) {
      --chunk_;
      continue;
    }
    if (c != '\n') {
      said_ += c;
      continue;
    }
    const bool crlf = said_.ends_with('\r');
    if (crlf) said_.pop_back();
    if (content_) {  // only CRLF.CRLF ends it (RFC 5321 section 4.1.1.4)
      if (line_begins_ && crlf && said_ == ".") mail_sent();
      line_begins_ = crlf;
    } else if (!std::exchange(answering_, false)) {
      commands_.push_back({said_, piece.block});
      if (protocol_ != Protocol::pop3) mail_said(said_);
    }
    said_.clear();
  }
}

void TalkConnection::start_tls() {
  tls_.reset();
  wants_ = Wants::start_tls;
  if (waker_ != nullptr) waker_->wake();
}

void TalkConnection::start_deflate() {
  deflated_.start();
  compressing_ = holding_ = false;
  if (const std::string behind = std::exchange(held_, {}); !behind.empty())
    deflated_.feed(as_bytes(behind), context_.network.now());
}

void TalkConnection::misbehave(const LinkFaults& faults) {
  if (link_ && !over_) link_->misbehave(faults);
}

void TalkConnection::drop(bool with_reset) {
  if (link_ && !over_) link_->drop(with_reset);
}

void TalkConnection::leave() {
  drop(false);
  replies.clear();
  building_ = {};
  buffer_ = {};
}

std::string TalkConnection::unfinished() const {
  if (in_block_) return building_.line + " ... (its end has not come)";
  return building_.block.empty() ? buffer_ : building_.body + "\n" + buffer_;
}

void TalkConnection::opened(Time) {
  if (changed) changed();
}

void TalkConnection::feed(Bytes in, Time) {
  octets_ += in.size();
  kept_ += in.size();
  take(as_text(in));
  if (changed) changed();
}

void TalkConnection::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (beyond_bounds()) return drop(true);
    if (holding_) {
      held_ += bytes;
      return;
    }
    if (literal_ != 0) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(literal_, bytes.size()));
      buffer_ += bytes.substr(0, take);
      bytes.remove_prefix(take);
      literal_ -= take;
      if (literal_ == 0) physical_line_ = buffer_.size();
      continue;
    }
    const auto end = bytes.find('\n');
    buffer_ += bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    switch (protocol_) {
      case Protocol::imap:
        imap_line();
        break;
      case Protocol::pop3:
        pop3_line();
        break;
      default:
        mail_line();
    }
  }
}

void TalkConnection::pop3_line() {
  // A block ends with CRLF.CRLF (RFC 1939 section 3): an LF alone is content there.
  if (in_block_ && crlf_ && !buffer_.ends_with("\r\n")) return;
  const std::string raw = std::exchange(buffer_, {});
  std::string_view text = raw;
  if (!in_block_) crlf_ = text.ends_with("\r\n");
  text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  line(text, raw);
}

/// A line has ended in buffer_: the reply has as well, unless a literal is announced there.
void TalkConnection::imap_line() {
  std::string_view text = std::string_view(buffer_).substr(physical_line_);
  text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  if (!scan_.begun()) scan_.begin_response(text);
  scan_.scan(text);
  const auto announced = scan_.announcement();
  if (announced.verdict == imap::LineScan::Verdict::literal) {
    literal_ = announced.size;
    physical_line_ = buffer_.size();
    scan_.resume_after_literal();
    return;
  }
  scan_.reset();
  const bool tagged = !text.starts_with('*') && !text.starts_with('+') && physical_line_ == 0;
  if (compressing_ && tagged) {
    compressing_ = false;
    holding_ = true;
  }
  buffer_.resize(physical_line_ + text.size());
  physical_line_ = 0;
  TalkReply reply;
  reply.line = std::exchange(buffer_, {});
  open_mailbox_.heard(reply.line);
  put(std::move(reply));
}

void TalkConnection::line(std::string_view text, std::string_view raw) {
  if (in_block_) {
    if (text == ".") {
      in_block_ = false;
      return put(std::exchange(building_, {}));
    }
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      raw.remove_prefix(1);
    }
    building_.block.emplace_back(text);
    building_.body += raw;
    kept_ += raw.size() + sizeof(std::string);
    return;
  }
  TalkReply reply;
  reply.line = text;
  if (!greeted_) return put(std::move(reply));
  if (is_continuation(text)) {
    answering_ = true;
    return put(std::move(reply));
  }
  answering_ = false;
  bool asked = false;
  if (!commands_.empty()) {
    reply.command = std::move(commands_.front().text);
    asked = commands_.front().block;
    commands_.pop_front();
  }
  let_in_ = let_in_ || (istarts_with(text, "+OK") && pop3_logs_in(reply.command));
  if (istarts_with(text, "+OK") && (asked || pop3::has_block(pop3::success_of(pop3::parse_command(reply.command))))) {
    reply.multi = in_block_ = true;
    building_ = std::move(reply);
    return;
  }
  put(std::move(reply));
}

void TalkConnection::put(TalkReply reply) {
  if (!std::exchange(greeted_, true)) greeting_ = reply.line;
  reply.at = here();
  kept_ += sizeof(TalkReply);
  replies.push_back(std::move(reply));
}

void TalkConnection::sent(std::size_t n, Time) { out_.sent(n); }

void TalkConnection::secured(const TlsFacts& facts, Time) {
  wants_ = Wants::nothing;
  tls_ = facts;
  // What came in clear text is no part of what comes now, and there should have been nothing.
  for (const TalkReply& reply : replies) tls_->early_bytes += reply.line.size() + reply.body.size();
  content_ = false;
  chunk_ = recipients_ = 0;
  tls_->early_bytes += building_.body.size() + buffer_.size();
  replies.clear();
  commands_.clear();
  said_.clear();
  buffer_.clear();
  building_ = {};
  scan_.reset();
  literal_ = 0;
  physical_line_ = 0;
  answering_ = in_block_ = false;
  crlf_ = true;
  if (changed) changed();
}

void TalkConnection::ended(EndReason reason, std::string_view detail, Time) {
  over_ = true;
  end_ = reason;
  end_detail_ = beyond_bounds() ? fmt::format("the server sent more than {} MiB", kMostKept >> 20) : detail;
  wants_ = Wants::nothing;
  if (changed) changed();
}

}  // namespace mailproof::play
