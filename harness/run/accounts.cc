#include "run/accounts.h"

#include <fmt/format.h>

#include <chrono>

#include "host/signals.h"
#include "play/requirements.h"

namespace mailproof::run {
namespace {

constexpr std::size_t kMostFailed = 3;

}  // namespace

std::optional<AccountPool::Lease> AccountPool::lease(const scenario::Scenario& scenario, std::string& why,
                                                     const std::vector<std::size_t>& rather_not) {
  const std::size_t connections = play::connected_by(scenario, target_).in_all;
  const std::size_t most = target_.connections.address;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!begun_ && failed_ >= kMostFailed) {
      why = fmt::format("not tried any more, as none of the first {} could begin; the last one: {}", failed_, trouble_);
      return std::nullopt;
    }
    if (most != 0 && out_ != 0 && connected_ + connections > most && !host::interrupted()) {
      returned_.wait_for(lock, std::chrono::milliseconds(200));
      continue;
    }
    Lease lease;
    lease.connections = connections;
    std::vector<bool> others = taken_;
    others.resize(target_.accounts.size());
    for (const auto index : rather_not) others.at(index) = true;
    for (const auto index : troubled_) others[index] = true;
    if (!rather_not.empty() || !troubled_.empty()) {
      lease.indexes = play::choose_accounts(scenario, target_, others, why);
      for (const auto index : lease.indexes) taken_[index] = true;
    }
    if (lease.indexes.empty()) lease.indexes = play::choose_accounts(scenario, target_, taken_, why);
    if (lease.indexes.size() == scenario.accounts.size()) {
      ++out_;
      connected_ += connections;
      for (const auto index : lease.indexes) lease.accounts.push_back(target_.accounts[index]);
      lease.seen_empty = take_seen_empty(lease.indexes);
      lease.stops = stops_;
      return lease;
    }
    if (out_ == 0 || host::interrupted()) {
      // Whoever reads only this one must learn where they went.
      if (set_aside_ != 0)
        why += fmt::format("; {} not lent again, the last one because: {}",
                           set_aside_ == 1 ? "one account is" : fmt::format("{} accounts are", set_aside_), why_aside_);
      return std::nullopt;
    }
    returned_.wait_for(lock, std::chrono::milliseconds(200));
  }
}

std::optional<play::SeenEmpty> AccountPool::take_seen_empty(const std::vector<std::size_t>& indexes) {
  play::SeenEmpty out{{}, Time::max()};
  std::uint32_t number = 0;
  bool all = !indexes.empty();
  for (const auto index : indexes) {
    auto seen = seen_empty_.extract(index);
    all = all && !seen.empty();
    if (seen.empty()) continue;
    out.at = std::min(out.at, seen.mapped().first);
    out.mailboxes[++number] = std::move(seen.mapped().second);
  }
  return all ? std::optional(std::move(out)) : std::nullopt;
}

void AccountPool::forget_what_was_seen() {
  const std::lock_guard lock(mutex_);
  seen_empty_.clear();
  ++stops_;
}

const play::SeenEmpty* AccountPool::seen_empty(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  return lease.seen_empty && lease.stops == stops_ ? &*lease.seen_empty : nullptr;
}

void AccountPool::give_back(const Lease& lease, Use use) {
  const std::lock_guard lock(mutex_);
  --out_;
  connected_ -= lease.connections;
  for (const auto index : lease.indexes) {
    if (use.trouble.empty()) {
      troubled_.erase(index);
    } else {
      troubled_.insert(index);
    }
  }
  if (use.usable) {
    for (const auto index : lease.indexes) taken_[index] = false;
  } else {
    set_aside_ += lease.indexes.size();
    why_aside_ = use.trouble;
  }
  if (use.left_empty && use.trouble.empty() && lease.stops == stops_)
    for (std::size_t i = 0; i < lease.indexes.size(); ++i)
      seen_empty_[lease.indexes[i]] = {use.left_empty->at,
                                       std::move(use.left_empty->mailboxes[static_cast<std::uint32_t>(i + 1)])};
  begun_ = begun_ || use.begun;
  if (!use.begun && !use.trouble.empty()) {
    ++failed_;
    trouble_ = std::move(use.trouble);
  }
  returned_.notify_all();
}

}  // namespace mailproof::run
