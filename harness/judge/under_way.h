#pragma once
#include <algorithm>
#include <cstdint>

#include "history/event.h"

namespace mailproof::judge {

/// Commands that may do something to a message. One that was not answered may be done at any time: the server has read
/// it, or a proxy has.
struct UnderWay {
  int open = 0;              ///< not answered yet, or never
  std::uint32_t newest = 0;  ///< the newest event of one of them
  /// Such a command, or its answer.
  void note(const history::Event& e) {
    count(e);
    newest = e.index;
  }
  /// ... of which nothing new is learnt.
  void count(const history::Event& e) {
    if (e.type == history::Type::invoke)
      ++open;
    else if (e.command != 0 && e.type != history::Type::info && open > 0)
      --open;
  }
  /// Whether one may have done something behind this event.
  bool since(std::uint32_t event) const { return open > 0 || newest > event; }
  /// What is under way for one copy of a message is so for all.
  void join(const UnderWay& other) {
    open = std::max(open, other.open);
    newest = std::max(newest, other.newest);
  }
};

}  // namespace mailproof::judge
