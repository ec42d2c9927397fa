#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "play/player.h"
#include "server/server.h"
#include "sim/sim_network.h"
#include "sim/wrong_server.h"

namespace mailproof::play {

/// Answers as the test says, and writes down what was asked.
class ScriptedAdmin final : public Admin, private Alarm {
 public:
  explicit ScriptedAdmin(Network& network) : network_(network) {}
  ~ScriptedAdmin() override { network_.set_alarm(*this, std::nullopt); }
  void perform(const AdminRequest& request, std::function<void(const AdminReply&)> done) override;

  /// "set_quota user-bob 65536" each, in order.
  std::vector<std::string> asked;
  std::vector<AdminRequest> requests;
  std::function<AdminReply(const AdminRequest&)> answer;
  Duration takes{};  ///< zero: the reply comes within the call

 private:
  void ring(Time now) override;
  Network& network_;
  std::function<void()> pending_;
};

/// A local delivery agent: puts the message into the mailbox, as the built-in server's LMTP would.
void put_into(server::Server& server, const std::string& address, std::string_view message, Time now);

/// Endpoints where nobody listens: a connection to them is refused.
class WithClosedPorts final : public Network {
 public:
  explicit WithClosedPorts(Network& network) : network_(network) {}
  Time now() const override { return network_.now(); }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override;
  void set_alarm(Alarm& alarm, std::optional<Time> at) override { network_.set_alarm(alarm, at); }
  bool run(const std::function<bool()>& done) override { return network_.run(done); }
  bool simulated() const override { return true; }
  std::vector<std::uint16_t> closed;

 private:
  class Refused;
  Network& network_;
};

/// A scenario on the reference server in memory. Its accounts are leased as "user-NAME" with the password "pass"; those
/// of a customer NAME belong to the target's "target-NAME".
class SimRig {
 public:
  /// `story`: devices and steps, and whatever else stands before them; id, title and needs are added.
  explicit SimRig(std::string_view story, const std::function<void(server::ServerOptions&)>& with = {});

  /// What was read of a whole file, with one scenario in it.
  /// `dialogues`: what stands in front of the server.
  explicit SimRig(scenario::Loaded loaded, const std::function<void(server::ServerOptions&)>& with = {},
                  std::vector<WrongDialogue> dialogues = {});

  /// Plays it to its end.
  void play();
  /// Events of this kind, one a line: "TYPE CODE TEXT".
  std::vector<std::string> told(history::What what) const;
  const history::Event& last(history::What what) const;
  /// How often a session of this device's came up.
  int logins(std::string_view device) const;
  /// How long it took from the first step to the last.
  Duration took() const { return player->playing_time(); }
  history::Fate fate(std::uint32_t message, std::uint32_t account = 1) const {
    return player->ledger().fate(message, account);
  }
  std::string problem() const { return player->problem(); }

  scenario::Scenario scenario;
  scenario::Target target;
  std::vector<scenario::PoolAccount> leased;
  std::unique_ptr<server::Server> server;
  std::unique_ptr<sim::WrongServer> wrong;
  std::unique_ptr<sim::SimNetwork> network;
  std::unique_ptr<WithClosedPorts> ports;
  std::unique_ptr<ScriptedAdmin> admin;
  PlayOptions options;
  std::unique_ptr<Player> player;
};

inline constexpr std::uint16_t kStarttlsImap = 1143, kStarttlsPop3 = 1110, kStarttlsSmtp = 1025;

}  // namespace mailproof::play
