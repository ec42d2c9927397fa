#pragma once
#include <optional>

#include "core/peer.h"
#include "core/time.h"

namespace mailproof::server {

struct ServerContext;

/// What happens to mail between acceptance and mailbox: the queue, later attempts, bounces.
class Delivery {
 public:
  explicit Delivery(ServerContext& context) : context_(context) {}

  std::optional<Time> deadline() const;
  void advance(Time now);
  void attach(Waker* waker) { waker_ = waker; }

 private:
  ServerContext& context_;
  Waker* waker_ = nullptr;
};

}  // namespace mailproof::server
