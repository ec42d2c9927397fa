#include "scenario/story/actors.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "scenario/plan/profile.h"
#include "scenario/story/steps.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

constexpr std::string_view kReserved[] = {"together", "judge", "admin"};
constexpr Word<bool> kClientKinds[] = {{"client", false}, {"webmail", true}};

std::optional<std::size_t> customer_of(const Node& node, Complaints& complaints, const Scenario& scenario) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < scenario.customers.size(); ++i) {
    if (node.kind == Node::Kind::scalar && scenario.customers[i].name == node.text) return i;
    known.push_back(scenario.customers[i].name);
  }
  complaints.value(node, known.empty() ? "also customers: {NAME: {quota: 128KiB}}" : either(known), known);
  return std::nullopt;
}

void add_account(const Node& name, std::string_view text, Pos pos, Complaints& complaints, Scenario& scenario) {
  if (!is_name(text)) {
    complaints.at(pos, text, "a name for the account: letters, digits, - and _");
    return;
  }
  const auto& accounts = scenario.accounts;
  if (std::any_of(accounts.begin(), accounts.end(), [&](const Account& other) { return other.name == text; })) {
    complaints.at(pos, text, "each account once");
    return;
  }
  Account account{std::string(text), std::nullopt, pos};
  if (std::any_of(scenario.customers.begin(), scenario.customers.end(), [&](const auto& c) { return c.name == text; }))
    complaints.at(pos, text, "another name: a customer has it");
  if (name.kind == Node::Kind::map) {
    check_keys(name, {"quota", "customer"}, complaints);
    if (const Node* quota = find(name, "quota")) account.quota = read_size(*quota, complaints);
    if (const Node* customer = find(name, "customer")) account.customer = customer_of(*customer, complaints, scenario);
  }
  scenario.accounts.push_back(std::move(account));
}

class DeviceReader {
 public:
  DeviceReader(const Node& node, Complaints& complaints, const Context& names)
      : node_(node), complaints_(complaints), names_(names) {}

  /// Nothing when even its kind is not known; verbs cannot be checked then.
  std::optional<Device> read() {
    Device device;
    device.name = node_.key;
    device.pos = node_.key_pos;
    if (!is_map(node_, "{delivers: any}, {imap: ACCOUNT} or {pop3: ACCOUNT}", complaints_)) return std::nullopt;
    const Node* kind = kind_of(device);
    if (kind == nullptr) return std::nullopt;
    switch (device.kind) {
      case DeviceKind::deliverer:
        deliverer(*kind, device);
        break;
      case DeviceKind::imap:
        imap(*kind, device);
        break;
      case DeviceKind::pop3:
        pop3(*kind, device);
        break;
    }
    if (const Node* profile = find(node_, "profile"); profile != nullptr && device.kind != DeviceKind::deliverer)
      as_profile_says(*profile, device);
    if (const Node* tls = find(node_, "tls")) device.tls = read_word(*tls, kTlsModes, complaints_);
    return device;
  }

 private:
  const Node* kind_of(Device& device) {
    const Node* kind = nullptr;
    for (const auto& entry : node_.children)
      for (const auto& word : kDeviceKinds) {
        if (entry.key != word.word) continue;
        if (kind != nullptr) {
          complaints_.key(entry, fmt::format("one kind a device; this one has {} already", kind->key));
          return nullptr;
        }
        kind = &entry;
        device.kind = word.meaning;
      }
    if (kind != nullptr) return kind;
    if (node_.children.empty()) {
      complaints_.value(node_, "{delivers: any}, {imap: ACCOUNT} or {pop3: ACCOUNT}");
    } else {
      complaints_.key(node_.children.front(), "what it is: " + either(words_of(kDeviceKinds)), words_of(kDeviceKinds));
    }
    return nullptr;
  }

  void deliverer(const Node& way, Device& device) {
    check_keys(node_, {"delivers", "from", "tls"}, complaints_);
    if (const auto found = read_word(way, kWays, complaints_)) device.way = *found;
    if (const Node* from = find(node_, "from")) device.from = names_.account(*from);
  }

  void imap(const Node& account, Device& device) {
    check_keys(node_, {"imap", "profile", "idle", "kind", "tls"}, complaints_);
    device.account = names_.account(account).value_or(0);
    if (const Node* kind = find(node_, "kind"))
      device.webmail = read_word(*kind, kClientKinds, complaints_).value_or(false);
    const Node* idle = find(node_, "idle");
    if (idle == nullptr) return;
    device.idle = read_text(*idle, "the name of a mailbox", complaints_).value_or("");
    if (device.webmail)
      complaints_.key(*idle, "idle: only on a device that stays logged in; webmail logs in for each step");
  }

  void pop3(const Node& account, Device& device) {
    check_keys(node_, {"pop3", "profile", "after_download", "tls"}, complaints_);
    device.account = names_.account(account).value_or(0);
    if (const Node* after = find(node_, "after_download"))
      if (const auto policy = read_after_download(*after, complaints_)) device.after = *policy;
  }

  /// {imap: alice, profile: thunderbird}: what its steps do not say is as the profile has it.
  void as_profile_says(const Node& name, Device& device) {
    const auto profile = profile_named(name);
    if (profile == nullptr) return;
    const bool imap = device.kind == DeviceKind::imap;
    if ((profile->protocol == Protocol::imap) != imap)
      return complaints_.value(name, fmt::format("a profile that speaks {}; {} speaks {}", imap ? "IMAP" : "POP3",
                                                 profile->name, imap ? "POP3" : "IMAP"));
    if (profile->send)
      return complaints_.value(name, fmt::format("a profile without send: in a story mail is sent by a step, and {} "
                                                 "writes by itself",
                                                 profile->name));
    if (!imap && profile->capabilities == CapabilityAsks::never)
      return complaints_.value(name,
                               fmt::format("a profile that asks for the capabilities, as a device of a story has to "
                                           "know of UIDL and TOP; {} never does",
                                           profile->name));
    for (const std::string_view key : {"kind", "after_download"})
      if (const Node* said = find(node_, key); said != nullptr)
        complaints_.key(*said, fmt::format("this or profile:, which says it already ({})", profile->name));
    const bool listens = profile->idle && profile->stays;
    if (const Node* idle = find(node_, "idle"); idle != nullptr && !listens)
      complaints_.key(*idle, fmt::format("no idle: {} does not listen, it looks every {}", profile->name,
                                         format_duration(profile->every)));
    device.profile = profile;
    device.tls = profile->tls;
    device.after = profile->after;
    device.webmail = imap && !profile->stays;
    if (imap && listens && device.idle.empty()) device.idle = "INBOX";
  }

  /// Of scenarios/devices, or a file beside the story.
  std::shared_ptr<const Profile> profile_named(const Node& node) {
    const auto text = read_text(node, "a device profile, as thunderbird", complaints_);
    if (!text) return nullptr;
    std::string path;
    if (text->find('/') != std::string::npos || text->ends_with(".yaml")) {
      path = beside(complaints_.file(), *text);
    } else {
      const std::string root = folder_of_profiles(complaints_.file(), complaints_.root());
      const auto known = profile_names(root);
      if (std::find(known.begin(), known.end(), *text) == known.end()) {
        complaints_.value(
            node,
            known.empty()
                ? fmt::format("a device profile; {}/devices has none: --scenarios DIR says where they are", root)
                : "a device profile: " + either(known),
            known);
        return nullptr;
      }
      path = profile_path(root, *text);
    }
    auto loaded = load_profile(path);
    for (auto& problem : loaded.problems)
      complaints_.elsewhere(std::move(problem.file), problem.pos, std::move(problem.text), std::move(problem.expected));
    if (!loaded.problems.empty()) return nullptr;
    return std::make_shared<const Profile>(std::move(loaded.profile));
  }

  const Node& node_;
  Complaints& complaints_;
  const Context& names_;
};

/// A need that follows from something at a place of the file.
struct Use {
  Need need;
  std::string why;
};

void needs_of(const Scenario& scenario, const Step& step, std::vector<Use>& uses) {
  for (const auto& child : step.together) needs_of(scenario, child, uses);
  if (step.device == Step::kAdmin) uses.push_back({Need::admin, fmt::format("line {} is the admin's", step.pos.line)});
  const auto* connect = step.maybe<Connect>();
  if ((connect != nullptr && connect->plaintext) || step.verb == Verb::smuggle)
    uses.push_back({Need::tls, fmt::format("line {} is about TLS", step.pos.line)});
  if (step.verb == Verb::usage || step.verb == Verb::quota)
    uses.push_back({Need::quota, fmt::format("line {} asks about quota", step.pos.line)});
  const auto* sending = step.maybe<Sending>();
  if (sending == nullptr) return;
  const auto* deliver = step.maybe<Deliver>();
  if (sending->expect == Outcome::bounced || (deliver != nullptr && deliver->until == Outcome::bounced))
    uses.push_back({Need::bounce, fmt::format("line {} awaits a bounce", step.pos.line)});
  if (sending->via == Way::lmtp || sending->via == Way::smtp)
    uses.push_back({*sending->via == Way::lmtp ? Need::lmtp : Need::smtp,
                    fmt::format("line {} delivers via {}", step.pos.line, name(*sending->via))});
}

std::vector<Use> uses_of(const Scenario& scenario) {
  std::vector<Use> uses;
  for (const auto& customer : scenario.customers)
    uses.push_back({Need::quota, fmt::format("customer {} has one", customer.name)});
  for (const auto& account : scenario.accounts)
    if (account.quota) uses.push_back({Need::quota, fmt::format("account {} has one", account.name)});
  for (const auto& device : scenario.devices) {
    const auto because = fmt::format("device {} uses it", device.name);
    switch (device.kind) {
      case DeviceKind::imap:
        uses.push_back({Need::imap, because});
        break;
      case DeviceKind::pop3:
        uses.push_back({Need::pop3, because});
        break;
      case DeviceKind::deliverer:
        uses.push_back({Need::delivery, because});
        if (device.way == Way::lmtp) uses.push_back({Need::lmtp, because});
        if (device.way == Way::smtp) uses.push_back({Need::smtp, because});
    }
    if (device.tls.value_or(TlsMode::none) != TlsMode::none) uses.push_back({Need::tls, because});
  }
  for (const auto& step : scenario.steps) needs_of(scenario, step, uses);
  return uses;
}

}  // namespace

void read_customers(const Node& node, Complaints& complaints, Scenario& scenario) {
  constexpr std::string_view expected = "{acme: {quota: 128KiB}}: the accounts of a customer share one limit";
  if (!is_map(node, expected, complaints)) return;
  if (node.children.empty()) complaints.value(node, std::string(expected));
  for (const auto& entry : node.children) {
    if (!is_name(entry.key)) complaints.key(entry, "a name for the customer: letters, digits, - and _");
    if (!is_map(entry, "{quota: 128KiB}", complaints)) continue;
    check_keys(entry, {"quota"}, complaints);
    const Node* quota = find(entry, "quota");
    if (quota == nullptr) {
      complaints.value(entry, "{quota: 128KiB}");
    } else if (const auto size = read_size(*quota, complaints)) {
      scenario.customers.push_back({entry.key, *size, entry.key_pos});
    }
  }
}

void read_accounts(const Node& node, Complaints& complaints, Scenario& scenario) {
  constexpr std::string_view expected = "[alice, bob] or {bob: {quota: 64KiB}, carol: {}}";
  if (node.kind == Node::Kind::map) {
    for (const auto& entry : node.children) {
      if (entry.kind == Node::Kind::scalar || entry.kind == Node::Kind::list)
        complaints.value(entry, "{} or {quota: 64KiB}");
      add_account(entry, entry.key, entry.key_pos, complaints, scenario);
    }
  } else if (node.kind == Node::Kind::list) {
    for (const auto& entry : node.children) {
      if (entry.kind == Node::Kind::scalar) {
        add_account(entry, entry.text, entry.pos, complaints, scenario);
      } else {
        complaints.value(entry, "the name of an account");
      }
    }
  } else {
    return complaints.value(node, std::string(expected));
  }
  if (node.children.empty()) complaints.value(node, std::string(expected));
}

void read_devices(const Node& node, Complaints& complaints, Scenario& scenario, std::set<std::string>& unread) {
  constexpr std::string_view expected = "a device a line, like phone: {imap: alice}";
  if (!is_map(node, expected, complaints)) return;
  if (node.children.empty()) complaints.value(node, std::string(expected));
  const Context names{scenario, complaints, {}, {}};
  for (const auto& entry : node.children) {
    if (std::find(std::begin(kReserved), std::end(kReserved), entry.key) != std::end(kReserved)) {
      complaints.key(entry, "another name: together, judge and admin have a meaning in steps");
    } else if (!is_name(entry.key)) {
      complaints.key(entry, "a name for the device: letters, digits, - and _");
    }
    if (auto device = DeviceReader(entry, complaints, names).read()) {
      scenario.devices.push_back(std::move(*device));
    } else {
      unread.insert(entry.key);
    }
  }
}

void check_needs(const Node* needs, Complaints& complaints, const Scenario& scenario) {
  std::set<Need> listed(scenario.needs.begin(), scenario.needs.end());
  for (const auto& use : uses_of(scenario)) {
    if (!listed.insert(use.need).second) continue;
    const auto expected = fmt::format("{} among the needs: {}", name(use.need), use.why);
    if (needs != nullptr) {
      complaints.key(*needs, expected);
    } else {
      complaints.at({1, 1}, "needs", expected);
    }
  }
}

}  // namespace mailproof::scenario
