#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/network.h"

namespace mailproof::sim {

/// A connection in memory: our peer (the client) on one side, the server's on the other. Bytes of each direction arrive
/// in order, each burst after a latency of its own; the end of a connection arrives like a byte.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  struct World {
    std::function<Time()> now;
    std::function<void(Time, std::function<void()>)> schedule;
    std::function<Duration()> latency;
    /// When the server turns to what arrives now, where that takes it time; it does one thing after the other. Empty:
    /// at once.
    std::function<Time()> served = {};
  };
  Pipe(Peer& client, std::unique_ptr<Peer> server, World world);
  ~Pipe();

  void start(bool sealed);
  void abandon();  ///< the client's Link is gone: its peer is never called again, the server sees the connection end
  void drop(bool with_reset);
  void server_dies();  ///< its end goes away in the middle of whatever it was doing
  void misbehave(const LinkFaults& faults);

 private:
  enum Side : std::size_t { kClient = 0, kServer = 1 };
  struct End final : Waker {
    Pipe* pipe = nullptr;
    Side side = kClient;
    Peer* peer = nullptr;
    bool over = false;          ///< ended() was called, or it must not be called any more
    bool sending_over = false;  ///< half-closed or closed towards the other end
    bool wants_seal = false;
    std::size_t early_bytes = 0;  ///< arrived after it asked for the seal and before both had
    bool service_pending = false;
    std::optional<Time> deadline;
    std::uint64_t deadline_generation = 0;
    Time last_arrival{};    ///< when what it sent last arrives at the other end
    Time earliest_write{};  ///< write_delay
    void wake() override { pipe->wake(side); }
  };
  End& other(End& end) { return ends_[end.side == kClient ? kServer : kClient]; }
  void wake(Side side);
  void service(End& end);
  void send(End& end);
  void arrive(End& end, const std::string& bytes, bool sealed);  ///< as it was when they were sent
  void arrive_end(End& end, EndReason reason);
  void in_its_turn(End& end, std::function<void()> act);
  void close(End& end, EndReason seen_by_other);
  void try_seal(End& asked);
  void watch_deadline(End& end);
  void later(Time at, void (Pipe::*what)(End&), End& end);
  void finish(End& end, EndReason reason, std::string_view detail);

  End ends_[2];
  std::unique_ptr<Peer> server_;
  World world_;
  LinkFaults faults_;
  std::uint64_t sent_ = 0, received_ = 0;  ///< by the client since misbehave()
  std::string unread_;                     ///< arrived while the client does not read
  bool unread_end_ = false;                ///< and behind that the end of the connection
  bool sealed_ = false;
};

}  // namespace mailproof::sim
