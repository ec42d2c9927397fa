#pragma once
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "core/network.h"

namespace mailproof::play {

/// Called once when something is done, whatever came of it.
using Finish = std::function<void()>;

/// each(i, next) for i = 0 .. count-1, one after the other, then `then`. `next` may be called from inside `each` or at
/// any time later: the stack does not grow with `count`, which a server or a file may have chosen.
void one_by_one(std::size_t count, std::function<void(std::size_t i, Finish next)> each, Finish then);

/// Calls what is handed to it soon, from the loop: never from inside post(). So that who asks a session for something
/// gets no answer before the request has returned, and a session that is over answers ten thousand requests without
/// ten thousand frames on the stack.
class Later final : public Alarm {
 public:
  explicit Later(Network& network) : network_(network) {}
  ~Later() override { network_.set_alarm(*this, std::nullopt); }
  Later(const Later&) = delete;

  void post(Finish task);
  void ring(Time now) override;

 private:
  Network& network_;
  std::vector<Finish> tasks_;
};

}  // namespace mailproof::play
