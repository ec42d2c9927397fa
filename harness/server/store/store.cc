#include "server/store/store.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "core/rng.h"

namespace mailproof::server {
namespace {

constexpr std::string_view kInbox = "INBOX";

struct StandardMailbox {
  std::string_view name;
  std::string_view special_use;
};
constexpr StandardMailbox kStandardMailboxes[] = {
    {kInbox, ""}, {"Drafts", "\\Drafts"}, {"Junk", "\\Junk"}, {"Sent", "\\Sent"}, {"Trash", "\\Trash"}};

std::string inferior_prefix(std::string_view name) { return std::string(name) + kHierarchyDelimiter; }

}  // namespace

std::string canonical_mailbox_name(std::string_view name) {
  const auto first = name.substr(0, name.find(kHierarchyDelimiter));
  if (!iequals(first, kInbox)) return std::string(name);
  return std::string(kInbox) + std::string(name.substr(first.size()));
}

std::shared_ptr<Mailbox> AccountState::mailbox(std::string_view name) const {
  const auto at = mailboxes_.find(canonical_mailbox_name(name));
  return at == mailboxes_.end() ? nullptr : at->second;
}

std::uint64_t AccountState::messages() const {
  std::uint64_t sum = 0;
  for (const auto& [name, mailbox] : mailboxes_) sum += mailbox->messages().size();
  return sum;
}

Store::Store(const ServerOptions& options)
    : switches_(options),
      next_uid_validity_(1'000'000'000U +
                         static_cast<std::uint32_t>(derive_seed(options.seed, "uidvalidity") % 1'000'000'000U)) {
  for (const auto& config : options.accounts) {
    auto account = std::make_unique<AccountState>();
    account->config_ = config;
    account->shared_ = &share(options, config.customer);
    for (const auto& standard : kStandardMailboxes) {
      create_one(*account, standard.name, standard.special_use);
      account->subscriptions_.emplace(standard.name);
    }
    account->inbox_ = account->mailbox(kInbox);
    by_login_.emplace(lower(config.login), account.get());
    by_login_.emplace(lower(config.address), account.get());
    by_address_.emplace(lower(config.address), account.get());
    accounts_.push_back(std::move(account));
  }
}

SharedLimit& Store::share(const ServerOptions& options, const std::string& customer) {
  const auto [at, fresh] = shared_.try_emplace(customer);
  if (!fresh) return at->second;
  at->second.name = customer.empty() ? "domain" : customer;
  const auto quota = options.customer_quotas.find(customer);
  at->second.quota = customer.empty()                         ? options.domain_quota
                     : quota == options.customer_quotas.end() ? std::nullopt
                                                              : std::optional(quota->second);
  return at->second;
}

SharedLimit* Store::shared(std::string_view customer) {
  const auto at = shared_.find(customer);
  return at == shared_.end() ? nullptr : &at->second;
}

AccountState* Store::by_login(std::string_view login_or_address) {
  const auto at = by_login_.find(lower(login_or_address));
  return at == by_login_.end() ? nullptr : at->second;
}

AccountState* Store::by_address(std::string_view address) {
  const auto at = by_address_.find(lower(address));
  return at == by_address_.end() ? nullptr : at->second;
}

Room Store::would_fit(const AccountState& account, std::uint64_t octets) const {
  const auto over = [octets](std::uint64_t usage, std::optional<std::uint64_t> limit) {
    return limit && (usage > *limit || octets > *limit - usage);
  };
  if (over(account.usage_, account.config_.quota) || account.messages() >= kMessageQuota) return Room::over_account;
  if (over(account.shared_->usage, account.shared_->quota)) return Room::over_domain;
  return Room::fits;
}

MessagePtr Store::append(AccountState& account, Mailbox& mailbox, std::shared_ptr<const std::string> content,
                         Flags flags, InternalDate date, const Message* copied) {
  auto message = std::make_shared<Message>();
  message->uid = take_uid(mailbox);
  message->content = std::move(content);
  message->date = date;
  message->saved = internal_date(now_);
  message->flags = std::move(flags);
  message->modseq = ++mailbox.highest_modseq_;
  if (copied != nullptr && switches_.on(defect("imap.copy-keeps-modseq"))) message->modseq = copied->modseq;
  account.usage_ += message->size();
  account.shared_->usage += message->size();
  mailbox.messages_.insert(std::upper_bound(mailbox.messages_.begin(), mailbox.messages_.end(), message,
                                            [](const auto& a, const auto& b) { return a->uid < b->uid; }),
                           message);
  for (auto* watcher : watchers_) watcher->on_added(account, mailbox, message, copied);
  for (auto* watcher : mailbox.watchers_) watcher->on_append(message);
  return message;
}

/// The next, but with a defect that gives them out in pairs, the higher one first.
Uid Store::take_uid(Mailbox& mailbox) {
  if (!switches_.on(defect("imap.late-uid"))) return mailbox.uid_next_++;
  if (mailbox.kept_uid_ != 0) return std::exchange(mailbox.kept_uid_, 0);
  mailbox.kept_uid_ = std::exchange(mailbox.uid_next_, mailbox.uid_next_ + 2);
  return mailbox.kept_uid_ + 1;
}

MessagePtr Store::copy(AccountState& account, const Message& message, Mailbox& to, bool moves) {
  const bool apart = moves && switches_.on(defect("imap.copies-die-together"));
  const bool cut = !moves && switches_.on(defect("imap.copy-cuts"));
  const bool bare = switches_.on(moves ? defect("imap.move-loses-flags") : defect("imap.copy-loses-flags"));
  auto content = message.content;
  if (apart || cut) content = std::make_shared<const std::string>(content->substr(0, content->size() / (cut ? 2 : 1)));
  if (moves && switches_.on(defect("quota.move-frees-twice")))
    account.usage_ -= std::min(account.usage_, message.size());
  return append(account, to, std::move(content), bare ? Flags() : message.flags, message.date, &message);
}

void Store::expunge_copies(AccountState& account, const std::vector<MessagePtr>& gone) {
  for (const auto& [name, mailbox] : account.mailboxes_) {
    std::vector<Uid> copies;
    for (const auto& message : mailbox->messages_)
      if (std::any_of(gone.begin(), gone.end(), [&](const auto& one) { return one->content == message->content; }))
        copies.push_back(message->uid);
    if (!copies.empty()) expunge(account, *mailbox, copies);
  }
}

bool Store::set_flags(Mailbox& mailbox, const MessagePtr& message, Flags flags) {
  if (message->expunged || message->flags == flags) return false;
  message->flags = std::move(flags);
  if (!switches_.on(defect("imap.modseq-stays"))) message->modseq = ++mailbox.highest_modseq_;
  for (auto* watcher : watchers_) watcher->on_flags(mailbox, message);
  for (auto* watcher : mailbox.watchers_) watcher->on_flags(message);
  return true;
}

std::size_t Store::expunge(AccountState& account, Mailbox& mailbox, std::span<const Uid> uids, bool pop3) {
  std::vector<MessagePtr> gone;
  for (const Uid uid : uids) {
    auto message = mailbox.find(uid);
    if (!message || message->expunged) continue;
    message->expunged = true;
    gone.push_back(std::move(message));
  }
  if (gone.empty()) return 0;
  std::erase_if(mailbox.messages_, [](const auto& message) { return message->expunged; });
  if (switches_.on(defect("imap.uid-reused"))) {
    mailbox.uid_next_ = mailbox.messages_.empty() ? 1 : mailbox.messages_.back()->uid + 1;
  }
  const Modseq modseq = ++mailbox.highest_modseq_;
  for (const auto& message : gone) {
    message->modseq = modseq;
    mailbox.expunged_.push_back({message->uid, modseq});
    const bool counts_on = pop3 && switches_.on(defect("quota.not-freed-by-pop3"));
    if (!switches_.on(defect("quota.not-freed-by-expunge")) && !counts_on) {
      account.usage_ -= std::min(account.usage_, message->size());
      account.shared_->usage -= message->size();
    }
    if (switches_.on(latitude("imap.ghosts-are-deleted"))) {
      message->flags.add(Flag::deleted);
      for (auto* watcher : mailbox.watchers_) watcher->on_flags(message);
    }
    for (auto* watcher : mailbox.watchers_) watcher->on_expunge(message);
  }
  account.expunged_ += gone.size();
  mailbox.last_gone_ = gone.back();
  for (auto* watcher : watchers_) watcher->on_expunged(account, mailbox, gone);
  if (switches_.on(defect("imap.copies-die-together"))) expunge_copies(account, gone);
  if (switches_.on(defect("imap.uids-renumbered"))) number_anew(mailbox);
  return gone.size();
}

void Store::subscribe(AccountState& account, const std::string& name, bool subscribed) {
  const bool changed =
      subscribed ? account.subscriptions_.insert(name).second : account.subscriptions_.erase(name) != 0;
  if (!changed) return;
  for (auto* watcher : watchers_) watcher->on_subscribed(account, name, subscribed);
}

void Store::empty(AccountState& account, Mailbox& mailbox) {
  std::vector<Uid> all;
  for (const auto& message : mailbox.messages_) all.push_back(message->uid);
  expunge(account, mailbox, all);
}

void Store::number_anew(Mailbox& mailbox) {
  mailbox.uid_next_ = 1;
  for (const auto& message : mailbox.messages_) message->uid = mailbox.uid_next_++;
}

void Store::killed() {
  if (switches_.on(defect("delivery.lost-when-killed"))) forget_newest();
  for (const auto& account : accounts_)
    for (const auto& [name, mailbox] : account->mailboxes_) {
      if (switches_.on(defect("imap.uids-renumbered-when-killed"))) number_anew(*mailbox);
      if (const auto gone = mailbox->last_gone_; gone && switches_.on(defect("imap.expunged-comes-back")))
        append(*account, *mailbox, gone->content, gone->flags, gone->date);
    }
}

void Store::forget_newest() {
  for (const auto& account : accounts_)
    for (const auto& [name, mailbox] : account->mailboxes_)
      if (!mailbox->messages_.empty()) {
        const Uid newest = mailbox->messages_.back()->uid;
        expunge(*account, *mailbox, std::span(&newest, 1));
      }
}

std::shared_ptr<Mailbox> Store::create_one(AccountState& account, std::string_view name, std::string_view special_use) {
  const bool always_one = switches_.on(defect("imap.uidvalidity-always-one"));
  auto mailbox = std::make_shared<Mailbox>(account, std::string(name), always_one ? 1 : next_uid_validity_++);
  mailbox->special_use_ = special_use;
  account.mailboxes_.emplace(mailbox->name_, mailbox);
  for (auto* watcher : watchers_) watcher->on_created(account, *mailbox);
  return mailbox;
}

std::shared_ptr<Mailbox> Store::create(AccountState& account, std::string_view name) {
  const auto canonical = canonical_mailbox_name(name);
  if (account.mailbox(canonical)) return nullptr;
  for (auto at = canonical.find(kHierarchyDelimiter); at != std::string::npos;
       at = canonical.find(kHierarchyDelimiter, at + 1)) {
    const auto superior = canonical.substr(0, at);
    if (!account.mailbox(superior)) create_one(account, superior, "");
  }
  return create_one(account, canonical, "");
}

bool Store::remove(AccountState& account, std::string_view name) {
  const auto mailbox = account.mailbox(name);
  if (!mailbox || mailbox == account.inbox_) return false;
  empty(account, *mailbox);
  account.mailboxes_.erase(mailbox->name_);
  for (auto* watcher : watchers_) watcher->on_removed(account, *mailbox);
  const auto prefix = inferior_prefix(mailbox->name_);
  if (switches_.on(defect("imap.delete-takes-inferiors")))
    std::erase_if(account.mailboxes_, [&](const auto& one) { return one.first.starts_with(prefix); });
  return true;
}

bool Store::rename(AccountState& account, std::string_view from, std::string_view to) {
  const auto source = canonical_mailbox_name(from);
  const auto target = canonical_mailbox_name(to);
  const auto prefix = inferior_prefix(source);
  const auto mailbox = account.mailbox(source);
  if ((!mailbox && !has_inferiors(account, source)) || account.mailbox(target) || target.starts_with(prefix)) {
    return false;
  }
  if (mailbox == account.inbox_) {
    const auto moved_to = create(account, target);
    std::vector<Uid> all;
    for (const auto& message : mailbox->messages_) all.push_back(message->uid);
    for (const Uid uid : all) copy(account, *mailbox->find(uid), *moved_to);
    if (!switches_.on(defect("imap.rename-inbox-keeps"))) expunge(account, *mailbox, all);
    return true;
  }
  std::vector<std::shared_ptr<Mailbox>> moved;
  for (const auto& [name, box] : account.mailboxes_) {
    if (name == source || name.starts_with(prefix)) moved.push_back(box);
  }
  for (const auto& box : moved) {
    account.mailboxes_.erase(box->name_);
    box->name_ = target + box->name_.substr(source.size());
  }
  const auto cut = target.rfind(kHierarchyDelimiter);
  if (cut != std::string::npos) create(account, std::string_view(target).substr(0, cut));
  for (const auto& box : moved) account.mailboxes_.emplace(box->name_, box);
  for (auto* watcher : watchers_)
    for (const auto& box : moved) watcher->on_renamed(account, *box, source + box->name_.substr(target.size()));
  if (mailbox && switches_.on(defect("imap.rename-leaves-copies")))
    if (const auto old = create(account, source))
      for (const auto& message : mailbox->messages()) copy(account, *message, *old);
  for (const auto& box : moved) {
    if (switches_.on(defect("quota.rename-counts-again"))) account.usage_ += box->octets();
    if (!switches_.on(defect("imap.rename-loses-newest")) || box->messages_.empty()) continue;
    const Uid newest = box->messages_.back()->uid;
    expunge(account, *box, std::span(&newest, 1));
  }
  return true;
}

bool Store::has_inferiors(const AccountState& account, std::string_view name) {
  const auto prefix = inferior_prefix(canonical_mailbox_name(name));
  const auto at = account.mailboxes_.lower_bound(prefix);
  return at != account.mailboxes_.end() && at->first.starts_with(prefix);
}

}  // namespace mailproof::server
