#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/peer.h"
#include "session/client.h"

namespace mailproof::session {

/// One session as a dialogue of lines. A step is what the server says, what the client must have said (secrets shown as
/// ***), TLS coming up, or something the device does.
struct DialogueStep {
  enum class Kind { server, client, tls, act };
  Kind kind;
  std::string text;
  std::function<void(Peer&)> action;
};
DialogueStep server(std::string text);
DialogueStep client(std::string text);
DialogueStep tls_up();
DialogueStep act(std::function<void(Peer&)> action);

/// A client under test, and what it told its sink, an event a line. The last line of a session is "ended ...".
struct Rig {
  virtual ~Rig() = default;
  virtual Peer& peer() = 0;
  std::vector<std::string> told;
};
std::string describe(const Ended& ended);
std::string describe(Outcome outcome);

/// What a server was told to offer at each stage, and what TLS came to, an event a line; told apart from the rest, so
/// that a dialogue about something else need not expect it.
class Offers {
 public:
  void secured(const TlsFacts& facts);
  void offered(std::span<const std::string> words, Stage stage);
  std::vector<std::string> lines;
};

/// What goes wrong at a step of the server.
enum class Fault { closed, cut_in_the_middle, timeout, garbage, refusal };

struct DialogueRun {
  std::vector<std::string> told;
  std::string raw_output;  ///< with secrets
};

/// Plays all steps: everything the client says must be expected, in time order. Ends with the connection open.
DialogueRun play(const std::function<std::unique_ptr<Rig>()>& make, const std::vector<DialogueStep>& steps);

/// Plays the dialogue again once per server step and fault, with that step failing; `refusal` is the protocol's
/// negative answer. Whatever happens: one "ended" as the last event, every command done once, nothing left to send, no
/// deadline.
void expect_every_step_may_fail(const std::function<std::unique_ptr<Rig>()>& make,
                                const std::vector<DialogueStep>& steps, const std::string& refusal);

}  // namespace mailproof::session
