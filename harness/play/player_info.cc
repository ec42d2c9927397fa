#include <fmt/format.h>

#include "core/rng.h"
#include "play/player.h"

// What the history says of the scenario before anything is played.

namespace mailproof::play {
namespace {

history::DeviceKind kind_of(scenario::DeviceKind kind) {
  switch (kind) {
    case scenario::DeviceKind::deliverer:
      return history::DeviceKind::deliverer;
    case scenario::DeviceKind::imap:
      return history::DeviceKind::imap;
    case scenario::DeviceKind::pop3:
      return history::DeviceKind::pop3;
  }
  return history::DeviceKind::imap;
}

std::string policy_of(const scenario::Device& device) {
  if (device.kind != scenario::DeviceKind::pop3) return {};
  switch (device.after.policy) {
    case scenario::AfterDownload::Policy::keep:
      return "keep";
    case scenario::AfterDownload::Policy::remove:
      return "delete";
    case scenario::AfterDownload::Policy::remove_after:
      return "delete after " + format_duration(device.after.age);
  }
  return {};
}

void list_steps(const std::vector<scenario::Step>& steps, std::vector<std::string>& out) {
  for (const auto& step : steps) out.push_back(step.text);
}

/// "RFC 1939 section 5" of "pop3.1939-5"; what has no RFC's number is common practice.
std::string source_of(const std::string& file_id) {
  const auto dot = file_id.find('.');
  const auto dash = file_id.find('-', dot == std::string::npos ? 0 : dot);
  if (dot == std::string::npos || file_id.find_first_of("0123456789", dot) != dot + 1) return "Common practice";
  const std::string rfc = file_id.substr(dot + 1, dash == std::string::npos ? dash : dash - dot - 1);
  if (dash == std::string::npos) return fmt::format("RFC {}", rfc);
  return fmt::format("RFC {} section {}", rfc, file_id.substr(dash + 1));
}

history::CheckInfo check_info(const scenario::Scenario& scenario) {
  const scenario::Check& check = *scenario.check;
  history::CheckInfo info;
  info.level = name(check.level);
  if (check.harm != scenario::Harm::none) info.harm = name(check.harm);
  info.talk = check.talks();
  std::string source = source_of(check.file_id);
  for (const auto& ref : scenario.refs)
    if (ref != source) source += fmt::format(", {}", ref);
  info.requirement = fmt::format("{} ({}): {}", source, info.level, scenario.title);
  if (check.file_id == "imaptest") info.requirement = scenario.title + ", which has its own view of the RFCs";
  return info;
}

}  // namespace

void Player::fill_info() {
  auto& info = history_.info;
  info.scenario = scenario_.id;
  info.title = scenario_.title;
  info.scenario_hash = scenario_.hash;
  info.run_seed = options_.run_seed;
  info.seed = derive_seed(options_.run_seed, scenario_.id, options_.copy);
  info.copy = options_.copy;
  info.target = context_.target.name;
  info.version = options_.version;
  info.settle = context_.scaled(context_.target.settle);
  info.pop3_delete = context_.target.pop3_delete;
  info.pop3_download = context_.target.pop3_download;
  info.gives_up_after = context_.target.gives_up_after;
  info.patience = options_.patience;
  info.simulated = context_.network.simulated();
  info.load = options_.load;
  for (const auto& customer : scenario_.customers) info.customers.push_back({customer.name, customer.quota});
  for (std::size_t i = 0; i < scenario_.accounts.size(); ++i) {
    const auto& pool = context_.accounts.at(i);
    const auto& customer = scenario_.accounts[i].customer;
    history_.secrets.add(pool.login, pool.password);
    info.accounts.push_back({scenario_.accounts[i].name, pool.login, pool.address, pool.quota,
                             customer ? static_cast<std::uint32_t>(*customer + 1) : 0});
  }
  for (const auto& device : scenario_.devices) {
    const bool has_account = device.kind != scenario::DeviceKind::deliverer;
    info.devices.push_back({device.name, kind_of(device.kind),
                            has_account ? static_cast<std::uint32_t>(device.account + 1) : 0, policy_of(device)});
  }
  list_steps(scenario_.steps, info.steps);
  if (scenario_.check) info.check = check_info(scenario_);
}

}  // namespace mailproof::play
