// How fast a run writes down what happens: events appended to a history with its ledger, and written as JSON lines.
#include <benchmark/benchmark.h>

#include "archive/jsonl.h"
#include "history/ledger/ledger.h"

namespace mailproof::history {
namespace {

History world() {
  History history;
  history.info.scenario = "bench.history";
  history.info.accounts = {{"alice", "user0001", "user0001@example.test", std::nullopt}};
  history.info.devices = {{"mta", DeviceKind::deliverer, 0, ""}, {"phone", DeviceKind::imap, 1, ""}};
  history.add_session({"mta#1", 1, Protocol::lmtp, 0, 0, "lmtp 127.0.0.1:24"});
  history.add_session({"phone#1", 2, Protocol::imap, 1, 0, "imap 127.0.0.1:143"});
  return history;
}

/// The events of one message: sent, accepted, announced, fetched. Eight of them.
template <class Append>
void one_message(std::uint32_t number, Append&& append) {
  const Time now{std::chrono::milliseconds(number)};
  const auto event = [&](Type type, What what, std::uint32_t session) {
    Event e;
    e.at = now;
    e.type = type;
    e.what = what;
    e.session = session;
    e.message = number;
    e.mailbox = session == 2 ? "INBOX" : "";
    return e;
  };
  Event invoke = event(Type::invoke, What::deliver, 1);
  invoke.text = "lmtp";
  const std::uint32_t command = append(std::move(invoke));
  Event dot = event(Type::obs, What::final_dot, 1);
  dot.command = command;
  append(std::move(dot));
  Event ok = event(Type::ok, What::deliver, 1);
  ok.command = command;
  ok.account = 1;
  ok.facts = history::ReplyFacts{250};
  ok.code = "2.0.0";
  append(std::move(ok));
  Event exists = event(Type::obs, What::exists, 2);
  exists.facts = history::ExistsFacts{number, number - 1};
  append(std::move(exists));
  Event fetch = event(Type::invoke, What::fetch, 2);
  fetch.set = std::to_string(number);
  const std::uint32_t fetching = append(std::move(fetch));
  Event row = event(Type::obs, What::row, 2);
  row.uid = row.seq = number;
  row.uidvalidity = 7;
  row.size = 2048;
  append(std::move(row));
  Event message = event(Type::obs, What::message, 2);
  message.uid = message.seq = number;
  message.uidvalidity = 7;
  message.hash = number;
  message.code = "full";
  append(std::move(message));
  Event done = event(Type::ok, What::fetch, 2);
  done.command = fetching;
  append(std::move(done));
}

constexpr std::uint32_t kMessages = 1000;
constexpr int kEventsAMessage = 8;

void BM_AppendWithLedger(benchmark::State& state) {
  for (auto _ : state) {
    History history = world();
    Ledger ledger(history);
    history.listen([&](const Event& e) { ledger.apply(e); });
    for (std::uint32_t n = 1; n <= kMessages; ++n) {
      history.add_message({});
      one_message(n, [&](Event e) { return history.append(std::move(e)).index; });
    }
    benchmark::DoNotOptimize(ledger.cells().size());
  }
  state.SetItemsProcessed(state.iterations() * kMessages * kEventsAMessage);
}
BENCHMARK(BM_AppendWithLedger);

void BM_WriteJsonLines(benchmark::State& state) {
  History history = world();
  for (std::uint32_t n = 1; n <= kMessages; ++n) {
    history.add_message({});
    one_message(n, [&](Event e) { return history.append(std::move(e)).index; });
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (const Event& e : history.events()) {
      archive::write_event(e, out);
      out += '\n';
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kMessages * kEventsAMessage);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(BM_WriteJsonLines);

}  // namespace
}  // namespace mailproof::history

BENCHMARK_MAIN();
