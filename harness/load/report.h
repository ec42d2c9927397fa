#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/ledger/ledger.h"
#include "judge/judge.h"
#include "load/samples.h"
#include "net/loop.h"
#include "play/player.h"
#include "stats/operations.h"

namespace mailproof::load {

/// As reports print it.
inline double ms(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// The ledgers of all copies added up: every message sent has a fate, or it is unexplained.
struct LedgerTotals {
  std::uint64_t copies = 0;                    ///< story copies played to the end
  std::uint64_t sent = 0;                      ///< attempts to deliver, one a message and recipient
  std::uint64_t accepted = 0;                  ///< part of sent: the server took responsibility
  std::uint64_t refused = 0;                   ///< part of sent
  std::uint64_t unknown = 0;                   ///< part of sent: no answer came
  std::map<std::string, std::uint64_t> fates;  ///< of the accepted ones
  std::uint64_t unexplained = 0;               ///< accepted, and neither there nor gone for a reason
  std::uint64_t by_customers = 0;              ///< part of sent: written by the owners of devices
  std::uint64_t saved = 0;                     ///< part of sent: their copies, put into a mailbox by APPEND
  std::uint64_t unsent = 0;                    ///< beside sent: due, and not handed over to its last octet
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
  double cpu_peak = 0;        ///< the same of its busiest ten seconds, what the host took from this machine included
  double busy = 0;            ///< part of the time, in pieces of ten seconds, in which a thread had none left
  double judging = 0;         ///< the same of the thread beside it that judges and writes
  stats::Histogram lateness;  ///< of each copy: a slot was free, and still it began so late
  stats::Histogram turns;     ///< of the time, by microseconds: what came then was read so much late at most
  Duration worst_timer{};     ///< a timer fired this late
  std::string limited_part;   ///< of shards: why the first that was limited was so; in the sum it may be thinned out
  bool limited() const;
  /// The loop worked for so long without a look at its sockets, after it had waited for so long. A turn counts for as
  /// long as it took: one of half a second is one of thousands, and half a second all the same.
  void turn(Duration work, Duration waited);
  /// What is due, or has come, waits so long for us at most in so many percent of all cases.
  Duration own_delay(double percent) const;
  std::string why_limited() const;  ///< "" = it was not
  std::string text() const;
  void merge(const Generator& other);
};

/// What the copies of one story, or of all of them, add up to.
struct StoryTotals {
  stats::Operations operations;
  stats::Operations audit;  ///< what looked for the messages afterwards: no part of the load, and of no figure
  Samples samples;          ///< wire excerpts of the first few errors of a class
  LedgerTotals ledger;
  std::map<std::string, std::uint64_t> verdicts;
  std::uint64_t unserved = 0;  ///< copies that were due and never began
  /// In a closed loop: how often a user thought longer than he wanted to, because we still looked into his mailboxes.
  std::uint64_t held_back = 0;
  void merge(const StoryTotals& other);
};

/// A promise that a plan asks for, and what became of it.
struct SloResult {
  std::string text;      ///< as written: "imap.fetch p99 < 250ms"
  std::string measured;  ///< "312 ms"; "" = nothing of it happened
  judge::Verdict verdict = judge::Verdict::pass;
  std::uint64_t of =
      0;             ///< so many times or answers it is made of; 0 = it is a number of messages, or nothing happened
  bool few = false;  ///< too few for what it says: nobody knows
  std::string why = {};  ///< what people must know of the figure; "" = nothing
};

/// Which part of a load this is, where several processes play one.
struct Shard {
  unsigned index = 1, of = 1;
  std::string start_at;  ///< when all of them begin, in UTC; "" = nobody said
  std::string began;     ///< by this machine's clock: time zero of its arrivals; "" in simulation
  Duration late{};       ///< it was ready so long after start_at
};
inline constexpr Duration kMostLate = std::chrono::seconds(1);  ///< of a shard: then it was not the same load
/// Of a plan, beside what stories have.
struct PlanResult {
  std::string name;  ///< "" = no plan was played
  std::uint32_t accounts = 0;
  std::size_t most_connections = 0;
  std::string aborted;                          ///< why it ended before its time
  std::map<std::string, std::string> examples;  ///< class of error -> the first one, in full
  std::uint64_t hash = 0;                       ///< of its text and that of its profiles; 0 = not known
  std::uint64_t lay_before = 0;                 ///< messages in the mailboxes, before the first customer came
  std::uint64_t most_before = 0;                ///< ... in one of them
  Duration login_delay{};                       ///< as POP3 announces it: the longest
  std::uint64_t put_off = 0;                    ///< polls that waited for it
  void merge(const PlanResult& part);           ///< of a thread, or of a shard
};

/// A story that users play in a closed loop: what they would ask for while the server makes them wait is not asked for,
/// and is in no figure.
struct UsersOf {
  std::string story;
  std::uint32_t users = 0;
  std::string think;  ///< as written
};

struct LoadResult {
  std::vector<std::string> stories;  ///< ids
  std::string target;
  std::uint64_t seed = 0;
  std::uint32_t copies = 0, slots = 0;  ///< of each story; no copies where users play it, whose number is the slots'
  double rate = 0, seconds = 0;         ///< rate: of each story; 0 where users play it
  bool interrupted = false;
  std::vector<StoryTotals> by_story;
  StoryTotals all;
  std::map<std::string, Tally> findings;
  judge::Verdict worst = judge::Verdict::pass;
  Generator generator;
  std::string note;
  stats::Window measured = {};  ///< of a plan; empty: times are of the whole run
  PlanResult plan;
  Duration held{}, answering{};  ///< slots, by the copies; and part of it, until the server's answers came
  std::string duration = {};     ///< how long copies go on beginning, as asked for: "30s"; "" = each is played once
  std::optional<Shard> shard = {};
  std::vector<std::string> doubts = {};  ///< what voids the figures: said first, and then nothing passes
  std::vector<SloResult> slos = {};
  std::vector<UsersOf> users = {};  ///< in a closed loop; the others have open arrivals
  // Of run.json and the reports, not of stats.json: they differ from run to run.
  std::string version = {}, command = {}, began = {}, ended = {};
  std::vector<std::string> machines = {};
  std::vector<std::pair<std::string, std::string>> settings = {};
};

/// So many of it were done a second while the load went on: of a plan without what was answered after its end.
double rate_of(const stats::Operation& operation, const LoadResult& result);

/// Seconds of the measured phase that were played.
double measured_seconds(const LoadResult& result);

/// Why copies were not served. Whose fault it was is a verdict of its own: the server's where what it took of a copy
/// alone is more than the slots leave it at this rate, else ours.
struct Unserved {
  std::uint64_t copies = 0;  ///< 0 = all were
  bool by_server = false;
  std::string why;
};
Unserved unserved(const LoadResult& result);

/// Of the stories that users play, in a sentence each: how their figures are to be read.
std::vector<std::string> about_users(const LoadResult& result);
/// Nobody came in and nothing was sent, and the note says why.
bool nothing_played(const LoadResult& result);
/// Mail of a plan that was due and that nobody came to hand over, where that is more than one in a hundred.
struct Undelivered {
  std::uint64_t messages = 0, due = 0;
};
Undelivered undelivered(const LoadResult& result);
/// There is such mail, of a way to the server that no line of the plan says how much may be left of.
bool mail_is_undecided(const LoadResult& result);
/// Protocols whose sessions the other end broke off by the dozen.
std::vector<std::string> broken_off(const LoadResult& result);
/// Ways to the server that no session ever came through though it was tried: then the load was another one.
std::vector<std::string> unreached(const LoadResult& result);

/// `unknown_too`: lines of the SLO that nothing can be said of make it inconclusive.
judge::Verdict verdict_of(const LoadResult& result, bool unknown_too = true);
std::string to_text(const LoadResult& result);
/// Copies of all stories that began.
std::uint64_t begun(const LoadResult& result);
/// What people must know before any figure: generator-limited, unserved, a shard that is missing.
std::vector<std::string> warnings(const LoadResult& result);
/// What people should know of the figures, though it voids none of them.
std::vector<std::string> remarks(const LoadResult& result);
/// As it was set when the load was played; "" = nobody wrote it down.
std::string setting_of(const LoadResult& result, std::string_view name);
/// "20 pass, 1 fail"
std::string counted(const std::map<std::string, std::uint64_t>& verdicts);

}  // namespace mailproof::load
