#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stats/histogram.h"
#include "stats/slices.h"

namespace mailproof::stats {

/// A stretch of a run, counted from its time zero. Where nothing is meant to be told apart it is empty.
struct Window {
  Duration from{}, to{};
  bool empty() const { return to <= from; }
  friend bool operator==(const Window&, const Window&) = default;
};

/// One kind of operation ("imap.fetch", "delivery"). What each number counts, and what it is a part of:
///
///     intended ⊇ started ⊇ ok + fail + info
///
/// intended - started is what was due and never began (unserved); started - (ok + fail + info) is still under way.
struct Operation {
  std::uint64_t intended = 0;   ///< arrivals whose time came
  std::uint64_t started = 0;    ///< part of intended: really begun
  std::uint64_t ok = 0;         ///< part of started: it happened
  std::uint64_t fail = 0;       ///< part of started: it certainly did not
  std::uint64_t info = 0;       ///< part of started: nobody knows (timeout, connection lost before the answer)
  std::uint64_t timed_out = 0;  ///< part of info: silence for as long as was waited; it took at least that long

  /// ok, what was never served, and timed_out: from the intended start to the answer, or until nobody waited any more;
  /// what a user felt.
  Histogram response;
  Histogram service;   ///< ok and timed_out: the same from the real start; what the server took
  Histogram lateness;  ///< every started one: from the intended to the real start; our own delay and the queueing

  /// fail + info, by class of error ("timeout", "no [OVERQUOTA]"); their sum is fail + info.
  std::map<std::string, std::uint64_t, std::less<>> errors;

  /// The same of what was due in the measured phase alone, whenever it ended.
  struct Measured {
    std::uint64_t due = 0;
    std::uint64_t ok = 0;
    std::uint64_t done = 0;  ///< ok that ended in the phase, whenever it was due: what was got done, and not asked for
    Histogram response;
    friend bool operator==(const Measured&, const Measured&) = default;
  };
  Measured measured;
  Window window;  ///< ... and when that is; empty: nothing is counted so

  Slices slices;  ///< all of the above over time, from zero
  Time zero{};    ///< where the slices begin

  std::uint64_t unserved() const { return intended - started; }
  std::uint64_t under_way() const { return started - ok - fail - info; }

  // Whoever does not say when it was counts in the slice of the last that was told, and not as due in the phase.
  void due(std::optional<Time> when = std::nullopt);
  void begin(Time intended_start, Time start);
  void succeed(Time intended_start, Time start, Time end);
  void fail_as(std::string_view error_class, std::optional<Time> end = std::nullopt);
  void unknown_as(std::string_view error_class, std::optional<Time> end = std::nullopt);
  /// Nobody knows, and who waited gave up: the slowest of all must not be missing in the percentiles.
  void time_out_as(std::string_view error_class, Time intended_start, Time start, Time end);
  /// So often it was due and never began; whoever wanted it gave up after having waited so long.
  void never(Duration waited, std::uint64_t times, std::optional<Time> when = std::nullopt);
  void merge(const Operation& other, bool with_slices = true);

  /// The same figures, whoever counted them from wherever.
  friend bool operator==(const Operation& a, const Operation& b) {
    return a.intended == b.intended && a.started == b.started && a.ok == b.ok && a.fail == b.fail && a.info == b.info &&
           a.timed_out == b.timed_out && a.response == b.response && a.service == b.service &&
           a.lateness == b.lateness && a.errors == b.errors && a.measured == b.measured && a.slices == b.slices;
  }

 private:
  void count_error(std::string_view error_class);
  void felt(Time intended_start, Duration waited, std::uint64_t times = 1);
  Slice& slice(std::optional<Time> when);
  Time last_{};
};

/// The operations of one thread, by name. Look the id up once; at() costs nothing. Merges by name, so that threads may
/// have met the operations in any order.
class Operations {
 public:
  using Id = std::size_t;
  Id id(std::string_view name);  ///< the same name, the same id; a new name is added
  Operation& at(Id id) { return all_[id]; }
  const Operation& at(Id id) const { return all_[id]; }
  const Operation* find(std::string_view name) const;  ///< null when nobody asked for this name
  /// Without slices: all but what happened when.
  void merge(const Operations& other, bool with_slices = true);

  /// Slices count from here: said before anything is counted.
  void start(Time zero);
  /// What is due in it is counted apart as well; said before anything is counted.
  void measure(const Window& window);
  /// "running", "waiting", "connections": counted over time beside the operations.
  Gauge& gauge(std::string_view name);
  const std::map<std::string, Gauge, std::less<>>& gauges() const { return gauges_; }
  void settle(Time now);  ///< all gauges
  /// Octets that sessions moved.
  void moved(Time now, std::uint64_t in, std::uint64_t out) {
    if (in != 0 || out != 0) octets_.at(now - zero_).merge({in, out});
  }
  const Timeline<Octets>& octets() const { return octets_; }
  Timeline<Octets>& octets() { return octets_; }

  /// f(name, operation) in order of name.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [name, id] : names_) f(std::string_view(name), all_[id]);
  }

 private:
  std::map<std::string, Id, std::less<>> names_;
  std::vector<Operation> all_;
  std::map<std::string, Gauge, std::less<>> gauges_;
  Timeline<Octets> octets_;
  Time zero_{};
  Window window_;
};

}  // namespace mailproof::stats
