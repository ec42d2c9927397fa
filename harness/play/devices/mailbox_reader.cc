#include "play/devices/mailbox_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::play {
namespace {

constexpr int kMostLooks = 4;  ///< for the flags of a mailbox that mail comes into meanwhile

}  // namespace

MailboxReader::MailboxReader(RecordedImap& session, Bodies bodies) : session_(session), bodies_(bodies) {
  session_.hooks.exists = [this](std::uint32_t, std::uint32_t) {
    if (changed) changed();
  };
  session_.hooks.expunged = [this](std::uint32_t uid) {
    if (uid == 0) lost_count_ = true;
    items_.erase(uid);
    if (changed) changed();
  };
  session_.hooks.vanished = [this](const imap::SequenceSet& uids) {
    for (const auto& [first, last] : uids.ranges()) items_.erase(items_.lower_bound(first), items_.upper_bound(last));
    if (changed) changed();
  };
  session_.hooks.row = [this](const session::ImapFetchRow& row) {
    if (row.uid == 0) return;
    const auto [at, is_new] = items_.try_emplace(row.uid);
    bool news = is_new;
    if (row.flags) {
      std::set<std::string> flags;
      for (const auto flag : *row.flags) flags.insert(lower(flag));
      news = news || flags != at->second.flags;
      at->second.flags = std::move(flags);
    }
    at->second.modseq = std::max(at->second.modseq, row.modseq.value_or(0));
    // "5:*" tells of the last message also where that is 4 (RFC 3501 section 9, seq-range): who took that for news, and
    // looks at what is new whenever there is news, would never stop to ask for one that EXISTS counts and no UID above
    // the highest shows.
    if (news && changed) changed();
  };
  session_.hooks.content = [this](const RecordedImap::Content& content) {
    if (content.uid == 0) return;
    Item& item = items_[content.uid];
    item.looked_at = true;
    item.message = content.message;
    item.full = item.full || content.full;
  };
}

void MailboxReader::open(const std::string& mailbox, bool examine, Then then) {
  items_.clear();
  searched_.clear();
  lost_count_ = false;
  session_.select(mailbox, examine, [this, then = std::move(then)](const Completion& result) {
    items_.clear();  // rows of the mailbox before may have come meanwhile
    if (!result.ok()) return failed(result, then);
    catch_up(then);
  });
}

void MailboxReader::open_and_keep_up(const std::string& mailbox, bool examine, Then then) {
  open(mailbox, examine, [this, then = std::move(then)](bool ok) { ok ? keep_up(then, kMostLooks - 1) : then(false); });
}

void MailboxReader::keep_up(Then then, int looks) {
  const bool all = !lost_count_ && known().count >= session_.view().exists;
  if (all || looks == 0) return then(true);
  catch_up([this, looks, then = std::move(then)](bool ok) { ok ? keep_up(then, looks - 1) : then(false); });
}

void MailboxReader::failed(const Completion& result, const Then& then) {
  failure_ = result;
  then(false);
}

void MailboxReader::catch_up(Then then) {
  if (lost_count_) return look_again(std::move(then));
  const Known looked_at = known();
  if (looked_at.count >= session_.view().exists) return then(true);
  fetch(looked_at.highest + 1, std::move(then));
}

MailboxReader::Known MailboxReader::known() const {
  Known out;
  for (const auto& [uid, item] : items_) {
    if (!item.looked_at) continue;
    out.highest = uid;
    ++out.count;
  }
  return out;
}

void MailboxReader::look_again(Then then) {
  items_.clear();
  lost_count_ = false;
  if (session_.view().exists == 0) return then(true);
  fetch(1, std::move(then));
}

void MailboxReader::fetch(std::uint32_t from, Then then) {
  session_.look(from, modseqs_ && session_.view().highestmodseq != 0,
                [this, then = std::move(then)](const Completion& result) {
                  if (!result.ok()) return failed(result, then);
                  search_reports(then);
                });
}

/// "Is this report about us?" is the server's to answer: it has the text already. What its answer leaves open stays
/// unread.
void MailboxReader::search_reports(Then then) {
  std::vector<std::uint32_t> uids;
  for (const auto uid : session_.guard().maybe_reports())
    if (items_.contains(uid) && searched_.insert(uid).second) uids.push_back(uid);
  if (uids.empty()) return fetch_bodies(std::move(then));
  session_.search_for_us(uids, [this, uids, then = std::move(then)](const imap::SequenceSet& found) {
    for (const auto uid : uids)
      if (found.covers(uid)) session_.guard().is_about_us(uid);
    session_.note_unread_reports();
    fetch_bodies(then);
  });
}

void MailboxReader::fetch_bodies(Then then) {
  std::vector<std::uint32_t> uids;
  for (const auto& [uid, item] : items_)
    if (item.looked_at && !item.full && !item.fetched && session_.guard().is_ours(uid)) uids.push_back(uid);
  const OwnedUids owned = session_.guard().owned(uids);
  if (owned.empty() || bodies_ == Bodies::left) return then(true);
  if (how_) {
    for (const auto uid : uids) items_[uid].fetched = true;
    return fetch_part(std::make_shared<const std::vector<std::uint32_t>>(std::move(uids)), 0, std::move(then));
  }
  session_.fetch(owned, "(UID BODY.PEEK[])", [this, then = std::move(then)](const Completion& result) {
    result.ok() ? then(true) : failed(result, then);
  });
}

/// As many commands as fetch_as() has, each once or once a message; what went meanwhile is left out.
void MailboxReader::fetch_part(std::shared_ptr<const std::vector<std::uint32_t>> uids, std::size_t part, Then then) {
  const std::size_t each = uids->size();
  std::size_t command = part;
  for (const Fetch& how : *how_) {
    const std::size_t commands = how.singly ? each : 1;
    if (command >= commands) {
      command -= commands;
      continue;
    }
    const bool one = how.singly || how.first;
    const OwnedUids of = session_.guard().owned(one ? std::vector{(*uids)[how.singly ? command : 0]} : *uids);
    const auto next = [this, uids, part, then = std::move(then)](const Completion& result) {
      if (!result.ok()) return failed(result, then);
      fetch_part(uids, part + 1, then);
    };
    const bool offered = how.needs.empty() || session_.client().has(how.needs);
    if (of.empty() || !offered) return next(Completion{session::Outcome::ok, {}, {}, {}});
    return session_.fetch(of, how.items, next);
  }
  then(true);
}

void MailboxReader::may_expunge(Permitted then) { may_expunge(std::move(then), kMostLooks); }

void MailboxReader::may_expunge(Permitted then, int looks) {
  catch_up([this, looks, then = std::move(then)](bool ok) {
    if (!ok) return then(nullptr);
    if (session_.view().exists == 0) {
      const auto permit = session_.guard().may_expunge(0, {});
      return then(permit ? &*permit : nullptr);
    }
    for (auto& entry : items_) entry.second.flags = {"unknown"};
    session_.flags([this, looks, then](const Completion& result) {
      if (!result.ok()) return then(nullptr);
      // Mail that came, or went, while they were told has no flags yet: then they are asked for once more.
      if (looks > 1 && (lost_count_ || session_.view().exists != items_.size() || unseen()))
        return may_expunge(then, looks - 1);
      std::map<std::uint32_t, bool> deleted;
      for (const auto& [uid, item] : items_)
        if (!item.flags.contains("unknown")) deleted.emplace(uid, item.flags.contains("\\deleted"));
      const auto permit = session_.guard().may_expunge(session_.view().exists, deleted);
      then(permit ? &*permit : nullptr);
    });
  });
}

bool MailboxReader::unseen() const {
  return std::any_of(items_.begin(), items_.end(), [](const auto& entry) {
    return !entry.second.looked_at || entry.second.flags.contains("unknown");
  });
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

OwnedUids MailboxReader::owned(const std::vector<std::uint32_t>& messages) const {
  return session_.guard().owned(uids_of(messages));
}

OwnedUids MailboxReader::ours(Leftovers leftovers) const {
  std::vector<std::uint32_t> uids;
  for (const auto& entry : items_) {
    const bool left = session_.guard().whose(entry.first) == Whose::leftover;
    if (session_.guard().is_ours(entry.first) && (!left || leftovers == Leftovers::too)) uids.push_back(entry.first);
  }
  return session_.guard().owned(uids);
}

std::size_t MailboxReader::foreign() const {
  std::size_t ours = 0;
  for (const auto& entry : items_) ours += session_.guard().is_ours(entry.first) ? 1 : 0;
  return std::max<std::size_t>(session_.view().exists, items_.size()) - ours;
}

void Separators::told(const session::ImapListRow& row) {
  if (row.name.starts_with('/')) return;  // of other users, or shared: they may have another one
  if (row.separator != 0 && told_.find(row.separator) == std::string::npos) told_ += row.separator;
}

bool Separators::below(std::string_view name, std::string_view mailbox) const {
  // Where it told none, as people write them.
  const std::string_view any = told_.empty() ? std::string_view("/") : std::string_view(told_);
  return name.size() > mailbox.size() && istarts_with(name, mailbox) &&
         any.find(name[mailbox.size()]) != std::string_view::npos;
}

MailboxCheck::MailboxCheck(Context& context, std::uint32_t account, std::optional<TlsMode> tls)
    : context_(context),
      account_(account),
      session_(context, 0, account, 0, *context.endpoint(Protocol::imap, tls)),
      reader_(session_, MailboxReader::Bodies::left) {}

void MailboxCheck::look(const std::string& mailbox, Name name, Then then) {
  then_ = std::move(then);
  asked_ = mailbox;
  session_.hooks.list = [this, name](const session::ImapListRow& row) {
    separators_.told(row);
    const bool below = row.separator != 0 && istarts_with(row.name, listed_ + row.separator);
    const bool holds_mail = std::none_of(row.attributes.begin(), row.attributes.end(), [](auto attribute) {
      return iequals(attribute, "\\Noselect") || iequals(attribute, "\\NonExistent");
    });
    if (below && holds_mail) mailboxes_.emplace_back(row.name);
    if (name == Name::is_new && row.name == listed_ && !holds_mail) std::erase(mailboxes_, asked_);
  };
  session_.open([this](const Completion& opened) {
    if (!opened.ok()) {
      why_ = opened.text;
      return finish();
    }
    listed_ = session_.client().listed_name(asked_);
    mailboxes_ = {asked_};
    session_.list([this](const Completion& listed) {
      if (!listed.ok()) {
        why_ = "LIST failed: " + listed.text;
        return finish();
      }
      check_before();
      why_.empty() ? look_into_all(kMostLooks) : finish();
    });
  });
}

/// INBOX is always there, and stays when it is renamed, as does what is below it (RFC 3501 section 6.3.5): what lies in
/// it is looked at instead.
void MailboxCheck::check_before() {
  if (context_.options.alone || context_.options.own_mailboxes || iequals(listed_, "INBOX")) return;
  for (const std::string& known : context_.there_before(account_))
    if (iequals(known, listed_) || separators_.below(known, listed_)) {
      why_ = fmt::format("{} was there before the scenario, whoever made it", known);
      return;
    }
}

/// The mailbox is left before it is told of: a server may refuse to delete or rename one that a session has open (RFC
/// 2180 sections 3.1 and 3.2), were it ours. What came in since is seen by STATUS then, and looked into.
void MailboxCheck::look_into_all(int looks) {
  looked_.assign(mailboxes_.size(), {});
  one_by_one(
      mailboxes_.size(), [this](std::size_t i, Finish next) { look_into(i, std::move(next)); },
      [this, looks] { leave(looks); });
}

void MailboxCheck::look_into(std::size_t i, Finish next) {
  if (!why_.empty()) return next();
  reader_.open_and_keep_up(mailboxes_[i], true, [this, i, next = std::move(next)](bool ok) {
    if (!ok) {
      why_ = mailboxes_[i] + " could not be looked into";
      refused_ = !session_.over();
    } else if (reader_.foreign() != 0 && !context_.options.own_mailboxes) {
      why_ = mailboxes_[i] + " holds mail that is not ours";
    } else {
      const session::ImapView& view = session_.view();
      const std::uint32_t above = reader_.items().empty() ? 0 : reader_.items().rbegin()->first + 1;
      looked_[i] = {view.exists, view.uidnext == 0 ? 0 : std::max(view.uidnext, above)};
    }
    next();
  });
}

void MailboxCheck::leave(int looks) {
  if (!why_.empty() || mailboxes_.empty() || session_.view().mailbox.empty()) return finish();
  session_.unselect([this, looks](const Completion&) {
    if (session_.over()) why_ = "the session ended before all was looked into";
    changed_ = false;
    one_by_one(
        mailboxes_.size(), [this](std::size_t i, Finish next) { ask_again(i, std::move(next)); },
        [this, looks] {
          if (!changed_ || !why_.empty()) return finish();
          if (looks > 1) return look_into_all(looks - 1);
          why_ = "what is in it changes all the time";
          finish();
        });
  });
}

/// Whether there is what there was. A UID that was given out since tells of mail that may have come in the place of
/// mail that went.
void MailboxCheck::ask_again(std::size_t i, Finish next) {
  if (!why_.empty() || context_.options.own_mailboxes) return next();
  const auto told = std::make_shared<std::pair<std::optional<std::uint64_t>, std::uint64_t>>();
  session_.hooks.status = [told](std::string_view, std::string_view item, std::uint64_t value) {
    if (iequals(item, "MESSAGES")) told->first = value;
    if (iequals(item, "UIDNEXT")) told->second = value;
  };
  session_.status(mailboxes_[i], [this, i, told, next = std::move(next)](const Completion& result) {
    session_.hooks.status = {};
    const Looked& then = looked_[i];
    if (!result.ok() || !told->first) {
      why_ = mailboxes_[i] + " could not be looked into again: " + result.text;
      refused_ = !session_.over();
    } else if (*told->first != then.exists || (then.uidnext != 0 && told->second > then.uidnext)) {
      changed_ = true;
    }
    next();
  });
}

/// Told before it logs out: each round trip between the look and what follows is time for somebody's mail to come in.
void MailboxCheck::finish() {
  const OwnedMailbox mailbox(asked_);
  if (const Then then = std::exchange(then_, {})) then(why_.empty() ? &mailbox : nullptr, why_);
  if (!session_.over()) session_.logout([](const Completion&) {});
}

}  // namespace mailproof::play
