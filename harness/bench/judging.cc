// How the time that judging takes grows with the messages of a history: everything is well, or everything was lost.
// "growth" is the time against that of a tenth of the messages; a judge that looks through all of it once a message
// shows there with a hundred. Memory is told in octets a message.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>
#include <new>
#include <string>
#include <utility>

#include "history/columns.h"
#include "judge/judge.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // our new is malloc, so our delete is free
#endif
namespace {
std::int64_t live_octets = 0, most_octets = 0;  ///< of the heap, one thread's
void count(void* memory, std::int64_t sign) {
  live_octets += sign * static_cast<std::int64_t>(malloc_usable_size(memory));
  most_octets = std::max(most_octets, live_octets);
}
}  // namespace
void* operator new(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  count(memory, 1);
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) count(memory, -1);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace mailproof::judge {
namespace {

using history::DeviceKind;
using history::Event;
using history::History;
using history::Type;
using history::What;

constexpr std::uint32_t kUidValidity = 7;
constexpr std::uint32_t kSize = 2048;

/// A story of one account: everything is delivered, a phone sees it, then the audit lists the account twice over both
/// protocols, and the story expects that each message was seen and is present.
class World {
 public:
  World(std::uint32_t messages, bool lost) : messages_(messages) {
    History& h = history_;
    h.info.scenario = "bench.judging";
    h.info.settle = std::chrono::seconds(5);
    h.info.accounts = {{"alice", "user0001", "user0001@example.test", std::nullopt}};
    h.info.devices = {
        {"mta", DeviceKind::deliverer, 0, ""}, {"phone", DeviceKind::imap, 1, ""}, {"pc", DeviceKind::pop3, 1, "keep"}};
    h.info.steps = {"mta: {deliver: mail, to: alice}", "phone: {see: mail}", "judge: {fate: mail, is: present}"};
    for (std::uint32_t n = 1; n <= messages; ++n) {
      history::MessageInfo info;
      info.set = "mail";
      info.index = n;
      info.size = kSize;
      info.hash = n;
      h.add_message(std::move(info));
    }
    deliver();
    look(2, 0, Protocol::imap, true);
    look(3, 0, Protocol::pop3, true);
    expect(What::see, lost);
    for (std::uint32_t round = 1; round <= 2; ++round) {
      look(0, round, Protocol::imap, !lost);
      look(0, round, Protocol::pop3, !lost);
    }
    expect(What::fate, lost);
  }
  const History& history() const { return history_; }

 private:
  std::uint32_t append(Type type, What what, std::uint32_t session, const auto& fill) {
    Event e;
    e.at = Time(std::chrono::microseconds(history_.events().size()));
    e.type = type;
    e.what = what;
    e.session = session;
    fill(e);
    return history_.append(std::move(e)).index;
  }
  std::uint32_t append(Type type, What what, std::uint32_t session) {
    return append(type, what, session, [](Event&) {});
  }

  std::uint32_t open(std::uint32_t device, std::uint32_t round, Protocol protocol) {
    const auto session = history_.add_session({"session", device, protocol, device == 1 ? 0U : 1U, round, ""});
    append(Type::ok, What::connect, session);
    return session;
  }

  void deliver() {
    const auto session = open(1, 0, Protocol::lmtp);
    for (std::uint32_t n = 1; n <= messages_; ++n) {
      const auto command = append(Type::invoke, What::deliver, session, [&](Event& e) { e.message = n; });
      append(Type::ok, What::deliver, session, [&](Event& e) {
        e.command = command;
        e.message = n;
        e.account = 1;
        e.facts = history::ReplyFacts{250};
        e.code = "2.0.0";
      });
    }
  }

  /// One session that lists the mailbox, and what is in it if anything is.
  void look(std::uint32_t device, std::uint32_t round, Protocol protocol, bool there) {
    const bool imap = protocol == Protocol::imap;
    const auto session = open(device, round, protocol);
    const auto open = append(Type::invoke, imap ? What::select : What::stat, session, [&](Event& e) {
      if (imap) e.mailbox = "INBOX";
    });
    append(Type::ok, imap ? What::select : What::stat, session, [&](Event& e) {
      e.command = open;
      e.uidvalidity = imap ? kUidValidity : 0;
      if (imap)
        e.facts = history::SelectFacts{there ? messages_ : 0, 0, 0};
      else
        e.facts = history::CountFacts{there ? messages_ : 0};
      e.size = imap || !there ? 0 : std::uint64_t{messages_} * kSize;
    });
    for (std::uint32_t n = 1; there && n <= messages_; ++n) {
      const auto number = [&](Event& e) {
        e.seq = n;
        e.uid = imap ? n : 0;
        e.uidvalidity = imap ? kUidValidity : 0;
        e.size = kSize;
      };
      append(Type::obs, imap ? What::row : What::pop_list, session, number);
      if (!imap)
        append(Type::obs, What::pop_uidl, session, [&](Event& e) {
          e.seq = n;
          e.text = std::to_string(n);
        });
      append(Type::obs, What::message, session, [&](Event& e) {
        number(e);
        e.message = n;
        e.mailbox = "INBOX";
        // The computer only looks, by TOP: what RETR has sent a site may remove with QUIT (RFC 1939 section 8), and
        // then nothing is lost.
        const bool whole = imap || round != 0;
        e.hash = whole ? n : 0;
        e.code = whole ? "full" : "header";
        if (!imap) e.text = std::to_string(n);
      });
    }
    if (round != 0)
      append(Type::obs, What::enumerated, session, [&](Event& e) {
        e.mailbox = "INBOX";
        e.uidvalidity = imap ? kUidValidity : 0;
        e.facts = history::CountFacts{there ? messages_ : 0};
        e.code = imap ? "imap" : "pop3";
      });
    const auto leave = append(Type::invoke, imap ? What::expunge : What::quit, session);
    append(Type::ok, imap ? What::expunge : What::quit, session, [&](Event& e) { e.command = leave; });
    append(Type::obs, What::end, session, [](Event& e) { e.flags = "clean"; });
  }

  /// `see` was met or missed when it was awaited; `fate` the judges answer themselves.
  void expect(What what, bool missed) {
    std::vector<std::uint32_t> all(messages_);
    for (std::uint32_t n = 1; n <= messages_; ++n) all[n - 1] = n;
    const std::string set = history::format_numbers(all);
    const auto expected = append(Type::expect, what, 0, [&](Event& e) {
      e.step = what == What::see ? 2 : 3;
      e.set = set;
      e.account = 1;
      if (what == What::fate) history::expect_fate({history::Fate::present, {}, 0, 0, false}, history_.info, e);
    });
    if (what != What::see) return;
    append(missed ? Type::fail : Type::ok, what, 0, [&](Event& e) {
      e.command = expected;
      e.set = missed ? set : "";
    });
  }

  std::uint32_t messages_;
  History history_;
};

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);  // getrusage() counts in ticks
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// CPU time, so that what else the machine does counts less.
void measure(benchmark::State& state, std::string_view what, const World& world, const auto& work) {
  static std::map<std::pair<std::string, std::int64_t>, double> seconds;  // on an average, of the newest measurement
  const std::pair key(std::string(what), state.range(0));
  double all = 0;
  for (auto _ : state) {
    const double began = cpu_seconds();
    work();
    const double took = cpu_seconds() - began;
    state.SetIterationTime(took);
    all += took;
  }
  seconds[key] = all / static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["events"] = static_cast<double>(world.history().events().size());
  if (const auto tenth = seconds.find({key.first, key.second / 10}); tenth != seconds.end())
    state.counters["growth"] = seconds.at(key) / tenth->second;
}

void judging(benchmark::State& state, bool lost) {
  const World world(static_cast<std::uint32_t>(state.range(0)), lost);
  Judgement judgement;
  measure(state, lost ? "lost" : "well", world, [&] { judgement = judge(world.history(), false); });
  state.counters["findings"] = static_cast<double>(judgement.findings.size());
  if (judgement.verdict != (lost ? Verdict::fail : Verdict::pass))
    state.SkipWithError("the history is not judged as it was meant");
}

/// What the ledger of a history keeps, and what judging needs at the most beside the history itself.
void memory(benchmark::State& state, bool lost) {
  const World world(static_cast<std::uint32_t>(state.range(0)), lost);
  const auto a_message = [&](std::int64_t octets) {
    return static_cast<double>(octets) / static_cast<double>(state.range(0));
  };
  for (auto _ : state) {
    const std::int64_t before = live_octets;
    {
      history::Ledger ledger(world.history());
      for (const Event& e : world.history().events()) ledger.apply(e);
      state.counters["ledger"] = a_message(live_octets - before);
    }
    most_octets = before;
    benchmark::DoNotOptimize(judge(world.history(), false));
    state.counters["judging"] = a_message(most_octets - before);
  }
}
void BM_MemoryAllWell(benchmark::State& state) { memory(state, false); }
void BM_MemoryAllLost(benchmark::State& state) { memory(state, true); }

void BM_AllWell(benchmark::State& state) { judging(state, false); }
void BM_AllLost(benchmark::State& state) { judging(state, true); }

/// One look at every event and nothing else: what ten times the memory costs this machine by itself.
void BM_OneLook(benchmark::State& state) {
  const World world(static_cast<std::uint32_t>(state.range(0)), false);
  measure(state, "look", world, [&] {
    std::uint64_t sum = 0;
    for (const Event& e : world.history().events()) sum += e.message + e.text.size();
    benchmark::DoNotOptimize(sum);
  });
}

BENCHMARK(BM_OneLook)->RangeMultiplier(10)->Range(1'000, 100'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AllWell)->RangeMultiplier(10)->Range(1'000, 100'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_MemoryAllWell)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_MemoryAllLost)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AllLost)->RangeMultiplier(10)->Range(1'000, 100'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mailproof::judge

BENCHMARK_MAIN();
