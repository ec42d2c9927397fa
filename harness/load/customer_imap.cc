#include "load/customer_imap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"

namespace mailproof::load {
namespace {

using scenario::Ask;
using scenario::Of;
using session::Outcome;

constexpr std::string_view kLook = "(UID BODY.PEEK[HEADER.FIELDS (X-MAILPROOF MESSAGE-ID SUBJECT)])";

std::string class_of(const session::ImapCompletion& done) {
  if (done.outcome == Outcome::info) return "no answer";
  std::string out(done.status);
  if (!done.code.empty()) out += fmt::format(" [{}]", printable(done.code));
  return out;
}

}  // namespace

ImapCustomer::ImapCustomer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
                           std::uint64_t seed)
    : Customer(scene, profile, number, account, seed), guard_(scene.settings.own_mailboxes) {}

ImapCustomer::~ImapCustomer() { drop(); }

void ImapCustomer::drop() {
  present_ = false;
  if (client_ != nullptr && !dead_) {
    if (!ready_)
      scene_.unanswered(scene_.operation("imap.connect"), {intended_, opened_, scene_.network.now()}, kUnderWay,
                        &recorder_, account_);
    else if (current_ != 0)
      scene_.unanswered(operation_, {intended_, intended_, scene_.network.now()}, kUnderWay, &recorder_, account_);
    scene_.session_over(session_);
  }
  link_.reset();
  client_.reset();
  dead_ = false;
  arm(std::nullopt);
}

void ImapCustomer::come(Time due) {
  present_ = true;
  if (client_ != nullptr) return;  // it had not gone yet
  if (profile_.every > Duration{}) next_poll_ = next(due);
  polling_ = true;
  connect(due);
}

void ImapCustomer::leave(Time now) {
  present_ = false;
  count_missed(scene_.operation("imap.round"), next_poll_, now);
  next_poll_.reset();
  reconnect_.reset();
  actions_.clear();
  proceed(now);
  arm_next();
}

void ImapCustomer::connect(Time intended) {
  const Endpoint* endpoint = scene_.endpoint(Protocol::imap, profile_.tls);
  const auto asks = profile_.capabilities == scenario::CapabilityAsks::before_login
                        ? session::AskCapabilities::before_login
                        : session::AskCapabilities::usual;
  // Where Trash is, NAMESPACE tells, whether or not the client asks for it.
  const bool people_names = profile_.asks_namespace() ||
                            (profile_.remove.share > 0 && profile_.how == scenario::Removal::trash) ||
                            (profile_.send && !profile_.send->save_to.empty());
  auto config = scene_.imap_config(*endpoint, account_, asks, people_names);
  const auto& account = scene_.accounts[account_];
  intended_ = round_intended_ = intended;
  opened_ = login_from_ = scene_.network.now();
  ready_ = logged_in_ = changed_ = left_ = acted_ = false;
  current_ = 0;
  doing_ = Doing::nothing;
  steps_ = nullptr;
  reconnect_.reset();
  session_ = scene_.note_session(account_, number_, Protocol::imap);
  client_ = std::make_unique<session::ImapClient>(
      config, session::Login{account.login, account.password, "", profile_.mechanisms}, *this);
  recorder_.opened(fmt::format("imap session {} opens", session_), opened_);
  tap_ = std::make_unique<TappedPeer>(*client_, recorder_, &scene_);
  link_ = scene_.network.open(config->endpoint, *tap_);
}

void ImapCustomer::wake(Time now) {
  if (dead_) {  // buried from outside its own calls
    link_.reset();
    client_.reset();
    dead_ = false;
  }
  if (hanging_up_) hang_up();
  if (client_ == nullptr) {
    const bool due = (reconnect_ && *reconnect_ <= now) || (!reconnect_ && next_poll_ && *next_poll_ <= now) ||
                     (!reconnect_ && !profile_.at_poll && !to_save_.empty()) ||
                     (!reconnect_ && !profile_.at_poll && !actions_.empty() && actions_.back().at <= now);
    if (present_ && due && !scene_.stopping) {
      Time intended = now;
      polling_ = true;
      if (reconnect_) {
        intended = *reconnect_;
      } else if (next_poll_ && *next_poll_ <= now) {
        intended = *next_poll_;
        next_poll_ = next(*next_poll_);
      } else {
        if (to_save_.empty()) intended = actions_.back().at;
        polling_ = false;
      }
      connect(intended);
    }
  } else if (idle_until_ && *idle_until_ <= now && client_->idling()) {
    idle_until_ = now + scene_.paced(*profile_.idle);
    client_->finish_idle();
    client_->idle();
  } else {
    proceed(now);
  }
  arm_next();
}

void ImapCustomer::arm_next() {
  if (dead_ || hanging_up_) return arm(scene_.network.now());
  std::optional<Time> at;
  const auto sooner = [&](const std::optional<Time>& other) {
    if (other && (!at || *other < *at)) at = other;
  };
  const bool active = present_ && !scene_.stopping;  // nothing new is begun any more
  const bool free = client_ != nullptr && ready_ && current_ == 0 && doing_ != Doing::goodbye;
  if (active && client_ == nullptr && reconnect_) {
    at = reconnect_;
  } else if (active && (client_ == nullptr || free)) {
    sooner(next_poll_);
    if (!actions_.empty() && !profile_.at_poll) sooner(actions_.back().at);
    if (!to_save_.empty() && !profile_.at_poll) sooner(scene_.network.now());
  }
  if (free && client_->idling()) sooner(idle_until_);
  arm(at);
}

void ImapCustomer::on_greeting(std::string_view, Time now) { login_from_ = now; }

void ImapCustomer::on_capabilities(std::span<const std::string>, session::Stage stage, Time now) {
  if (stage != session::Stage::authenticated) login_from_ = now;
}

void ImapCustomer::on_ready(Time now) {
  scene_.done(scene_.operation("imap.connect"), {intended_, opened_, now});
  scene_.done(scene_.operation("imap.login"), {login_from_, login_from_, now});
  ready_ = true;
  begin(Doing::login, &profile_.login, now);
  proceed(now);
  arm_next();
}

/// `intended`: when the first of these steps should begin.
void ImapCustomer::begin(Doing doing, const std::vector<scenario::ProfileStep>* steps, Time intended) {
  doing_ = doing;
  steps_ = steps;
  step_ = 0;
  stage_ = Stage::first;
  intended_ = intended;
  fresh_from_ = described_ + 1;
}

/// Goes on as far as it can without the server.
void ImapCustomer::proceed(Time now) {
  while (client_ != nullptr && !dead_ && !hanging_up_ && ready_ && current_ == 0) {
    if (doing_ == Doing::removing || doing_ == Doing::saving) {
      if (doing_ == Doing::removing ? remove_one() : save_one()) return;
      end_of(now);
    } else if (doing_ == Doing::goodbye) {
      return;
    } else if (doing_ != Doing::nothing) {
      if (next_step(now)) return;
      end_of(now);
    } else if (!choose(now)) {
      return;
    }
  }
}

/// What comes next when nothing is under way; false: it waits.
bool ImapCustomer::choose(Time now) {
  const bool active = present_ && !scene_.stopping;
  if (present_ && std::exchange(news_, false) && !profile_.news.empty()) {
    begin(Doing::news, &profile_.news, notices_.empty() ? now : notices_.back().at);
    return true;
  }
  const bool another_login = !profile_.stays && !profile_.at_poll && (polling_ || acted_);  // a login a click
  if (active && !actions_.empty() && actions_.back().at <= now && !another_login) {
    acted_ = true;
    const Action action = actions_.back();
    actions_.pop_back();
    if (find(action.uid) == nullptr || !may_read(action.uid)) return true;  // somebody else took it away
    one_ = action.uid;
    begin(action.remove ? Doing::removing : Doing::reading, &profile_.reading, action.at);
    return true;
  }
  if (!to_save_.empty()) {
    begin(Doing::saving, nullptr, now);
    return true;
  }
  if (active && next_poll_ && *next_poll_ <= now) {
    round_intended_ = *next_poll_;
    begin(Doing::poll, &profile_.poll, *next_poll_);
    next_poll_ = next(*next_poll_);
    const auto round = scene_.operation("imap.round");
    while (*next_poll_ <= now) {  // polls that nobody came to, for the one before was not over
      scene_.missed(round, *next_poll_, now);
      next_poll_ = next(*next_poll_);
    }
    return true;
  }
  if (!present_ || !profile_.stays) {
    if (!std::exchange(left_, true) && !profile_.leaving.empty() && logged_in_) {
      begin(Doing::leaving, &profile_.leaving, now);
      return true;
    }
    doing_ = Doing::goodbye;
    if (!profile_.logout) {
      hanging_up_ = true;
      return false;
    }
    intended_ = now;
    asked(client_->logout(), scene_.operation("imap.logout"));
    return true;
  }
  if (profile_.idle && client_->has("IDLE") && !client_->idling() && !client_->busy()) {
    client_->idle();
    idle_until_ = now + scene_.paced(*profile_.idle);
  }
  return false;
}

/// The connection is closed without a word; from outside the client's own calls.
void ImapCustomer::hang_up() {
  hanging_up_ = false;
  link_.reset();
  client_.reset();
  scene_.session_over(session_);
  ready_ = news_ = false;
  notices_.clear();
  idle_until_.reset();
}

void ImapCustomer::end_of(Time now) {
  const Doing was = std::exchange(doing_, Doing::nothing);
  steps_ = nullptr;
  if (was == Doing::login) {
    logged_in_ = true;
    news_ = news_ || client_->view().exists != 0;
    told_ = false;
    if (!profile_.stays && polling_) return begin(Doing::poll, &profile_.poll, now);
    scene_.done(scene_.operation("imap.round"), {round_intended_, opened_, now});
  }
  if (was == Doing::poll) {
    scene_.done(scene_.operation("imap.round"), {round_intended_, std::max(round_intended_, opened_), now});
    if (!profile_.stays && !profile_.news.empty()) news_ = news_ || client_->view().exists != 0;
    // What the poll itself has looked at is no news.
    const bool seen = known_.size() >= client_->view().exists && (known_.empty() || known_.back().uid <= described_);
    if (profile_.stays && seen) news_ = false;
  }
  if (was == Doing::news && !news_) notices_.clear();
}

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
  if ((step.when == When::changed && !changed_) || (step.when == When::told && !told_)) return false;
  switch (step.ask) {
    case Ask::id:
      return client_->has("ID") && (asked(client_->id(), op("imap.id")), true);
    case Ask::enable:
      return client_->has("ENABLE") && (asked(client_->enable(step.text), op("imap.enable")), true);
    case Ask::list:
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
      return asked(client_->uid_search(step.text), op("imap.search")), true;
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
  const bool text = asks_for_text(step.text);
  const bool unknown = step.of == Of::all || step.of == Of::fresh || step.of == Of::newest ||
                       (step.of == Of::unread && !known_.empty() && known_.back().uid > described_);
  if (text && scene_.settings.look_first && (unknown || stage_ != Stage::first)) {
    if (stage_ == Stage::first) {
      stage_ = Stage::second;
      fresh_from_ = described_ + 1;
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
  if (step.of == Of::newest) {
    const std::uint32_t from = exists > step.count ? exists - step.count + 1 : 1;
    return asked(client_->fetch(fmt::format("{}:{}", from, exists), step.text), fetches), true;
  }
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

/// As the protocol writes it; "" = none.
const std::string& ImapCustomer::set_of(Of of, bool first_only) {
  set_.clear();
  auto into = std::back_inserter(set_);
  if (of == Of::all) return set_ = "1:*";
  if (of == Of::fresh) return fmt::format_to(into, "{}:*", fresh_from_), set_;
  if (of == Of::newest) return set_;
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

void ImapCustomer::on_done(const session::ImapCompletion& done, Time now) {
  if (done.id != current_ || current_ == 0) return;  // IDLE lasts as long as it is wanted
  current_ = 0;
  finish(done, now);
  intended_ = now;
  if (doing_ == Doing::saving) {
    saved(done, now);
  } else if (doing_ == Doing::removing) {
    if (done.outcome == Outcome::ok) {
      removal_went(done);
    } else if (done.command != "CREATE") {
      stage_ = Stage::third;  // nothing further is done to it
    }
  } else if (doing_ != Doing::nothing && doing_ != Doing::goodbye) {
    const auto& step = (*steps_)[step_];
    if (step.ask == Ask::select || step.ask == Ask::examine) {
      const auto& view = client_->view();
      if (view.uidvalidity != uidvalidity_ || done.outcome != Outcome::ok) {
        known_.clear();
        actions_.clear();
        described_ = 0;
        uidvalidity_ = view.uidvalidity;
        guard_.opened(view.mailbox, view.uidvalidity);
      }
      fresh_from_ = described_ + 1;
    }
    if (step.ask == Ask::close && done.outcome == Outcome::ok) closed();
    // A search may be followed by a look at what it found; a fetch that looks first has two commands.
    const bool looks =
        step.ask == Ask::search && stage_ == Stage::first && !found_.empty() && scene_.settings.look_first;
    if (looks) {
      stage_ = Stage::second;
    } else if (!step.singly && (step.ask != Ask::fetch || stage_ != Stage::second || !asks_for_text(step.text))) {
      ++step_;
      stage_ = Stage::first;
    }
  }
  proceed(now);
  arm_next();
}

void ImapCustomer::finish(const session::ImapCompletion& done, Time now) {
  const Times times{intended_, done.sent, now};
  if (done.outcome == Outcome::ok) return scene_.done(operation_, times);
  if (done.command == "CREATE" && done.outcome == Outcome::fail) return;  // it was there already
  const std::string what = class_of(done);
  scene_.example(fmt::format("{}: {}", done.command, what),
                 fmt::format("{}: {} {}", scene_.session_text(session_), done.status, printable(done.text)));
  done.outcome == Outcome::fail ? scene_.failed(operation_, times, what, &recorder_, account_)
                                : scene_.unanswered(operation_, times, what, &recorder_, account_);
}

void ImapCustomer::on_search(const imap::SequenceSet& numbers, Time now) {
  if (steps_ == nullptr || step_ >= steps_->size()) return;
  const auto& step = (*steps_)[step_];
  if (step.ask != Ask::search || !step.then_read) return;
  constexpr std::size_t kMost = 1000;  // what a server names may not fill the memory
  std::size_t count = 0;
  for (const auto& range : numbers.ranges())
    for (std::uint64_t uid = range.first; uid <= range.last && count < kMost; ++uid, ++count) {
      const auto number = static_cast<std::uint32_t>(uid);
      if (find(number) != nullptr) continue;
      if (scene_.settings.look_first) {
        found_ += fmt::format("{}{}", found_.empty() ? "" : ",", number);
      } else {
        learn(number);
        plan_for(number, now);
      }
    }
}

void ImapCustomer::on_exists(std::uint32_t n, std::uint32_t before, Time now) {
  if (n <= before) return;
  if (logged_in_) {
    news_ = told_ = true;
    notices_.push_back({n, now, client_->idling()});
  }
  proceed(now);
  arm_next();
}

void ImapCustomer::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  for (Notice& notice : notices_) notice.up_to -= notice.up_to >= seq ? 1U : 0U;
  if (uid == 0) return;
  guard_.gone(uid);
  // One that this device removed itself is looked up once more, when the answer comes.
  if (doing_ == Doing::removing && uid == one_) return;
  if (Known* known = find(uid)) known_.erase(known_.begin() + (known - known_.data()));
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

ImapCustomer::Known& ImapCustomer::learn(std::uint32_t uid) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), uid,
                                   [](const Known& one, std::uint32_t u) { return one.uid < u; });
  if (at != known_.end() && at->uid == uid) return *at;
  return *known_.insert(at, Known{uid, 0, false, false});
}

ImapCustomer::Known* ImapCustomer::find(std::uint32_t uid) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), uid,
                                   [](const Known& one, std::uint32_t u) { return one.uid < u; });
  return at != known_.end() && at->uid == uid ? &*at : nullptr;
}

void ImapCustomer::on_fetch(const session::ImapFetchRow& row, Time now) {
  auto scanner = std::move(scanner_);
  if (row.uid == 0) return scene_.give_back(std::move(scanner));
  const bool planned = find(row.uid) != nullptr && doing_ == Doing::reading;  // a search found it
  Known* known = &learn(row.uid);
  const bool whole = row.section.empty() && !row.origin;
  const bool header = row.section.starts_with("HEADER") || (row.section.empty() && row.origin.value_or(0) == 0);
  if (row.has_content && !row.content_nil && header && scanner) {
    const auto same = whole ? scene_.parcels.same(*scanner) : std::nullopt;
    const auto identity = same ? play::Identity{play::Whose::ours, scene_.parcels.number(*same)}
                               : play::identify(scene_.parcels, *scanner);
    guard_.saw(row.uid, identity);
    described_ = std::max(described_, row.uid);
    const auto& token = scanner->token();
    if (identity.whose == play::Whose::ours && guard_.is_ours(row.uid)) {
      const std::size_t parcel = same ? *same : scene_.parcels.index(identity.message);
      if (scene_.parcels.at(parcel).account != account_) {
        scene_.leaked(*token, account_, session_);
      } else {
        const bool first = known->parcel == 0;
        known->parcel = static_cast<std::uint32_t>(parcel + 1);
        if (whole) known->got_text = true;
        if (first) scene_.seen(parcel, session_, told_of(row.seq), now);
        if (whole) scene_.content_seen(parcel, session_, scanner->hash(), now);
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

void ImapCustomer::on_ended(const session::Ended& end, Time now) {
  scene_.session_over(session_);
  dead_ = true;
  if (!ready_ && !end.clean) {
    const std::string what = error_class(end);
    scene_.example(what, fmt::format("{}: {}", scene_.session_text(session_), end.message()));
    const Times times{intended_, opened_, now};
    end.login_refused ? scene_.failed(scene_.operation("imap.connect"), times, what, &recorder_, account_)
                      : scene_.unanswered(scene_.operation("imap.connect"), times, what, &recorder_, account_);
  } else if (!end.clean && doing_ != Doing::goodbye) {
    const std::string what = error_class(end);
    scene_.example(what, fmt::format("{}: {}", scene_.session_text(session_), end.message()));
    scene_.unanswered(scene_.operation("imap.connection"), {now, now, now}, what, &recorder_, account_);
  }
  ready_ = news_ = false;
  notices_.clear();
  idle_until_.reset();
  if (present_ && !scene_.stopping && !end.clean) {
    const Duration retry = scene_.paced(profile_.retry);
    reconnect_ = now + retry +
                 Duration(static_cast<std::int64_t>(static_cast<double>(retry.count()) * 0.2 *
                                                    (static_cast<double>(rng_.next()) / 4294967296.0)));
  }
  arm(now);
}

std::unique_ptr<Customer> make_imap_customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number,
                                             std::uint32_t account, std::uint64_t seed) {
  return std::make_unique<ImapCustomer>(scene, profile, number, account, seed);
}

}  // namespace mailproof::load
