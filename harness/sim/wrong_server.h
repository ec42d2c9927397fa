#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/peer.h"
#include "core/wrong_dialogue.h"
#include "sim/sim_network.h"

namespace mailproof::sim {

struct WrongScript;

/// Makes the server's end of every connection do what a dialogue says: give wrap() to SimNetwork::Options. Later
/// dialogues see the answers of earlier ones as the server's own. Must outlive the network.
class WrongServer {
 public:
  /// The patterns of `dialogues` are good regular expressions.
  explicit WrongServer(std::vector<WrongDialogue> dialogues);
  ~WrongServer();

  std::unique_ptr<Peer> wrap(Protocol protocol, std::unique_ptr<Peer> server, const SimNetwork::Reset& reset);

  /// The blocks of the last dialogue that no connection came to, as they are written: "C: LIST".
  std::vector<std::string> unreached() const;

 private:
  std::vector<std::shared_ptr<const WrongScript>> scripts_;
  std::map<Protocol, unsigned> connections_;
};

}  // namespace mailproof::sim
