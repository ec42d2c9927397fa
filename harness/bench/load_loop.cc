// Load as it really runs, beside the raw loop in one run: the customers of a plan, with ledger, histograms, slices and
// online judges, against a sink that answers at once. Alternately, so that whatever else the machine does falls on
// both; CPU time of the client thread; medians. `load_loop quick` measures less of each.
#include <malloc.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "bench/allocations.h"
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

void row(const std::string& what, const std::string& measured, const std::string& goal) {
  std::printf("%-44s %-58s %s\n", what.c_str(), measured.c_str(), goal.c_str());
  std::fflush(stdout);
}

template <class Raw>
void compare(const char* name, const Case& one, double goal, LoadCustomers& customers, Raw&& raw) {
  const std::size_t rounds = quick ? 5 : 11, commands = quick ? 10'000 : 30'000;
  raw(commands);
  customers.run(one.operation, commands);
  std::vector<double> base, ours, ratio;
  std::uint64_t allocated = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    base.push_back(raw(commands));
    const std::uint64_t before = allocations();
    ours.push_back(customers.run(one.operation, commands));
    allocated += allocations() - before;
    ratio.push_back(ours.back() / base.back());
  }
  row(name,
      fmt::format("{:.2f} x raw ({:.0f} / {:.0f} ns), {:.3f} allocations", median(ratio), median(ours), median(base),
                  static_cast<double>(allocated) / static_cast<double>(rounds * commands)),
      fmt::format("{:g} x, 0", goal));
  if (customers.wrongs() != 0) row("", "THE ONLINE JUDGES FOUND SOMETHING", "nothing");
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
  row(name,
      fmt::format("{:.1f} KiB resident, {:.1f} of them heap ({} sessions)",
                  (static_cast<double>(resident_all) - static_cast<double>(few_resident)) / 1024 / more,
                  (static_cast<double>(heap_all) - static_cast<double>(few_heap)) / 1024 / more, sessions),
      fmt::format("{:g} KiB", goal));
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
  row("ledger, a message",
      fmt::format("{:.1f} octets",
                  static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
                      static_cast<double>(kMessages)),
      "64 octets");
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
  row("open load, lateness p99",
      fmt::format("{:.2f} ms (p50 {:.2f} ms) at {:.0f} op/s, {:.0f} % of a core",
                  static_cast<double>(scene.lateness.percentile(99).count()) / 1e6,
                  static_cast<double>(scene.lateness.percentile(50).count()) / 1e6,
                  static_cast<double>(customers.done("imap.noop") - before) / seconds, cpu * 100),
      "1 ms at 20000 op/s");
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
  for (int i = 0; i < (quick ? 3 : 7); ++i) {
    base.push_back(open_cost(few, std::chrono::seconds(2)));
    ratio.push_back(open_cost(many, std::chrono::seconds(2)) / base.back());
  }
  row("10 x the accounts at the same rate",
      fmt::format("{:.2f} x ({:.0f} ns a command with 500, 5000 op/s)", median(ratio), median(base)), "1.15 x");
}

void two_threads() {
  const auto work = [](double& cpu) {
    const MailSink sink(1);
    LoadCustomers customers(sink.endpoint(), kConnections, {step_of(scenario::Ask::noop), {}});
    customers.run("imap.noop", 10'000);
    cpu = customers.run("imap.noop", quick ? 30'000 : 200'000);
  };
  std::vector<double> ratio;
  for (int i = 0; i < (quick ? 1 : 3); ++i) {
    double alone = 0, one = 0, other = 0;
    work(alone);
    std::thread second([&] { work(other); });
    work(one);
    second.join();
    ratio.push_back(2 * alone / ((one + other) / 2));
  }
  row("two threads, work for the same CPU of each",
      fmt::format("{:.2f} x one (each with a sink of its own)", median(ratio)), "1.8 x");
}

}  // namespace

int main(int argc, char** argv) {
  std::string only;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "quick") == 0)
      quick = true;
    else
      only = argv[i];
  }
  const auto wanted = [&](const char* what) { return only.empty() || only == what; };
  const auto tls = net::make_self_signed();
  if (!tls) return 3;
  const auto files = host::TemporaryFiles::make({{"certificate.pem", tls->certificate}, {"key.pem", tls->key}});
  if (!files) return 3;
  double average[1] = {0};
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (getloadavg(average, 1) == 1 && average[0] > static_cast<double>(cores))
    std::printf("OTHERS USE THIS MACHINE (load average %.1f on %ld cores): lateness and open loads say little now\n",
                average[0], cores);
  row("load as it runs, 100 connections", "measured", "goal");
  commands(wanted);
  if (wanted("tls")) over_tls(**files);
  if (wanted("open")) open_load();
  if (wanted("accounts")) more_accounts();
  if (wanted("threads")) two_threads();
  if (wanted("memory")) {
    idle_sessions("idle plaintext session", quick ? 1000 : 6000, 2.5, nullptr);
    idle_sessions("idle TLS session", quick ? 500 : 2000, 30, &**files);
    ledger();
  }
}
