#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/network.h"

namespace mailproof::play {

/// What was thrown, for people: "out_of_range: map::at". To be called within a catch.
std::string what_was_thrown();

/// The network of one scenario or copy. What is thrown when the network calls one of its peers or alarms is an error of
/// that copy alone and goes to `thrown`; the others on the same network and thread go on. A peer that threw once is not
/// called any more, and its connection ends.
class CatchingNetwork final : public Network {
 public:
  using Thrown = std::function<void(const std::string& what)>;

  /// `inner` must outlive it. `thrown` is called from within the network's run, and must not throw.
  CatchingNetwork(Network& inner, Thrown thrown);
  ~CatchingNetwork() override;

  Time now() const override { return inner_.now(); }
  std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) override;
  void set_alarm(Alarm& alarm, std::optional<Time> at) override;
  bool run(const std::function<bool()>& done) override { return inner_.run(done); }
  bool simulated() const override { return inner_.simulated(); }
  /// No alarm rings any more, and the inner network is not asked for anything that is over.
  void retire();

 private:
  class CatchingPeer;
  class CatchingLink;
  class CatchingAlarm;

  Network& inner_;
  Thrown thrown_;
  std::map<Alarm*, std::unique_ptr<CatchingAlarm>> alarms_;
};

}  // namespace mailproof::play
