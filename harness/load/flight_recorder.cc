#include "load/flight_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/bytes.h"
#include "core/time.h"
#include "load/scene.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kBegin = 160, kEnd = 80;  // octets of a long chunk: what is kept of it fits Head::size
static_assert(kBegin + kEnd <= 255);

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

/// No place lies further than once around.
std::size_t FlightRecorder::place(std::size_t at) const { return at < room_ ? at : at - room_; }

void FlightRecorder::put(const void* from, std::size_t size) {
  const auto* bytes = static_cast<const char*>(from);
  const std::size_t at = place(std::size_t{begin_} + used_);
  const std::size_t first = std::min(size, room_ - at);
  std::memcpy(ring_.get() + at, bytes, first);
  if (first < size) std::memcpy(ring_.get(), bytes + first, size - first);
  used_ = static_cast<std::uint16_t>(used_ + size);
}

void FlightRecorder::grow() {
  const std::size_t room = room_ + kStep;
  auto larger = std::make_unique<char[]>(room);
  if (used_ != 0) get(0, larger.get(), used_);
  ring_ = std::move(larger);
  room_ = static_cast<std::uint16_t>(room);
  begin_ = 0;
}

void FlightRecorder::get(std::size_t at, void* to, std::size_t size) const {
  auto* bytes = static_cast<char*>(to);
  at = place(begin_ + at);
  const std::size_t first = std::min(size, room_ - at);
  std::memcpy(bytes, ring_.get() + at, first);
  if (first < size) std::memcpy(bytes + first, ring_.get(), size - first);
}

void FlightRecorder::forget_oldest() {
  Head head;
  get(0, &head, kHead);
  const std::size_t size = kHead + head.size;
  begin_ = static_cast<std::uint16_t>(place(begin_ + size));
  used_ = static_cast<std::uint16_t>(used_ - size);
}

void FlightRecorder::add(char side, std::string_view bytes, Time now) {
  Head head;
  head.at = now.time_since_epoch().count();
  head.side = side;
  if (!ring_) room_ = begin_ = used_ = 0;  // it was given away
  const bool whole = bytes.size() <= kBegin + kEnd;
  head.size = static_cast<std::uint8_t>(whole ? bytes.size() : kBegin + kEnd);
  head.left_out = static_cast<std::uint16_t>(
      std::min<std::size_t>(bytes.size() - head.size, std::numeric_limits<std::uint16_t>::max()));
  while (std::size_t{room_} - used_ < kHead + head.size && room_ < kOctets) grow();
  while (std::size_t{room_} - used_ < kHead + head.size) forget_oldest();
  put(&head, kHead);
  if (whole) return put(bytes.data(), bytes.size());
  put(bytes.data(), kBegin);
  put(bytes.data() + bytes.size() - kEnd, kEnd);
}

std::string FlightRecorder::text(Time zero) const {
  std::string out, chunk;
  for (std::size_t at = 0; at < used_;) {
    Head head;
    get(at, &head, kHead);
    chunk.resize(head.size);
    get(at + kHead, chunk.data(), head.size);
    at += kHead + head.size;
    if (head.left_out != 0) {
      const bool many = head.left_out == std::numeric_limits<std::uint16_t>::max();
      chunk.insert(kBegin, fmt::format("\r\n[... {}{} octets ...]\r\n", many ? "more than " : "", head.left_out));
    }
    const std::string when = format_seconds(Duration(head.at) - zero.time_since_epoch());
    for (std::size_t from = 0; from < chunk.size();) {
      const std::size_t end = std::min(chunk.find('\n', from), chunk.size());
      std::string_view line = std::string_view(chunk).substr(from, end - from);
      if (line.ends_with('\r')) line.remove_suffix(1);
      out += fmt::format("{} {}: {}\n", when, head.side, printable(line, kBegin + kEnd));
      from = end + 1;
    }
  }
  return out;
}

void TappedPeer::feed(Bytes in, Time now) {
  recorder_.received(text_of(in), now);  // before the client speaks of it
  if (scene_ != nullptr) scene_->moved(now, in.size(), 0);
  inner_.feed(in, now);
}

void TappedPeer::sent(std::size_t n, Time now) {
  std::size_t left = n;
  bool masked = false;
  for (const Output& one : inner_.output()) {
    if (left == 0) break;
    const std::size_t size = std::min(left, one.bytes.size());
    // A secret shows once, however it is cut.
    if (!one.secret || !masked) recorder_.sent(text_of(one.bytes.first(size)), one.secret, now);
    masked = one.secret;
    left -= size;
  }
  if (scene_ != nullptr) scene_->moved(now, 0, n);
  inner_.sent(n, now);
}

void TappedPeer::secured(const TlsFacts& facts, Time now) {
  if (scene_ != nullptr) scene_->handshake(who_, facts, now);
  inner_.secured(facts, now);
}

void TappedPeer::ended(EndReason reason, std::string_view detail, Time now) {
  recorder_.ended(detail.empty() ? name(reason) : detail, now);
  inner_.ended(reason, detail, now);
}

}  // namespace mailproof::load
