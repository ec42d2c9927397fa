#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/peer.h"
#include "core/secret_mask.h"
#include "history/event.h"
#include "history/wire_bytes.h"

namespace mailproof::history {

/// The bytes of one session, both directions, as text for people: secrets as ***, whoever said them and however they
/// were cut on the way; long chunks elided, bounded. When `limit` is reached the oldest chunks go first (at load this
/// is the flight recorder).
class WireLog {
 public:
  /// `secrets` (null = none) outlives the log.
  explicit WireLog(std::size_t limit, const SecretMask* secrets = nullptr) : limit_(limit), secrets_(secrets) {}

  void received(std::string_view bytes, Time now) {
    received_ += bytes.size();
    keep(true, bytes, now);
    add('S', bytes, now);
  }
  void sent(std::string_view bytes, bool secret, Time now);
  void note(std::string_view text, Time now) { add('*', text, now); }

  /// From now on all bytes are kept beside the log, as wire rules want them.
  void keep_bytes(Protocol protocol, std::string label);
  const std::optional<WireBytes>& bytes() const { return bytes_; }
  void secured() { secured_ = true; }
  void ended(EndReason reason) {
    if (bytes_) bytes_->end = reason;
  }

  /// Offset of the chunk that was added last; WireRef of an event points there.
  WireRef here() const { return {last_offset_, last_length_}; }
  /// The lines at a place and `before` lines ahead of it: "0.123 S: * 1 EXISTS". At most `most` lines.
  std::string excerpt(WireRef at, std::size_t before = 3, std::size_t most = 12) const;
  std::string all() const { return printed().text; }
  /// All that is held, and in which line of it what stands at an offset begins: (offset, line from 1), ascending.
  struct Printed {
    std::string text;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> lines;
  };
  Printed printed() const;
  /// The first line that the server sent of those that begin so, among the first things that were said; "" = none.
  std::string early_line(std::string_view begin) const;
  std::size_t held() const { return held_; }                   ///< octets, at most the limit
  std::uint64_t octets_received() const { return received_; }  ///< all that passed, kept or not
  std::uint64_t octets_sent() const { return sent_; }

 private:
  struct Chunk {
    Time at;
    char side;  ///< C, S or * (what happened to the link)
    std::uint64_t offset;
    std::string text;
  };
  void add(char side, std::string_view bytes, Time now);
  void keep(bool from_server, std::string_view bytes, Time now);
  static void print(const Chunk& chunk, std::string_view bytes, std::string& out, std::size_t most);
  std::string shortened(std::string_view bytes) const;
  void forget_oldest();
  std::vector<std::string> masked(std::size_t from, std::size_t to) const;

  std::deque<Chunk> chunks_;
  std::optional<WireBytes> bytes_;
  bool secured_ = false;
  bool after_secret_ = false;  ///< a secret went out last, shown with its line end
  std::size_t limit_;
  const SecretMask* secrets_;
  std::size_t held_ = 0;
  std::uint64_t received_ = 0, sent_ = 0;
  std::uint64_t offset_ = 0, last_offset_ = 0;
  std::uint32_t last_length_ = 0;
};

/// Stands between a driver and a peer and writes down what passes.
class RecordedPeer final : public Peer {
 public:
  RecordedPeer(Peer& inner, WireLog& log) : inner_(inner), log_(log) {}
  void attach(Waker* waker) override { inner_.attach(waker); }
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override { return inner_.output(); }
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override { inner_.advance(now); }
  std::optional<Time> deadline() const override { return inner_.deadline(); }
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override { return inner_.wants(); }

 private:
  Peer& inner_;
  WireLog& log_;
};

}  // namespace mailproof::history
