#include <fmt/format.h>

#include <array>

#include "load/customer_imap.h"

// What a customer's IMAP client changes: flags, removals, and copies of what was sent.

namespace mailproof::load {
namespace {

using scenario::Of;
using session::Outcome;

constexpr const char* kTrash = "Trash";
const std::array<std::string, 1> kDeletedFlag = {"\\Deleted"}, kSeenFlag = {"\\Seen"};

}  // namespace

/// Flags of the message that is read, or of those that came in this session.
bool ImapCustomer::store(const scenario::ProfileStep& step) {
  std::vector<std::uint32_t> uids;
  if (step.of == Of::one) uids.push_back(one_);
  for (const Known& one : known_)
    if (step.of == Of::known || (step.of == Of::fresh && one.uid >= fresh_from_)) uids.push_back(one.uid);
  const auto owned = guard_.owned(uids);
  if (owned.empty() || !owned.of(client_->view().mailbox, client_->view().uidvalidity)) return false;
  changed_ = true;
  const std::array<std::string, 1> flags = {step.text};
  return asked(client_->uid_store(owned.set(), step.silent ? "+FLAGS.SILENT" : "+FLAGS", flags),
               scene_.operation("imap.store")),
         true;
}

/// Whatever bears \Deleted in the open mailbox is ours: everything there was seen to be.
bool ImapCustomer::may_expunge() const {
  std::map<std::uint32_t, bool> marked;
  for (const Known& one : known_) marked[one.uid] = true;
  const auto permit = guard_.may_expunge(client_->view().exists, marked);
  return permit && permit->of(client_->view().mailbox, client_->view().uidvalidity);
}

/// CLOSE expunges (RFC 3501 section 6.4.2), so it is left out where that could be somebody else's mail.
bool ImapCustomer::close() {
  if (client_->view().mailbox.empty() || (!client_->view().read_only && !may_expunge())) return false;
  if (!client_->view().read_only) all_asked();
  return asked(client_->close(), scene_.operation("imap.close")), true;
}

/// Whoever expunges takes along what other devices of the account have marked.
void ImapCustomer::all_asked() {
  for (const Known& one : known_) {
    if (one.parcel == 0) continue;
    Parcel& parcel = scene_.parcels.at(one.parcel - 1);
    parcel.removal_asked = parcel.removal_asked || parcel.flagged;
  }
}

/// Marks the message, then has it removed; or moves it away.
bool ImapCustomer::remove_one() {
  using scenario::Removal;
  const auto owned = guard_.owned({one_});
  if (owned.empty() || client_->view().read_only || !owned.of(client_->view().mailbox, client_->view().uidvalidity))
    return false;
  const std::string set = owned.set();
  Known* known = find(one_);
  Parcel* parcel = known != nullptr && known->parcel != 0 ? &scene_.parcels.at(known->parcel - 1) : nullptr;
  const auto store = [&] {
    changed_ = true;
    if (parcel != nullptr) {
      parcel->flagged = true;
      parcel->removed_by = session_;
    }
    asked(client_->uid_store(set, "+FLAGS.SILENT", kDeletedFlag), scene_.operation("imap.store"));
  };
  const bool moves = client_->has("MOVE");
  if (profile_.how == Removal::trash) {
    if (stage_ == Stage::first) {
      if (scene_.trash[account_] == Scene::Trash::unknown) {
        scene_.trash[account_] = Scene::Trash::asked;
        return asked(client_->create(kTrash), scene_.operation("imap.create")), true;
      }
      stage_ = Stage::second;
      if (parcel != nullptr) parcel->filed = true;
      if (moves) return asked(client_->uid_move(set, kTrash), scene_.operation("imap.move")), true;
      if (parcel != nullptr) parcel->copied = true;
      return asked(client_->uid_copy(set, kTrash), scene_.operation("imap.copy")), true;
    }
    if (stage_ == Stage::third || moves) return false;
    stage_ = Stage::third;
    return store(), true;
  }
  if (stage_ == Stage::first) {
    stage_ = Stage::second;
    return store(), true;
  }
  if (stage_ == Stage::third || profile_.how == Removal::flag) return false;
  stage_ = Stage::third;
  const auto expunge = scene_.operation("imap.expunge");
  if (profile_.how == Removal::expunge && client_->has("UIDPLUS")) {
    if (parcel != nullptr) parcel->removal_asked = true;
    return asked(client_->uid_expunge(set), expunge), true;
  }
  // All that is marked goes: only where everything in the mailbox was seen to be ours.
  if (!may_expunge()) return false;
  all_asked();
  return asked(client_->expunge(), expunge), true;
}

void ImapCustomer::removal_went(const session::ImapCompletion& done) {
  if (done.command == "CREATE") {
    scene_.trash[account_] = Scene::Trash::ours;
    return;
  }
  Known* known = find(one_);
  if (done.command == "UID STORE" && known != nullptr) known->marked = true;
  if (done.command == "EXPUNGE") return closed();
  if (done.command != "UID EXPUNGE" || known == nullptr || known->parcel == 0) return;
  scene_.parcels.removed(known->parcel - 1);
}

/// RFC 9051 sections 6.4.2 and 6.4.3: what was marked is gone with CLOSE, and with EXPUNGE.
void ImapCustomer::closed() {
  for (const Known& one : known_)
    if (one.marked && one.parcel != 0) scene_.parcels.removed(one.parcel - 1);
  std::erase_if(known_, [](const Known& one) { return one.marked; });
}

void ImapCustomer::save(std::size_t parcel, Time now) {
  to_save_.push_back(parcel);
  proceed(now);
  arm_next();
}

/// The mailbox is made the first time; then the copy is put there.
bool ImapCustomer::save_one() {
  const std::string& box = profile_.send->save_to;
  if (stage_ != Stage::first) return false;
  if (scene_.sent[account_] == Scene::Trash::unknown) {
    scene_.sent[account_] = Scene::Trash::asked;
    return asked(client_->create(box), scene_.operation("imap.create")), true;
  }
  stage_ = Stage::second;
  saving_ = to_save_.front();
  to_save_.erase(to_save_.begin());
  scene_.parcels.came_to(saving_, Parcel::Outcome::sending);
  scene_.parcels.at(saving_).delivered_by = session_;
  return asked(client_->append(box, kSeenFlag, scene_.compose(saving_, scene_.accounts[account_].address)),
               scene_.operation("imap.append")),
         true;
}

void ImapCustomer::saved(const session::ImapCompletion& done, Time now) {
  if (done.command == "CREATE") {
    if (done.outcome == Outcome::ok) scene_.sent[account_] = Scene::Trash::ours;
    return;
  }
  if (done.outcome == Outcome::ok) return scene_.accepted(saving_, now);
  scene_.parcels.came_to(saving_, done.outcome == Outcome::fail ? Parcel::Outcome::refused : Parcel::Outcome::unknown);
}

}  // namespace mailproof::load
