#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "load/watch.h"
#include "web/live_server.h"

namespace mailproof::cli {

/// Looks at a load once a second, from a thread of its own, as long as this lives: draws it on a terminal, writes a
/// line every ten seconds where standard error is none, and tells the live page.
class Watching {
 public:
  /// `watch` null: nobody looks. `live` null: no page.
  Watching(load::Watch* watch, web::LiveServer* live, std::string title);
  ~Watching();
  Watching(const Watching&) = delete;

 private:
  void look();
  void draw(const load::Seen& seen);

  load::Watch* watch_;
  web::LiveServer* live_;
  std::string title_;
  bool rewritten_, coloured_;
  unsigned looks_ = 0;
  std::size_t drawn_ = 0;  ///< lines on the terminal that the next look replaces
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mailproof::cli
