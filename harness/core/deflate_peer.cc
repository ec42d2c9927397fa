#include "core/deflate_peer.h"

#include <algorithm>
#include <utility>

namespace mailproof {
namespace {

/// Lines of text, as nobody's compressor makes them: a stream that was flushed ends with 00 00 FF FF, or at least with
/// bits that are no letters. Without this its first letters would be the beginning of a block, whose end is awaited.
bool is_clear_text(std::string_view bytes) {
  return bytes.size() >= 8 && bytes.ends_with("\r\n") && std::all_of(bytes.begin(), bytes.end(), [](char c) {
           return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
         });
}

}  // namespace

void DeflatePeer::start() {
  if (started()) return;
  for (const Output& piece : inner_.output()) clear_left_ += piece.bytes.size();
  deflater_ = std::make_unique<Deflater>();
  inflater_ = std::make_unique<Inflater>();
}

void DeflatePeer::feed(Bytes in, Time now) {
  now_ = now;
  if (!started()) return inner_.feed(in, now);
  if (garbage_) return;
  const bool clear = !std::exchange(heard_, true) && is_clear_text(as_text(in));
  const bool whole =
      !clear && inflater_->inflate(as_text(in), [&](std::string_view text) { inner_.feed(as_bytes(text), now); });
  if (whole) return;
  garbage_ = true;
  if (on_garbage) on_garbage();
}

std::span<const Output> DeflatePeer::output() {
  if (!started()) return inner_.output();
  if (clear_left_ != 0) {
    clear_.clear();
    std::size_t left = clear_left_;
    for (const Output& piece : inner_.output()) {
      if (left == 0) break;
      clear_.push_back({piece.bytes.first(std::min(left, piece.bytes.size())), piece.secret});
      left -= clear_.back().bytes.size();
    }
    return clear_;
  }
  std::string text;
  for (const Output& piece : inner_.output()) text += as_text(piece.bytes);
  if (!text.empty()) {
    inner_.sent(text.size(), now_);
    out_.text(deflater_->compress(text));
  }
  return out_.output();
}

void DeflatePeer::sent(std::size_t n, Time now) {
  now_ = now;
  if (!started()) return inner_.sent(n, now);
  if (clear_left_ == 0) return out_.sent(n);
  clear_left_ -= std::min(n, clear_left_);
  inner_.sent(n, now);
  if (clear_left_ == 0 && waker_ != nullptr) waker_->wake();  // what is behind it waits
}

}  // namespace mailproof
