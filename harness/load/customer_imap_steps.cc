#include <fmt/format.h>

#include <iterator>

#include "load/customer_imap.h"

// What a customer's IMAP client asks for, step by step.

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;

}  // namespace

bool ImapCustomer::next_step(Time) {
  while (step_ < steps_->size()) {
    const auto& step = (*steps_)[step_];
    if (perform(step)) return true;
    ++step_;
    stage_ = Stage::first;
  }
  return false;
}

void ImapCustomer::asked(session::CommandId id, stats::Operations::Id operation) {
  current_ = id;
  operation_ = operation;
}

/// False: there is nothing to ask for here.
bool ImapCustomer::perform(const scenario::ProfileStep& step) {
  const auto op = [&](std::string_view name) { return scene_.operation(step.ask, name); };
  const std::string_view box = step.text.empty() ? std::string_view("INBOX") : std::string_view(step.text);
  if (stage_ == Stage::second && step.ask == Ask::search && !found_.empty()) {
    stage_ = Stage::third;
    return asked(client_->uid_fetch(found_, kLook), scene_.operation("imap.look")), true;
  }
  if (stage_ != Stage::first && step.ask != Ask::fetch) return false;
  using When = scenario::ProfileStep::When;
  if (!step.needs.empty() && !client_->has(step.needs)) return false;
  if (!step.lacks.empty() && client_->has(step.lacks)) return false;
  if (step.when == When::fresh && !came_or_went()) return false;
  if ((step.when == When::changed && !changed_) || (step.when == When::told && !told_)) return false;
  switch (step.ask) {
    case Ask::id:
      return client_->has("ID") && (asked(client_->id(), op("imap.id")), true);
    case Ask::enable:
      return client_->has("ENABLE") && (asked(client_->enable(step.text), op("imap.enable")), true);
    case Ask::list:
      if (step.subscribed || !step.returns.empty())
        return asked(client_->list_extended(step.subscribed ? "(SUBSCRIBED)" : "", "", step.text, step.returns),
                     op("imap.list")),
               true;
      return asked(client_->list("", step.text), op("imap.list")), true;
    case Ask::lsub:
      return asked(client_->lsub("", step.text), op("imap.lsub")), true;
    case Ask::status:
      return asked(client_->status(box, "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"), op("imap.status")), true;
    case Ask::select:
      return asked(client_->select(box), op("imap.select")), true;
    case Ask::examine:
      return asked(client_->select(box, true), op("imap.examine")), true;
    case Ask::unselect:
      return client_->has("UNSELECT") && (asked(client_->unselect(), op("imap.unselect")), true);
    case Ask::noop:
      return asked(client_->noop(), op("imap.noop")), true;
    case Ask::check:
      return asked(client_->check(), op("imap.check")), true;
    case Ask::capability:
      return asked(client_->capability(), op("imap.capability")), true;
    case Ask::name_space:
      return false;  // the session asks for it as soon as it is let in
    case Ask::close:
      return close();
    case Ask::search:
      found_.clear();
      if (step.of != Of::newest) return asked(client_->uid_search(step.text), op("imap.search")), true;
      if (client_->view().exists == 0) return false;
      return asked(client_->uid_search(fmt::format("{} {}", newest(step.count), step.text)), op("imap.search")), true;
    case Ask::my_rights:
      return client_->has("ACL") && (asked(client_->my_rights("INBOX"), op("imap.myrights")), true);
    case Ask::quota:
      return client_->has("QUOTA") && (asked(client_->get_quota_root("INBOX"), op("imap.quota")), true);
    case Ask::fetch:
      return fetch(step);
    case Ask::store:
      return store(step);
    default:
      return false;  // POP3's
  }
}

/// The text of a message that is not known to be ours is not asked for: what came is looked at first, unless there is
/// nobody else's mail here.
bool ImapCustomer::fetch(const scenario::ProfileStep& step) {
  if (client_->view().exists == 0) return false;
  const auto fetches = scene_.operation(Ask::fetch, "imap.fetch");
  const bool text = step.gets_text;
  // Those that it knows from another session, and has not got, are looked at anew.
  const auto unseen = std::find_if(known_.begin(), known_.end(), [this](const Known& one) {
    return one.uid > described_ || (one.parcel != 0 && !one.got_text && !may_read(one.uid));
  });
  const bool unknown = (step.of != Of::unread && step.of != Of::one && step.of != Of::first_new) ||
                       (step.of == Of::unread && unseen != known_.end());
  if (text && scene_.settings.look_first && (unknown || stage_ != Stage::first)) {
    if (stage_ == Stage::first) {
      stage_ = Stage::second;
      fresh_from_ = unseen == known_.end() ? described_ + 1 : std::min(unseen->uid, described_ + 1);
      asked(client_->uid_fetch(fmt::format("{}:*", fresh_from_), kLook), scene_.operation("imap.look"));
      return true;
    }
    if (stage_ == Stage::third && !step.singly) return false;
    stage_ = Stage::third;
    const std::string& set = set_of(Of::unread, step.singly);
    if (set.empty()) return false;
    return asked(client_->uid_fetch(set, step.text), fetches), true;
  }
  if (stage_ != Stage::first && !step.singly) return false;
  stage_ = Stage::second;
  const std::uint32_t exists = client_->view().exists;
  if (step.of == Of::newest && step.by_uid) {
    if (known_.empty()) return false;
    newest_from_ = known_[known_.size() - std::min<std::size_t>(known_.size(), step.count)].uid;
    return asked(client_->uid_fetch(set_of(Of::newest), step.text), fetches), true;
  }
  if (step.of == Of::newest) return asked(client_->fetch(newest(step.count), step.text), fetches), true;
  if (step.by_number) {
    fresh_from_ = known_.empty() ? 1 : known_.back().uid + 1;
    if (known_.size() >= exists) return false;
    return asked(client_->fetch(fmt::format("{}:{}", known_.size() + 1, exists), step.text), fetches), true;
  }
  if (step.of == Of::fresh) fresh_from_ = described_ + 1;
  const std::string& set = set_of(step.of, step.singly);
  if (set.empty()) return false;
  return asked(client_->uid_fetch(set, step.text), fetches), true;
}

bool ImapCustomer::may_read(std::uint32_t uid) const {
  return scene_.settings.own_mailboxes || !scene_.settings.look_first || guard_.is_ours(uid);
}

/// The last so many, by their numbers.
std::string ImapCustomer::newest(std::uint32_t count) const {
  const std::uint32_t exists = client_->view().exists;
  return fmt::format("{}:{}", exists > count ? exists - count + 1 : 1, exists);
}

/// A poll, and not a click; and there is not what there was when its news were looked at last.
bool ImapCustomer::came_or_went() const {
  const auto& view = client_->view();
  return polling_ && (view.uidnext == 0 || view.uidnext != looked_uidnext_ || view.exists < looked_exists_);
}

/// As the protocol writes it; "" = none.
const std::string& ImapCustomer::set_of(Of of, bool first_only) {
  set_.clear();
  auto into = std::back_inserter(set_);
  if (of == Of::all) return set_ = "1:*";
  if (of == Of::fresh) return fmt::format_to(into, "{}:*", fresh_from_), set_;
  if (of == Of::one) {
    if (may_read(one_)) fmt::format_to(into, "{}", one_);
    return set_;
  }
  std::uint32_t from = 0, last = 0;
  const auto flush = [&] {
    if (from == 0) return;
    if (!set_.empty()) set_ += ',';
    from == last ? fmt::format_to(into, "{}", from) : fmt::format_to(into, "{}:{}", from, last);
  };
  for (Known& one : known_) {
    if (of == Of::first_new) {
      if (one.uid < fresh_from_ || !may_read(one.uid)) continue;
      return fmt::format_to(into, "{}", one.uid), set_;
    }
    if (of == Of::listed && one.uid <= described_) continue;
    if (of == Of::newest && one.uid < newest_from_) continue;
    if (of == Of::unread) {
      if (one.got_text || !may_read(one.uid)) continue;
      one.got_text = true;  // is asked for once, whatever comes of it
    }
    if (from != 0 && one.uid == last + 1) {
      last = one.uid;
      continue;
    }
    flush();
    from = last = one.uid;
    if (first_only) break;
  }
  flush();
  return set_;
}

}  // namespace mailproof::load
