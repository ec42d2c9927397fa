#pragma once
#include <functional>
#include <memory>

#include "core/deflate.h"
#include "core/outbox.h"
#include "core/peer.h"

namespace mailproof {

/// Stands between a peer and its driver. From start() on what goes out is deflated and what comes in inflated (RFC
/// 4978); the peer, and whoever records it, sees clear text. TLS is the driver's, outside of it (RFC 4978 section 3).
class DeflatePeer final : public Peer {
 public:
  explicit DeflatePeer(Peer& inner) : inner_(inner) {}
  explicit DeflatePeer(std::unique_ptr<Peer> inner) : owned_(std::move(inner)), inner_(*owned_) {}

  /// What the peer has to send already goes out as it is, and so does nothing after it; what comes from now on is
  /// deflated.
  void start();
  bool started() const { return deflater_ != nullptr; }
  /// What comes is no DEFLATE stream, but clear text or anything: called once, and nothing of it gets to the peer any
  /// more.
  std::function<void()> on_garbage;

  void attach(Waker* waker) override { inner_.attach(waker_ = waker); }
  void opened(Time now) override { inner_.opened(now_ = now); }
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override;
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override { inner_.advance(now_ = now); }
  std::optional<Time> deadline() const override { return inner_.deadline(); }
  void secured(const TlsFacts& facts, Time now) override { inner_.secured(facts, now_ = now); }
  void ended(EndReason reason, std::string_view detail, Time now) override { inner_.ended(reason, detail, now_ = now); }
  Wants wants() const override { return inner_.wants(); }

 private:
  std::unique_ptr<Peer> owned_;
  Peer& inner_;
  std::unique_ptr<Deflater> deflater_;  ///< started
  std::unique_ptr<Inflater> inflater_;
  Waker* waker_ = nullptr;
  bool heard_ = false;          ///< something deflated, or not, came
  std::size_t clear_left_ = 0;  ///< octets of the peer's output that go out as they are
  std::vector<Output> clear_;   ///< ... those
  Outbox out_;
  Time now_{};
  bool garbage_ = false;
};

}  // namespace mailproof
