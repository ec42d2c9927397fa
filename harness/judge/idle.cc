// I27: IDLE tells what happens while it runs. Once it is late; a server whose IDLE was silent three times, while a
// fresh session had the news, has no IDLE.
#include <fmt/format.h>

#include <map>
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

}  // namespace

void judge_idle(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "idle", out);
  std::map<std::uint32_t, std::uint32_t> idles, newest;  // session -> its running IDLE, the newest thing it was told
  std::map<std::uint32_t, Silence> waits;                // by expectation
  std::map<std::uint32_t, std::vector<Silence>> silent;  // by device
  for (const Event& e :
       history.about(What::idle, What::exists, What::expunged, What::see, What::lose, What::asked_again)) {
    if (e.what == What::idle) idles[e.session] = e.type == Type::invoke ? e.index : 0;
    if (e.what == What::exists || e.what == What::expunged) newest[e.session] = e.index;
    // Flags are told SHOULD (RFC 3501 section 5.2): they do not count.
    const bool about = (e.what == What::see || e.what == What::lose) && e.command != 0 && e.type == Type::fail;
    if (about && history.event(e.command).flags.empty()) {
      const std::uint32_t idle = idles[e.session];
      if (idle != 0 && idle < e.command && newest[e.session] < e.command)
        waits[e.command] = {e.command, e.index, 0, e.set};
    }
    if (e.what != What::asked_again || e.code != "as-expected") continue;
    const auto wait = waits.find(e.command);
    if (wait == waits.end()) continue;
    wait->second.again = e.index;
    const std::uint32_t session = history.event(wait->second.missed).session;
    auto& times = silent[history.session(session).device];
    // What it was told in between, by NOOP or at the end of an IDLE, begins a new silence.
    if (!times.empty() && newest[session] > times.front().expectation) times.clear();
    times.push_back(wait->second);
  }
  for (const auto& [device, times] : silent) {
    if (times.size() < kTimes) continue;
    // One IDLE after the other, and not a word in all that time.
    const Event& first = history.event(times.front().expectation);
    const Event& last = history.event(times.back().missed);
    const bool told = newest[last.session] > first.index;
    const bool long_enough = std::chrono::duration<double>(last.at - first.at) >= kSilence * history.info.patience;
    if (told || !long_enough) continue;
    for (const Silence& one : times)
      for (const std::uint32_t message : history::parse_numbers(one.set))
        c.find("silent",
               {fmt::format("EXISTS or EXPUNGE while {} idles", history.device(device).name),
                fmt::format("{} times {} was told nothing during IDLE, and a fresh session had the news at once",
                            times.size(), history.device(device).name),
                {one.expectation, one.missed, one.again},
                message > history.messages().size() ? 0 : message,
                ""});
  }
}

}  // namespace mailproof::judge
