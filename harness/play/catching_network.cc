#include "play/catching_network.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <typeinfo>

namespace mailproof::play {

std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& e) {
    const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(typeid(e).name(), nullptr, nullptr, nullptr),
                                                       &std::free);
    std::string_view kind = plain == nullptr ? typeid(e).name() : plain.get();
    if (const auto colons = kind.rfind("::"); colons != std::string_view::npos) kind.remove_prefix(colons + 2);
    return fmt::format("{}: {}", kind, e.what());
  } catch (...) {
    return "something that is not an exception";
  }
}

class CatchingNetwork::CatchingPeer final : public Peer {
 public:
  CatchingPeer(Peer& inner, const Thrown& thrown) : inner_(inner), thrown_(thrown) {}

  void attach(Waker* waker) override {
    waker_ = waker;
    guarded([&] { inner_.attach(waker); });
  }
  void opened(Time now) override {
    guarded([&] { inner_.opened(now); });
  }
  void feed(Bytes in, Time now) override {
    guarded([&] { inner_.feed(in, now); });
  }
  std::span<const Output> output() override {
    std::span<const Output> out;
    guarded([&] { out = inner_.output(); });
    return broken_ ? std::span<const Output>() : out;
  }
  void sent(std::size_t n, Time now) override {
    guarded([&] { inner_.sent(n, now); });
  }
  void advance(Time now) override {
    guarded([&] { inner_.advance(now); });
  }
  std::optional<Time> deadline() const override { return broken_ ? std::nullopt : inner_.deadline(); }
  void secured(const TlsFacts& facts, Time now) override {
    guarded([&] { inner_.secured(facts, now); });
  }
  void ended(EndReason reason, std::string_view detail, Time now) override {
    guarded([&] { inner_.ended(reason, detail, now); });
  }
  Wants wants() const override { return broken_ ? Wants::close : inner_.wants(); }

 private:
  void guarded(const auto& call) {
    if (broken_) return;
    try {
      call();
    } catch (...) {
      broken_ = true;
      if (waker_ != nullptr) waker_->wake();  // it wants to be closed now
      thrown_(what_was_thrown());
    }
  }

  Peer& inner_;
  const Thrown& thrown_;
  Waker* waker_ = nullptr;
  bool broken_ = false;
};

class CatchingNetwork::CatchingLink final : public Link {
 public:
  CatchingLink(Network& network, const Endpoint& endpoint, Peer& peer, const Thrown& thrown)
      : peer_(peer, thrown), link_(network.open(endpoint, peer_)) {}
  void misbehave(const LinkFaults& faults) override { link_->misbehave(faults); }
  void drop(bool with_reset) override { link_->drop(with_reset); }

 private:
  CatchingPeer peer_;
  std::unique_ptr<Link> link_;
};

class CatchingNetwork::CatchingAlarm final : public Alarm {
 public:
  CatchingAlarm(Alarm& inner, const Thrown& thrown) : inner_(inner), thrown_(thrown) {}
  void ring(Time now) override {
    try {
      inner_.ring(now);
    } catch (...) {
      thrown_(what_was_thrown());
    }
  }

 private:
  Alarm& inner_;
  const Thrown& thrown_;
};

CatchingNetwork::CatchingNetwork(Network& inner, Thrown thrown) : inner_(inner), thrown_(std::move(thrown)) {}

CatchingNetwork::~CatchingNetwork() { retire(); }

void CatchingNetwork::retire() {
  for (auto& [alarm, catching] : alarms_) inner_.set_alarm(*catching, std::nullopt);
  alarms_.clear();
}

std::unique_ptr<Link> CatchingNetwork::open(const Endpoint& endpoint, Peer& peer) {
  return std::make_unique<CatchingLink>(inner_, endpoint, peer, thrown_);
}

void CatchingNetwork::set_alarm(Alarm& alarm, std::optional<Time> at) {
  auto known = alarms_.find(&alarm);
  if (known == alarms_.end()) {
    if (!at) return;
    known = alarms_.emplace(&alarm, std::make_unique<CatchingAlarm>(alarm, thrown_)).first;
  }
  inner_.set_alarm(*known->second, at);
}

}  // namespace mailproof::play
