#include <fmt/format.h>

#include "load/customers.h"

namespace mailproof::load {
namespace {

/// How a device of this profile is written in a story.
std::string device_of(const scenario::Profile& profile) {
  using Policy = scenario::AfterDownload::Policy;
  if (profile.protocol == Protocol::imap) return profile.idle ? "{imap: customer, idle: INBOX}" : "{imap: customer}";
  switch (profile.after.policy) {
    case Policy::remove:
      return "{pop3: customer, after_download: delete}";
    case Policy::keep:
      return "{pop3: customer, after_download: keep}";
    default:
      return "{pop3: customer, after_download: {delete_after: 14 days}}";
  }
}

}  // namespace

/// What a customer of that account did with such a message, without everybody else.
std::string Customers::story_of(std::size_t parcel) const {
  const Parcel& one = scene_.parcels.at(parcel);
  constexpr std::uint32_t kPlain = 16 << 10;
  const bool imap_only = scene_.target.pop3.empty();
  std::string devices, steps, needs = "delivery";
  bool imap = false, pop3 = false, removes = false;
  std::size_t n = 0;
  for (const auto index : of_account_[one.account]) {
    const auto& profile = devices_[index]->profile();
    if (devices_[index]->beside() || (imap_only && profile.protocol == Protocol::pop3)) continue;
    const std::string name = fmt::format("device{}", ++n);
    devices += fmt::format("  {}: {}  # {}\n", name, device_of(profile), profile.name);
    if (profile.protocol == Protocol::imap) {
      imap = true;
      steps += fmt::format("  - {}: {{see: mail, within: 20s}}\n", name);
      if (!removes) steps += fmt::format("  - {}: {{read: mail}}\n", name);
    } else {
      pop3 = true;
      steps += fmt::format("  - {}: {{download: new, as: got{}}}\n  - {}: quit\n", name, n, name);
      removes = removes || profile.after.policy == scenario::AfterDownload::Policy::remove;
    }
    if (removes) break;  // for who comes after it there is nothing to see
  }
  if (imap) needs += ", imap";
  if (pop3) needs += ", pop3";
  const auto way =
      one.by_customer ? Protocol::smtp : delivery_protocol(*part_.plan, scene_.target).value_or(Protocol::lmtp);
  needs += fmt::format(", {}", name(way));
  std::string out = fmt::format(
      "# Message {0} of {1} was lost. What is lost once in so many is seen with: mailproof run FILE --repeat 500 "
      "--until-fail\n"
      "id: load.message-{0}-alone\n"
      "title: A message as one that was lost under load, with nobody else there\n"
      "needs: [{2}]\n\naccounts: [customer]\ndevices:\n  mta: {{delivers: {3}}}\n{4}\nsteps:\n"
      "  - mta: {{deliver: mail, to: customer, size: {5}, kind: {6}}}\n{7}",
      scene_.parcels.number(parcel), part_.plan->name, needs, name(way), devices, one.size,
      one.size > kPlain ? "office" : "plain", steps);
  if (!removes) out += "  - judge: {fate: mail, is: present}\n";
  return out;
}

std::vector<LostMessage> Customers::lost_messages(std::size_t most) {
  flow_->drop();  // what it said last is kept then
  std::vector<LostMessage> out;
  const bool kept = keeps_downloads();
  for (std::size_t i = 0; i < scene_.parcels.size() && out.size() < most; ++i) {
    const Parcel& parcel = scene_.parcels.at(i);
    if (Parcels::end(parcel) != End::lost || may_be_queued(parcel) ||
        (parcel.downloaded && (!kept || parcel.looks < 2)))
      continue;
    LostMessage& one = out.emplace_back();
    one.number = scene_.parcels.number(i);
    one.log = life_of_lost(i) + "\n";
    const auto brought = scene_.deliveries.find(parcel.delivered_by);
    if (brought != scene_.deliveries.end()) {
      const std::string said = scene_.masked(brought->second);
      const bool of_it = said.find(fmt::format(" n={} ", one.number)) != std::string::npos;
      one.log += fmt::format("\nSession {}, which brought it, and the last that it said{}:\n{}", parcel.delivered_by,
                             of_it ? "" : ", all of it of later mail", said);
    } else {
      one.log += fmt::format("\nSession {} brought it; what it said is not kept any more\n", parcel.delivered_by);
    }
    for (const auto index : of_account_[parcel.account])
      one.log += fmt::format("\n{} of {}, and the last that it said:\n{}", devices_[index]->profile().title,
                             scene_.accounts[parcel.account].login, scene_.masked(devices_[index]->recorder()));
    one.story = story_of(i);
  }
  return out;
}

LedgerTotals Customers::ledger_so_far() const {
  const ParcelCounts& counts = scene_.parcels.counts();
  LedgerTotals out;
  out.copies = came_;
  out.sent = counts.sent;
  out.accepted = counts.accepted;
  out.refused = counts.refused;
  out.unknown = counts.unknown;
  out.unsent = scene_.parcels.size() - counts.sent;
  const std::uint64_t unseen = counts.accepted - counts.removed - counts.seen;
  for (const auto& [what, times] : {std::pair("removed-by-client", counts.removed), std::pair("seen", counts.seen),
                                    std::pair("not-seen-yet", unseen)})
    if (times != 0) out.fates[what] = times;
  return out;
}

/// A line of JSON: what is known so far, for whoever reads a run that was killed.
std::string Customers::so_far() const {
  const ParcelCounts& counts = scene_.parcels.counts();
  std::string operations;
  scene_.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (one.intended == 0) return;
    operations +=
        fmt::format("{}\"{}\":{{\"ok\":{},\"fail\":{},\"info\":{},\"p99_ms\":{:.2f}}}", operations.empty() ? "" : ",",
                    name, one.ok, one.fail, one.info, ms(one.response.percentile(99)));
  });
  return fmt::format(
      "{{\"seconds\":{:.1f},\"there\":{},\"connections\":{},\"messages\":{{\"due\":{},\"accepted\":{},\"refused\":{},"
      "\"unknown\":{},\"seen\":{},\"removed\":{}}},\"operations\":{{{}}}}}\n",
      seconds(), there_, scene_.connections, scene_.parcels.size(), counts.accepted, counts.refused, counts.unknown,
      counts.seen + counts.removed, counts.removed, operations);
}

}  // namespace mailproof::load
