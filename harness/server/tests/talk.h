#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "server/server.h"

namespace mailproof::server {

/// One connection to a Server, driven as its driver would drive it; lines go out as they are written.
class Talk {
 public:
  explicit Talk(std::unique_ptr<Peer> peer) : peer_(std::move(peer)) {
    peer_->attach(nullptr);
    peer_->opened({});
    greeting = take();
  }
  ~Talk() { peer_->ended(EndReason::closed, "", {}); }
  Talk(Talk&&) = delete;

  std::string say(std::string_view line) {
    const std::string text = std::string(line).append("\r\n");
    peer_->feed(as_bytes(text), {});
    return take();
  }
  /// TLS comes up; what the server says then without being asked.
  std::string secure() {
    peer_->secured({true, "sim", "seal", "", 0}, {});
    return take();
  }
  Peer& peer() { return *peer_; }

  std::string greeting;

 private:
  std::string take() {
    std::string all;
    for (const auto& piece : peer_->output()) all += as_text(piece.bytes);
    peer_->sent(all.size(), {});
    return all;
  }
  std::unique_ptr<Peer> peer_;
};

}  // namespace mailproof::server
