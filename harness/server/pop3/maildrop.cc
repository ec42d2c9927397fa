#include "server/pop3/maildrop.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/hash.h"
namespace mailproof::server {
namespace {

std::uint64_t line_ends(std::string_view text) {
  std::uint64_t count = 0;
  for (auto at = text.find("\r\n"); at != std::string_view::npos; at = text.find("\r\n", at + 2)) ++count;
  return count;
}

}  // namespace

Maildrop::Maildrop(ServerContext& context, AccountState& account) : context_(context), account_(account) {
  if (context_.has(defect("pop3.uidl-changes"))) session_ = context_.rng.next();
  take_snapshot();
}

void Maildrop::take_snapshot() {
  entries_.clear();
  if (context_.has(defect("pop3.empty-at-times")) && ++account_.maildrop_logins % 3 == 0) return;
  for (const auto& message : account_.inbox().messages())
    if (!message->hidden) entries_.push_back({message});
  if (context_.has(defect("pop3.hides-newest")) && !entries_.empty()) entries_.pop_back();
}

void Maildrop::before_command() {
  if (!context_.has(defect("pop3.renumbers-in-session"))) return;
  const auto before = std::exchange(entries_, {});
  take_snapshot();
  for (auto& entry : entries_) {
    entry.deleted = std::any_of(before.begin(), before.end(),
                                [&](const Entry& old) { return old.deleted && old.message == entry.message; });
  }
}

bool Maildrop::lists(std::uint32_t number) const {
  return has(number) || (exists(number) && context_.has(defect("pop3.list-shows-deleted")));
}

std::uint32_t Maildrop::count() const {
  return static_cast<std::uint32_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.deleted; }));
}

std::uint64_t Maildrop::octets() const {
  std::uint64_t sum = 0;
  for (std::uint32_t number = 1; number <= last(); ++number) {
    if (has(number)) sum += octets(number);
  }
  return sum;
}

std::uint64_t Maildrop::octets(std::uint32_t number) const {
  const std::string_view content = *message(number)->content;
  const std::uint64_t sent = content.size() + (content.empty() || content.ends_with("\r\n") ? 0 : 2);
  return context_.has(defect("pop3.size-counts-lf")) ? sent - line_ends(content) : sent;
}

std::string Maildrop::unique_id(std::uint32_t number) const {
  if (context_.has(defect("pop3.uidl-twice")) && number == last() && number > 1) --number;
  auto id = context_.has(defect("pop3.uidl-reused"))
                ? fmt::format("{:08x}{:08x}", account_.inbox().uid_validity(), number)
                : uidl(account_.inbox(), *message(number));
  if (context_.has(latitude("pop3.uidl-is-hash"))) {
    ContentHash hash;
    hash.add(*message(number)->content);
    id = fmt::format("{:016x}", hash.value());
  }
  if (session_ != 0) id += fmt::format("{:08x}", session_);
  return id;
}

void Maildrop::mark(std::uint32_t number) {
  entries_[number - 1].deleted = true;
  if (context_.has(defect("pop3.dele-sets-deleted"))) set_flag(message(number), imap::Flag::deleted, true);
}

void Maildrop::unmark_all() {
  const bool all = !context_.has(defect("pop3.rset-leaves-last"));
  for (auto& entry : entries_) {
    if (!entry.deleted || (!all && &entry == &entries_.back())) continue;
    entry.deleted = false;
    entry.unmarked = true;
    if (context_.has(defect("pop3.dele-sets-deleted"))) set_flag(entry.message, imap::Flag::deleted, false);
  }
}

void Maildrop::mark_seen(std::uint32_t number) { set_flag(message(number), imap::Flag::seen, true); }

void Maildrop::set_flag(const MessagePtr& message, imap::Flag flag, bool on) {
  auto flags = message->flags;
  on ? flags.add(flag) : flags.remove(flag);
  context_.store.set_flags(account_.inbox(), message, std::move(flags));
}

std::vector<Uid> Maildrop::to_remove() const {
  std::vector<Uid> uids;
  const auto& inbox = account_.inbox().messages();
  const bool by_number = context_.has(defect("pop3.quit-takes-numbers"));
  const bool from_the_end = context_.has(defect("pop3.quit-counts-from-the-end"));
  const bool once = context_.has(latitude("pop3.removes-downloaded")) || context_.has(latitude("pop3.expire-0"));
  const auto place = [&](std::size_t i) { return from_the_end ? i + inbox.size() - entries_.size() : i; };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    if (!entry.deleted && !(once && entry.downloaded)) continue;
    const bool another = (by_number || from_the_end) && place(i) < inbox.size();
    uids.push_back(another ? inbox[place(i)]->uid : entry.message->uid);
  }
  if (!uids.empty() && context_.has(defect("pop3.quit-takes-unmarked")))
    for (const auto& entry : entries_)
      if (entry.unmarked && !entry.deleted) uids.push_back(entry.message->uid);
  if (!uids.empty() && context_.has(defect("pop3.quit-expunges")))
    for (const auto& message : inbox)
      if (message->flags.has(imap::Flag::deleted)) uids.push_back(message->uid);
  return uids;
}

void Maildrop::update() {
  std::vector<Uid> uids = to_remove();
  if (uids.empty() || context_.has(defect("pop3.quit-deletes-nothing"))) return;
  if (context_.has(defect("pop3.quit-deletes-more"))) {
    uids.clear();
    for (const auto& message : account_.inbox().messages()) uids.push_back(message->uid);
  }
  if (context_.has(latitude("pop3.delete-keeps-for-imap"))) return hide(uids);
  if (const auto trash = account_.mailbox("Trash"); trash && context_.has(latitude("pop3.delete-to-trash")))
    for (const Uid uid : uids)
      if (const auto message = account_.inbox().find(uid)) context_.store.copy(account_, *message, *trash, true);
  context_.store.expunge(account_, account_.inbox(), uids, true);
}

void Maildrop::hide(const std::vector<Uid>& uids) {
  for (const Uid uid : uids)
    if (const auto message = account_.inbox().find(uid)) message->hidden = true;
}

}  // namespace mailproof::server
