#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>

#include "play/devices/mailbox_reader.h"
#include "play/ownership.h"

namespace mailproof::play {

/// Looks into mailboxes of an account right before a line that takes messages of them: in a session of its own, which
/// opens them by EXAMINE and asks for headers only. Stays alive until the player goes.
class OwnLook {
 public:
  /// What each of them holds, all of it ours; or why it cannot be said.
  using Then = std::function<void(std::map<std::string, OwnedSoFar> looked, const std::string& why)>;
  OwnLook(Context& context, std::uint32_t account);

  void look(const std::set<std::string>& mailboxes, Then then);
  void drop() { session_.drop(false); }

 private:
  void look_into(const std::string& mailbox, Finish next);
  void finish();

  Context& context_;
  std::uint32_t account_;
  RecordedImap session_;
  MailboxReader reader_;
  std::vector<std::string> mailboxes_;
  std::map<std::string, OwnedSoFar> looked_;
  std::string why_;
  Then then_;
};

}  // namespace mailproof::play
