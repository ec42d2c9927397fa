#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "load/samples.h"
#include "play/player.h"
#include "scenario/plan/think.h"
#include "stats/operations.h"

namespace mailproof::load {

/// Users in a closed loop, a slot each: whoever has played the story thinks, and plays it again.
struct Users {
  scenario::Think think;
  double pace = 1;         ///< they think so many times as fast
  std::uint64_t seed = 1;  ///< what they think is drawn from it: the same of each user, whoever plays him
  std::uint32_t all = 1;   ///< of all threads and shards: user number u plays copies u, u + all, u + 2 all, ...
  Duration until{};        ///< nobody begins later
};

/// When the copies of a story are due: open arrivals, evenly spaced; they come whether or not the server keeps up.
struct Arrivals {
  double rate = 1;  ///< a second
  std::uint32_t total = 1;
  std::uint32_t first = 0;  ///< this shard plays copies first, first + step, first + 2 step, ...
  std::uint32_t step = 1;
  Duration offset{};  ///< the first is due so long after time zero: several stories take turns
  std::optional<Users> users =
      {};  ///< closed: each begins when the one before it is over; this shard's are `first`, ...
  /// ... of each round of so many: as many as all shards have slots, so that who has no slot has no copies either, and
  /// who has more of them has more. 0: all copies are one round.
  std::uint32_t round = 0;
  std::optional<std::uint32_t> begin() const;                    ///< this shard's first copy; nothing: it has none
  std::optional<std::uint32_t> after(std::uint32_t copy) const;  ///< and the one after that
  Duration due(std::uint32_t copy) const {
    return offset + Duration(static_cast<std::int64_t>(static_cast<double>(copy) / rate * 1e9));
  }
};

/// Plays many copies of one story on one network, each on leased accounts of its own; other stories may be played on
/// the same network by shards beside it. A copy is the shard: everything of it happens on this thread. A copy whose
/// time has come waits for a free slot; what it waited counts as latency. What never began is unserved: of each
/// operation it counts as often as a copy that was played had it, with all the time that it waited. Users in a closed
/// loop wait for themselves only: the next copy of one is meant to begin when his thinking is over, so that a server
/// that stalls is asked less meanwhile, and nothing is unserved.
class LoadShard final : public Alarm {
 public:
  struct Progress {
    std::uint32_t due = 0, begun = 0, over = 0;
    std::size_t running = 0, waiting = 0;
    std::size_t prepared = 0, slots = 0;  ///< whose mailboxes were looked at, of all
  };
  /// `slots`: accounts for as many copies as may run at the same time. `row`: what the operation is called that lasts
  /// as long as the story.
  LoadShard(const scenario::Scenario& scenario, const scenario::Target& target,
            std::vector<std::vector<scenario::PoolAccount>> slots, Network& network, play::PlayOptions options,
            Arrivals arrivals, std::string_view row = "story");
  ~LoadShard() override;

  /// Sees that the leased mailboxes are empty, a few at a time, then calls `then` with what was wrong ("" = nothing).
  /// It is called within what looked: start() comes later.
  void preflight(std::function<void(std::string)> then);
  /// Time zero of the arrivals is this, or now. It may lie ahead, and behind where we are late ourselves.
  void start(std::optional<Time> zero = std::nullopt);
  /// What is due in it is counted apart as well; said before it starts.
  void measure(const stats::Window& window) { operations_.measure(window); }
  /// No further copies begin; those under way are played to their end.
  void close();
  /// The same where the time is over: what was due before, and finds a slot, begins, however late we come to it.
  void end();
  void interrupt();
  bool done() const { return closed_ && running_.empty(); }
  bool closed_loop() const { return arrivals_.users.has_value(); }
  /// How often a user had to think longer than he wanted to, because his mailboxes were still looked into.
  std::uint64_t held_back() const { return held_back_; }

  /// A copy is over: audited, cleaned up and retired.
  std::function<void(std::unique_ptr<play::Player>, std::uint32_t copy)> on_copy;

  const stats::Operations& operations() const { return operations_; }
  const stats::Operations& audit() const { return audit_; }  ///< what looked afterwards: no part of the load
  const Samples& samples() const { return samples_; }
  void settle() { operations_.settle(network_.now()); }  ///< counts over time are complete up to now
  Progress progress() const;
  /// When the last copy had done what its story says; what looks for its mail afterwards is no part of the load.
  Time steps_over() const { return steps_over_; }
  std::uint64_t unserved() const { return operations_.at(story_).unserved(); }
  /// Of each copy: how long it was due and a slot was free, and still it had not begun. That is nobody's doing but
  /// ours.
  const stats::Histogram& own_lateness() const { return own_lateness_; }
  Duration held() const { return held_; }            ///< by all copies that are over: how long they had their slots
  Duration answering() const { return answering_; }  ///< part of it: until the server's answers came

  void ring(Time now) override;

 private:
  struct Running {
    std::unique_ptr<play::Player> player;
    std::size_t slot = 0;
    std::uint32_t copy = 0;
    Time intended{}, begun{};
    Time over_at{};
    std::optional<Time> steps_over_at;
    bool over = false;
    struct Unanswered {
      std::uint32_t session;
      stats::Operations::Id operation;
      bool audit;
      Time intended, start, end;
      std::string error;
    };
    std::vector<Unanswered> unanswered;  ///< until it is known how their session ended
    bool timed_out = false;              ///< some of it was waited for in vain
    std::optional<Time> not_played_at;   ///< when its steps were over, without having been played
    int connections = 0;                 ///< of the devices, that are open
    std::vector<std::pair<std::uint64_t, std::uint64_t>> counted;  ///< octets in and out, by session
  };
  void check_next();
  void give_up_waiting();
  struct Free {
    std::size_t slot;
    Time since;
  };
  void begin(std::uint32_t copy, const Free& free, Time intended, Time now);
  void play_users();
  Duration thought(std::uint32_t copy, double part = 1) const;
  void think(const Running& gone);
  void measure(Running& copy, const history::Event& event);
  void settle_unanswered(Running& copy, std::uint32_t session, bool timed_out);
  void count_octets(Running& copy, std::uint32_t session, Time now);
  void keep_sample(Running& copy, const history::Event& event, std::string_view operation, const std::string& error);
  void steps_done(Running& copy);
  void bury();

  const scenario::Scenario& scenario_;
  const scenario::Target& target_;
  std::vector<std::vector<scenario::PoolAccount>> slots_;
  std::deque<Free> free_;  ///< the longest free one first
  struct Thinking {
    Time until{};
    std::uint32_t copy = 0;  ///< that is played then
    std::size_t slot = 0;    ///< of the user
    friend auto operator<=>(const Thinking&, const Thinking&) = default;
  };
  std::set<Thinking> thinking_;  ///< users, in a closed loop
  std::uint64_t held_back_ = 0;
  Network& network_;
  play::PlayOptions options_;
  Arrivals arrivals_;
  stats::Operations operations_, audit_;
  stats::Operations::Id story_;
  Samples samples_;
  Time zero_{};
  Time steps_over_{};
  std::optional<std::uint32_t> next_;                    ///< copy that is due next
  std::deque<std::uint32_t> waiting_;                    ///< due, no slot was free
  std::map<std::size_t, play::MailboxesBefore> before_;  ///< by slot: what no copy there may remove; they point at it
  std::vector<std::unique_ptr<Running>> running_;
  std::uint32_t begun_ = 0, over_ = 0;
  stats::Histogram own_lateness_;
  Duration held_{}, answering_{};
  bool closed_ = false;
  // preflight
  std::vector<std::unique_ptr<play::Player>> checks_;
  std::size_t check_ = 0, checking_ = 0;
  std::string wrong_;
  std::function<void(std::string)> checked_;
};

}  // namespace mailproof::load
