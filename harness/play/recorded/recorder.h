#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "play/context.h"
#include "play/recorded/outcome.h"
#include "session/client.h"

namespace mailproof::play {

/// What a connection that writes down everything it does is, whatever its protocol: a session of the history with its
/// log, the link, and what was asked for and has not ended. Every command has one end, told from the loop; once the
/// session is over, it fails at once ("never sent").
class Recorder {
 public:
  /// What an event says where the connection is gone already.
  static constexpr std::string_view kGone = "the connection was gone before";

  using Then = std::function<void(const Completion&)>;

  struct Pending {
    std::uint32_t event = 0;  ///< the invoke
    history::What what = history::What::noop;
    std::uint32_t seq = 0;  ///< of the invoke: the POP3 message that it is about
    Then then;
  };

  /// `client` and `context` outlive it. `session`: of Context::new_session(). `mailbox`: of every event, as far as it
  /// does not say otherwise.
  Recorder(Context& context, Peer& client, std::uint32_t session, const Endpoint& endpoint, std::string mailbox = {});
  ~Recorder();
  Recorder(const Recorder&) = delete;

  std::uint32_t number() const { return number_; }
  const Endpoint& endpoint() const { return endpoint_; }
  bool over() const { return over_; }
  const session::Ended& end() const { return end_; }  ///< how, once it is over

  history::Event event(history::Type type, history::What what) const;
  std::uint32_t append(history::Event e) { return context_.append(std::move(e)); }

  /// Connects and logs in.
  void open(Then then);
  /// Records the invoke; `issue` gives the client's command id, 0 where it takes nothing more.
  template <class Issue>
  void command(history::Event invoke, Then then, Issue&& issue) {
    Pending pending{0, invoke.what, invoke.seq, std::move(then)};
    pending.event = append(std::move(invoke));
    if (const session::CommandId id = over_ ? 0 : issue(); id != 0) {
      pending_[id] = std::move(pending);
    } else {
      never_sent(std::move(pending));
    }
  }
  /// Of a command that is over: its event is the caller's to fill and append. Nothing if it is not one of command().
  std::optional<Pending> take(session::CommandId id);
  history::Event done(const Pending& pending, session::Outcome outcome, std::string_view code, std::string_view text);
  const std::map<session::CommandId, Pending>& pending() const { return pending_; }  ///< oldest first

  /// The device lets go of the connection; `words` say so in the history, "" = nothing does.
  void drop(bool with_reset, std::string_view words);
  void misbehave(const LinkFaults& faults);

  // What every protocol's client tells.
  void ready(std::string_view status, std::string_view announced = {});
  void deviation(const session::Deviation& deviation);
  void ended(const session::Ended& ended);

 private:
  void never_sent(Pending pending);

  Context& context_;
  std::uint32_t number_;
  Endpoint endpoint_;
  std::string mailbox_;
  history::RecordedPeer recorded_;
  std::unique_ptr<Link> link_;
  std::map<session::CommandId, Pending> pending_;
  Then opened_;
  std::uint32_t connect_event_ = 0;
  bool over_ = false;
  session::Ended end_;
};

}  // namespace mailproof::play
