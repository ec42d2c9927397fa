#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/peer.h"

namespace mailproof::load {

class Scene;

/// The last of what one device said and was told, over all of its sessions: a ring of so many octets, so that a load
/// of any length takes the same memory, and nothing is allocated once it is full. Of a long chunk the beginning and
/// the end are kept.
class FlightRecorder {
 public:
  static constexpr std::size_t kOctets = 1024;
  static constexpr std::size_t kStep = 256;  ///< it grows to that as it fills: who says little takes less

  void opened(std::string_view what, Time now) { add('*', what, now); }
  void received(std::string_view bytes, Time now) { add('S', bytes, now); }
  void sent(std::string_view bytes, bool secret, Time now) { add('C', secret ? kMasked : bytes, now); }
  void ended(std::string_view why, Time now) { add('*', why, now); }
  /// "12.345 C: a1 SELECT INBOX": a line each, made printable; what is left of the oldest chunk is left out.
  /// Times count from `zero`.
  std::string text(Time zero = Time{}) const;
  bool empty() const { return used_ == 0; }

 private:
  static constexpr std::string_view kMasked = "***\r\n";
  struct Head {
    std::int64_t at = 0;  ///< nanoseconds
    std::uint16_t left_out = 0;
    std::uint8_t size = 0;
    char side = 'C';
  };
  static constexpr std::size_t kHead = 12;  ///< without what the compiler puts behind it
  void add(char side, std::string_view bytes, Time now);
  std::size_t place(std::size_t at) const;
  void put(const void* from, std::size_t size);
  void get(std::size_t at, void* to, std::size_t size) const;
  void forget_oldest();
  void grow();

  std::unique_ptr<char[]> ring_;  ///< made with the first chunk
  std::uint16_t room_ = 0, begin_ = 0, used_ = 0;
};

/// Stands between a driver and a peer and keeps the last of what passes.
class TappedPeer final : public Peer {
 public:
  /// `scene` counts the octets and the handshakes of TLS, as those of `who` ("imap"); null: nobody does.
  TappedPeer(Peer& inner, FlightRecorder& recorder, Scene* scene = nullptr, std::string_view who = {})
      : inner_(inner), recorder_(recorder), scene_(scene), who_(who) {}
  void attach(Waker* waker) override { inner_.attach(waker); }
  void opened(Time now) override { inner_.opened(now); }
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
  FlightRecorder& recorder_;
  Scene* scene_;
  std::string_view who_;
};

}  // namespace mailproof::load
