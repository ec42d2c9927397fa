#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "load/mailbox_visit.h"
#include "load/visits.h"

namespace mailproof::load {
namespace {

using session::Outcome;

constexpr const char* kHeaders =
    "(UID BODY.PEEK[HEADER.FIELDS (X-MAILPROOF MESSAGE-ID SUBJECT CONTENT-TYPE REFERENCES IN-REPLY-TO RETURN-PATH)])";
constexpr std::size_t kSlice = 500;  // UIDs in a command: RFC 7162 section 4 has servers take 8192 octets
const std::array<std::string, 1> kDeleted = {"\\Deleted"};

class ImapVisit final : public MailboxVisit, public session::ImapSink, public Alarm {
 public:
  ImapVisit(Scene& scene, VisitWhat what) : scene_(scene), what_(what), guard_(false) {
    boxes_.emplace_back("INBOX");
    if (what_.trash) boxes_.emplace_back("Trash");
    if (!what_.sent.empty()) boxes_.push_back(what_.sent);
    filed_to_ = boxes_.size();
    for (const auto& name : what_.others)
      if (std::find(boxes_.begin(), boxes_.end(), name) == boxes_.end()) boxes_.push_back(name);
    const scenario::PoolAccount& account = what.other != nullptr ? *what.other : scene.accounts[what.account];
    const Endpoint* endpoint = scene.endpoint(Protocol::imap, std::nullopt);
    auto config = scene.client_config(*endpoint, &account, what.account);
    session_ = scene.note_session(what.account, kAuditor, Protocol::imap);
    const Endpoint where = config.endpoint;
    client_ = std::make_unique<session::ImapClient>(std::move(config), *this);
    link_ = scene.network.open(where, *client_);
  }
  ~ImapVisit() override {
    scene_.network.set_alarm(*this, std::nullopt);
    link_.reset();
    if (!ended_) scene_.session_over(session_);
  }
  bool over() const override { return over_; }

  void ring(Time) override {
    if (on_over) on_over(found_);
    over_ = true;  // it may be destroyed from now on, and not from its own call
  }

  void on_ready(Time) override { open(); }
  void on_exists(std::uint32_t, std::uint32_t, Time) override {}
  void on_expunge(std::uint32_t, std::uint32_t, Time) override {}

  void on_done(const session::ImapCompletion& done, Time) override {
    const bool ok = done.outcome == Outcome::ok;
    switch (doing_) {
      case Doing::open:
        if (!ok && box_ == 0) return give_up(fmt::format("INBOX could not be opened: {}", printable(done.text)));
        if (!ok) return ask_whether_there(done.text);
        if (!cleaning_) found_.opened.push_back(boxes_[box_]);
        guard_.opened(client_->view().mailbox, client_->view().uidvalidity);
        ours_.clear();
        maybe_.clear();
        if (client_->view().exists == 0) return next_box();
        doing_ = Doing::list;
        client_->uid_fetch("1:*", kHeaders);
        return;
      case Doing::list:
        if (!ok) return give_up(fmt::format("{} could not be listed: {}", boxes_[box_], printable(done.text)));
        return listed();
      case Doing::exists:
        if (!cleaning_ && (!ok || there_)) found_.unopened.emplace(boxes_[box_], refusal_);
        return next_box();
      case Doing::control:
        if (!ok || found_everything_) return leave_reports();
        doing_ = Doing::search;
        return search_for(scene_.parcels.playing());
      case Doing::search:
        if (!ok) return leave_reports();
        if (about_us_.empty()) return search_on();
        doing_ = Doing::report;
        client_->uid_fetch(guard_.owned(about_us_).set(), "(UID BODY.PEEK[])");
        return;
      case Doing::report:
        if (!ok) return leave_reports();
        return search_on();
      case Doing::mark:
        if (!ok) return give_up(fmt::format("ours could not be marked: {}", printable(done.text)));
        return expunge();
      case Doing::expunge:
        return next_box();
      case Doing::below:
        if (!ok) made_.clear();
        return unmake_next();
      case Doing::look_again:
        if (!ok || client_->view().exists != 0) return leave_made();
        doing_ = Doing::shut;
        client_->unselect();
        return;
      case Doing::shut:
        doing_ = Doing::count;
        holds_.reset();
        client_->status(made_.back(), "(MESSAGES)");
        return;
      case Doing::count:
        if (!ok || holds_ != 0U) return leave_made();
        doing_ = Doing::unmake;
        client_->remove(made_.back());
        return;
      case Doing::unmake:
        return leave_made();
      case Doing::goodbye:
        return;
    }
  }

  void on_search(const imap::SequenceSet& numbers, Time) override {
    if (doing_ == Doing::control) found_everything_ = found_everything_ || !numbers.empty();
    if (doing_ != Doing::search) return;
    imap::SequenceSet found = numbers;
    found.normalise();
    for (const std::uint32_t uid : slice_)
      if (found.covers(uid)) {
        guard_.is_about_us(uid);
        about_us_.push_back(uid);
      }
  }

  void on_list(const session::ImapListRow& row, Time) override {
    if (doing_ == Doing::below)
      std::erase_if(made_, [&](const std::string& name) {
        return row.separator != 0 && istarts_with(row.name, name + row.separator);
      });
    if (doing_ != Doing::exists || !iequals(row.name, boxes_[box_])) return;
    there_ = there_ || std::none_of(row.attributes.begin(), row.attributes.end(), [](auto attribute) {
               return iequals(attribute, "\\Noselect") || iequals(attribute, "\\NonExistent");
             });
  }

  void on_status(std::string_view, std::string_view item, std::uint64_t value, Time) override {
    if (doing_ == Doing::count && iequals(item, "MESSAGES")) holds_ = value;
  }

  void on_content_begin(std::uint32_t, std::string_view, std::uint64_t, Time) override { scanner_.begin(); }
  void on_content(std::string_view chunk) override { scanner_.add(chunk); }
  void on_content_end() override { scanner_.end(); }

  void on_fetch(const session::ImapFetchRow& row, Time) override {
    if (row.uid == 0 || !row.has_content || row.content_nil) return;
    if (doing_ == Doing::report) return name_bounced(scanner_.kept());
    if (doing_ != Doing::list) return;
    const auto identity = play::identify(scene_.parcels, scanner_);
    // Behind the load, what is of another playing is that of one that goes on beside this one.
    guard_.saw(row.uid, identity.whose == play::Whose::leftover && !what_.leftovers ? play::Identity{} : identity);
    if (!cleaning_) count(identity);
    if (guard_.is_ours(row.uid)) ours_.push_back(row.uid);
    if (identity.whose == play::Whose::report) name_bounced(scanner_.header());
    if (identity.whose == play::Whose::maybe_report) maybe_.push_back(row.uid);
  }

  void on_ended(const session::Ended& end, Time now) override {
    ended_ = true;
    scene_.session_over(session_);
    if (!end.clean && found_.wrong.empty() && doing_ != Doing::goodbye) found_.wrong = end.message();
    scene_.network.set_alarm(*this, now);
  }

 private:
  enum class Doing : std::uint8_t {
    open,
    exists,  ///< one that could not be opened is looked for by LIST
    list,
    control,  ///< a search for what nobody wrote
    search,
    report,
    mark,
    expunge,
    below,  ///< what lies below those that are to go
    look_again,
    shut,
    count,
    unmake,
    goodbye
  };

  void count(const play::Identity& identity) {
    using play::Whose;
    ++found_.messages;
    const mail::Token* token = scanner_.token();
    if (identity.whose == Whose::ours) {
      const auto parcel = static_cast<std::uint32_t>(scene_.parcels.index(identity.message));
      if (what_.other == nullptr && scene_.parcels.at(parcel).account == what_.account) {
        (box_ < filed_to_ ? found_.parcels : found_.elsewhere).push_back(parcel);
      } else {
        scene_.leaked(*token, what_.account, session_);
      }
    } else if (identity.whose == Whose::leftover) {
      ++found_.leftovers;
    } else if (identity.whose == Whose::foreign || identity.whose == Whose::maybe_report) {
      ++found_.foreign;
      if (token && scene_.parcels.of_this_playing(*token) && what_.other == nullptr &&
          token->owner != scene_.accounts[what_.account].address)
        scene_.leaked(*token, what_.account, session_);
    }
  }

  void name_bounced(std::string_view text) {
    for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
      const auto end = text.find('>', at);
      if (end == std::string_view::npos) return;
      const auto id = text.substr(at, end - at + 1);
      if (id.ends_with("@mailproof.invalid>")) found_.bounced.emplace_back(id);
    }
  }

  void open() {
    doing_ = Doing::open;
    client_->select(boxes_[box_], !cleaning_);
  }

  void listed() {
    if (!cleaning_ && what_.reports && !maybe_.empty()) {
      doing_ = Doing::control;
      found_everything_ = false;
      next_slice();
      return search_for(scene_.parcels.no_playing());
    }
    if (!cleaning_) return next_box();
    const auto owned = guard_.owned(ours_);
    if (owned.empty()) return next_box();
    doing_ = Doing::mark;
    client_->uid_store(owned.set(), "+FLAGS.SILENT", kDeleted);
  }

  /// A mailbox that nobody made is empty; one that could not be opened is not (RFC 5530 section 3: UNAVAILABLE, INUSE).
  void ask_whether_there(std::string_view why) {
    refusal_ = printable(why);
    doing_ = Doing::exists;
    there_ = false;
    client_->list("", "*");  // a pattern is sent as it is, and people's names are not what the server calls them
  }

  /// Some servers find everything, whatever is searched: one that finds what nobody wrote is not believed.
  void search_for(const std::string& text) {
    client_->uid_search(fmt::format("UID {} TEXT \"{}\"", history::format_uids(slice_), text));
  }

  /// The latest of those that nobody looked at.
  void next_slice() {
    const auto from = maybe_.end() - static_cast<std::ptrdiff_t>(std::min(maybe_.size(), kSlice));
    slice_.assign(from, maybe_.end());
    maybe_.erase(from, maybe_.end());
    about_us_.clear();
  }

  void search_on() {
    if (maybe_.empty()) return next_box();
    next_slice();
    doing_ = Doing::search;
    search_for(scene_.parcels.playing());
  }

  /// What they are about stays unknown, which is not the same as that there are none.
  void leave_reports() {
    found_.reports_unread = true;
    next_box();
  }

  void expunge() {
    doing_ = Doing::expunge;
    if (client_->has("UIDPLUS")) {
      client_->uid_expunge(guard_.owned(ours_).set());
      return;
    }
    std::map<std::uint32_t, bool> marked;
    for (const std::uint32_t uid : ours_) marked[uid] = true;
    if (!guard_.may_expunge(client_->view().exists, marked)) return next_box();
    client_->expunge();
  }

  void next_box() {
    if (++box_ < boxes_.size()) return open();
    const bool something = found_.messages != 0 || what_.remove_trash || what_.remove_sent;
    if (!cleaning_ && may_clean && something && may_clean(found_)) {
      cleaning_ = true;
      box_ = 0;
      return open();
    }
    if (cleaning_ && !std::exchange(unmade_, true)) return unmake();
    goodbye();
  }

  /// The mailboxes that a customer's client made go where nothing is in them or below them, whosever it is: as the
  /// server says once they were cleaned, and once more when nobody here has them open.
  void unmake() {
    if (what_.remove_trash) made_.emplace_back("Trash");
    if (what_.remove_sent) made_.push_back(what_.sent);
    if (made_.empty()) return goodbye();
    doing_ = Doing::below;
    client_->list("", "*");
  }

  void unmake_next() {
    if (made_.empty()) return goodbye();
    doing_ = Doing::look_again;
    client_->select(made_.back(), true);
  }

  void leave_made() {
    made_.pop_back();
    unmake_next();
  }

  void give_up(std::string why) {
    found_.wrong = std::move(why);
    goodbye();
  }

  void goodbye() {
    doing_ = Doing::goodbye;
    client_->logout();
  }

  Scene& scene_;
  const VisitWhat what_;
  play::ImapGuard guard_;
  mail::ContentScanner scanner_;
  std::unique_ptr<session::ImapClient> client_;
  std::unique_ptr<Link> link_;
  std::vector<std::string> boxes_;
  std::size_t box_ = 0, filed_to_ = 0;  ///< those before filed_to_ are where this load's messages may be
  std::vector<std::string> made_;       ///< to be deleted, the next one last
  std::optional<std::uint64_t> holds_;  ///< the last of them, by STATUS
  std::string refusal_;                 ///< of the mailbox that could not be opened
  std::vector<std::uint32_t> ours_, maybe_, about_us_;
  std::vector<std::uint32_t> slice_;  ///< of maybe_, taken off it: what a search is for
  Found found_;
  std::uint32_t session_ = 0;
  Doing doing_ = Doing::open;
  bool there_ = false, found_everything_ = false;
  bool cleaning_ = false, unmade_ = false, ended_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<MailboxVisit> visit(Scene& scene, Protocol protocol, VisitWhat what) {
  if (protocol == Protocol::pop3) return visit_maildrop(scene, what);
  return std::make_unique<ImapVisit>(scene, what);
}

}  // namespace mailproof::load
