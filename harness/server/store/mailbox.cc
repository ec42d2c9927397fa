#include "server/store/mailbox.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::server {
InternalDate internal_date(Time now) {
  return {kEpochSeconds + std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count(), 0};
}

MessagePtr Mailbox::find(Uid uid) const {
  const auto at = std::lower_bound(messages_.begin(), messages_.end(), uid,
                                   [](const MessagePtr& message, Uid wanted) { return message->uid < wanted; });
  return at != messages_.end() && (*at)->uid == uid ? *at : nullptr;
}

std::size_t Mailbox::unseen() const {
  return static_cast<std::size_t>(std::count_if(messages_.begin(), messages_.end(),
                                                [](const auto& message) { return !message->flags.has(Flag::seen); }));
}

std::uint64_t Mailbox::octets() const {
  std::uint64_t sum = 0;
  for (const auto& message : messages_) sum += message->size();
  return sum;
}

Uid Mailbox::claim_recent() {
  const Uid from = recent_from_;
  recent_from_ = uid_next_;
  return from;
}

std::string uidl(const Mailbox& mailbox, const Message& message) {
  return fmt::format("{:08x}{:08x}", mailbox.uid_validity(), message.uid);
}

}  // namespace mailproof::server
