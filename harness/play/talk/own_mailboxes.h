#pragma once
#include <map>
#include <set>
#include <string>

#include "play/learnt.h"
#include "play/talk/bring_up.h"

namespace mailproof::play {

/// "box/a", "sep" ... (scenarios/conformance/README.md, "Mailboxes of its own") with what they stand for; `token` is
/// the check's own name. Empty: `names` asks for levels, and the server has none.
std::map<std::string, std::string, std::less<>> own_names(const Hierarchy& hierarchy, const std::string& token,
                                                          const std::set<std::string>& names);

/// How a server names the mailboxes that a check makes: asks it, over a connection of its own, for the personal
/// namespace (RFC 2342) and, where it tells none, for the hierarchy delimiter (RFC 3501 section 6.3.8).
class OwnMailboxes {
 public:
  OwnMailboxes(Context& context, std::uint32_t session, const Endpoint& endpoint);

  /// Goes on as far as it can; to be called again when something came. True: it is over.
  bool go_on();
  bool leaving() const { return step_ == Step::quitting; }  ///< all is known, only the end is awaited
  const std::string& problem() const { return problem_; }   ///< why it could not be asked; "" = it was
  TalkConnection& connection() { return connection_; }

  const Hierarchy& hierarchy() const { return hierarchy_; }

 private:
  enum class Step { bringing_up, asking_namespace, asking_list, quitting, over };
  bool ask(const std::string& command, Step next);
  void answered(bool ok);
  void take(const std::string& line);

  TalkConnection connection_;
  TalkBringUp bring_up_;
  Step step_ = Step::bringing_up;
  bool told_ = false;  ///< the prefix and the delimiter
  Hierarchy hierarchy_;
  std::string problem_;
};

/// As a command takes it: an atom, or a quoted string.
std::string as_astring(const std::string& name);
/// As it stands between the quotes of a quoted string (RFC 3501 section 9, QUOTED-CHAR).
std::string as_quoted_text(const std::string& name);

}  // namespace mailproof::play
