#pragma once
#include <functional>
#include <map>
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
  std::function<CommandId(Peer&)> action{};
  std::size_t recipients = 0;  ///< of the command that the action asks for
};
DialogueStep server(std::string text);
DialogueStep client(std::string text);
DialogueStep tls_up();
DialogueStep act(std::function<void(Peer&)> action);
/// Asks for commands; gives the number of the last.
DialogueStep asks(std::function<CommandId(Peer&)> action, std::size_t recipients = 0);

/// A client under test, and what it told its sink, an event a line. The last line of a session is "ended ...".
struct Rig {
  virtual ~Rig() = default;
  virtual Peer& peer() = 0;
  std::vector<std::string> told;
  std::map<CommandId, std::size_t> asked;  ///< with the number of recipients
};

/// ... of which is known what must come of it when something fails.
struct SessionRig : Rig {
  /// Whether the client waits for the server.
  virtual bool awaiting() const = 0;
  /// What the RFC lets be known of every command that was asked for, when the client's end handed `said` to the link
  /// and the server said `heard`, whole or cut: "done 1 ok", "recipient 1.0 info". Read off the two texts, and not as
  /// the client reads them.
  virtual std::vector<std::string> truth(std::string_view said, std::string_view heard) const = 0;
  /// Answers that are replies of the protocol: no, or something else than what was asked.
  virtual std::vector<std::string> odd_answers() const = 0;
  /// What is said again and again.
  virtual std::vector<std::string> floods() const = 0;
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

/// A dialogue under way, one octet after the other where that is wanted: the link and the server's end of it.
class Playing {
 public:
  explicit Playing(std::unique_ptr<Rig> rig) : rig_(std::move(rig)) { peer().opened(now); }

  static constexpr Duration kStep = 1s;  ///< passes before each

  /// One step as it should go.
  void step(const DialogueStep& step);
  /// Takes everything the client wants to say, as a link would; shown with *** for secrets.
  std::string drain();
  /// Takes the first `octets` of it.
  void hand(std::size_t octets);
  std::size_t waiting();  ///< octets that it wants to say
  void feed(std::string_view text);
  bool over() { return peer().wants() == Wants::close; }

  Rig& rig() { return *rig_; }
  Peer& peer() { return rig_->peer(); }
  Time now{};
  std::string said;   ///< by the client, as far as the link took it; with secrets
  std::string heard;  ///< by the client
  std::string shown;  ///< said since the last step of the client

 private:
  std::unique_ptr<Rig> rig_;
};

struct DialogueRun {
  std::vector<std::string> told;
  std::string raw_output;  ///< with secrets
};

using MakeRig = std::function<std::unique_ptr<Rig>()>;
using MakeSession = std::function<std::unique_ptr<SessionRig>()>;

/// Plays all steps: everything the client says must be expected, in time order. Ends with the connection open.
DialogueRun play(const MakeRig& make, const std::vector<DialogueStep>& steps);

/// Plays the dialogue again with each step failing in every way there is. The server's reply is cut at every octet
/// (none of it and all of it included) by a connection that closes, is reset or says nothing more; it is another
/// answer (`refusal`, the rig's odd ones), then nothing, or the same to everything; it is garbage, a trickle or a
/// flood. The client's words are cut at every octet that the link takes. TLS does not come up. Whatever happens: a
/// bound on all that is awaited, one "ended" as the last event, every command done once and as the rig's truth says,
/// nothing left to send.
void expect_every_step_may_fail(const MakeSession& make, const std::vector<DialogueStep>& steps,
                                const std::string& refusal);

}  // namespace mailproof::session
