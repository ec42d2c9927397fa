// What a seed draws before the first step: verbs and faults with their weights, accounts with their limits, devices.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "explore/world_maker.h"

namespace mailproof::explore {
namespace {

constexpr std::string_view kPeople[] = {"alice", "bob", "carol", "dave"};
constexpr std::string_view kReaders[] = {"phone", "laptop", "tablet", "desk", "notebook", "watch"};
constexpr std::string_view kCollectors[] = {"pc", "office", "archive", "taker"};
constexpr std::string_view kSites[] = {"web", "webmail", "portal"};
const std::vector<std::string> kMailboxes = {"Archive", "Projects", "Drafts", "Sent", "Trash", "Receipts", "Family"};
const std::vector<std::string> kOdd = {"Müller & Söhne", "Año (2026)", "a+b", "Re: your mail"};
/// Any way of delivery has them; the others are for LMTP and APPEND, where nobody may change them.
const std::vector<std::string> kProper = {"plain", "office", "dot-lines", "header-only"};
const std::vector<std::string> kEdges = {"long-lines", "eight-bit", "lone-dot", "dots"};

std::string free_name(const std::vector<Actor>& actors, std::span<const std::string_view> names) {
  for (int round = 1;; ++round)
    for (const std::string_view name : names) {
      const std::string full = round == 1 ? std::string(name) : fmt::format("{}{}", name, round);
      if (std::none_of(actors.begin(), actors.end(), [&](const Actor& other) { return other.name == full; }))
        return full;
    }
}

}  // namespace

/// Some verbs are missing altogether and some are everywhere: a mixture of all is the same in every world, and hides
/// what is only reached when little else happens.
void WorldMaker::draw_swarm() {
  for (const Kind kind : {Kind::deliverer, Kind::imap, Kind::pop3, Kind::admin})
    for (const Verb& verb : verbs_of(kind)) {
      unsigned weight = verb.weight;
      if (one_in(3)) weight = 0;
      if (one_in(6)) weight = verb.weight * 5;
      swarm_[std::string(verb.name)] = weight;
    }
  // Without these nothing comes in, and nobody ever looks.
  swarm_["deliver"] = std::max(swarm_["deliver"], 4U);
  swarm_["see"] = std::max(swarm_["see"], 3U);
  swarm_["pop see"] = std::max(swarm_["pop see"], 1U);
  swarm_["online"] = 8;
  swarm_["together"] = one_in(3) ? 0 : 1 + below(6);
  steps_ = 10 + below(31);

  const std::size_t many = 1 + below(3);
  for (std::size_t i = 0; i < many; ++i) kinds_.push_back(any(kProper));
  if (one_in(2)) kinds_.push_back(any(kEdges));
  for (std::size_t i = 0; i < 3; ++i) sizes_.push_back(std::uint64_t{512} << below(7));
  for (std::size_t i = 0; i < 2 + below(3); ++i) names_.push_back(any(kMailboxes));
  if (one_in(4)) names_.push_back(any(kOdd));
}

void WorldMaker::draw_accounts() {
  const bool of_customer = !offer_.customer_quotas.empty() && one_in(6);
  if (of_customer) {
    const std::uint64_t octets = any(offer_.customer_quotas);
    customer_ = "acme";
    customer_quota_ = format_size(octets);
    known_.limits.push_back({octets, 0});
  }
  std::size_t count = 1 + (one_in(2) ? 0 : below(4));
  std::size_t unlimited = 0;
  if (of_customer) count = std::min<std::size_t>(count + 1, 4);
  for (std::size_t i = 0; i < count; ++i) {
    Mailboxes mailboxes;
    std::string text;
    const bool limited = !offer_.quotas.empty() && (unlimited >= offer_.accounts || one_in(3));
    if (of_customer && i < 2) {
      mailboxes.limits.push_back(0);
      text = "customer: acme";
    } else if (limited) {
      const std::uint64_t octets = any(offer_.quotas);
      mailboxes.limits.push_back(known_.limits.size());
      known_.limits.push_back({octets, 0});
      text = fmt::format("quota: {}", format_size(octets));
    } else if (unlimited >= offer_.accounts) {
      break;
    } else {
      ++unlimited;
    }
    account_names_.emplace_back(kPeople[i]);
    account_texts_.push_back(text);
    known_.accounts.push_back(std::move(mailboxes));
  }
}

void WorldMaker::add_device(Kind kind, std::size_t account) {
  Actor device;
  device.kind = kind;
  device.account = account;
  const std::string& owner = account_names_[account];
  if (kind == Kind::pop3) {
    device.name = free_name(actors_, kCollectors);
    device.after = one_in(2) ? "keep" : one_in(4) ? "{delete_after: 14 days}" : "delete";
    device.declared = fmt::format("pop3: {}, after_download: {}", owner, device.after);
  } else {
    device.webmail = one_in(4);
    device.name = device.webmail ? free_name(actors_, kSites) : free_name(actors_, kReaders);
    device.declared = fmt::format("imap: {}", owner);
    if (device.webmail) {
      device.declared += ", kind: webmail";
    } else {
      if (one_in(2)) device.idle = "INBOX";
      if (!device.idle.empty()) device.declared += ", idle: INBOX";
      device.open = device.idle;
      device.resync = one_in(3) ? "" : one_in(2) ? "condstore" : "qresync";
    }
  }
  if (offer_.tls && one_in(8)) device.declared += ", tls: starttls";
  actors_.push_back(std::move(device));
}

void WorldMaker::draw_actors() {
  Actor mta;
  mta.kind = Kind::deliverer;
  mta.name = "mta";
  std::vector<std::string> ways = {"any"};
  if (offer_.lmtp) ways.emplace_back("lmtp");
  if (offer_.smtp) ways.emplace_back("smtp");
  if (offer_.append && one_in(4)) ways.emplace_back("append");
  mta.way = any(ways);
  mta.declared = fmt::format("delivers: {}", mta.way);
  if (offer_.smtp_tls && mta.way == "smtp" && one_in(4)) mta.declared += ", tls: starttls";
  actors_.push_back(mta);
  const auto unlimited = std::find_if(known_.accounts.begin(), known_.accounts.end(),
                                      [](const Mailboxes& one) { return one.limits.empty(); });
  if (offer_.smtp && unlimited != known_.accounts.end() && one_in(3)) {
    Actor relay;
    relay.kind = Kind::deliverer;
    relay.name = "relay";
    relay.way = "smtp";
    relay.reports = true;
    relay.account = static_cast<std::size_t>(unlimited - known_.accounts.begin());
    relay.declared = fmt::format("delivers: smtp, from: {}", account_names_[relay.account]);
    actors_.push_back(relay);
  }
  const std::size_t devices = std::max<std::size_t>(2 + below(5), std::min<std::size_t>(account_names_.size(), 6));
  std::vector<std::size_t> of(account_names_.size(), 0);
  for (std::size_t i = 0; i < devices; ++i) {
    const std::size_t account = i < account_names_.size() ? i : below(account_names_.size());
    // Beside them somebody may look into the mailbox anew, and await reports.
    if (offer_.of_one_account != 0 && of[account] + 3 > offer_.of_one_account) continue;
    ++of[account];
    const bool pop = offer_.pop3 && (!offer_.imap || one_in(3));
    add_device(pop ? Kind::pop3 : Kind::imap, account);
  }
  if (!offer_.set_quota && !offer_.restarts) return;
  Actor admin;
  admin.kind = Kind::admin;
  admin.name = "admin";
  actors_.push_back(admin);
}

std::string WorldMaker::accounts_text() const {
  const bool plain =
      std::all_of(account_texts_.begin(), account_texts_.end(), [](const auto& one) { return one.empty(); });
  std::string out;
  for (std::size_t i = 0; i < account_names_.size(); ++i) {
    if (!out.empty()) out += ", ";
    out += plain ? account_names_[i] : fmt::format("{}: {{{}}}", account_names_[i], account_texts_[i]);
  }
  return plain ? fmt::format("[{}]", out) : fmt::format("{{{}}}", out);
}

std::string WorldMaker::head() const {
  std::set<std::string> needs = {"delivery"};
  for (const Actor& actor : actors_) {
    if (actor.kind == Kind::imap) needs.insert("imap");
    if (actor.kind == Kind::pop3) needs.insert("pop3");
    if (actor.kind == Kind::deliverer && (actor.way == "lmtp" || actor.way == "smtp")) needs.insert(actor.way);
    if (actor.declared.find("tls:") != std::string::npos) needs.insert("tls");
  }
  if (!known_.limits.empty()) needs.insert("quota");
  for (const std::string& line : lines_) {
    if (line.find("admin:") != std::string::npos) needs.insert("admin");
    if (line.find("smuggle:") != std::string::npos) needs.insert("tls");
    if (line.find("quota") != std::string::npos || line.find("usage:") != std::string::npos) needs.insert("quota");
    for (const std::string way : {"lmtp", "smtp"})
      if (line.find("via: " + way) != std::string::npos) needs.insert(way);
  }
  std::string out = fmt::format("id: {}\ntitle: The random world of seed {}\nneeds: [{}]\n\n", world_id(seed_), seed_,
                                fmt::join(needs, ", "));
  if (!customer_.empty()) out += fmt::format("customers: {{{}: {{quota: {}}}}}\n", customer_, customer_quota_);
  out += fmt::format("accounts: {}\ndevices:\n", accounts_text());
  std::size_t width = 0;
  for (const Actor& actor : actors_) width = std::max(width, actor.name.size());
  for (const Actor& actor : actors_)
    if (actor.kind != Kind::admin) out += fmt::format("  {:<{}} {{{}}}\n", actor.name + ":", width + 1, actor.declared);
  return out + "\nsteps:\n";
}

}  // namespace mailproof::explore
