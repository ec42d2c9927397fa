#pragma once
#include <string>
#include <vector>

#include "core/network.h"
#include "core/time.h"

namespace mailproof::history {

/// All bytes of one connection in clear (after TLS), in the order they passed. Only kept where a rule will look at
/// them; never written anywhere: it may hold passwords.
struct WireBytes {
  Protocol protocol = Protocol::pop3;
  std::string label;  ///< "alice#1": for evidence
  struct Piece {
    bool from_server = false;
    bool secured = false;
    Time at{};
    std::string bytes;
  };
  std::vector<Piece> pieces;
  EndReason end = EndReason::none;
};

}  // namespace mailproof::history
