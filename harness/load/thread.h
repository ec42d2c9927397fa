#pragma once
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
};

/// One thread of a load: its parts of all stories, on a network of its own.
class LoadThread {
 public:
  /// `setup` and what the parts point to must outlive it.
  LoadThread(const run::Setup& setup, std::vector<LoadPart> parts, Duration bound, std::string reproduce,
             bool progress);
  /// Never throws: what a copy or its judges throw is an error of that copy, anything else of this thread.
  Harvest play();

 private:
  struct World;
  void make_world(World& world) const;
  void play_in(World& world);
  bool check(Network& network);
  void run(Network& network);
  void take(std::size_t n, play::Player& player, std::uint32_t copy);
  void count(std::size_t n, play::Player& player, std::uint32_t copy);
  void tell(Duration passed) const;

  const run::Setup& setup_;
  std::vector<LoadPart> parts_;
  Duration bound_;
  std::string reproduce_;
  bool progress_;
  std::vector<std::unique_ptr<LoadShard>> shards_;
  Harvest harvest_;
};

}  // namespace mailproof::load
