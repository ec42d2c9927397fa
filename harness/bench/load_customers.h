#pragma once
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/cpu.h"
#include "bench/sink_server.h"
#include "load/customers.h"
#include "mail/stamp.h"
#include "net/loop.h"

namespace mailproof::bench {

/// What the customers of a measurement do again and again, and how often.
struct Habit {
  scenario::ProfileStep step;
  Duration every{};  ///< between polls, each of one step; zero: one after the other, as fast as the server answers
};

/// The customers of a plan as `load` plays them: sessions, guard, ledger, histograms, slices and online judges, on a
/// loop of real sockets. Each has one message of 2 KiB in its mailbox, which the sink server gives out.
class LoadCustomers {
 public:
  static constexpr std::uint64_t kRun = 77, kSeed = 5;
  static std::string login(std::uint32_t account) { return fmt::format("user{:05}", account); }
  static mail::Stamped message(std::uint32_t account) {
    mail::MessageSpec spec;
    spec.token = token(account);
    spec.from = spec.to = spec.token.owner;
    spec.set = "load";
    spec.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    spec.size = 2048;
    return mail::make_message(spec);
  }

  LoadCustomers(const Endpoint& endpoint, std::uint32_t accounts, const Habit& habit, net::LoopOptions options = {})
      : loop_(std::move(options)), target_(target(endpoint)), plan_(plan(accounts, habit)) {
    load::PlanPart part;
    part.plan = &plan_;
    part.settings.run_id = kRun;
    part.settings.seed = kSeed;
    part.settings.own_mailboxes = true;
    part.settings.look_first = false;
    for (std::uint32_t i = 0; i < accounts; ++i)
      part.accounts.push_back({login(i), login(i) + "@example.test", Secret("pass"), std::nullopt});
    customers_ = std::make_unique<load::Customers>(loop_, target_, std::move(part));
    auto& scene = customers_->scene();
    for (std::uint32_t i = 0; i < accounts; ++i) {
      auto& parcel = scene.parcels.at(scene.parcels.add(i + 1, i, 2048));
      parcel.outcome = load::Parcel::Outcome::accepted;
      parcel.hash = message(i).hash;
    }
    customers_->start();
    loop_.run([&] { return done("imap.select") >= accounts; });
  }

  std::uint64_t done(std::string_view operation) const {
    const auto* one = customers_->scene().operations.find(operation);
    return one == nullptr ? 0 : one->ok;
  }
  /// Goes on until so many more of them were done, as load::LoadThread does; nanoseconds of CPU for each.
  double run(std::string_view operation, std::uint64_t commands) {
    const std::uint64_t from = done(operation);
    // Looked up once: what asks is not to be measured.
    const auto& one = customers_->scene().operations.at(customers_->scene().operations.id(operation));
    const auto start = thread_cpu();
    loop_.run([&] {
      turns_.add(loop_.load().last_turn);
      return one.ok - from >= commands;
    });
    return static_cast<double>((thread_cpu() - start).count()) / static_cast<double>(one.ok - from);
  }
  /// `each`: asked after every batch of events, with the time since the beginning.
  template <class Each>
  void run_for(Duration length, Each&& each) {
    const Time from = loop_.now();
    loop_.run([&] {
      turns_.add(loop_.load().last_turn);
      const Duration passed = loop_.now() - from;
      each(passed);
      return passed >= length;
    });
  }
  void run_for(Duration length) {
    run_for(length, [](Duration) {});
  }
  /// What was counted of it is forgotten.
  void forget(std::string_view operation) {
    auto& one = scene().operations.at(scene().operations.id(operation));
    const Time zero = one.zero;
    one = {};
    one.zero = zero;
  }
  load::Scene& scene() { return customers_->scene(); }
  /// What the online judges found; nothing on a server that is right.
  std::size_t wrongs() { return scene().wrongs.size(); }

 private:
  static mail::Token token(std::uint32_t account) {
    load::Parcels all(
        kRun, kSeed, [owner = login(account) + "@example.test"](std::uint32_t) -> const std::string& { return owner; });
    return all.token(all.add(account + 1, account, 2048));
  }
  static scenario::Target target(const Endpoint& endpoint) {
    scenario::Target out;
    out.name = "sink";
    out.imap = {endpoint};
    return out;
  }
  static scenario::Plan plan(std::uint32_t accounts, const Habit& habit) {
    scenario::Plan out;
    out.name = "bench";
    out.accounts = accounts;
    out.phases = {{1, 1, std::chrono::hours(10)}};
    scenario::Profile profile;
    profile.name = "bench";
    profile.stays = true;
    profile.mechanisms = {"LOGIN"};
    scenario::ProfileStep select;
    select.ask = scenario::Ask::select;
    profile.login = {select};
    // One after the other: a list of steps that is longer than any measurement by a hundred of them.
    constexpr std::size_t kSteps = 6000;
    profile.poll.assign(habit.every == Duration{} ? kSteps : 1, habit.step);
    profile.every = habit.every == Duration{} ? std::chrono::hours(1) : habit.every;
    profile.jitter = 0.5;
    if (habit.every == Duration{}) profile.login.insert(profile.login.end(), profile.poll.begin(), profile.poll.end());
    out.profiles = {profile};
    out.mix = {{{"bench"}, 1, {}}};
    return out;
  }

  net::Loop loop_;
  scenario::Target target_;
  scenario::Plan plan_;
  stats::Histogram turns_;
  std::unique_ptr<load::Customers> customers_;
};

}  // namespace mailproof::bench
