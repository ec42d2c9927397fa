// Load as it really runs, beside the raw loop in one run: the customers of a plan, with ledger, histograms, slices and
// online judges, against a sink that answers at once. Alternately, so that whatever else the machine does falls on
// both; CPU time of the client thread; medians. Everything is measured three times, with fresh processes and sessions,
// and the table at the end has the median of the three beside them. Each measurement has a bound, so that all of it
// ends within ten minutes on a busy machine too.
//   load_loop [quick] [runs=N] [noop|status|fetch|commands|tls|open|stall|accounts|threads|memory|engine]
//   load_loop count=N noop|status|fetch|tls|tls-fetch: plays so many commands and nothing else, for a tool that counts
//   instructions
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <tuple>

#include "bench/allocations.h"
#include "bench/imap_clients.h"
#include "bench/mail_sink.h"
#include "bench/raw_client.h"
#include "bench/raw_tls_client.h"
#include "host/temporary_files.h"
#include "net/self_signed.h"

namespace {
using namespace mailproof;
using namespace mailproof::bench;

constexpr std::uint32_t kConnections = 100;
bool quick = false;
std::size_t counted = 0;  ///< so many commands and nothing else; 0 = a table

scenario::ProfileStep step_of(scenario::Ask ask) {
  scenario::ProfileStep out;
  out.ask = ask;
  if (ask == scenario::Ask::fetch) {
    out.text = "(UID BODY.PEEK[])";
    out.of = scenario::Of::all;
  }
  return out;
}

struct Case {
  const char* key;
  const char* name;
  scenario::Ask ask;
  const char* operation;
  const char* raw;  ///< the same octets
  double goal;
};
constexpr Case kCases[] = {
    {"noop", "NOOP", scenario::Ask::noop, "imap.noop", "NOOP", 1.5},
    {"status", "STATUS", scenario::Ask::status, "imap.status", "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
     1.5},
    {"fetch", "2 KiB body, verified", scenario::Ask::fetch, "imap.fetch", "UID FETCH 1:* (UID BODY.PEEK[])", 1.8}};

/// One line of the table: the value of each run, and what was seen beside it in the last.
struct Row {
  std::string what, unit, detail, goal;
  double limit = 0;
  bool at_least = false;  ///< the goal is a least value, not a most
  std::vector<double> values;
};
std::vector<Row> rows;

struct Goal {
  double limit = 0;
  std::string more{};  ///< ", 0 allocations"
  bool at_least = false;
};

void row(const std::string& what, double value, const std::string& unit, const std::string& detail, const Goal& goal) {
  auto one = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.what == what; });
  if (one == rows.end()) {
    rows.push_back(
        {what, unit, "", fmt::format("{:g} {}{}", goal.limit, unit, goal.more), goal.limit, goal.at_least, {}});
    one = rows.end() - 1;
  }
  one->values.push_back(value);
  one->detail = detail;
  std::fprintf(stderr, "%s: %.2f %s (%s)\n", what.c_str(), value, unit.c_str(), detail.c_str());
}

void table() {
  std::printf("%-36s %-16s %-18s %-16s %s\n", "load as it runs, 100 connections", "median", "each run", "goal", "");
  for (const Row& one : rows) {
    std::string each;
    for (const double value : one.values) each += fmt::format("{}{:.2f}", each.empty() ? "" : " ", value);
    const double middle = median(one.values);
    constexpr double kShown = 0.005;  // less than is shown is no miss
    const bool met = one.at_least ? middle >= one.limit - kShown : middle <= one.limit + kShown;
    std::printf("%-36s %-16s %-18s %-16s %s  %s\n", one.what.c_str(),
                fmt::format("{:.2f} {}", middle, one.unit).c_str(), each.c_str(), one.goal.c_str(),
                met ? "met   " : "missed", one.detail.c_str());
  }
}

/// Of one measurement in alternating rounds, whatever else the machine does. At least three rounds are made.
constexpr Duration kBound = std::chrono::seconds(12);
class Rounds {
 public:
  explicit Rounds(std::size_t most) : most_(most) {}
  bool more() {
    const bool late = std::chrono::steady_clock::now() - began_ > (quick ? kBound / 2 : kBound);
    return done_++ < (late ? std::min<std::size_t>(3, most_) : most_);
  }
  std::size_t done() const { return done_ - 1; }

 private:
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::size_t most_, done_ = 0;
};

template <class Raw>
void compare(const char* name, const Case& one, double goal, LoadCustomers& customers, Raw&& raw) {
  const std::size_t commands = quick ? 10'000 : 20'000;
  raw(commands);
  customers.run(one.operation, commands);
  std::vector<double> base, ours, ratio;
  std::uint64_t allocated = 0;
  Rounds rounds(quick ? 5 : 11);
  while (rounds.more()) {
    base.push_back(raw(commands));
    const std::uint64_t before = allocations();
    ours.push_back(customers.run(one.operation, commands));
    allocated += allocations() - before;
    ratio.push_back(ours.back() / base.back());
  }
  row(name, median(ratio), "x",
      fmt::format("{:.0f} / {:.0f} ns, {:.3f} allocations a command", median(ours), median(base),
                  static_cast<double>(allocated) / static_cast<double>(rounds.done() * commands)),
      {goal, ", 0 alloc."});
  if (customers.wrongs() != 0) {
    std::fprintf(stderr, "the online judges found something on a sink that is right\n");
    std::exit(1);
  }
}

/// Sockets, session, parsing, view and histograms, without customers.
void engine() {
  const SinkServer server;
  RawClients raw(server.port(), kConnections);
  ImapClients clients(server.port(), kConnections);
  constexpr std::size_t kCommands = 20'000;
  for (const auto& [name, command, goal] :
       {std::tuple("engine alone, NOOP", "NOOP", 1.1),
        std::tuple("engine alone, 2 KiB body", "UID FETCH 1 (FLAGS BODY.PEEK[])", 1.25)}) {
    raw.run(command, kCommands / 2);
    clients.run(command, kCommands / 2);
    std::vector<double> base, ours, ratio;
    std::uint64_t allocated = 0;
    Rounds rounds(quick ? 5 : 11);
    while (rounds.more()) {
      base.push_back(raw.run(command, kCommands));
      const std::uint64_t before = allocations();
      ours.push_back(clients.run(command, kCommands));
      allocated += allocations() - before;
      ratio.push_back(ours.back() / base.back());
    }
    row(name, median(ratio), "x",
        fmt::format("{:.0f} / {:.0f} ns, {:.3f} allocations a command", median(ours), median(base),
                    static_cast<double>(allocated) / static_cast<double>(rounds.done() * kCommands)),
        {goal, ", 0 alloc."});
  }
}

template <class Wanted>
void commands(Wanted&& wanted) {
  for (const Case& one : kCases) {
    if (!wanted("commands") && !wanted(one.key)) continue;
    const MailSink sink(kConnections);
    RawClients raw(sink.endpoint().port, kConnections);
    LoadCustomers customers(sink.endpoint(), kConnections, {step_of(one.ask), {}});
    compare(one.name, one, one.goal, customers,
            [&](std::size_t n) { return raw.run(one.raw, n, sink.octets_of(one.raw)); });
  }
}

void over_tls(const host::TemporaryFiles& files) {
  for (const Case& one : {kCases[0], kCases[2]}) {
    const MailSink sink(kConnections, files.path("certificate.pem"), files.path("key.pem"));
    RawTlsClients raw(sink.endpoint().port, kConnections);
    net::LoopOptions options;
    options.tls.ca_file = files.path("certificate.pem");
    LoadCustomers customers(sink.endpoint(TlsMode::implicit), kConnections, {step_of(one.ask), {}}, options);
    compare(fmt::format("{} over TLS", one.name).c_str(), one, 1.3, customers,
            [&](std::size_t n) { return raw.run(one.raw, n, sink.octets_of(one.raw)); });
  }
}

/// For `scripts/bench instructions`: two runs of different length tell what a command takes.
int play_only(const std::string& what, const host::TemporaryFiles& files) {
  const bool tls = what.starts_with("tls");
  const std::string key = what == "tls" ? "noop" : tls ? what.substr(4) : what;
  for (const Case& one : kCases) {
    if (key != one.key) continue;
    const MailSink sink(kConnections, tls ? files.path("certificate.pem") : "", tls ? files.path("key.pem") : "");
    net::LoopOptions options;
    if (tls) options.tls.ca_file = files.path("certificate.pem");
    LoadCustomers customers(sink.endpoint(tls ? TlsMode::implicit : TlsMode::none), kConnections,
                            {step_of(one.ask), {}}, options);
    customers.run(one.operation, 10 * kConnections);  // what is allocated once is there now
    const std::uint64_t before = allocations();
    customers.run(one.operation, counted);
    std::printf("%zu allocations in %zu commands\n", static_cast<std::size_t>(allocations() - before), counted);
    return customers.wrongs() == 0 ? 0 : 1;
  }
  std::fprintf(stderr, "nothing of that name is counted: %s\n", what.c_str());
  return 2;
}

std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0, there = 0;
  statm >> pages >> there;
  return there * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Each is logged in and has selected its mailbox.
void idle_sessions(const char* name, std::uint32_t sessions, double goal, const host::TemporaryFiles* files) {
  const MailSink sink(1, files == nullptr ? "" : files->path("certificate.pem"),
                      files == nullptr ? "" : files->path("key.pem"));
  net::LoopOptions options;
  if (files != nullptr) options.tls.ca_file = files->path("certificate.pem");
  const TlsMode tls = files == nullptr ? TlsMode::none : TlsMode::implicit;
  const auto sized = [&](std::uint32_t n) {
    malloc_trim(0);
    const std::size_t before = resident();
    const auto heap = mallinfo2();
    LoadCustomers customers(sink.endpoint(tls), n, {step_of(scenario::Ask::noop), std::chrono::hours(1)}, options);
    malloc_trim(0);
    const auto after = mallinfo2();
    return std::pair(resident() - before, after.uordblks + after.hblkhd - heap.uordblks - heap.hblkhd);
  };
  const auto [few_resident, few_heap] = sized(sessions / 10);
  const auto [resident_all, heap_all] = sized(sessions);
  const double more = sessions - sessions / 10;
  row(name, (static_cast<double>(resident_all) - static_cast<double>(few_resident)) / 1024 / more, "KiB",
      fmt::format("resident; {:.1f} KiB of heap ({} sessions)",
                  (static_cast<double>(heap_all) - static_cast<double>(few_heap)) / 1024 / more, sessions),
      {goal});
}

void ledger() {
  load::Parcels parcels(1, 1, [](std::uint32_t) -> const std::string& {
    static const std::string owner = "a@example.test";
    return owner;
  });
  const auto before = mallinfo2();
  constexpr std::size_t kMessages = 1U << 20;
  for (std::uint32_t i = 0; i < kMessages; ++i) parcels.add(i + 1, 0, 2048);
  const auto after = mallinfo2();
  // To the octet: what the allocator takes for itself is a few of them in a million messages.
  row("ledger, a message",
      std::round(static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
                 static_cast<double>(kMessages)),
      "octets", "with its number, and what finds it by that", {64});
}

/// An open load: polls come when they are due.
void open_load() {
  const std::uint32_t accounts = 1000;
  const MailSink sink(1);
  LoadCustomers customers(sink.endpoint(), accounts, {step_of(scenario::Ask::noop), std::chrono::milliseconds(50)});
  customers.run_for(std::chrono::seconds(1));
  auto& scene = customers.scene();
  scene.lateness = {};
  const std::uint64_t before = customers.done("imap.noop");
  const auto start = thread_cpu();
  const Duration length = std::chrono::seconds(quick ? 3 : 10);
  customers.run_for(length);
  const double seconds = std::chrono::duration<double>(length).count();
  const double cpu = std::chrono::duration<double>(thread_cpu() - start).count() / seconds;
  row("open load, lateness p99", static_cast<double>(scene.lateness.percentile(99).count()) / 1e6, "ms",
      fmt::format("p50 {:.2f} ms at {:.0f} of 20000 op/s, {:.0f} % of a core",
                  static_cast<double>(scene.lateness.percentile(50).count()) / 1e6,
                  static_cast<double>(customers.done("imap.noop") - before) / seconds, cpu * 100),
      {1});
}

/// The sink stands still for a second in ten. What was due meanwhile waits for the end of it, so that of the schedule
/// alone follows what the slowest hundredth had to wait at least: the stall but for a hundredth of the run.
void stalled() {
  const std::uint32_t accounts = 200;
  const MailSink sink(1);
  LoadCustomers customers(sink.endpoint(), accounts, {step_of(scenario::Ask::noop), std::chrono::milliseconds(100)});
  customers.run_for(std::chrono::seconds(1));
  customers.forget("imap.round");
  const Duration length = std::chrono::seconds(10), begin = std::chrono::seconds(4), stall = std::chrono::seconds(1);
  // Another thread wakes it: with everybody waiting, nothing would happen here.
  std::thread other;
  std::chrono::steady_clock::time_point from, to;
  customers.run_for(length, [&](Duration passed) {
    if (other.joinable() || passed < begin) return;
    other = std::thread([&] {
      from = std::chrono::steady_clock::now();
      sink.stall();
      std::this_thread::sleep_until(from + stall);
      sink.go_on();
      to = std::chrono::steady_clock::now();
    });
  });
  other.join();
  const auto& rounds = customers.scene().operations.at(customers.scene().operations.id("imap.round"));
  const double computed = std::chrono::duration<double>(to - from - length / 100).count();
  const double seen = std::chrono::duration<double>(rounds.response.percentile(99)).count();
  row("1 s stall, p99 off the computed one", 100 * std::abs(seen - computed) / computed, "%",
      fmt::format("{:.3f} s, computed {:.3f} s; {} were due, {} never begun", seen, computed, rounds.intended,
                  rounds.unserved()),
      {5});
}

/// CPU a command of an open load, over so long, after a second in which it finds its rate again.
double open_cost(LoadCustomers& customers, Duration length) {
  customers.run_for(std::chrono::seconds(1));
  const std::uint64_t before = customers.done("imap.noop");
  const auto start = thread_cpu();
  customers.run_for(length);
  const auto cpu = static_cast<double>((thread_cpu() - start).count());
  return cpu / static_cast<double>(std::max<std::uint64_t>(1, customers.done("imap.noop") - before));
}

void more_accounts() {
  const MailSink sink(1);
  const auto rate = [&](std::uint32_t accounts) {
    return Habit{step_of(scenario::Ask::noop), std::chrono::microseconds(200) * accounts};  // 5000 op/s in all
  };
  LoadCustomers few(sink.endpoint(), 500, rate(500)), many(sink.endpoint(), 5000, rate(5000));
  std::vector<double> ratio, base;
  for (int i = 0; i < 3; ++i) {
    base.push_back(open_cost(few, std::chrono::seconds(2)));
    ratio.push_back(open_cost(many, std::chrono::seconds(2)) / base.back());
  }
  row("10 x the accounts, the same rate", median(ratio), "x",
      fmt::format("{:.0f} ns a command with 500 accounts, 5000 op/s", median(base)), {1.15});
}

void two_threads() {
  const auto work = [](double& cpu) {
    const MailSink sink(1);
    LoadCustomers customers(sink.endpoint(), kConnections, {step_of(scenario::Ask::noop), {}});
    customers.run("imap.noop", 10'000);
    cpu = customers.run("imap.noop", quick ? 30'000 : 100'000);
  };
  std::vector<double> ratio;
  double responder = 0;
  Rounds rounds(quick ? 1 : 3);
  while (rounds.more()) {
    double alone = 0, one = 0, other = 0;
    work(alone);
    std::thread second([&] { work(other); });
    work(one);
    second.join();
    ratio.push_back(2 * alone / ((one + other) / 2));
    rusage sinks{}, all{};
    getrusage(RUSAGE_CHILDREN, &sinks);
    getrusage(RUSAGE_SELF, &all);
    const auto of = [](const rusage& r) {
      return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
             static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
    };
    responder = of(sinks) / (of(sinks) + of(all));
  }
  row("two threads, work for the same CPU", median(ratio), "x",
      fmt::format("each has a sink of its own; sinks took {:.0f} % of all CPU so far", responder * 100),
      {1.8, "", true});
}

}  // namespace

int main(int argc, char** argv) {
  std::string only;
  int runs = 3;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "quick") == 0)
      quick = true;
    else if (std::strncmp(argv[i], "count=", 6) == 0)
      counted = static_cast<std::size_t>(std::max(1, std::atoi(argv[i] + 6)));
    else if (std::strncmp(argv[i], "runs=", 5) == 0)
      runs = std::max(1, std::atoi(argv[i] + 5));
    else
      only = argv[i];
  }
  const auto wanted = [&](const char* what) { return only.empty() || only == what; };
  const auto tls = net::make_self_signed();
  if (!tls) return 3;
  const auto files = host::TemporaryFiles::make({{"certificate.pem", tls->certificate}, {"key.pem", tls->key}});
  if (!files) return 3;
  if (counted != 0) return play_only(only, **files);
  double average[1] = {0};
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (getloadavg(average, 1) == 1 && average[0] > static_cast<double>(cores))
    std::printf("OTHERS USE THIS MACHINE (load average %.1f on %ld cores): lateness and open loads say little now\n",
                average[0], cores);
  for (int run = 1; run <= runs; ++run) {
    std::fprintf(stderr, "run %d of %d\n", run, runs);
    // First, while the heap is whole: what is resident then is what sessions take.
    if (wanted("memory")) {
      idle_sessions("idle plaintext session", quick ? 1000 : 6000, 2.5, nullptr);
      idle_sessions("idle TLS session", quick ? 500 : 1000, 30, &**files);
      ledger();
    }
    commands(wanted);
    if (wanted("tls")) over_tls(**files);
    if (wanted("engine")) engine();
    if (wanted("open")) open_load();
    if (wanted("stall")) stalled();
    if (wanted("accounts")) more_accounts();
    if (wanted("threads")) two_threads();
  }
  if (rows.empty()) {
    std::fprintf(stderr, "nothing of that name is measured: %s\n", only.c_str());
    return 2;
  }
  table();
}
