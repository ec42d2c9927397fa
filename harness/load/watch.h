#pragma once
#include <functional>
#include <list>
#include <mutex>

#include "load/report.h"
#include "load/shard.h"

namespace mailproof::load {

/// What an operation did of late.
struct Recent {
  std::uint64_t ok = 0;
  double seconds = 0;  ///< in so long
  stats::CompactHistogram response;
  double rate() const { return seconds > 0 ? static_cast<double>(ok) / seconds : 0; }
};
inline constexpr Duration kRecent =
    std::chrono::seconds(5);  ///< so long, and until the second is over that it began in

/// A load as it stands while it goes on.
struct Seen {
  Duration passed{};             ///< since time zero
  LoadShard::Progress progress;  ///< of all stories
  StoryTotals totals;
  Generator generator;
  std::map<std::string, Recent, std::less<>> recent;  ///< what is so now; totals are of all so far
  bool preparing = false;                             ///< mailboxes are looked at; nothing else is there yet
  bool of_accounts = false;                           ///< only customers of a plan, and no copies of stories
  bool over = false;

  /// Of these operations, which began with the load, as `passed` says.
  void add_recent(const stats::Operations& operations);
  const Recent& now(std::string_view operation) const;
};

/// What its threads tell, once a second each, and somebody on another thread looks at. Any thread.
class Watch {
 public:
  /// `with_slices`: also what happened when, as charts want it.
  Watch(unsigned threads, bool with_slices) : parts_(threads), with_slices_(with_slices) {}
  bool with_slices() const { return with_slices_; }
  void tell(unsigned thread, Seen part);
  void over();
  Seen look();

  /// Somebody who may be waiting for events and is to tell all the same: called from look().
  class Nudged {
   public:
    Nudged(Watch& watch, std::function<void()> nudge);
    ~Nudged();
    Nudged(const Nudged&) = delete;

   private:
    Watch& watch_;
    std::list<std::function<void()>>::iterator at_;
  };

 private:
  std::mutex mutex_;
  std::vector<Seen> parts_;
  bool with_slices_, over_ = false;
  std::list<std::function<void()>> nudges_;
};

/// For a terminal, at most `rows` lines of at most `columns` letters.
std::string screen(const Seen& seen, std::size_t rows, std::size_t columns, bool coloured);
/// One line, where there is no terminal.
std::string progress_line(const Seen& seen);
/// Prometheus' text format 0.0.4.
std::string prometheus(const Seen& seen);
/// What the live page shows; "" where nothing can be shown yet is an empty object.
std::string live_json(const Seen& seen, const std::string& title);
/// The page that shows it.
std::string live_page(const std::string& title);

}  // namespace mailproof::load
