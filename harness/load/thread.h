#pragma once
#include "load/customers.h"
#include "load/plan.h"
#include "load/report.h"
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
};

/// One thread of a load: its parts of all stories, on a network of its own.
class LoadThread {
 public:
  enum class Progress : std::uint8_t { none, lines, rewritten };  ///< on standard error: every 10 s, or every second
  /// `setup` and what the parts point to must outlive it.
  /// `plan`: customers to be played beside the stories; their figures come last in Harvest::stories.
  LoadThread(const run::Setup& setup, std::vector<LoadPart> parts, Duration bound, std::string reproduce,
             Progress progress, const PlanPart* plan = nullptr);
  /// Never throws: what a copy or its judges throw is an error of that copy, anything else of this thread.
  Harvest play();

 private:
  struct World;
  void make_world(World& world) const;
  void play_in(World& world);
  bool check(Network& network);
  void run(Network& network);
  void audit(Network& network);
  void interrupt_all();
  void take(std::size_t n, play::Player& player, std::uint32_t copy);
  void count(std::size_t n, play::Player& player, std::uint32_t copy);
  bool due_to_tell(Time& told, Time now) const;
  void write(const std::string& line) const;
  void tell(Duration passed) const;

  const run::Setup& setup_;
  std::vector<LoadPart> parts_;
  Duration bound_;
  std::string reproduce_;
  Progress progress_;
  const PlanPart* plan_;
  std::unique_ptr<Customers> customers_;
  std::vector<std::unique_ptr<LoadShard>> shards_;
  Harvest harvest_;
};

}  // namespace mailproof::load
