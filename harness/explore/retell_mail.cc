#include "explore/retell_mail.h"

namespace mailproof::explore {

using history::Event;
using history::Type;
using history::What;

std::optional<std::string> renamed(const std::string& mailbox, const Event& rename) {
  const std::string& from = rename.mailbox;
  const bool below = mailbox.size() > from.size() && (mailbox[from.size()] == '/' || mailbox[from.size()] == '.');
  if (from.empty() || !mailbox.starts_with(from) || (mailbox.size() != from.size() && !below)) return std::nullopt;
  return rename.other_mailbox + mailbox.substr(from.size());
}

RetoldMail::RetoldMail(const history::History& history, const RetoldCast& cast) : history_(history), cast_(cast) {
  identify();
  for (const Event& e : history_.events()) {
    note_arrival(e);
    if (e.session == 0) continue;
    if ((e.what == What::select || e.what == What::examine) && e.type == Type::ok)
      open_[e.session] = {invoke_of(e).mailbox, e.uidvalidity};
    if (!cast_.device_of(e.session).empty()) look(e);
  }
}

void RetoldMail::identify() {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> uidl;  // session, number
  next_ = static_cast<std::uint32_t>(history_.messages().size());
  for (const Event& e : history_.events()) {
    const std::uint32_t owner = e.session == 0 ? 0 : history_.session(e.session).account;
    if (e.what == What::pop_uidl && e.type == Type::obs) {
      uidl[{e.session, e.seq}] = e.text;
    } else if (e.what == What::message && e.message != 0 && e.uid != 0) {
      by_uid_[{owner, e.mailbox, e.uidvalidity, e.uid}] = e.message;
    } else if (e.what == What::message && e.message != 0 && e.seq != 0) {
      const auto known = uidl.find({e.session, e.seq});
      if (known != uidl.end()) by_uidl_[{owner, known->second}] = e.message;
    }
  }
}

std::uint32_t RetoldMail::at_uid(std::uint32_t owner, const std::string& mailbox, std::uint32_t uidvalidity,
                                 std::uint32_t uid) {
  if (uid == 0 || uidvalidity == 0) return 0;
  const auto [at, fresh] = by_uid_.try_emplace({owner, mailbox, uidvalidity, uid}, 0);
  if (fresh) at->second = another();
  return at->second;
}

std::uint32_t RetoldMail::at_uidl(std::uint32_t owner, const std::string& uidl) const {
  const auto known = by_uidl_.find({owner, uidl});
  return known == by_uidl_.end() ? 0 : known->second;
}

/// Who sees what nobody is known to have put there, sees what was there before.
void RetoldMail::look(const Event& e) {
  const bool sight = (e.what == What::row && e.uid != 0) || (e.what == What::message && e.type == Type::obs);
  if (!sight) return;
  const bool pop = history_.session(e.session).protocol == Protocol::pop3;
  const std::uint32_t owner = history_.session(e.session).account;
  const Open& open = open_[e.session];
  const std::string& mailbox = pop || e.mailbox.empty() || e.uidvalidity == 0 ? open.mailbox : e.mailbox;
  const std::uint32_t uidvalidity = mailbox == e.mailbox && e.uidvalidity != 0 ? e.uidvalidity : open.uidvalidity;
  const std::uint32_t message = e.message != 0 ? e.message : pop ? 0 : at_uid(owner, mailbox, uidvalidity, e.uid);
  const MailboxOf where{owner, pop ? "INBOX" : mailbox};
  if (message == 0 || !heard_.emplace(where, message).second) return;
  // A filter of the server's put it there: what the story delivers goes where that server puts it.
  if (delivered_.contains({owner, message}))
    ++elsewhere_;
  else
    before_[where].emplace(std::uint64_t{pop ? 1ULL << 32U : 0} + (pop ? e.seq : e.uid), message);
}

void RetoldMail::note_arrival(const Event& e) {
  if (e.type != Type::ok) return;
  if (e.what == What::deliver && e.account != 0) {
    const std::uint32_t message = e.message != 0 ? e.message : invoke_of(e).message;
    heard_.insert({{e.account, "INBOX"}, message});
    delivered_.insert({e.account, message});
  }
  if (e.session == 0) return;
  const std::uint32_t owner = history_.session(e.session).account;
  const Event& asked = invoke_of(e);
  if (e.what == What::append) {
    if (e.uid != 0 && e.uidvalidity != 0 && asked.message != 0)
      by_uid_.try_emplace({owner, asked.mailbox, e.uidvalidity, e.uid}, asked.message);
    heard_.insert({{owner, asked.mailbox}, asked.message});
  }
  if (e.what == What::rename) note_rename(owner, asked);
  if (e.what == What::copy || e.what == What::move) note_copies(owner, e);
}

void RetoldMail::note_copies(std::uint32_t owner, const Event& e) {
  const Event& asked = invoke_of(e);
  const Open& open = open_[e.session];
  const auto made = history::parse_uids(e.get<history::CopyFacts>().destinations);
  const auto from = history::parse_uids(made.empty() ? asked.set : e.set);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::uint32_t message = at_uid(owner, open.mailbox, open.uidvalidity, from[i]);
    if (message == 0) continue;
    if (i < made.size() && e.uidvalidity != 0)
      by_uid_.try_emplace({owner, asked.other_mailbox, e.uidvalidity, made[i]}, message);
    heard_.insert({{owner, asked.other_mailbox}, message});
  }
}

/// What lies there lies under the new name from then on, with the same UIDs.
void RetoldMail::note_rename(std::uint32_t owner, const Event& asked) {
  const auto heard = heard_;
  for (const auto& [where, message] : heard)
    if (const auto to = renamed(where.second, asked); to && where.first == owner)
      heard_.insert({{owner, *to}, message});
  const auto known = by_uid_;
  for (const auto& [key, message] : known)
    if (const auto to = renamed(std::get<1>(key), asked); to && std::get<0>(key) == owner)
      by_uid_.try_emplace({owner, *to, std::get<2>(key), std::get<3>(key)}, message);
}

}  // namespace mailproof::explore
