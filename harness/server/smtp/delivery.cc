#include "server/smtp/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/context.h"
#include "server/smtp/bounce.h"
#include "server/smtp/delivery_trace.h"
#include "server/store/quota.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

void cut_last_line(std::string& text) {
  if (text.size() < 3) return;
  const auto end = text.rfind("\r\n", text.size() - 3);
  if (end != std::string::npos) text.resize(end + 2);
}

/// Whether one with its Message-ID lies in a mailbox that nothing is delivered to.
bool is_saved(const AccountState& account, std::string_view content) {
  const auto id = mime::find_field(content, "Message-ID");
  if (!id) return false;
  for (const auto& [name, mailbox] : account.mailboxes())
    for (const MessagePtr& message : mailbox->messages())
      if (name != "INBOX" && !message->expunged && mime::find_field(*message->content, "Message-ID") == id) return true;
  return false;
}

}  // namespace

std::vector<DeliveryReply> Delivery::deliver_lmtp(const Envelope& envelope, std::string_view message, Time now) {
  std::vector<DeliveryReply> replies;
  std::vector<Recipient> stored;
  if (one_fails_all(envelope, message)) {
    for (const auto& recipient : envelope.recipients) replies.push_back(put_off(recipient));
    return replies;
  }
  for (const auto& recipient : envelope.recipients) {
    const auto id = next_id();
    if (put(envelope, recipient, message, id, now) == Put::full) {
      replies.push_back(full(recipient));
      if (context_.has(defect("quota.bounce-after-refusal"))) report_full(envelope, {recipient}, message, now);
    } else {
      replies.push_back(accepted(fmt::format("<{}> {} saved", recipient.address, id)));
      stored.push_back(recipient);
    }
  }
  report_delivered(envelope, stored, message, now);
  return replies;
}

DeliveryReply Delivery::deliver_smtp(const Envelope& envelope, std::string_view message, Time now) {
  std::vector<Recipient> stored;
  std::vector<Recipient> failed;
  const auto id = next_id();
  if (one_fails_all(envelope, message)) return put_off(envelope.recipients.front());
  if (context_.has(latitude("delivery.queues"))) {
    keep_trying(envelope, envelope.recipients, message, id, now);
    return accepted(fmt::format("queued as {}", id));
  }
  for (const auto& recipient : envelope.recipients) {
    const bool is_full = put(envelope, recipient, message, id, now) == Put::full;
    (is_full ? failed : stored).push_back(recipient);
  }
  if (context_.has(latitude("delivery.queues-when-full"))) {
    report_delivered(envelope, stored, message, now);
    keep_trying(envelope, failed, message, id, now);
    return accepted(fmt::format("queued as {}", id));
  }
  if (stored.empty() && !bounces()) {
    if (context_.has(defect("quota.bounce-after-refusal"))) report_full(envelope, failed, message, now);
    return full(failed.front());
  }
  report_delivered(envelope, stored, message, now);
  if (context_.has(defect("quota.bounce-of-delivered"))) report_full(envelope, stored, message, now);
  report_full(envelope, failed, message, now);
  return accepted(fmt::format("queued as {}", id));
}

bool Delivery::one_fails_all(const Envelope& envelope, std::string_view message) const {
  return context_.has(defect("delivery.one-full-fails-all")) && envelope.recipients.size() > 1 &&
         std::any_of(envelope.recipients.begin(), envelope.recipients.end(), [&](const Recipient& recipient) {
           return room_for(context_, *recipient.account, message.size() + 1024) != Room::fits;
         });
}

DeliveryReply Delivery::put_off(const Recipient& recipient) {
  return {451, "4.2.2", fmt::format("<{}> over quota, try again", recipient.address)};
}

Delivery::Put Delivery::put(const Envelope& envelope, const Recipient& recipient, std::string_view message,
                            std::string_view id, Time now) {
  auto content = trace_fields({.sender = envelope.sender,
                               .recipient = recipient.address,
                               .client = envelope.client,
                               .host = context_.options.host,
                               .with = envelope.with,
                               .id = id,
                               .date = internal_date(now)});
  content += message;
  if (room_for(context_, *recipient.account, content.size()) != Room::fits) {
    return context_.has(defect("quota.over-accepts-and-drops")) ? Put::stored : Put::full;
  }
  const bool first = recipient.address == envelope.recipients.front().address;
  if (!first && context_.has(defect("delivery.second-recipient-cut"))) cut_last_line(content);
  const bool each = context_.has(defect("delivery.copy-for-each-recipient"));
  for (std::size_t i = 1; each && i < envelope.recipients.size(); ++i) store(*recipient.account, content, now);
  store(*recipient.account, std::move(content), now);
  return Put::stored;
}

void Delivery::store(AccountState& account, std::string content, Time now) {
  if (lost_on_the_way(account, content)) return;
  if (context_.has(defect("delivery.loses-last-line"))) cut_last_line(content);
  if (context_.has(defect("delivery.strips-eighth-bit"))) {
    for (char& c : content) c = static_cast<char>(static_cast<unsigned char>(c) & 0x7fU);
  }
  const auto shared = std::make_shared<const std::string>(std::move(content));
  const auto append = [&](AccountState& to) {
    context_.store.append(to, filed(to, shared->size()), shared, {}, internal_date(now));
  };
  append(account);
  if (context_.has(defect("delivery.duplicate"))) append(account);
  if (context_.has(defect("delivery.cross-account-copy"))) {
    const auto& all = context_.store.accounts();
    std::size_t at = 0;
    while (all[at].get() != &account) ++at;
    append(*all[(at + 1) % all.size()]);
  }
}

/// Where a filter of the user's puts it.
Mailbox& Delivery::filed(AccountState& account, std::size_t octets) {
  constexpr std::size_t kLarge = 20 * 1024;
  constexpr std::string_view kName = "Large";
  if (octets <= kLarge || !context_.has(latitude("delivery.files-large-mail"))) return account.inbox();
  if (const auto there = account.mailbox(kName)) return *there;
  return *context_.store.create(account, kName);
}

bool Delivery::lost_on_the_way(const AccountState& account, std::string_view content) {
  ++arrivals_;
  if (context_.has(defect("delivery.accepts-and-drops")) && arrivals_ % 2 == 0) return true;
  const auto one_in = [this](std::uint64_t n) { return (arrivals_ + context_.options.seed) % n == 0; };
  if (context_.has(defect("delivery.drops-one-in-200")) && one_in(200)) return true;
  if (context_.has(defect("delivery.drops-one-in-5000")) && one_in(5000)) return true;
  if (context_.has(latitude("delivery.suppresses-what-is-saved")) && is_saved(account, content)) return true;
  const bool second = context_.has(defect("delivery.drops-every-second-repeat"));
  if (!context_.has(defect("delivery.suppresses-same-message-id")) && !second) return false;
  auto id = mime::find_field(content, "Message-ID");
  const bool again = id && !message_ids_.emplace(&account, std::move(*id)).second;
  return again && (!second || ++repeats_ % 2 == 0);
}

DeliveryReply Delivery::accepted(std::string text) const { return {.text = std::move(text)}; }

DeliveryReply Delivery::full(const Recipient& recipient) const {
  if (context_.has(defect("quota.refuses-as-unknown-user"))) {
    return {550, "5.1.1", fmt::format("<{}> user unknown", recipient.address)};
  }
  auto text = fmt::format("<{}> quota exceeded (mailbox is full)", recipient.address);
  if (context_.has(latitude("delivery.quota-tempfail"))) return {452, "4.2.2", std::move(text)};
  return {552, "5.2.2", std::move(text)};
}

bool Delivery::bounces() const {
  return context_.has(latitude("delivery.bounce-instead-of-refuse")) ||
         context_.has(defect("quota.bounce-never-sent")) || context_.has(defect("quota.two-bounces")) ||
         context_.has(defect("quota.bounce-wrong-status")) || context_.has(defect("quota.bounce-to-another")) ||
         context_.has(defect("quota.bounced-once"));
}

void Delivery::report_full(const Envelope& envelope, std::vector<Recipient> failed, std::string_view message,
                           Time now) {
  if (!context_.has(defect("quota.reports-in-spite-of-never")))
    std::erase_if(failed, [](const Recipient& recipient) { return !recipient.notify_failure; });
  if (failed.empty() || context_.has(defect("quota.bounce-never-sent"))) return;
  if (context_.has(defect("quota.bounce-names-one"))) failed.erase(failed.begin() + 1, failed.end());
  if (context_.has(defect("quota.bounced-once")) &&
      !reported_.insert(mime::find_field(message, "Message-ID").value_or("")).second)
    return;
  const bool wrong = context_.has(defect("quota.bounce-wrong-status"));
  const int times = context_.has(defect("quota.two-bounces")) ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    const auto id = next_id();
    const ReportFacts facts{.host = context_.options.host,
                            .id = id,
                            .action = "failed",
                            .status = wrong ? smtp::EnhancedStatus{5, 1, 1} : smtp::EnhancedStatus{5, 2, 2},
                            .diagnostic = "552 5.2.2 quota exceeded (mailbox is full)",
                            .date = internal_date(now)};
    const bool to_another = envelope.sender.empty() && context_.has(defect("quota.reports-null-sender"));
    const std::string_view to = to_another ? std::string_view(envelope.recipients.back().address) : envelope.sender;
    queue(context_.has(defect("quota.bounce-to-another")) ? next_account(to) : to,
          delivery_report(facts, envelope, failed, returned(message)), now);
  }
}

std::string_view Delivery::next_account(std::string_view address) const {
  const auto& all = context_.store.accounts();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (iequals(all[i]->config().address, address)) return all[(i + 1) % all.size()]->config().address;
  return address;
}

void Delivery::report_delivered(const Envelope& envelope, std::vector<Recipient> stored, std::string_view message,
                                Time now) {
  std::erase_if(stored, [](const Recipient& recipient) { return !recipient.notify_success; });
  if (stored.empty()) return;
  const auto id = next_id();
  const ReportFacts facts{.host = context_.options.host,
                          .id = id,
                          .action = "delivered",
                          .status = {2, 0, 0},
                          .diagnostic = "250 2.0.0 delivered",
                          .date = internal_date(now)};
  queue(envelope.sender, delivery_report(facts, envelope, stored, returned(message)), now);
}

/// RFC 6522 section 3: what comes back of the message is optional.
std::string_view Delivery::returned(std::string_view message) const {
  return context_.has(latitude("delivery.reports-of-two-parts")) ? std::string_view() : message;
}

void Delivery::queue(std::string_view to, std::string report, Time now) {
  if (to.empty()) return;  // never a report about mail with a null reverse-path (RFC 5321 section 6.1)
  reports_.push_back({now + kReportDelay, std::string(to), std::move(report)});
  if (waker_ != nullptr) waker_->wake();
}

void Delivery::keep_trying(const Envelope& envelope, const std::vector<Recipient>& failed, std::string_view message,
                           const std::string& id, Time now) {
  for (const Recipient& recipient : failed) {
    Queued one{now + kRetryEvery, now + kRetryFor, envelope, std::string(message), id};
    one.envelope.recipients = {recipient};
    queued_.push_back(std::move(one));
  }
  if (waker_ != nullptr) waker_->wake();
}

void Delivery::try_again(Time now) {
  std::deque<Queued> left;
  for (Queued& one : std::exchange(queued_, {})) {
    const Recipient& to = one.envelope.recipients.front();
    if (one.due <= now) {
      if (put(one.envelope, to, one.message, one.id, now) == Put::stored) {
        if (context_.has(latitude("delivery.queues"))) report_delivered(one.envelope, {to}, one.message, now);
        continue;
      }
      if (one.gives_up <= now) {
        report_full(one.envelope, {to}, one.message, now);
        continue;
      }
      one.due = now + kRetryEvery;
    }
    left.push_back(std::move(one));
  }
  queued_ = std::move(left);
}

std::optional<Time> Delivery::deadline() const {
  std::optional<Time> first;
  if (!reports_.empty()) first = reports_.front().due;
  for (const Queued& one : queued_) first = std::min(first.value_or(one.due), one.due);
  return first;
}

void Delivery::advance(Time now) {
  context_.store.at(now);
  try_again(now);
  while (!reports_.empty() && reports_.front().due <= now) {
    const auto report = std::move(reports_.front());
    reports_.pop_front();
    auto* account = context_.store.by_address(report.to);
    if (account == nullptr) continue;
    const auto id = next_id();
    auto content = std::make_shared<const std::string>(trace_fields({.sender = {},
                                                                     .recipient = report.to,
                                                                     .client = {},
                                                                     .host = context_.options.host,
                                                                     .with = "local",
                                                                     .id = id,
                                                                     .date = internal_date(now)}) +
                                                       report.text);
    if (room_for(context_, *account, content->size()) != Room::fits) continue;
    context_.store.append(*account, account->inbox(), std::move(content), {}, internal_date(now));
  }
}

std::string Delivery::next_id() {
  return fmt::format("{:04X}{:06X}", derive_seed(context_.options.seed, "queue") & 0xffffU, ++ids_);
}

}  // namespace mailproof::server
