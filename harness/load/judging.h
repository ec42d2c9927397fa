#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "load/plan.h"
#include "load/report.h"
#include "play/player.h"
#include "run/worker.h"

namespace mailproof::load {

/// What is kept of the copies of stories on disk: their histories and what went over the wire. What is judged does not
/// depend on it.
enum class Keep {
  full,      ///< of all of them
  findings,  ///< of those in which something was found, the first kMostKept of each story on each thread
  none,
};
std::optional<Keep> parse_keep(const std::string& text);
inline constexpr std::size_t kMostKept = 20;

/// Judges copies that are over, and writes what is kept of them, on a thread of its own beside one that plays: what
/// these take is then no lateness of the load. Messages go to and fro, and nothing else is shared: a copy belongs to
/// whoever was given it last. They are judged in the order in which they came.
class Judging {
 public:
  /// What became of a copy.
  struct Judged {
    std::size_t story = 0;  ///< index into the parts
    std::uint32_t copy = 0;
    judge::Verdict verdict = judge::Verdict::error;
    LedgerTotals ledger;
    std::vector<judge::Finding> findings;
    std::string login;  ///< of its first account
  };
  struct Settings {
    std::vector<const scenario::Scenario*> stories;  ///< of the parts
    Keep keep = Keep::findings;
    bool strict = false;
    bool waits = false;      ///< take() waits until there is room: where nobody's clock runs meanwhile
    std::size_t room = 256;  ///< copies that may wait
    const archive::RunDirectory* directory = nullptr;
  };
  explicit Judging(Settings settings);
  ~Judging();  ///< what waits is judged before
  Judging(const Judging&) = delete;

  /// A copy that is retired (Player::retire). False: there was no room, and it is gone without having been judged.
  bool take(std::size_t story, std::uint32_t copy, std::unique_ptr<play::Player> player);
  /// A line at the end of a file of the run directory.
  void append(std::string file, std::string line);
  /// What was judged since it was asked for last.
  std::vector<Judged> collect();
  /// All that it was given is judged and written when this returns; nothing is taken any more.
  void finish();
  double cpu_seconds() const { return cpu_; }  ///< of its thread; after finish()

 private:
  struct Work {
    std::size_t story = 0;
    std::uint32_t copy = 0;
    std::unique_ptr<play::Player> player;
    std::string file, line;  ///< where there is no player
  };
  void run();
  void judge(Work& work);
  Judged judged(const Work& work);
  void keep(const Work& work, bool found, bool passed);

  const Settings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;        ///< to the thread
  std::vector<Judged> results_;  ///< from it
  bool closed_ = false;
  double cpu_ = 0;
  std::vector<std::size_t> not_passed_;  ///< the thread's own: copies by story
  std::thread thread_;                   ///< last: it begins when all else is there
};

}  // namespace mailproof::load
