// How the time that judging takes grows with the messages of a history: everything is well, or everything was lost.
// "growth" is the time against that of a tenth of the messages; a judge that looks through all of it once a message
// shows there with a hundred.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "judge/judge.h"

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
        e.seq = 250;
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
      e.seq = there ? messages_ : 0;
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
        e.hash = n;
        e.code = "full";
        if (!imap) e.text = std::to_string(n);
      });
    }
    if (round != 0)
      append(Type::obs, What::enumerated, session, [&](Event& e) {
        e.mailbox = "INBOX";
        e.uidvalidity = imap ? kUidValidity : 0;
        e.seq = there ? messages_ : 0;
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
      if (what == What::fate) e.code = "present";
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

void judging(benchmark::State& state, bool lost) {
  const auto messages = static_cast<std::uint32_t>(state.range(0));
  static std::map<std::pair<bool, std::uint32_t>, double> seconds;
  const World world(messages, lost);
  std::size_t findings = 0;
  Verdict verdict = Verdict::pass;
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    const Judgement judgement = judge(world.history(), false);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    state.SetIterationTime(took);
    double& best = seconds.try_emplace({lost, messages}, took).first->second;
    best = std::min(best, took);
    findings = judgement.findings.size();
    verdict = judgement.verdict;
  }
  if (verdict != (lost ? Verdict::fail : Verdict::pass))
    state.SkipWithError("the history is not judged as it was meant");
  state.SetItemsProcessed(state.iterations() * messages);
  state.counters["events"] = static_cast<double>(world.history().events().size());
  state.counters["findings"] = static_cast<double>(findings);
  if (const auto tenth = seconds.find({lost, messages / 10}); tenth != seconds.end())
    state.counters["growth"] = seconds.at({lost, messages}) / tenth->second;
}

void BM_AllWell(benchmark::State& state) { judging(state, false); }
void BM_AllLost(benchmark::State& state) { judging(state, true); }
BENCHMARK(BM_AllWell)->RangeMultiplier(10)->Range(1'000, 100'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AllLost)->RangeMultiplier(10)->Range(1'000, 100'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mailproof::judge

BENCHMARK_MAIN();
