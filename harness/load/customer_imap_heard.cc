#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "load/customer_imap.h"

// What a customer's IMAP client hears: how its commands ended, what came, and what the server told of itself.

namespace mailproof::load {
namespace {

using scenario::Ask;
using session::Outcome;

std::string class_of(const session::ImapCompletion& done) {
  if (done.outcome == Outcome::info) return done.lost == EndReason::timeout ? "no answer in time" : "no answer";
  std::string out(done.status);
  if (!done.code.empty()) out += fmt::format(" [{}]", printable(done.code));
  return out;
}

}  // namespace

void ImapCustomer::on_done(const session::ImapCompletion& done, Time now) {
  if (done.id != current_ || current_ == 0) return;  // IDLE lasts as long as it is wanted
  current_ = 0;
  finish(done, now);
  if (doing_ == Doing::looking) looking_.at += now - done.sent;  // ours; what was waited for before is not
  intended_ = now;
  if (doing_ == Doing::saving) {
    saved(done, now);
  } else if (doing_ == Doing::removing) {
    if (done.outcome == Outcome::ok) {
      removal_went(done);
    } else if (done.command != "CREATE") {
      stage_ = Stage::third;  // nothing further is done to it
    }
  } else if (doing_ != Doing::nothing && doing_ != Doing::looking && doing_ != Doing::goodbye) {
    const auto& step = (*steps_)[step_];
    if (step.ask == Ask::select || step.ask == Ask::examine) opened(done);
    if (step.ask == Ask::close && done.outcome == Outcome::ok) closed();
    // A search may be followed by a look at what it found; a fetch that looks first has two commands.
    const bool looks =
        step.ask == Ask::search && stage_ == Stage::first && !found_.empty() && scene_.settings.look_first;
    if (looks) {
      stage_ = Stage::second;
    } else if (!step.singly && (step.ask != Ask::fetch || stage_ != Stage::second || !step.gets_text)) {
      ++step_;
      stage_ = Stage::first;
    }
  }
  proceed(now);
  arm_next();
}

/// A device knows again what it knew of this mailbox. Whose it is was shown in another session, and is not known.
void ImapCustomer::opened(const session::ImapCompletion& done) {
  const auto& view = client_->view();
  // RFC 3501 section 2.3.1.1: it takes the name, the UIDVALIDITY and the UID to name a message.
  const bool same = view.mailbox == selected_ && view.uidvalidity == uidvalidity_ && done.outcome == Outcome::ok;
  if (!same) {
    known_.clear();
    actions_.clear();
    described_ = 0;
    uidvalidity_ = view.uidvalidity;
    selected_ = view.mailbox;
  }
  if (!same || scene_.settings.look_first) guard_.opened(view.mailbox, view.uidvalidity);
  fresh_from_ = described_ + 1;
}

void ImapCustomer::finish(const session::ImapCompletion& done, Time now) {
  const Times times{intended_, done.sent, now};
  if (done.outcome == Outcome::ok) return scene_.done(operation_, times);
  if (done.command == "CREATE" && done.outcome == Outcome::fail) return;  // it was there already
  const std::string what = class_of(done);
  scene_.example(fmt::format("{}: {}", done.command, what),
                 fmt::format("{}: {} {}", scene_.session_text(session_), done.status, printable(done.text)));
  done.outcome == Outcome::fail ? scene_.failed(operation_, times, what, &recorder_, account_)
                                : scene_.lost(done.lost, operation_, times, what, &recorder_, account_);
}

void ImapCustomer::on_search(const imap::SequenceSet& numbers, Time now) {
  if (steps_ == nullptr || step_ >= steps_->size()) return;
  const auto& step = (*steps_)[step_];
  if (step.ask != Ask::search || (!step.then_read && !step.then_list)) return;
  constexpr std::size_t kMost = 1000;  // what a server names may not fill the memory
  std::size_t count = 0;
  for (const auto& range : numbers.ranges())
    for (std::uint64_t uid = range.first; uid <= range.last && count < kMost; ++uid, ++count) {
      const auto number = static_cast<std::uint32_t>(uid);
      if (step.then_list) {
        if (learn(number) == nullptr) return;
        continue;
      }
      if (find(number) != nullptr) continue;
      if (scene_.settings.look_first) {
        found_ += fmt::format("{}{}", found_.empty() ? "" : ",", number);
      } else {
        if (learn(number) == nullptr) return;
        plan_for(number, now);
      }
    }
}

/// What an EXAMINE tells that is followed by a look at what is there is no news beside it.
bool ImapCustomer::opens_to_look() const {
  if ((doing_ != Doing::news && doing_ != Doing::poll) || steps_ == nullptr || step_ >= steps_->size()) return false;
  const auto opens = steps_->begin() + static_cast<std::ptrdiff_t>(step_);
  if (opens->ask != Ask::select && opens->ask != Ask::examine) return false;
  return std::any_of(opens, steps_->end(), [](const auto& step) { return step.then_list; });
}

void ImapCustomer::on_exists(std::uint32_t n, std::uint32_t before, Time now) {
  if (n <= before) return;
  if (logged_in_ && !opens_to_look()) {
    hear_of_news(now);
    told_ = true;
    notices_.push_back({n, now, client_->in_idle()});
  }
  proceed(now);
  arm_next();
}

void ImapCustomer::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  for (Notice& notice : notices_) notice.up_to -= seq != 0 && notice.up_to >= seq ? 1U : 0U;
  if (uid == 0) return;
  guard_.gone(uid);
  // One that this device removed itself is looked up once more, when the answer comes.
  if (doing_ == Doing::removing && uid == one_) return;
  Known* known = find(uid);
  if (known == nullptr) return;
  if (known->marked && known->parcel != 0) scene_.parcels.removed(known->parcel - 1);
  known_.erase(known_.begin() + (known - known_.data()));
}

void ImapCustomer::on_content_begin(std::uint32_t, std::string_view, std::uint64_t, Time) {
  if (!scanner_) scanner_ = scene_.borrow_scanner();
  scanner_->begin();
}

void ImapCustomer::on_content(std::string_view chunk) {
  if (scanner_) scanner_->add(chunk);
}

void ImapCustomer::on_content_end() {
  if (scanner_) scanner_->end();
}

/// Null: rows came in such an order that it costs too much to keep them in theirs. The session is at its end then.
ImapCustomer::Known* ImapCustomer::learn(std::uint32_t uid) {
  constexpr std::size_t kMostMoved = 100'000'000;
  const auto at = std::lower_bound(known_.begin(), known_.end(), uid,
                                   [](const Known& one, std::uint32_t u) { return one.uid < u; });
  if (at != known_.end() && at->uid == uid) return &*at;
  moved_ += static_cast<std::size_t>(known_.end() - at);
  if (moved_ > kMostMoved) return client_->give_up("UIDs come in an order that costs too much"), nullptr;
  return &*known_.insert(at, Known{uid, 0, false, false});
}

ImapCustomer::Known* ImapCustomer::find(std::uint32_t uid) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), uid,
                                   [](const Known& one, std::uint32_t u) { return one.uid < u; });
  return at != known_.end() && at->uid == uid ? &*at : nullptr;
}

/// False: the session is at its end, for all of this thread keep more than they may.
bool ImapCustomer::view_fits() {
  constexpr std::size_t kRoom = 4;  // places for each message that was told of
  const std::size_t places = client_->view().uids.size(), told = kRoom * known_.size();
  const std::size_t octets = places > told ? (places - told) * sizeof(std::uint32_t) : 0;
  const std::size_t sparse = octets - std::min(octets, Scene::kSparseAlone);
  scene_.sparse_views += sparse - std::exchange(sparse_, sparse);
  if (scene_.sparse_views <= Scene::kMostSparse) return true;
  scene_.example(Scene::kFullOfPlaces, std::string(Scene::kFullOfPlaces));
  client_->give_up(Scene::kFullOfPlaces);
  return false;
}

void ImapCustomer::on_fetch(const session::ImapFetchRow& row, Time now) {
  auto scanner = std::move(scanner_);
  if (row.uid == 0) return scene_.give_back(std::move(scanner));
  const bool planned = find(row.uid) != nullptr && doing_ == Doing::reading;  // a search found it
  Known* known = learn(row.uid);
  if (known == nullptr || !view_fits()) return scene_.give_back(std::move(scanner));
  const bool whole = row.section.empty() && !row.origin;
  const bool header = row.section.starts_with("HEADER") || (row.section.empty() && row.origin.value_or(0) == 0);
  if (row.has_content && !row.content_nil && header && scanner) {
    const auto same = whole ? scene_.parcels.same(*scanner) : std::nullopt;
    const auto identity = same ? play::Identity{play::Whose::ours, scene_.parcels.number(*same)}
                               : play::identify(scene_.parcels, *scanner);
    guard_.saw(row.uid, identity);
    described_ = std::max(described_, row.uid);
    const mail::Token* token = scanner->token();
    if (identity.whose == play::Whose::ours && guard_.is_ours(row.uid)) {
      const std::size_t parcel = same ? *same : scene_.parcels.index(identity.message);
      if (scene_.parcels.at(parcel).account != account_) {
        scene_.leaked(*token, account_, session_);
      } else {
        const bool first = known->parcel == 0;
        known->parcel = static_cast<std::uint32_t>(parcel + 1);
        if (whole) known->got_text = true;
        if (first) scene_.seen(parcel, session_, told_of(row.seq), now);
        if (first && iequals(client_->view().mailbox, "INBOX")) scene_.lies_at(parcel, row.uid, uidvalidity_, session_);
        if (whole && !same) scene_.content_seen(parcel, session_, scanner->hash(), now);
        if (first && !planned) plan_for(row.uid, now);
      }
    } else if (token && scene_.parcels.of_this_playing(*token) && token->owner != scene_.accounts[account_].address) {
      scene_.leaked(*token, account_, session_);
    }
  }
  scene_.give_back(std::move(scanner));
}

/// When the server said of itself, to a client that listens, that this message is there.
std::optional<Time> ImapCustomer::told_of(std::uint32_t seq) const {
  for (const Notice& notice : notices_)
    if (notice.up_to >= seq) return notice.idling ? std::optional(notice.at) : std::nullopt;
  return std::nullopt;
}

/// What its owner will do with a message that just came.
void ImapCustomer::plan_for(std::uint32_t uid, Time now) {
  const auto add = [&](Time at, bool remove) {
    const Action action{at, uid, remove};
    const auto place = std::find_if(actions_.begin(), actions_.end(), [&](const Action& one) { return one.at <= at; });
    actions_.insert(place, action);
  };
  const auto happens = [&](double share) { return static_cast<double>(rng_.next()) < share * 4294967296.0; };
  Time at = now;
  if (happens(profile_.read.share)) add(at += scene_.drawn(profile_.read.after, rng_), false);
  if (happens(profile_.remove.share)) add(at + scene_.drawn(profile_.remove.after, rng_), true);
}

}  // namespace mailproof::load
