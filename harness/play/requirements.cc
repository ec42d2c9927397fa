#include "play/requirements.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"

namespace mailproof::play {
namespace {

using scenario::Need;
using scenario::Way;

bool can(const scenario::Target& target, Way way) {
  switch (way) {
    case Way::lmtp:
      return !target.lmtp.empty();
    case Way::smtp:
      return !target.smtp.empty();
    case Way::append:
      return !target.imap.empty();
    case Way::any:
    case Way::command:
      return false;
  }
  return false;
}

bool can_deliver(const scenario::Target& target) {
  return std::any_of(target.delivery.begin(), target.delivery.end(), [&](Way way) { return can(target, way); });
}

bool has_tls(const scenario::Target& target, Protocol protocol, TlsMode mode) {
  const auto& endpoints = protocol == Protocol::imap   ? target.imap
                          : protocol == Protocol::pop3 ? target.pop3
                                                       : target.smtp;
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& e) { return e.tls == mode; });
}

}  // namespace

std::optional<std::string> not_applicable(const scenario::Scenario& scenario, const scenario::Target& target) {
  for (const Need need : scenario.needs) {
    switch (need) {
      case Need::imap:
        if (target.imap.empty()) return "the target has no IMAP";
        break;
      case Need::pop3:
        if (target.pop3.empty()) return "the target has no POP3";
        break;
      case Need::delivery:
        if (!can_deliver(target)) return "the target has no way of delivery that we know (lmtp, smtp, append)";
        break;
      case Need::smtp:
        if (target.smtp.empty()) return "the target has no SMTP";
        break;
      case Need::lmtp:
        if (target.lmtp.empty()) return "the target has no LMTP";
        break;
      case Need::bounce:
        if (target.smtp.empty()) return "only a target with SMTP can bounce";
        break;
      case Need::quota:
        if (std::none_of(target.accounts.begin(), target.accounts.end(),
                         [](const auto& account) { return account.quota.has_value(); }))
          return "no account of the target has a quota";
        break;
      case Need::tls:
        if (!has_tls(target, Protocol::imap, TlsMode::starttls) && !has_tls(target, Protocol::imap, TlsMode::implicit))
          return "the target has no TLS";
        break;
      case Need::admin:
        if (target.admin.empty()) return "the target file has no admin commands";
        break;
    }
  }
  for (const auto& device : scenario.devices) {
    if (device.kind == scenario::DeviceKind::deliverer) {
      if (device.way != Way::any && !can(target, device.way))
        return fmt::format("the target cannot deliver by {}", name(device.way));
      if (!can_deliver(target)) return "the target has no way of delivery that we know (lmtp, smtp, append)";
    } else if (device.tls) {
      const Protocol protocol = device.kind == scenario::DeviceKind::imap ? Protocol::imap : Protocol::pop3;
      if (!has_tls(target, protocol, *device.tls))
        return fmt::format("the target has no {} endpoint with tls: {}", name(protocol), name(*device.tls));
    }
  }
  for (const auto& account : scenario.accounts)
    if (account.quota && std::none_of(target.accounts.begin(), target.accounts.end(),
                                      [&](const auto& pool) { return pool.quota == account.quota; }))
      return fmt::format("no account class of the target has a quota of {}", format_size(*account.quota));
  return std::nullopt;
}

Way delivery_way(const scenario::Target& target, Way asked) {
  if (asked != Way::any) return asked;
  for (const Way way : target.delivery)
    if (can(target, way)) return way;
  return Way::append;
}

std::vector<std::size_t> choose_accounts(const scenario::Scenario& scenario, const scenario::Target& target,
                                         std::vector<bool>& taken, std::string& why) {
  std::vector<std::size_t> chosen;
  taken.resize(target.accounts.size());
  for (const auto& wanted : scenario.accounts) {
    std::size_t i = 0;
    while (i < target.accounts.size() && (taken[i] || target.accounts[i].quota != wanted.quota)) ++i;
    if (i == target.accounts.size()) {
      const auto same = std::count_if(scenario.accounts.begin(), scenario.accounts.end(),
                                      [&](const auto& a) { return a.quota == wanted.quota; });
      why =
          fmt::format("{} needs {} unused accounts {}, the pool has no more", scenario.id, same,
                      wanted.quota ? "with a quota of " + format_size(*wanted.quota) : std::string("without a quota"));
      for (const auto index : chosen) taken[index] = false;
      return {};
    }
    taken[i] = true;
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace mailproof::play
