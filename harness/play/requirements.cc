#include "play/requirements.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/admin.h"
#include "core/bytes.h"
#include "core/units.h"
#include "play/talk/bring_up.h"

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
    case Way::command:
      return target.admin.contains("deliver");
    case Way::any:
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

bool has_tls(const scenario::Target& target) {
  for (const Protocol protocol : {Protocol::imap, Protocol::pop3, Protocol::smtp})
    if (has_tls(target, protocol, TlsMode::starttls) || has_tls(target, protocol, TlsMode::implicit)) return true;
  return false;
}

bool allows(const scenario::Target& target, std::string_view what) {
  return std::find(target.allow.begin(), target.allow.end(), what) != target.allow.end();
}

/// Why the target cannot do what a step asks, other than a device's kind.
std::optional<std::string> cannot_do(const scenario::Scenario& scenario, const scenario::Step& step,
                                     const scenario::Target& target) {
  using scenario::Verb;
  for (const auto& child : step.together)
    if (auto why = cannot_do(scenario, child, target)) return why;
  if (step.device == scenario::Step::kAdmin) {
    const auto* limit = step.maybe<scenario::SetQuota>();
    const bool of_customer = limit != nullptr && limit->customer;
    const std::string verb(of_customer ? mailproof::name(AdminVerb::set_customer_quota) : name(step.verb));
    if (!target.admin.contains(verb)) return fmt::format("the target file has no admin command {}", verb);
    if (step.verb == Verb::kill && !target.admin.contains("restart"))
      return "the target file has no admin command restart, to start it again after kill";
    const bool disturbs = step.verb != Verb::set_quota;
    if (disturbs && !allows(target, "restarts"))
      return fmt::format("the target file does not allow restarts, and the scenario does {}", verb);
  }
  const auto* connect = step.maybe<scenario::Connect>();
  const bool plaintext = connect != nullptr && connect->plaintext;
  if (plaintext && !allows(target, "failed-logins"))
    return "the target file does not allow failed logins, and one without TLS should be refused";
  if (plaintext || step.verb == Verb::smuggle) {
    const Protocol protocol =
        scenario.devices[step.device].kind == scenario::DeviceKind::imap ? Protocol::imap : Protocol::pop3;
    if (!has_tls(target, protocol, TlsMode::starttls))
      return fmt::format("the target has no {} endpoint with tls: starttls", name(protocol));
  }
  return std::nullopt;
}

std::string_view tls_word(scenario::TalkTls tls) {
  switch (tls) {
    case scenario::TalkTls::target:
      return "";
    case scenario::TalkTls::none:
      return " in clear text (tls: none)";
    case scenario::TalkTls::clear:
    case scenario::TalkTls::starttls:
      return " with tls: starttls";
    case scenario::TalkTls::implicit:
      return " with tls: implicit";
  }
  return "";
}

/// Whether a line stands on a connection that no line opened.
bool uses_first(const scenario::Check& check) {
  using Op = scenario::TalkLine::Op;
  constexpr Op kOnNone[] = {Op::deliver, Op::arrives, Op::no_report, Op::wait,    Op::note,
                            Op::same,    Op::differ,  Op::fewer,     Op::at_most, Op::within};
  std::set<int> opened;
  for (const auto& line : check.talk) {
    if (line.op == Op::connect) opened.insert(line.connection);
    if (std::find(std::begin(kOnNone), std::end(kOnNone), line.op) != std::end(kOnNone)) continue;
    if (!opened.contains(line.connection)) return true;
  }
  return false;
}

std::optional<std::string> cannot_talk(const scenario::Check& check, const scenario::Target& target) {
  for (const auto& what : check.allow)
    if (!allows(target, what)) return fmt::format("the target file does not allow {}", what);
  const auto without = [&](std::string_view what) {
    return std::find(check.unless.begin(), check.unless.end(), what) != check.unless.end();
  };
  if (target.behind_proxy && without(kBackend)) return "the target file says that capabilities come from a backend";
  if (target.insecure && without(kUnverified)) return "certificates are not verified (insecure)";
  if (!check.talks() && !check.looks()) return std::nullopt;
  const auto missing = [&](const scenario::TalkConnect& how) -> std::optional<std::string> {
    if (talk_endpoint(target, how) != nullptr) return std::nullopt;
    return fmt::format("the target has no {} endpoint{}", upper(name(how.protocol)), tls_word(how.tls));
  };
  if (check.looks() || uses_first(check))
    if (auto why = missing(check.first)) return why;
  for (const auto& line : check.talk)
    if (line.op == scenario::TalkLine::Op::connect)
      if (auto why = missing(line.connect)) return why;
  const bool looks = std::any_of(check.talk.begin(), check.talk.end(), [](const auto& line) {
    return line.op == scenario::TalkLine::Op::arrives || line.op == scenario::TalkLine::Op::no_report;
  });
  if (looks && target.imap.empty()) return "the target has no IMAP, by which it is seen what has arrived";
  return std::nullopt;
}

/// Devices stay logged in; one more looks where something is missing, or whether a mailbox is ours.
Connected connected_by_devices(const scenario::Scenario& scenario) {
  std::vector<std::size_t> of_account(scenario.accounts.size());
  Connected out;
  bool may_bounce = false;
  for (const auto& step : scenario.steps)
    if (const auto* sending = step.maybe<scenario::Sending>())
      may_bounce = may_bounce || sending->expect.has_value() || step.maybe<scenario::Deliver>() == nullptr ||
                   step.get<scenario::Deliver>().until.has_value();
  for (const auto& device : scenario.devices) {
    ++out.in_all;
    if (device.kind != scenario::DeviceKind::deliverer) ++of_account[device.account];
  }
  for (const std::size_t devices : of_account)
    out.of_one_account = std::max(out.of_one_account, devices + 1 + (may_bounce ? 1 : 0));
  out.in_all += 1 + (may_bounce ? of_account.size() : 0);
  return out;
}

/// A talk has connections of its own, by number, and what fills and looks at its mailbox.
Connected connected_by_talk(const scenario::Check& check) {
  std::set<int> connections = {1};
  for (const auto& line : check.talk) connections.insert(line.connection);
  return {connections.size() + 1, connections.size() + 2};
}

bool has_customer(const scenario::Target& target, std::uint64_t quota) {
  return std::any_of(target.accounts.begin(), target.accounts.end(),
                     [&](const auto& account) { return account.customer_quota == quota; });
}

}  // namespace

Connected connected_by(const scenario::Scenario& scenario, const scenario::Target& target) {
  Connected out =
      scenario.check && scenario.check->talks() ? connected_by_talk(*scenario.check) : connected_by_devices(scenario);
  // The audit's sessions stay until the end, that of IMAP beside that of POP3.
  const std::size_t audit = (target.imap.empty() ? 0U : 1U) + (target.pop3.empty() ? 0U : 1U);
  out.of_one_account = std::max(out.of_one_account, audit);
  out.in_all = std::max(out.in_all, audit * scenario.accounts.size());
  return out;
}

std::optional<std::string> not_applicable(const scenario::Scenario& scenario, const scenario::Target& target) {
  const Connected connected = connected_by(scenario, target);
  if (target.connections.user != 0 && connected.of_one_account > target.connections.user)
    return fmt::format("it may need {} connections of one user at the same time; the target file allows {}",
                       connected.of_one_account, target.connections.user);
  if (target.connections.address != 0 && connected.in_all > target.connections.address)
    return fmt::format("it may need {} connections at the same time; the target file allows an address {}",
                       connected.in_all, target.connections.address);
  if (!scenario.accounts.empty() && target.imap.empty() && target.pop3.empty())
    return "the target has neither IMAP nor POP3, by which it is seen whose mail a mailbox holds";
  for (const Need need : scenario.needs) {
    switch (need) {
      case Need::imap:
        if (target.imap.empty()) return "the target has no IMAP";
        break;
      case Need::pop3:
        if (target.pop3.empty()) return "the target has no POP3";
        break;
      case Need::delivery:
        if (!can_deliver(target)) return "the target has no way of delivery (lmtp, smtp, append or a command)";
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
        if (std::none_of(target.accounts.begin(), target.accounts.end(), [](const auto& account) {
              return account.quota.has_value() || account.customer_quota.has_value();
            }))
          return "no account of the target has a quota";
        break;
      case Need::tls:
        if (!has_tls(target)) return "the target has no TLS";
        break;
      case Need::admin:
        if (target.admin.empty()) return "the target file has no admin commands";
        break;
    }
  }
  if (scenario.check)
    if (auto why = cannot_talk(*scenario.check, target)) return why;
  for (const auto& device : scenario.devices) {
    if (device.kind == scenario::DeviceKind::deliverer) {
      if (scenario.check && scenario.steps.empty()) continue;
      if (device.way != Way::any && !can(target, device.way))
        return fmt::format("the target cannot deliver by {}", name(device.way));
      if (!can_deliver(target)) return "the target has no way of delivery (lmtp, smtp, append or a command)";
    } else if (device.tls) {
      const Protocol protocol = device.kind == scenario::DeviceKind::imap ? Protocol::imap : Protocol::pop3;
      if (!has_tls(target, protocol, *device.tls))
        return fmt::format("the target has no {} endpoint with tls: {}", name(protocol), name(*device.tls));
    }
  }
  for (const auto& step : scenario.steps) {
    if (auto why = cannot_do(scenario, step, target)) return why;
    const auto* sending = step.maybe<scenario::Sending>();
    if (scenario.check && sending != nullptr && sending->via && !can(target, *sending->via))
      return fmt::format("the target cannot deliver by {}", name(*sending->via));
  }
  for (const auto& customer : scenario.customers)
    if (!has_customer(target, customer.quota))
      return fmt::format("no customer of the target has a quota of {}", format_size(customer.quota));
  for (const auto& account : scenario.accounts)
    if (account.quota && std::none_of(target.accounts.begin(), target.accounts.end(),
                                      [&](const auto& pool) { return pool.quota == account.quota; }))
      return fmt::format("no account class of the target has a quota of {}", format_size(*account.quota));
  if (scenario.accounts.size() > target.accounts.size())
    return fmt::format("{} accounts are needed, and the target has {}", scenario.accounts.size(),
                       target.accounts.size());
  return std::nullopt;
}

const scenario::Step* disturbing_step(const std::vector<scenario::Step>& steps) {
  using scenario::Verb;
  for (const auto& step : steps) {
    if (step.verb == Verb::restart || step.verb == Verb::kill || step.verb == Verb::pause) return &step;
    if (const auto* found = disturbing_step(step.together)) return found;
  }
  return nullptr;
}

bool plays_alone(const scenario::Scenario& scenario) {
  return scenario.id.starts_with("robust.") || disturbing_step(scenario.steps) != nullptr;
}

Way delivery_way(const scenario::Target& target, Way asked) {
  if (asked != Way::any) return asked;
  for (const Way way : target.delivery)
    if (can(target, way)) return way;
  return Way::append;
}

namespace {

/// What these steps make at most, in octets.
std::uint64_t made_by(const std::vector<scenario::Step>& steps) {
  constexpr std::uint64_t kLargeLetter = 64U << 10;  // of those that say no size
  std::uint64_t out = 0;
  for (const auto& step : steps) {
    const auto* sent = step.maybe<scenario::Deliver>();
    const scenario::NewMessages* made = sent;
    if (made == nullptr) made = step.maybe<scenario::Save>();
    if (made != nullptr) {
      const auto many = static_cast<std::uint64_t>(std::max({1, made->count, sent == nullptr ? 0 : sent->at_most}));
      const std::uint64_t size =
          made->letter ? made->letter->body.size() + kLargeLetter : std::max(made->size, kLargeLetter);
      out += many * static_cast<std::uint64_t>(std::max(1, step.times)) * size;
    }
    out += made_by(step.together);
  }
  return out;
}

/// A limit under which an account serves a scenario that is about none: for all that it makes, with copies of it, and
/// for what its lines append themselves.
std::uint64_t room_for(const scenario::Scenario& scenario) { return 4 * made_by(scenario.steps) + (32U << 20); }

struct Choice {
  const scenario::Scenario& scenario;
  const scenario::Target& target;
  std::vector<bool>& taken;
  std::vector<std::string> customers;  ///< the target's, by index of the scenario's

  /// A customer of the target none of whose accounts is in use: what is in them counts for all.
  std::string free_customer(const scenario::Customer& wanted) const {
    for (const auto& candidate : target.accounts) {
      if (candidate.customer_quota != wanted.quota ||
          std::find(customers.begin(), customers.end(), candidate.customer) != customers.end())
        continue;
      bool free = true;
      for (std::size_t i = 0; i < target.accounts.size(); ++i)
        free = free && !(taken[i] && target.accounts[i].customer == candidate.customer);
      if (free) return candidate.customer;
    }
    return {};
  }

  /// `roomy`: where no limit is wanted, a large one will do.
  bool suits(std::size_t i, const scenario::Account& wanted, bool roomy) const {
    const auto& pool = target.accounts[i];
    const std::string& customer = wanted.customer ? customers[*wanted.customer] : std::string();
    const bool enough = roomy && !wanted.quota && pool.quota && *pool.quota >= room_for(scenario);
    return !taken[i] && (pool.quota == wanted.quota || enough) && pool.customer == customer;
  }
  /// Its place in the pool, behind the last where there is none.
  std::size_t find(const scenario::Account& wanted) const {
    for (const bool roomy : {false, true})
      for (std::size_t i = 0; i < target.accounts.size(); ++i)
        if (suits(i, wanted, roomy)) return i;
    return target.accounts.size();
  }
};

std::string with_quota(std::optional<std::uint64_t> quota) {
  return quota ? "with a quota of " + format_size(*quota) : std::string("without a quota");
}

}  // namespace

std::vector<std::size_t> choose_accounts(const scenario::Scenario& scenario, const scenario::Target& target,
                                         std::vector<bool>& taken, std::string& why) {
  std::vector<std::size_t> chosen;
  taken.resize(target.accounts.size());
  Choice choice{scenario, target, taken, {}};
  for (const auto& wanted : scenario.customers) {
    choice.customers.push_back(choice.free_customer(wanted));
    if (!choice.customers.back().empty()) continue;
    why = fmt::format("{} needs an unused customer with a quota of {}, the pool has no more", scenario.id,
                      format_size(wanted.quota));
    return {};
  }
  for (const auto& wanted : scenario.accounts) {
    const std::size_t i = choice.find(wanted);
    if (i == target.accounts.size()) {
      const auto same = std::count_if(scenario.accounts.begin(), scenario.accounts.end(), [&](const auto& a) {
        return a.quota == wanted.quota && a.customer == wanted.customer;
      });
      const std::string or_roomy = wanted.quota || wanted.customer
                                       ? ""
                                       : fmt::format(" or with one of {} or more", format_size(room_for(scenario)));
      why = fmt::format("{} needs {} unused accounts {}{}{}, the pool has no more", scenario.id, same,
                        with_quota(wanted.quota), or_roomy, wanted.customer ? " of one customer" : "");
      for (const auto index : chosen) taken[index] = false;
      return {};
    }
    taken[i] = true;
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace mailproof::play
