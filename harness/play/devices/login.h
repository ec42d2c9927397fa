#pragma once
#include "play/devices/actor.h"
#include "session/starttls_smuggler.h"

namespace mailproof::play {

/// `connect`: a login that may be refused, or must be. Writes down what is expected of it and what came of it.
class Welcome {
 public:
  /// `text` of the step. `connect` must outlive it.
  Welcome(Context& context, const scenario::Connect& connect, std::string_view text);
  /// The endpoint that the step means: with `plaintext` the one for STARTTLS, without asking for TLS; the password then
  /// goes as it is (LOGIN, USER), since SCRAM and the like need no TLS to keep it.
  Endpoint endpoint(Protocol protocol, std::optional<TlsMode> tls) const;
  /// The server said no to the login; anything else - no connection, no TLS, silence, garbage - is no answer to it.
  static bool said_no(const session::Ended& ended);
  /// `ended`: why the session never became ready; null = it did.
  void came(std::uint32_t session, const session::Ended* ended, const std::string& device);

 private:
  Context& context_;
  const scenario::Connect& connect_;
  std::uint32_t expectation_ = 0;
};

/// `smuggle`: a connection of its own that sends a command in clear text behind STARTTLS, and what it hears.
class Smuggle final : public session::SmugglerSink {
 public:
  Smuggle(Context& context, std::uint32_t device, std::uint32_t account, const Endpoint& endpoint,
          const std::string& command, Finish done);
  ~Smuggle() override;
  void on_smuggled(const session::Smuggled& result, Time now) override;

 private:
  Context& context_;
  std::uint32_t number_;
  session::StarttlsSmuggler peer_;
  history::RecordedPeer recorded_;
  std::unique_ptr<Link> link_;
  Finish done_;
};

/// `vanish`: the device is gone with everything on it.
void vanish(Context& context, const std::string& device);

}  // namespace mailproof::play
