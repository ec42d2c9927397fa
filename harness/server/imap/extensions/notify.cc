// NOTIFY (RFC 5465): what happens to mailboxes is told unasked.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "server/imap/fetch_items.h"
#include "server/imap/mailbox_filter.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

struct Events {
  bool messages = false;  ///< MessageNew and MessageExpunge, which come together (section 5)
  bool flags = false;
  bool names = false;
  bool subscriptions = false;
};

struct Group {
  MailboxFilter filter;
  Events events;
  std::optional<FetchRequest> of_new;  ///< what of new messages in the selected mailbox is told
};

/// Of one session: tells at once what its client wants to know.
class Notify final : public StoreWatcher {
 public:
  ~Notify() override { none(); }

  void set(ImapSession& session, std::vector<Group> groups) {
    none();
    session_ = &session;
    groups_ = std::move(groups);
    session.context().store.watch(*this);
    tells_at_once_ = std::any_of(groups_.begin(), groups_.end(), [](const Group& group) {
      return group.filter.kind == MailboxFilter::Kind::selected && group.events.messages;
    });
    if (tells_at_once_) session.tell_at_once(true);
    known_ = session.view() == nullptr ? 0 : session.view()->size();
  }

  void none() {
    if (session_ == nullptr) return;
    session_->context().store.unwatch(*this);
    if (std::exchange(tells_at_once_, false)) session_->tell_at_once(false);
    groups_.clear();
    session_ = nullptr;
  }

  /// Section 3.1: how the mailboxes stand that are watched and not selected.
  void tell_status() const {
    for (const auto& [name, mailbox] : session_->account().mailboxes()) {
      const auto* group = watching(*mailbox);
      if (group == nullptr || !group->events.messages) continue;
      session_->print("* STATUS {} (MESSAGES {} UIDNEXT {} UIDVALIDITY {}", imap_string(name),
                      mailbox->messages().size(), mailbox->uid_next(), mailbox->uid_validity());
      if (group->events.flags) session_->print(" HIGHESTMODSEQ {}", session_->highest_modseq(*mailbox));
      session_->write(")\r\n");
    }
  }

  void selected() { known_ = session_ == nullptr ? 0 : session_->view()->size(); }

  void told() {
    if (session_ == nullptr || session_->view() == nullptr) return;
    const auto size = session_->view()->size();
    for (const auto& group : groups_) {
      if (!group.filter.selected() || !group.of_new) continue;
      for (auto index = known_; index < size; ++index) session_->fetch_one(index, *group.of_new);
    }
    known_ = size;
  }

 private:
  /// The first group that covers a mailbox which is not selected; null: nobody asked.
  const Group* watching(const Mailbox& mailbox) const {
    const auto* view = session_->view();
    if (view != nullptr && &view->mailbox() == &mailbox) return nullptr;
    return covering(mailbox.name());
  }
  const Group* covering(std::string_view name) const {
    const auto at = std::find_if(groups_.begin(), groups_.end(),
                                 [&](const Group& group) { return group.filter.covers(session_->account(), name); });
    return at == groups_.end() ? nullptr : &*at;
  }
  bool mine(const AccountState& account) const { return &account == &session_->account(); }

  void tell(const Mailbox& mailbox, std::string_view items) {
    session_->print("* STATUS {} ({})\r\n", session_->separated(imap_string(mailbox.name())), items);
    session_->wake();
  }
  void tell_name(std::string_view attributes, std::string_view name, std::string_view more = "") {
    session_->print("* LIST ({}) \"{}\" {}{}\r\n", attributes, session_->delimiter(),
                    session_->separated(imap_string(name)), more);
    session_->wake();
  }

  // Sections 5.2 and 5.3.
  void on_added(AccountState& account, Mailbox& mailbox, const MessagePtr&, const Message*) override {
    count(account, mailbox);
  }
  void on_expunged(AccountState& account, Mailbox& mailbox, std::span<const MessagePtr>) override {
    count(account, mailbox);
  }
  void count(const AccountState& account, const Mailbox& mailbox) {
    const auto* group = mine(account) ? watching(mailbox) : nullptr;
    if (group == nullptr || !group->events.messages) return;
    tell(mailbox, fmt::format("MESSAGES {} UIDNEXT {}", mailbox.messages().size(), mailbox.uid_next()));
  }
  void on_flags(Mailbox& mailbox, const MessagePtr&) override {
    if (session_->account().mailbox(mailbox.name()).get() != &mailbox) return;
    const auto* group = watching(mailbox);
    if (group == nullptr || !group->events.flags) return;
    tell(mailbox,
         fmt::format("UIDVALIDITY {} HIGHESTMODSEQ {}", mailbox.uid_validity(), session_->highest_modseq(mailbox)));
  }
  // Section 5.4.
  void on_created(AccountState& account, Mailbox& mailbox) override {
    if (mine(account) && names(mailbox.name())) tell_name("", mailbox.name());
  }
  void on_removed(AccountState& account, Mailbox& mailbox) override {
    if (mine(account) && names(mailbox.name())) tell_name("\\NonExistent", mailbox.name());
  }
  void on_renamed(AccountState& account, Mailbox& mailbox, std::string_view from) override {
    if (!mine(account) || (!names(mailbox.name()) && !names(from))) return;
    tell_name("", mailbox.name(), fmt::format(" (\"OLDNAME\" ({}))", imap_string(from)));
  }
  void on_subscribed(AccountState& account, std::string_view name, bool subscribed) override {
    const auto* group = mine(account) ? covering(name) : nullptr;
    if (group != nullptr && group->events.subscriptions) tell_name(subscribed ? "\\Subscribed" : "", name);
  }
  bool names(std::string_view name) const {
    const auto* group = covering(name);
    return group != nullptr && group->events.names;
  }

  ImapSession* session_ = nullptr;
  std::vector<Group> groups_;
  std::size_t known_ = 0;  ///< messages of the selected mailbox that were told
  bool tells_at_once_ = false;
};

/// What is wrong with a command that can be read; both empty: nothing.
struct Complaint {
  std::string no;
  std::string bad;
};

// events = ( "(" event *(SP event) ")" ) / "NONE"
void read_events(ImapSession& session, imap::Cursor& c, Group& group, Complaint& complaint) {
  if (c.accept_word("NONE")) return;
  bool arrives = false;
  bool goes = false;
  if (!c.open_list()) return;
  while (c.next_item()) {
    const auto word = upper(c.atom());
    const bool of_messages = word == "MESSAGENEW" || word == "MESSAGEEXPUNGE" || word == "FLAGCHANGE";
    if (word == "MESSAGENEW") {
      arrives = true;
      if (!c.rest().starts_with(" (")) continue;
      c.sp();
      imap::Cursor items(c.skip_value());
      group.of_new = read_fetch_request(session, items);
      if (!items.end() || !group.filter.selected())
        complaint.bad = "Items of new messages are for the selected mailbox";
    } else if (word == "MESSAGEEXPUNGE") {
      goes = true;
    } else if (word == "FLAGCHANGE") {
      group.events.flags = true;
    } else if (word == "MAILBOXNAME") {
      group.events.names = true;
    } else if (word == "SUBSCRIPTIONCHANGE") {
      group.events.subscriptions = true;
    } else {
      complaint.no =
          "[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)] No such event here";
    }
    if (!of_messages && group.filter.selected()) complaint.bad = "The selected mailbox has events of messages only";
  }
  group.events.messages = arrives && goes;
  if (arrives != goes || (group.events.flags && !arrives))
    complaint.bad = "MessageNew and MessageExpunge come together, and FlagChange with both";
}

// notify = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-groups / "NONE")
void notify(ImapSession& session, imap::Cursor& c) {
  c.sp();
  auto& state = session.own<Notify>();
  if (c.accept_word("NONE")) {
    if (!c.end()) return session.bad(c);
    state.none();
    return session.ok("Done");
  }
  if (!c.accept_word("SET")) c.fail("SET or NONE");
  c.sp();
  const bool status = c.accept_word("STATUS");
  if (status) c.sp();
  std::vector<Group> groups;
  Complaint complaint;
  do {
    Group group;
    c.expect('(');
    group.filter = read_mailbox_filter(session, c);
    if (group.filter.kind == MailboxFilter::Kind::subtree_one) c.fail("subtree");
    c.sp();
    read_events(session, c, group, complaint);
    c.expect(')');
    groups.push_back(std::move(group));
  } while (c.ok() && c.accept(' '));
  if (!c.end()) return session.bad(c);
  if (std::count_if(groups.begin(), groups.end(), [](const Group& group) { return group.filter.selected(); }) > 1)
    complaint.bad = "The selected mailbox once";
  if (!complaint.bad.empty()) return session.bad(complaint.bad);
  if (!complaint.no.empty()) return session.no(complaint.no);
  state.set(session, std::move(groups));
  if (status) state.tell_status();
  session.ok("Done");
}

}  // namespace

const Extension& notify_extension() {
  static const Extension extension{.capabilities = "NOTIFY",
                                   .commands = {{"NOTIFY", kLoggedIn, notify}},
                                   .selected = [](ImapSession& session) { session.own<Notify>().selected(); },
                                   .told = [](ImapSession& session) { session.own<Notify>().told(); }};
  return extension;
}

}  // namespace mailproof::server
