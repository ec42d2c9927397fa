#include "play/mailbox_reader.h"

#include <algorithm>

namespace mailproof::play {

MailboxReader::MailboxReader(ImapSession& session) : session_(session) {
  session_.hooks.exists = [this](std::uint32_t, std::uint32_t) {
    if (changed) changed();
  };
  session_.hooks.expunged = [this](std::uint32_t uid) {
    if (uid == 0) lost_count_ = true;
    items_.erase(uid);
    if (changed) changed();
  };
  session_.hooks.row = [this](const session::ImapFetchRow& row) {
    if (row.uid == 0) return;
    Item& item = items_[row.uid];
    if (row.flags) {
      item.flags.clear();
      for (const auto flag : *row.flags) item.flags.insert(lower(flag));
    }
    if (changed) changed();
  };
  session_.hooks.content = [this](const ImapSession::Content& content) {
    if (content.uid == 0) return;
    Item& item = items_[content.uid];
    item.looked_at = true;
    item.message = content.message;
    item.stamped = content.stamped;
    item.report = item.report || content.may_be_report;
    item.full = item.full || content.full;
  };
}

void MailboxReader::open(const std::string& mailbox, bool examine, Then then) {
  items_.clear();
  lost_count_ = false;
  session_.select(mailbox, examine, [this, then = std::move(then)](const ImapSession::Result& result) {
    if (!result.ok()) return then(false);
    catch_up(then);
  });
}

void MailboxReader::catch_up(Then then) {
  if (lost_count_) return look_again(std::move(then));
  std::uint32_t highest = 0;
  std::size_t known = 0;
  for (const auto& [uid, item] : items_) {
    if (!item.looked_at) continue;
    highest = uid;
    ++known;
  }
  if (known >= session_.view().exists) return then(true);
  fetch(std::to_string(highest + 1) + ":*", std::move(then));
}

void MailboxReader::look_again(Then then) {
  items_.clear();
  lost_count_ = false;
  if (session_.view().exists == 0) return then(true);
  fetch("1:*", std::move(then));
}

void MailboxReader::fetch(const std::string& set, Then then) {
  session_.fetch(set, "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])",
                 [this, then = std::move(then)](const ImapSession::Result& result) {
                   if (!result.ok()) return then(false);
                   fetch_bodies(then);
                 });
}

void MailboxReader::fetch_bodies(Then then) {
  std::vector<std::uint32_t> uids;
  for (const auto& [uid, item] : items_)
    if (item.looked_at && !item.full && (item.stamped || item.report)) uids.push_back(uid);
  if (uids.empty()) return then(true);
  session_.fetch(history::format_uids(uids), "(UID BODY.PEEK[])",
                 [then = std::move(then)](const ImapSession::Result& result) { then(result.ok()); });
}

std::vector<std::uint32_t> MailboxReader::uids_of(const std::vector<std::uint32_t>& messages) const {
  std::vector<std::uint32_t> uids;
  for (const auto& [uid, item] : items_)
    if (item.message != 0 && std::find(messages.begin(), messages.end(), item.message) != messages.end())
      uids.push_back(uid);
  return uids;
}

bool MailboxReader::has(std::uint32_t message) const {
  return std::any_of(items_.begin(), items_.end(), [&](const auto& entry) { return entry.second.message == message; });
}

std::vector<std::uint32_t> MailboxReader::ours() const {
  std::vector<std::uint32_t> uids;
  for (const auto& [uid, item] : items_)
    if (item.stamped || item.report) uids.push_back(uid);
  return uids;
}

std::size_t MailboxReader::foreign() const {
  return static_cast<std::size_t>(std::count_if(items_.begin(), items_.end(), [](const auto& entry) {
    return entry.second.looked_at && !entry.second.stamped && !entry.second.report;
  }));
}

}  // namespace mailproof::play
