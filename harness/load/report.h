#pragma once
#include <map>
#include <string>
#include <vector>

#include "history/ledger/ledger.h"
#include "judge/judge.h"
#include "net/loop.h"
#include "play/player.h"
#include "stats/operations.h"

namespace mailproof::load {

/// The ledgers of all copies added up: every message sent has a fate, or it is unexplained.
struct LedgerTotals {
  std::uint64_t copies = 0;                    ///< story copies played to the end
  std::uint64_t sent = 0;                      ///< attempts to deliver, one a message and recipient
  std::uint64_t accepted = 0;                  ///< part of sent: the server took responsibility
  std::uint64_t refused = 0;                   ///< part of sent
  std::uint64_t unknown = 0;                   ///< part of sent: no answer came
  std::map<std::string, std::uint64_t> fates;  ///< of the accepted ones
  std::uint64_t unexplained = 0;               ///< accepted, and neither there nor gone for a reason
  void add(const history::History& history, const history::Ledger& ledger);
  void merge(const LedgerTotals& other);
};

/// A kind of finding over all copies: shown in full once, then counted, every message named.
struct Tally {
  judge::Finding first;
  std::uint64_t times = 0;
  std::vector<std::string> messages;  ///< "copy 17: mail.2 (user0017)", at most kMostNamed
};
inline constexpr std::size_t kMostNamed = 10'000;

/// How the generator itself did. If it was the bottleneck its figures say nothing about the server.
struct Generator {
  double cpu = 0;             ///< part of one core that each of its threads used, the busiest
  Duration worst_lateness{};  ///< a slot was free and still a copy began this late
  Duration worst_timer{};     ///< a timer fired this late
  bool limited() const;
  std::string text() const;
};

/// What the copies of one story, or of all of them, add up to.
struct StoryTotals {
  stats::Operations operations;
  LedgerTotals ledger;
  std::map<std::string, std::uint64_t> verdicts;
  std::uint64_t unserved = 0;  ///< copies that were due and never began
  void merge(const StoryTotals& other);
};

/// How one line of a plan's SLO did.
struct SloResult {
  enum class State : std::uint8_t { met, missed, not_measured };
  std::string text;      ///< as written
  std::string measured;  ///< "12.31 ms"; "" = nothing of it happened
  State state = State::not_measured;
  bool counts = false;  ///< of messages: our own slowness excuses nothing
};

/// Of a plan, beside what stories have.
struct PlanResult {
  std::string name;  ///< "" = no plan was played
  std::uint32_t accounts = 0;
  std::size_t most_connections = 0;
  std::string aborted;                          ///< why it ended before its time
  std::map<std::string, std::string> examples;  ///< class of error -> the first one, in full
};

struct LoadResult {
  std::vector<std::string> stories;  ///< ids
  std::string target;
  std::uint64_t seed = 0;
  std::uint32_t copies = 0, slots = 0;  ///< of each story
  double rate = 0, seconds = 0;         ///< rate: of each story
  bool interrupted = false;
  std::vector<StoryTotals> by_story;
  StoryTotals all;
  std::map<std::string, Tally> findings;
  judge::Verdict worst = judge::Verdict::pass;
  Generator generator;
  std::string note;
  PlanResult plan;
  std::vector<SloResult> slo;
  Duration held{}, answering{};  ///< slots, by the copies; and part of it, until the server's answers came
};

/// Why copies were not served. Whose fault it was is a verdict of its own: the server's where what it took of a copy
/// alone is more than the slots leave it at this rate, else ours.
struct Unserved {
  std::uint64_t copies = 0;  ///< 0 = all were
  bool by_server = false;
  std::string why;
};
Unserved unserved(const LoadResult& result);

judge::Verdict verdict_of(const LoadResult& result);
std::string to_text(const LoadResult& result);
std::string to_json(const LoadResult& result);  ///< stats.json

}  // namespace mailproof::load
