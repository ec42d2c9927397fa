#include "sim/pipe.h"

#include <algorithm>
#include <utility>

namespace mailproof::sim {
namespace {
constexpr Duration kSealBound = std::chrono::seconds(10);  // a handshake that nobody answers
const TlsFacts kSeal{true, "sim", "seal", "", 0};
}  // namespace

Pipe::Pipe(Peer& client, std::unique_ptr<Peer> server, World world)
    : server_(std::move(server)), world_(std::move(world)) {
  for (const Side side : {kClient, kServer}) {
    ends_[side].pipe = this;
    ends_[side].side = side;
  }
  ends_[kClient].peer = &client;
  ends_[kServer].peer = server_.get();
  for (End& end : ends_) end.peer->attach(&end);
}

Pipe::~Pipe() {
  for (End& end : ends_)
    if (end.peer != nullptr) end.peer->attach(nullptr);
}

void Pipe::start(bool sealed) {
  sealed_ = sealed;
  const auto open = [](End& end) {
    return [self = end.pipe->shared_from_this(), &end] {
      if (end.peer == nullptr || end.over) return;
      if (self->sealed_) end.peer->secured(kSeal, self->world_.now());
      if (end.over) return;
      end.peer->opened(self->world_.now());
      self->service(end);
    };
  };
  const Duration latency = world_.latency();
  world_.schedule(world_.now() + latency, open(ends_[kServer]));
  world_.schedule(world_.now() + latency + latency, open(ends_[kClient]));
  ends_[kServer].last_arrival = world_.now() + latency + latency;  // the greeting cannot overtake the connection
}

void Pipe::abandon() {
  End& client = ends_[kClient];
  if (client.peer != nullptr) client.peer->attach(nullptr);
  client.peer = nullptr;
  if (!client.over) close(client, EndReason::reset);
  client.over = true;
}

void Pipe::drop(bool with_reset) {
  End& client = ends_[kClient];
  if (client.over) return;
  close(client, with_reset ? EndReason::reset : EndReason::closed);
  finish(client, EndReason::dropped, "");
}

void Pipe::server_dies() {
  End& server = ends_[kServer];
  if (server.over) return;
  close(server, EndReason::reset);
  finish(server, EndReason::dropped, "");
}

void Pipe::misbehave(const LinkFaults& faults) {
  faults_ = faults;
  sent_ = received_ = 0;
  if (!faults_.stop_reading && (!unread_.empty() || unread_end_))
    world_.schedule(world_.now(), [self = shared_from_this()] {
      if (!self->unread_.empty()) self->arrive(self->ends_[kClient], {}, self->sealed_);
      if (std::exchange(self->unread_end_, false)) self->arrive_end(self->ends_[kClient], EndReason::closed);
    });
  wake(kClient);
}

void Pipe::wake(Side side) {
  End& end = ends_[side];
  if (end.service_pending || end.over) return;
  end.service_pending = true;
  world_.schedule(world_.now(), [self = shared_from_this(), &end] {
    end.service_pending = false;
    self->service(end);
  });
}

void Pipe::later(Time at, void (Pipe::*what)(End&), End& end) {
  world_.schedule(at, [self = shared_from_this(), what, &end] { ((*self).*what)(end); });
}

/// Looks at a peer after anything happened to it: sends what it has, does what it wants, notes its deadline.
void Pipe::service(End& end) {
  if (end.peer == nullptr || end.over) return;
  send(end);
  if (end.over || end.peer == nullptr) return;
  if (end.peer->output().empty()) {
    const Wants wants = end.peer->wants();
    if (wants == Wants::close) {
      close(end, EndReason::closed);
      finish(end, EndReason::dropped, "");
      return;
    }
    if (wants == Wants::start_tls && !sealed_ && !end.wants_seal) {
      end.wants_seal = true;
      try_seal(end);
    }
    if (end.side == kClient && faults_.half_close && !end.sending_over) close(end, EndReason::closed);
  }
  watch_deadline(end);
}

void Pipe::send(End& end) {
  const bool client = end.side == kClient;
  while (!end.over && !end.sending_over && !(end.wants_seal && !sealed_)) {
    const Time now = world_.now();
    if (client && faults_.write_delay.count() > 0) {
      const auto output = end.peer->output();
      if (output.empty()) return;
      if (end.earliest_write < now) end.earliest_write = now + faults_.write_delay;
      if (end.earliest_write > now) {
        later(end.earliest_write, &Pipe::service, end);
        return;
      }
    }
    const auto pieces = end.peer->output();
    std::size_t all = 0;
    for (const Output& piece : pieces) all += piece.bytes.size();
    if (all == 0) return;
    std::string bytes;
    bytes.reserve(all);
    for (const Output& piece : pieces) bytes += as_text(piece.bytes);
    bool cut = false;
    if (client) {
      if (faults_.split_writes != 0) bytes.resize(std::min(bytes.size(), faults_.split_writes));
      if (faults_.cut_after_sent && sent_ + bytes.size() >= *faults_.cut_after_sent) {
        bytes.resize(static_cast<std::size_t>(*faults_.cut_after_sent - std::min(sent_, *faults_.cut_after_sent)));
        cut = true;
      }
      sent_ += bytes.size();
      end.earliest_write = now + faults_.write_delay;
    }
    const std::size_t count = bytes.size();
    if (count != 0) {
      end.last_arrival = std::max(end.last_arrival, now + world_.latency());
      world_.schedule(end.last_arrival, [self = shared_from_this(), &to = other(end), moved = std::move(bytes),
                                         sealed = sealed_]() mutable {
        self->in_its_turn(to, [self, &to, moved = std::move(moved), sealed] { self->arrive(to, moved, sealed); });
      });
      end.peer->sent(count, now);
    }
    if (cut) {
      drop(faults_.cut_with_reset);
      return;
    }
  }
}

void Pipe::arrive(End& end, const std::string& bytes, bool sealed) {
  if (end.peer == nullptr || end.over) return;
  if (!sealed && (end.wants_seal || sealed_)) {
    end.early_bytes += bytes.size();  // plaintext where the handshake or TLS should be: counted, never parsed
    return;
  }
  std::string_view part = bytes;
  std::string read;
  if (end.side == kClient) {
    if (faults_.stop_reading) {
      unread_ += part;
      return;
    }
    if (!unread_.empty()) {
      unread_ += part;
      read = std::exchange(unread_, {});
      part = read;
    }
    received_ += part.size();
    if (faults_.cut_after_received && received_ >= *faults_.cut_after_received) {
      part.remove_suffix(
          static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), received_ - *faults_.cut_after_received)));
      if (!part.empty()) end.peer->feed(as_bytes(part), world_.now());
      drop(faults_.cut_with_reset);
      return;
    }
  }
  end.peer->feed(as_bytes(part), world_.now());
  service(end);
}

void Pipe::close(End& end, EndReason seen_by_other) {
  if (end.sending_over) return;
  end.sending_over = true;
  end.last_arrival = std::max(end.last_arrival, world_.now() + world_.latency());
  world_.schedule(end.last_arrival, [self = shared_from_this(), &to = other(end), seen_by_other] {
    self->in_its_turn(to, [self, &to, seen_by_other] { self->arrive_end(to, seen_by_other); });
  });
}

/// What arrives at a server that takes its time waits there, and so does an end behind it.
void Pipe::in_its_turn(End& end, std::function<void()> act) {
  if (end.side == kServer && world_.served) return world_.schedule(world_.served(), std::move(act));
  act();
}

void Pipe::arrive_end(End& end, EndReason reason) {
  if (end.peer == nullptr || end.over) return;
  if (end.side == kClient && faults_.stop_reading && reason == EndReason::closed) {
    unread_end_ = true;  // it is behind what was not read; a reset is not
    return;
  }
  close(end, EndReason::closed);
  finish(end, reason, reason == EndReason::reset ? "connection reset by peer" : "connection closed by the other end");
}

void Pipe::finish(End& end, EndReason reason, std::string_view detail) {
  if (end.over) return;
  end.over = true;
  if (end.peer != nullptr) end.peer->ended(reason, detail, world_.now());
}

/// The seal is on once both ends asked for it; one that waits in vain is told so.
void Pipe::try_seal(End& asked) {
  const auto settle = [](End& end) {
    return [self = end.pipe->shared_from_this(), &end] {
      if (end.over || end.peer == nullptr) return;
      TlsFacts facts = kSeal;
      facts.early_bytes = end.early_bytes;
      end.peer->secured(facts, self->world_.now());
      self->service(end);
    };
  };
  if (other(asked).wants_seal) {
    const Duration latency = world_.latency();
    world_.schedule(world_.now() + latency, [self = shared_from_this()] { self->sealed_ = true; });
    for (End& end : ends_) world_.schedule(world_.now() + latency, settle(end));
    return;
  }
  world_.schedule(world_.now() + kSealBound, [self = shared_from_this(), &asked] {
    if (self->sealed_ || asked.over || asked.peer == nullptr) return;
    asked.peer->secured({false, "", "", "the other end did not start TLS within 10s", asked.early_bytes},
                        self->world_.now());
    self->close(asked, EndReason::closed);
    self->finish(asked, EndReason::tls_failed, "the other end did not start TLS within 10s");
  });
}

void Pipe::watch_deadline(End& end) {
  const auto due = end.peer->deadline();
  if (due == end.deadline) return;
  end.deadline = due;
  const std::uint64_t generation = ++end.deadline_generation;
  if (!due) return;
  world_.schedule(*due, [self = shared_from_this(), &end, generation] {
    if (end.peer == nullptr || end.over || generation != end.deadline_generation) return;
    end.deadline.reset();
    end.peer->advance(self->world_.now());
    self->service(end);
  });
}

}  // namespace mailproof::sim
