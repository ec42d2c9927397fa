#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "load/customers.h"
#include "load/judging.h"
#include "load/plan.h"
#include "load/report.h"
#include "load/thread_cpu.h"
#include "load/watch.h"
#include "run/worker.h"

namespace mailproof::load {

/// What a thread brings home.
struct Harvest {
  std::vector<StoryTotals> stories;  ///< in the order of the parts
  std::map<std::string, Tally> findings;
  std::vector<judge::Verdict> seen;
  Generator generator;
  std::string wrong;
  double seconds = 0;
  Duration held{}, answering{};  ///< LoadShard
  PlanResult plan;               ///< of this thread's part of it
  std::uint64_t unjudged = 0;    ///< copies that judging had no room for
};

/// Where the threads of a load wait for each other once all mailboxes were looked at, so that the arrivals of all have
/// one time zero: when the last is there, or a time that was agreed on with other processes. And where each hears that
/// another ends the load. Any thread.
class StartLine {
 public:
  explicit StartLine(unsigned threads, std::optional<Time> at = std::nullopt) : missing_(threads), at_(at) {}
  /// `now`: of this thread. Time zero, or nothing where nobody will begin: a thread left, or `gave_up` says so.
  std::optional<Time> arrive(Time now, const std::function<bool()>& gave_up);
  void leave();                      ///< this thread will not come
  std::optional<Time> zero() const;  ///< once all are there
  Duration late() const;             ///< the last was there so long after the time that was agreed on
  /// Whoever sees that the load is to end before its time, and why; the first is heard.
  void abort(const std::string& why);
  std::string aborted() const;  ///< "" = nobody has

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  unsigned missing_;
  bool left_ = false;
  std::optional<Time> at_, zero_;
  Time last_{};
  std::string aborted_;
  std::atomic<bool> has_aborted_ = false;  ///< every turn of every thread asks
};

/// One thread of a load: its parts of all stories, on a network of its own.
class LoadThread {
 public:
  /// `setup` and what the parts point to must outlive it, and so must `watch`, which is told how it goes as thread
  /// number `number`; null: nobody is. `plan`: customers to be played beside the stories; their figures come last in
  /// Harvest::stories.
  LoadThread(const run::Setup& setup, std::vector<LoadPart> parts, Duration bound, std::string reproduce,
             StartLine& line, Watch* watch = nullptr, unsigned number = 0, std::optional<PlanPart> plan = std::nullopt,
             Keep keep = Keep::findings);
  /// Never throws: what a copy or its judges throw is an error of that copy, anything else of this thread.
  Harvest play();

 private:
  struct World;
  void make_world(World& world) const;
  void play_in(World& world);
  bool check(Network& network);
  void run(Network& network, net::Loop* loop);
  void audit(Network& network);
  void end_together(bool one_clock);
  void interrupt_all();
  void start_judging();
  void count_judged();
  void tell(Time now, bool preparing);
  void keep_lost();
  void keep_so_far(Time now);

  const run::Setup& setup_;
  std::vector<LoadPart> parts_;
  Duration bound_;
  std::string reproduce_;
  StartLine& line_;
  std::optional<PlanPart> plan_;  ///< its accounts go to the customers
  const Keep keep_;
  std::unique_ptr<Customers> customers_;
  Watch* watch_;
  unsigned number_;
  Time began_{}, told_{}, kept_{};
  Duration ran_{};  ///< from time zero until the last copy was looked after and gone
  CpuWatch cpu_watch_;
  std::unique_ptr<Judging> judging_;
  std::vector<std::unique_ptr<LoadShard>> shards_;
  Harvest harvest_;
};

}  // namespace mailproof::load
