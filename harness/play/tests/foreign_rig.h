#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/rng.h"
#include "play/tests/look_alikes.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {

/// What a friend writes to alice.
std::string foreign_letter(const std::string& subject = "dinner");

/// Of a server that is wrong: where, and what it says there.
WrongBlock wrong_on(Protocol protocol, const std::string& line, std::vector<WrongAction> actions,
                    WrongBlock::At at = WrongBlock::At::line);
WrongAction wrong_say(std::string text);

/// A client that says these commands, one after the other, and closes; what it heard. IMAP or POP3, without TLS.
std::string ask(server::Server& server, Protocol protocol, const std::vector<std::string>& commands, Time now);

/// Mail of other people in the accounts of a rig: put there before or during a scenario, and looked for in the end.
class ForeignMail {
 public:
  explicit ForeignMail(SimRig& rig) : rig_(rig) {}

  /// Into this account's INBOX, now; nothing where that is full. `deleted`: somebody marks it so.
  void put(const std::string& account, std::string text, bool deleted = false);
  /// As often as that, at times drawn from the seed, most of them in the first moments of the scenario.
  void arrive(std::size_t times, std::uint64_t seed);

  std::size_t sent() const { return letters_.size(); }
  /// What became of it: letters that are not there any more, are there with other octets, or are marked otherwise than
  /// somebody marked them.
  struct Harm {
    std::size_t missing = 0, changed = 0, seen = 0, marked = 0;
    std::vector<std::string> lines;  ///< one for each
  };
  Harm harm() const;
  std::vector<std::string> harmed() const { return harm().lines; }
  /// Sessions that were sent its body, by their label and protocol.
  std::vector<std::string> read_by() const;

 private:
  struct Letter {
    std::string account, text;
    bool deleted = false;
  };
  class Arrival;
  SimRig& rig_;
  std::vector<Letter> letters_;
  std::vector<std::shared_ptr<Arrival>> arrivals_;
};

}  // namespace mailproof::play
