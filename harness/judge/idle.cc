// I27: IDLE tells what happens while it runs. Once it is late; a server whose IDLE was silent three times, while a
// fresh session had the news, has no IDLE. I16: so it is with new mail and a device that polls with NOOP.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

constexpr std::size_t kTimes = 3;
/// No RFC says how soon; servers that look once a minute are found. Over so long a time every one of them has looked.
constexpr Duration kSilence = std::chrono::seconds(120);

struct Silence {
  std::uint32_t expectation = 0, missed = 0, again = 0;  ///< events
  std::string set;
};

using Silences = std::map<std::uint32_t, std::vector<Silence>>;  ///< by device

/// A session, as far as it was told of its mailbox. All are events.
struct Listener {
  std::uint32_t idle = 0;    ///< the IDLE that runs
  std::uint32_t opened = 0;  ///< when it opened the mailbox, which tells how much is in it
  std::uint32_t noop = 0;    ///< the newest NOOP that was answered OK: when it was asked for
  std::uint32_t newest = 0;  ///< the newest thing it was told
};

/// One wait after the other, and not a word in all that time. What is gone a server may tell when it can (RFC 2180
/// section 4.1.2), RFC 3501 section 5.2 is about what came: something must have been among it.
bool all_silent(const history::History& history, const std::vector<Silence>& times, std::uint32_t newest) {
  const auto came = [&](const Silence& one) { return history.event(one.expectation).what == What::see; };
  if (times.size() < kTimes || std::none_of(times.begin(), times.end(), came)) return false;
  const Event& first = history.event(times.front().expectation);
  const Event& last = history.event(times.back().missed);
  return newest <= first.index && std::chrono::duration<double>(last.at - first.at) >= kSilence * history.info.patience;
}

}  // namespace

void judge_idle(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "idle", out);
  std::map<std::uint32_t, Listener> listeners;     // by session
  std::map<std::uint32_t, Silence> idled, polled;  // by expectation
  Silences in_idle, in_noop;
  for (const Event& e : history.about(What::idle, What::noop, What::select, What::examine, What::exists, What::expunged,
                                      What::see, What::lose, What::asked_again)) {
    Listener& at = listeners[e.session];
    if (e.what == What::idle) at.idle = e.type == Type::invoke ? e.index : 0;
    if (e.what == What::noop && e.type == Type::ok) at.noop = e.command;
    if (e.what == What::select || e.what == What::examine) at.opened = e.index;
    if (e.what == What::exists || e.what == What::expunged) at.newest = e.index;
    // Flags are told SHOULD (RFC 3501 section 5.2): they do not count.
    const bool about = (e.what == What::see || e.what == What::lose) && e.command != 0 && e.type == Type::fail;
    if (about && history.event(e.command).flags.empty() && at.newest < e.command) {
      const Silence silence{e.command, e.index, 0, e.set};
      if (at.idle != 0 && at.idle < e.command) idled[e.command] = silence;
      const bool polls = at.idle == 0 && at.noop > e.command && at.opened != 0 && at.opened < e.command;
      // What came is told with every command, what is gone need not be.
      if (polls && e.what == What::see) polled[e.command] = silence;
    }
    if (e.what != What::asked_again || e.code != "as-expected") continue;
    for (auto [waits, silent] : {std::pair(&idled, &in_idle), std::pair(&polled, &in_noop)}) {
      const auto wait = waits->find(e.command);
      if (wait == waits->end()) continue;
      wait->second.again = e.index;
      const std::uint32_t session = history.event(wait->second.missed).session;
      auto& times = (*silent)[history.session(session).device];
      // What it was told in between, by NOOP or at the end of an IDLE, begins a new silence.
      if (!times.empty() && listeners[session].newest > times.front().expectation) times.clear();
      // So does another session: it was told when it opened the mailbox.
      if (!times.empty() && waits == &polled && history.event(times.front().missed).session != session) times.clear();
      times.push_back(wait->second);
    }
  }
  const auto tell = [&](const Silences& silences, std::string_view name, std::string_view wanted,
                        std::string_view during) {
    for (const auto& [device, times] : silences) {
      if (times.empty()) continue;
      const std::uint32_t session = history.event(times.back().missed).session;
      if (!all_silent(history, times, listeners[session].newest)) continue;
      const std::string& who = history.device(device).name;
      for (const Silence& one : times)
        for (const std::uint32_t message : history::parse_numbers(one.set))
          c.find(name, {fmt::format("{} while {} {}", wanted, who, during == "NOOP" ? "polls with NOOP" : "idles"),
                        fmt::format("{} times {} was told nothing during {}, and a fresh session had the news at once",
                                    times.size(), who, during),
                        {one.expectation, one.missed, one.again},
                        message > history.messages().size() ? 0 : message,
                        ""});
    }
  };
  tell(in_idle, "silent", "EXISTS or EXPUNGE", "IDLE");
  tell(in_noop, "noop-silent", "EXISTS", "NOOP");
}

}  // namespace mailproof::judge
