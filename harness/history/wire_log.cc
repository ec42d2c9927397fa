#include "history/wire_log.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace mailproof::history {
namespace {

constexpr std::size_t kWhole =
    2048;  // longer chunks keep their head and tail: message bodies can be made again from their token
constexpr std::size_t kHead = 768, kTail = 256;
constexpr std::size_t kExcerptLines = 4;  // of one chunk in an excerpt: the middle of a message body is no evidence

std::string shortened(std::string_view bytes) {
  if (bytes.size() <= kWhole) return std::string(bytes);
  return fmt::format("{}\n[... {} octets ...]\n{}", bytes.substr(0, kHead), bytes.size() - kHead - kTail,
                     bytes.substr(bytes.size() - kTail));
}

}  // namespace

void WireLog::add(char side, std::string_view bytes, Time now) {
  Chunk chunk{now, side, offset_, shortened(bytes)};
  last_offset_ = offset_;
  last_length_ = static_cast<std::uint32_t>(chunk.text.size());
  offset_ += chunk.text.size();
  held_ += chunk.text.size();
  chunks_.push_back(std::move(chunk));
  while (held_ > limit_ && chunks_.size() > 1) {
    held_ -= chunks_.front().text.size();
    chunks_.pop_front();
  }
}

void WireLog::keep_bytes(Protocol protocol, std::string label) {
  bytes_.emplace();
  bytes_->protocol = protocol;
  bytes_->label = std::move(label);
}

void WireLog::keep(bool from_server, std::string_view bytes, Time now) {
  if (bytes_) bytes_->pieces.push_back({from_server, secured_, now, std::string(bytes)});
}

void WireLog::sent(std::string_view bytes, bool secret, Time now) {
  keep(false, bytes, now);
  // The line end of what is secret stands in "***" already.
  if (std::exchange(after_secret_, secret) && !secret && bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  if (bytes.empty()) return;
  add('C', secret ? std::string_view("***\r\n") : bytes, now);
}

void WireLog::print(const Chunk& chunk, std::string& out, std::size_t most) {
  std::vector<std::string_view> lines;
  for (std::string_view text = chunk.text; !text.empty();) {
    const auto newline = text.find('\n');
    auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
  }
  const double at = std::chrono::duration<double>(chunk.at.time_since_epoch()).count();
  const std::size_t head = (most + 1) / 2;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > most && i == head) {
      out += fmt::format("{:.3f} {}: [... {} lines ...]\n", at, chunk.side, lines.size() - most);
      i = lines.size() - (most - head);
    }
    out += fmt::format("{:.3f} {}: {}\n", at, chunk.side, printable(lines[i], 400));
  }
}

std::string WireLog::excerpt(WireRef at, std::size_t before, std::size_t most) const {
  std::size_t first = chunks_.size();
  for (std::size_t i = 0; i < chunks_.size(); ++i)
    if (chunks_[i].offset <= at.offset) first = i;
  if (first == chunks_.size()) return chunks_.empty() ? "" : "(no longer held)\n";
  const std::size_t from = first >= before ? first - before : 0;
  std::string text;
  for (std::size_t i = from; i <= first; ++i) print(chunks_[i], text, kExcerptLines);
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const auto newline = rest.find('\n');
    lines.push_back(rest.substr(0, newline + 1));
    rest.remove_prefix(newline + 1);
  }
  std::string out;
  const std::size_t skip = lines.size() > most ? lines.size() - most : 0;
  for (std::size_t i = skip; i < lines.size(); ++i) out += lines[i];
  return out;
}

std::string WireLog::all() const {
  std::string out;
  if (!chunks_.empty() && chunks_.front().offset != 0) out += "(older lines were not kept)\n";
  for (const Chunk& chunk : chunks_) print(chunk, out, chunk.text.size());
  return out;
}

void RecordedPeer::opened(Time now) {
  log_.note("connected", now);
  inner_.opened(now);
}

void RecordedPeer::feed(Bytes in, Time now) {
  log_.received(as_text(in), now);
  inner_.feed(in, now);
}

void RecordedPeer::sent(std::size_t n, Time now) {
  std::size_t left = n;
  for (const Output& piece : inner_.output()) {
    if (left == 0) break;
    const auto part = as_text(piece.bytes).substr(0, left);
    left -= part.size();
    log_.sent(part, piece.secret, now);
  }
  inner_.sent(n, now);
}

void RecordedPeer::secured(const TlsFacts& facts, Time now) {
  log_.note(facts.established ? fmt::format("TLS {} {}", facts.version, facts.cipher) : "TLS failed: " + facts.error,
            now);
  if (facts.established) log_.secured();
  inner_.secured(facts, now);
}

void RecordedPeer::ended(EndReason reason, std::string_view detail, Time now) {
  log_.ended(reason);
  log_.note(fmt::format("connection ended: {}{}{}", name(reason), detail.empty() ? "" : ": ", detail), now);
  inner_.ended(reason, detail, now);
}

}  // namespace mailproof::history
