#include "history/wire_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/without_commands.h"

namespace mailproof::history {
namespace {

constexpr std::size_t kWhole =
    2048;  // longer chunks keep their head and tail: message bodies can be made again from their token
constexpr std::size_t kHead = 768, kTail = 256;
constexpr std::size_t kExcerptLines = 4;  // of one chunk in an excerpt: the middle of a message body is no evidence

}  // namespace

/// Head and tail of a long chunk, at least as much of both as the longest secret: one that goes on in the next chunk,
/// or came from the one before, is seen whole. A cut through a secret leaves nothing of it.
std::string WireLog::shortened(std::string_view bytes) const {
  const std::size_t longest = secrets_ == nullptr ? 0 : secrets_->longest();
  std::size_t head = std::max(kHead, longest), tail = bytes.size() - std::max(kTail, longest);
  if (bytes.size() <= std::max(kWhole, 4 * longest)) return std::string(bytes);
  const auto around = [&](std::size_t cut, auto&& take) {
    if (longest == 0) return;
    const std::size_t from = cut - longest;
    for (const auto& range : secrets_->find(bytes.substr(from, 2 * longest)))
      if (from + range.from < cut && cut < from + range.to) return take(from + range.from, from + range.to);
  };
  around(head, [&](std::size_t from, std::size_t) { head = from; });
  around(tail, [&](std::size_t, std::size_t to) { tail = to; });
  return fmt::format("{}\n[... {} octets ...]\n{}", bytes.substr(0, head), tail - head, bytes.substr(tail));
}

/// The oldest chunk goes; what of a secret that begins in it stands in the next one goes with it.
void WireLog::forget_oldest() {
  const Chunk& oldest = chunks_.front();
  const std::size_t longest = secrets_ == nullptr ? 0 : secrets_->longest();
  const auto next = longest == 0 ? chunks_.end()
                                 : std::find_if(chunks_.begin() + 1, chunks_.end(),
                                                [&](const Chunk& c) { return c.side == oldest.side; });
  if (next != chunks_.end()) {
    std::string both = oldest.text.substr(oldest.text.size() - std::min(oldest.text.size(), longest));
    const std::size_t seam = both.size();
    both += std::string_view(next->text).substr(0, longest);
    for (const auto& range : secrets_->find(both))
      if (range.from < seam && range.to > seam) {
        held_ += 3;
        held_ -= range.to - seam;
        next->text.replace(0, range.to - seam, "***");
      }
  }
  held_ -= chunks_.front().text.size();
  chunks_.pop_front();
}

/// The texts of these chunks as they are shown: a secret that is cut into several stands in the first as ***.
std::vector<std::string> WireLog::masked(std::size_t from, std::size_t to) const {
  std::vector<std::string> out;
  for (std::size_t i = from; i < to; ++i) out.push_back(chunks_[i].text);
  if (secrets_ == nullptr || secrets_->empty()) return out;
  for (const char side : {'C', 'S', '*'}) {
    std::string all;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // where a chunk begins in `all`; which it is
    for (std::size_t i = from; i < to; ++i) {
      if (chunks_[i].side != side) continue;
      places.emplace_back(all.size(), i - from);
      all += chunks_[i].text;
    }
    const auto ranges = secrets_->find(all);
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
      auto place = std::upper_bound(places.begin(), places.end(), std::pair(range->to - 1, out.size()));
      while (place != places.begin()) {
        --place;
        const std::size_t begin = std::max(range->from, place->first);
        const std::size_t end = std::min(range->to, place->first + chunks_[from + place->second].text.size());
        out[place->second].replace(begin - place->first, end - begin, place->first <= range->from ? "***" : "");
        if (place->first <= range->from) break;
      }
    }
  }
  return out;
}

void WireLog::add(char side, std::string_view bytes, Time now) {
  Chunk chunk{now, side, offset_, shortened(bytes)};
  last_offset_ = offset_;
  last_length_ = static_cast<std::uint32_t>(chunk.text.size());
  offset_ += chunk.text.size();
  held_ += chunk.text.size();
  chunks_.push_back(std::move(chunk));
  while (held_ > limit_ && chunks_.size() > 1) forget_oldest();
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
  sent_ += bytes.size();
  keep(false, bytes, now);
  // The line end of what is secret stands in "***" already.
  if (std::exchange(after_secret_, secret) && !secret && bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  if (bytes.empty()) return;
  add('C', secret ? std::string_view("***\r\n") : bytes, now);
}

void WireLog::print(const Chunk& chunk, std::string_view bytes, std::string& out, std::size_t most) {
  std::vector<std::string_view> lines;
  for (std::string_view text = bytes; !text.empty();) {
    const auto newline = text.find('\n');
    auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
  }
  const double at = std::chrono::duration<double>(chunk.at.time_since_epoch()).count();
  const std::string begin = fmt::format("{:.3f} {}: ", at, chunk.side);
  const std::size_t head = (most + 1) / 2;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > most && i == head) {
      out += fmt::format("{}[... {} lines ...]\n", begin, lines.size() - most);
      i = lines.size() - (most - head);
    }
    out += begin;
    out += without_commands(printable(lines[i], 400));
    out += '\n';
  }
}

std::string WireLog::early_line(std::string_view begin) const {
  constexpr std::size_t kEarly = 24;
  const std::vector<std::string> texts = masked(0, std::min(chunks_.size(), kEarly));
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::string_view text = texts[i]; chunks_[i].side == 'S' && !text.empty();) {
      const auto line = text.substr(0, text.find('\n'));
      if (line.starts_with(begin)) return std::string(line.substr(0, line.find('\r')));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
  return {};
}

std::string WireLog::excerpt(WireRef at, std::size_t before, std::size_t most) const {
  std::size_t first = chunks_.size();
  for (std::size_t i = 0; i < chunks_.size(); ++i)
    if (chunks_[i].offset <= at.offset) first = i;
  if (first == chunks_.size()) return chunks_.empty() ? "" : "(no longer held)\n";
  const std::size_t from = first >= before ? first - before : 0;
  // What a secret may have begun in before, and may go on in behind.
  std::size_t begin = from, end = first + 1;
  const std::size_t longest = secrets_ == nullptr ? 0 : secrets_->longest();
  for (std::size_t shown = from; shown <= first; ++shown) {
    const auto of_side = [&](std::size_t i) {
      return chunks_[i].side == chunks_[shown].side ? chunks_[i].text.size() : 0;
    };
    std::size_t back = shown, on = shown + 1;
    for (std::size_t seen = 0; back > 0 && seen < longest; --back) seen += of_side(back - 1);
    for (std::size_t seen = 0; on < chunks_.size() && seen < longest; ++on) seen += of_side(on);
    begin = std::min(begin, back);
    end = std::max(end, on);
  }
  const auto bytes = masked(begin, end);
  std::string text;
  for (std::size_t i = from; i <= first; ++i) print(chunks_[i], bytes[i - begin], text, kExcerptLines);
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

WireLog::Printed WireLog::printed() const {
  Printed out;
  std::uint32_t line = 1;
  std::size_t counted = 0;
  const auto count = [&] {
    line += static_cast<std::uint32_t>(
        std::count(out.text.begin() + static_cast<std::ptrdiff_t>(counted), out.text.end(), '\n'));
    counted = out.text.size();
  };
  if (!chunks_.empty() && chunks_.front().offset != 0) out.text += "(older lines were not kept)\n";
  const auto bytes = masked(0, chunks_.size());
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    count();
    out.lines.emplace_back(chunks_[i].offset, line);
    print(chunks_[i], bytes[i], out.text, chunks_[i].text.size());
  }
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
