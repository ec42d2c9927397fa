#include "judge/leaving.h"

#include <algorithm>

#include "core/bytes.h"
#include "history/flags.h"
#include "judge/heard.h"

namespace mailproof::judge {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

namespace {

template <class First, class Key>
std::uint32_t first_of(const First& all, const Key& key) {
  const auto first = all.find(key);
  return first == all.end() ? Leaving::kNever : first->second;
}

}  // namespace

void Leaving::Commands::add(std::uint32_t invoke, std::uint32_t answer) {
  all_.emplace_back(invoke, all_.empty() ? answer : std::max(answer, all_.back().second));
}

bool Leaving::Commands::between(std::uint32_t from, std::uint32_t to) const {
  const auto end = std::lower_bound(all_.begin(), all_.end(), to,
                                    [](const auto& one, std::uint32_t event) { return one.first < event; });
  return end != all_.begin() && std::prev(end)->second > from;
}

/// One pass over what may remove something.
class Leaving::Look {
 public:
  Look(const Case& c, bool unheard) : c_(c), unheard_(unheard) {}

  Asked run() {
    for (const Event& e :
         c_.history.about(What::expunge, What::close, What::move, What::remove, What::rename, What::quit)) {
      if (!completes(e) || e.command == 0) continue;
      if (e.type == Type::fail && e.what != What::move) failed_.insert(e.command);
      if (e.type != Type::info) out_.answers.try_emplace(e.command, e.index);
    }
    for (const Event& e : c_.history.about(What::select, What::examine, What::store, What::copy, What::move,
                                           What::expunge, What::close, What::append, What::remove, What::rename,
                                           What::dele, What::retr, What::message, What::quit, What::end)) {
      if (e.session == 0) continue;
      const Protocol protocol = c_.history.session(e.session).protocol;
      if (protocol == Protocol::pop3) pop3(e);
      if (protocol == Protocol::imap) imap(e);
    }
    return std::move(out_);
  }

 private:
  struct Selected {
    std::uint32_t box = 0;
    bool writable = false;
  };
  struct Maildrop {
    std::map<std::uint32_t, std::uint32_t> messages;  ///< by number
    std::set<std::uint32_t> touched;
    bool some = false;    ///< ... and something of which nobody knows which message it is
    bool marked = false;  ///< by DELE
    bool over = false;
  };

  std::uint32_t box(std::uint32_t account, std::string_view mailbox) {
    return out_.boxes.number(account, lower(mailbox), 0);
  }

  std::uint32_t answer(std::uint32_t command) const { return first_of(out_.answers, command); }

  /// By what came up to here; Leaving::marked() says since when, and knows which message it is.
  bool is_marked(std::uint32_t account, std::uint32_t box, std::uint32_t uid) const {
    return unheard_ || out_.marked.contains(Boxes::place(box, uid)) || out_.marks_some.contains(box) ||
           pop_marked_.contains(account);
  }

  void imap(const Event& e) {
    const std::uint32_t account = c_.history.account_of(e);
    Selected& at = selected_[e.session];
    switch (e.what) {
      case What::select:
      case What::examine:
        if (e.type == Type::ok) at = {box(account, c_.invoke(e).mailbox), e.what == What::select};
        return;
      case What::remove:
      case What::rename:
        if (e.type == Type::invoke && !failed_.contains(e.index)) out_.reshapes.push_back(e.index);
        return;
      case What::append:
        if (e.type == Type::invoke && history::has_deleted(e.flags))
          out_.marks_some.try_emplace(box(account, e.mailbox), e.index);
        return;
      case What::store:
        if (e.type == Type::invoke && history::to_deleted(e.code, e.flags) == history::ToDeleted::sets)
          marks(e, at.box);
        return;
      case What::copy:
        if (e.type == Type::invoke) copies(e, account, at.box);
        return;
      case What::move:
        if (e.type != Type::invoke) return;
        copies(e, account, at.box);
        out_.any[at.box].add(e.index, answer(e.index));
        if (e.set.empty()) out_.moves_some.try_emplace(at.box, e.index);
        for (const std::uint32_t uid : history::parse_uids(e.set))
          out_.named.try_emplace(Boxes::place(at.box, uid), e.index);
        return;
      case What::expunge:
      case What::close:
        expunges(e, account, at);
        return;
      default:
        return;
    }
  }

  void marks(const Event& e, std::uint32_t box) {
    if (e.set.empty()) out_.marks_some.try_emplace(box, e.index);
    for (const std::uint32_t uid : history::parse_uids(e.set)) out_.marked.try_emplace(Boxes::place(box, uid), e.index);
  }

  /// A copy has the flags of what it is a copy of (RFC 3501 section 6.4.7).
  void copies(const Event& e, std::uint32_t account, std::uint32_t from) {
    const auto uids = history::parse_uids(e.set);
    const bool marked =
        e.set.empty() || std::any_of(uids.begin(), uids.end(), [&](auto uid) { return is_marked(account, from, uid); });
    if (marked) out_.marks_some.try_emplace(box(account, e.other_mailbox), e.index);
  }

  /// CLOSE of a mailbox that is only examined removes nothing (RFC 3501 section 6.4.2), nor does what is refused.
  void expunges(const Event& e, std::uint32_t account, const Selected& at) {
    const Event& asked = c_.invoke(e);
    if (!at.writable || failed_.contains(asked.index)) return;
    if (e.type == Type::invoke) {
      out_.any[at.box].add(e.index, answer(e.index));
      if (e.set.empty()) out_.expunges[at.box].add(e.index, answer(e.index));
    }
    if (e.type != Type::invoke && !completes(e)) return;
    // What is marked while it runs may go with it.
    for (const std::uint32_t uid : history::parse_uids(asked.set))
      if (is_marked(account, at.box, uid)) out_.named.try_emplace(Boxes::place(at.box, uid), asked.index);
  }

  /// What a session marked, or what it read (RFC 1939 section 8), goes when it ends.
  void pop3(const Event& e) {
    const std::uint32_t account = c_.history.account_of(e);
    Maildrop& drop = maildrops_[e.session];
    if (e.what == What::message && e.message != 0) drop.messages[e.seq] = e.message;
    const bool reads = e.what == What::retr || (e.what == What::message && e.code == "full");
    if (reads || e.what == What::dele) {
      const std::uint32_t seq = e.seq != 0 ? e.seq : c_.invoke(e).seq;
      const auto known = drop.messages.find(seq);
      const std::uint32_t message = e.message != 0 ? e.message : known == drop.messages.end() ? 0 : known->second;
      if (message != 0)
        drop.touched.insert(message);
      else if (e.what == What::dele && completes(e))
        drop.some = true;  // of what is read its content tells more
      if (message != 0 || drop.some) out_.pop_marks.try_emplace({account, message}, e.index);
      pop_marked_.insert(account);
      drop.marked = drop.marked || e.what == What::dele;
    }
    if (e.what != What::quit && e.what != What::end) return;
    if (drop.over || (drop.touched.empty() && !drop.some)) return;
    drop.over = true;
    if (e.what == What::quit || drop.marked)
      out_.quits[account].add(e.index, e.what == What::quit ? answer(c_.invoke(e).index) : kNever);
    if (drop.some) out_.quit_some.try_emplace(account, e.index);
    for (const std::uint32_t message : drop.touched) out_.quit.try_emplace({account, message}, e.index);
  }

  const Case& c_;
  bool unheard_;
  Asked out_;
  std::set<std::uint32_t> failed_;              ///< commands
  std::set<std::uint32_t> pop_marked_;          ///< accounts in which POP3 marked something
  std::map<std::uint32_t, Selected> selected_;  ///< by session
  std::map<std::uint32_t, Maildrop> maildrops_;
};

Leaving::Asked& Leaving::asked() const {
  if (!asked_) asked_ = Look(c_, unheard()).run();
  return *asked_;
}

bool Leaving::unheard() const {
  if (!unheard_) unheard_ = c_.history.info.recorded && !heard_all(c_.history);
  return *unheard_;
}

std::uint32_t Leaving::answered(std::uint32_t command) const { return first_of(asked().answers, command); }

std::uint32_t Leaving::known_done(const Cell& removed) const {
  const std::uint32_t answer = answered(removed.removed_by);
  if (answer != kNever || removed.removed_by == 0) return answer;
  const std::uint32_t session = c_.history.event(removed.removed_by).session;
  const std::string& mailbox = c_.ledger.mailbox_name(removed.mailbox);
  std::uint32_t uidvalidity = 0;  // of the mailbox, while the session has it open
  for (const Event& e : c_.history.about(What::select, What::examine, What::expunged)) {
    if (e.session != session) continue;
    if (e.what != What::expunged) {
      if (e.type == Type::ok) uidvalidity = iequals(c_.invoke(e).mailbox, mailbox) ? e.uidvalidity : 0;
    } else if (e.index > removed.removed_by && uidvalidity != 0 &&
               c_.ledger.message_at(removed.account, mailbox, uidvalidity, e.uid) == removed.message) {
      return e.index;
    }
  }
  return kNever;
}

bool Leaving::any_between(std::uint32_t from, std::uint32_t to, std::uint32_t account, std::string_view mailbox) const {
  if (unheard()) return true;
  Asked& all = asked();
  const auto any = all.any.find(all.boxes.number(account, lower(mailbox), 0));
  const auto quits = iequals(mailbox, "INBOX") ? all.quits.find(account) : all.quits.end();
  return (any != all.any.end() && any->second.between(from, to)) ||
         (quits != all.quits.end() && quits->second.between(from, to));
}

std::uint32_t Leaving::reshaped(Asked& all, std::uint32_t account, const std::string& mailbox,
                                std::uint32_t box) const {
  const auto [known, fresh] = all.reshaped.try_emplace(box, kNever);
  if (!fresh) return known->second;
  if (!reshapes_) reshapes_.emplace(c_);
  for (const std::uint32_t event : all.reshapes)
    if (reshapes_->concerns(c_.history.event(event), account, mailbox)) {
      known->second = event;
      break;
    }
  return known->second;
}

/// The first event that may have marked it with \Deleted.
std::uint32_t Leaving::marked(const Asked& all, std::uint32_t account, std::uint32_t message, std::uint32_t box,
                              std::uint32_t uid) const {
  if (unheard()) return 0;
  return std::min({first_of(all.marked, Boxes::place(box, uid)), first_of(all.marks_some, box),
                   first_of(all.pop_marks, std::pair(account, message)),
                   first_of(all.pop_marks, std::pair(account, std::uint32_t{}))});
}

bool Leaving::at(std::uint32_t event, std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                 std::uint32_t uid) const {
  const std::uint32_t message = c_.ledger.message_at(account, mailbox, uidvalidity, uid);
  const Cell* cell = message == 0 ? nullptr : c_.ledger.find(message, account, mailbox);
  if (cell == nullptr || cell->removes + cell->maybe_removes == 0) return false;
  Asked& all = asked();
  if (cell->removed_over != 1 &&
      (first_of(all.quit_some, account) < event || first_of(all.quit, std::pair(account, message)) < event))
    return true;
  const std::string name = lower(mailbox);
  const std::uint32_t box = all.boxes.number(account, name, 0);
  if (reshaped(all, account, name, box) < event) return true;
  if (cell->removed_over == 2) return false;
  if (first_of(all.named, Boxes::place(box, uid)) < event || first_of(all.moves_some, box) < event) return true;
  const auto expunges = all.expunges.find(box);
  return expunges != all.expunges.end() && expunges->second.between(marked(all, account, message, box, uid), event);
}

bool Leaving::nothing_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox,
                         std::uint32_t uidvalidity, std::uint32_t uid) const {
  return unheard() || at(event, account, mailbox, uidvalidity, uid);
}

}  // namespace mailproof::judge
