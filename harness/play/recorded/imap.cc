#include "play/recorded/imap.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "play/recorded/content.h"
#include "play/recorded/outcome.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

/// Messages of other people that are written down, of those that are looked at before anything is played: who has a
/// hundred thousand of them needs not each in the history.
constexpr std::size_t kStrangersKept = 1000;

const char* const kGone = "the connection was gone before";

std::string join_flags(std::vector<std::string> flags) {
  std::sort(flags.begin(), flags.end());
  std::string out;
  for (const auto& flag : flags) {
    if (!out.empty()) out += ' ';
    out += flag;
  }
  return out;
}

/// In the order written: COPYUID pairs source and destination by position. What is long stays as ranges.
std::string uid_list(const imap::SequenceSet& uids) {
  constexpr std::uint64_t most_one_by_one = 1000;
  const bool one_by_one = uids.named() <= most_one_by_one;
  std::string out;
  for (const auto& range : uids.ranges()) {
    const auto [first, last] = std::minmax(range.first, range.last);
    for (std::uint64_t uid = first; uid <= (one_by_one ? last : first); ++uid)
      fmt::format_to(std::back_inserter(out), "{}{}", out.empty() ? "" : ",", uid);
    if (!one_by_one && last != first) fmt::format_to(std::back_inserter(out), ":{}", last);
  }
  return out;
}

/// A set as the protocol takes it, resolved for the record: "3:*" cannot be compared later, so it is kept as the UIDs
/// in view.
std::string resolved(const std::string& set, const session::ImapView& view) {
  if (set.find('*') == std::string::npos) return set;
  std::vector<std::uint32_t> uids;
  for (const auto uid : view.uids)
    if (uid != 0) uids.push_back(uid);
  return history::format_uids(uids);
}

}  // namespace

ImapSession::ImapSession(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
                         const Endpoint& endpoint, const std::string& mechanism)
    : context_(context),
      number_(context.new_session(device, Protocol::imap, account, audit_round, endpoint)),
      client_(std::make_unique<session::ImapClient>(context.client_config(endpoint, account, mechanism), *this)),
      recorded_(std::make_unique<history::RecordedPeer>(*client_, *context.logs.at(number_ - 1))),
      endpoint_(endpoint),
      guard_(context.options.own_mailboxes),
      looks_before_(device == 0 && audit_round == 0) {}

ImapSession::~ImapSession() { link_.reset(); }

history::Event ImapSession::event(Type type, What what) const {
  auto e = context_.event(type, what, number_);
  e.raw = context_.logs[number_ - 1]->here();
  return e;
}

void ImapSession::open(Then then) {
  auto invoke = event(Type::invoke, What::connect);
  invoke.text = endpoint_.label();
  connect_event_ = context_.append(std::move(invoke));
  opened_ = std::move(then);
  link_ = context_.network.open(endpoint_, *recorded_);
}

template <class Issue>
void ImapSession::command(history::Event invoke, Then then, Issue&& issue) {
  invoke.mailbox = invoke.mailbox.empty() ? view().mailbox : invoke.mailbox;
  const What what = invoke.what;
  const std::uint32_t index = context_.append(std::move(invoke));
  const session::CommandId id = ended_ ? 0 : issue();
  if (id != 0) {
    pending_[id] = {index, what, std::move(then)};
    if (what == What::search) ++searches_;
    return;
  }
  auto e = event(Type::fail, what);  // the session takes nothing more: it was never sent
  e.command = index;
  e.text = kGone;
  context_.append(std::move(e));
  context_.later.post([then = std::move(then)] { then({session::Outcome::fail, "", "", kGone}); });
}

template <class Issue>
void ImapSession::command(const OwnedUids& uids, history::Event invoke, Then then, Issue&& issue) {
  invoke.set = uids.set();
  const bool here = !uids.empty() && uids.of(view().mailbox, view().uidvalidity);
  command(std::move(invoke), std::move(then), [&] { return here ? issue() : session::CommandId{0}; });
}

void ImapSession::select(const std::string& mailbox, bool examine, Then then) {
  auto e = event(Type::invoke, examine ? What::examine : What::select);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->select(mailbox, examine); });
}

void ImapSession::select_qresync(const std::string& mailbox, std::uint32_t uidvalidity, std::uint64_t modseq,
                                 Then then) {
  auto e = event(Type::invoke, What::select);
  e.mailbox = mailbox;
  e.uidvalidity = uidvalidity;
  e.modseq = modseq;
  command(std::move(e), std::move(then), [&] { return client_->select_qresync(mailbox, uidvalidity, modseq, ""); });
}

void ImapSession::enable(const std::string& what, Then then) {
  auto e = event(Type::invoke, What::enable);
  e.text = what;
  command(std::move(e), std::move(then), [&] { return client_->enable(what); });
}

void ImapSession::noop(Then then) {
  command(event(Type::invoke, What::noop), std::move(then), [&] { return client_->noop(); });
}

void ImapSession::idle(Then then) {
  command(event(Type::invoke, What::idle), std::move(then), [&] { return client_->idle(); });
}

void ImapSession::fetch_items(const std::string& set, const std::string& items, Then then) {
  auto e = event(Type::invoke, What::fetch);
  e.set = resolved(set, view());
  e.text = items;
  command(std::move(e), std::move(then), [&] { return client_->uid_fetch(set, items); });
}

void ImapSession::look(std::uint32_t from_uid, Then then) {
  guard_.asking_from(from_uid);
  fetch_items(fmt::format("{}:*", from_uid), "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])", std::move(then));
}

void ImapSession::flags(Then then) { fetch_items("1:*", "(UID FLAGS)", std::move(then)); }

void ImapSession::fetch(const OwnedUids& uids, const std::string& items, Then then) {
  auto e = event(Type::invoke, What::fetch);
  e.text = items;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_fetch(uids.set(), items); });
}

void ImapSession::store(const OwnedUids& uids, const std::string& action, const std::vector<std::string>& flags,
                        Then then) {
  auto e = event(Type::invoke, What::store);
  e.code = action;
  e.flags = join_flags(flags);
  e.has_flags = true;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_store(uids.set(), action, flags); });
}

void ImapSession::copy(const OwnedUids& uids, const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::copy);
  e.other_mailbox = mailbox;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_copy(uids.set(), mailbox); });
}

void ImapSession::move(const OwnedUids& uids, const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::move);
  e.other_mailbox = mailbox;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_move(uids.set(), mailbox); });
}

void ImapSession::expunge(const OwnedUids& uids, Then then) {
  command(uids, event(Type::invoke, What::expunge), std::move(then), [&] { return client_->uid_expunge(uids.set()); });
}

void ImapSession::expunge(const ExpungePermit&, Then then) {
  command(event(Type::invoke, What::expunge), std::move(then), [&] { return client_->expunge(); });
}

void ImapSession::append(const std::string& mailbox, std::uint32_t message, std::shared_ptr<const std::string> text,
                         Then then) {
  auto e = event(Type::invoke, What::append);
  e.mailbox = mailbox;
  e.message = message;
  e.size = text->size();
  command(std::move(e), std::move(then), [&] { return client_->append(mailbox, {}, std::move(text)); });
}

void ImapSession::search(const std::string& query, Then then) {
  auto e = event(Type::invoke, What::search);
  e.text = query;
  found_.clear();
  command(std::move(e), std::move(then), [&] { return client_->uid_search(query); });
}

void ImapSession::search_for_us(const std::vector<std::uint32_t>& uids, Then then) {
  search(fmt::format("UID {} TEXT {}", history::format_uids(uids), context_.messages.playing()), std::move(then));
}

void ImapSession::create(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::create);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->create(mailbox); });
}

void ImapSession::remove(const OwnedMailbox& mailbox, Then then) {
  auto e = event(Type::invoke, What::remove);
  e.mailbox = mailbox.name();
  command(std::move(e), std::move(then), [&] { return client_->remove(mailbox.name()); });
}

void ImapSession::rename(const OwnedMailbox& from, const std::string& to, Then then) {
  auto e = event(Type::invoke, What::rename);
  e.mailbox = from.name();
  e.other_mailbox = to;
  command(std::move(e), std::move(then), [&] { return client_->rename(from.name(), to); });
}

void ImapSession::subscribe(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::subscribe);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->subscribe(mailbox); });
}

void ImapSession::list(Then then) {
  command(event(Type::invoke, What::list), std::move(then), [&] { return client_->list("", "*"); });
}

void ImapSession::status(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::status);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->status(mailbox, "(MESSAGES UIDNEXT UIDVALIDITY)"); });
}

void ImapSession::quota(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::get_quota);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->get_quota_root(mailbox); });
}

void ImapSession::logout(Then then) {
  leaving_ = true;
  command(event(Type::invoke, What::logout), std::move(then), [&] { return client_->logout(); });
}

void ImapSession::drop(bool with_reset) {
  if (ended_ || !link_) return;
  auto e = event(Type::fault, What::end);
  e.text = "the device drops the connection";
  context_.append(std::move(e));
  link_->drop(with_reset);
}

void ImapSession::misbehave(const LinkFaults& faults) {
  if (link_ && !ended_) link_->misbehave(faults);
}

void ImapSession::note_unread_reports() {
  for (const std::uint32_t uid : guard_.maybe_reports()) {
    auto e = event(Type::obs, What::report);
    e.mailbox = view().mailbox;
    e.uidvalidity = view().uidvalidity;
    e.uid = uid;
    e.text = "unread: nothing says that it is about mail of this run";
    context_.append(std::move(e));
  }
}

void ImapSession::enumerated(std::uint32_t messages) {
  auto e = event(Type::obs, What::enumerated);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.seq = messages;
  e.code = "imap";
  context_.append(std::move(e));
}

void ImapSession::on_ready(Time) {
  auto e = event(Type::ok, What::connect);
  e.command = connect_event_;
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {})) then({session::Outcome::ok, "OK", "", ""});
}

void ImapSession::on_done(const session::ImapCompletion& done, Time) {
  const auto found = pending_.find(done.id);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.what == What::search) --searches_;
  if (pending.what == What::fetch) note_left_out();
  auto e = event(type_of(done.outcome), pending.what);
  e.command = pending.event;
  e.code = done.code;
  e.text = done.text;
  e.mailbox = view().mailbox;
  if (pending.event != 0) {
    const auto& invoke = context_.history.event(pending.event);
    if (!invoke.mailbox.empty()) e.mailbox = invoke.mailbox;
    e.message = invoke.message;
    e.other_mailbox = invoke.other_mailbox;
  }
  if (done.outcome == session::Outcome::ok) {
    switch (pending.what) {
      case What::select:
      case What::examine:
        guard_.opened(view().mailbox, view().uidvalidity);
        e.uidvalidity = view().uidvalidity;
        e.uid = view().uidnext;
        e.seq = view().exists;
        e.modseq = view().highestmodseq;
        break;
      case What::copy:
      case What::move:
        e.uidvalidity = done.uidvalidity;
        e.set = uid_list(done.source_uids);
        e.other_set = uid_list(done.destination_uids);
        break;
      case What::append:
        e.uidvalidity = done.uidvalidity;
        e.uid = done.destination_uids.empty() ? 0 : done.destination_uids.ranges().front().first;
        break;
      case What::search:
        e.set = uid_list(found_);
        found_.clear();
        break;
      default:
        break;
    }
  }
  Result result{done.outcome, std::string(done.status), std::string(done.code), std::string(done.text)};
  context_.append(std::move(e));
  if (pending.then) pending.then(result);
}

void ImapSession::on_idling(Time) {
  if (hooks.idling) hooks.idling();
}

void ImapSession::on_exists(std::uint32_t n, std::uint32_t before, Time) {
  auto e = event(Type::obs, What::exists);
  e.mailbox = view().mailbox;
  e.seq = n;
  e.size = before;
  context_.append(std::move(e));
  if (hooks.exists) hooks.exists(n, before);
}

void ImapSession::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  auto e = event(Type::obs, What::expunged);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.seq = seq;
  e.uid = uid;
  context_.append(std::move(e));
  guard_.gone(uid);
  if (hooks.expunged) hooks.expunged(uid);
}

void ImapSession::on_vanished(const imap::SequenceSet& uids, bool earlier, Time) {
  imap::SequenceSet set = uids;
  set.normalise();
  auto e = event(Type::obs, What::vanished);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.set = set.format();
  e.code = earlier ? "EARLIER" : "";
  context_.append(std::move(e));
  if (earlier && hooks.vanished) hooks.vanished(set);
}

void ImapSession::on_content_begin(std::uint32_t, std::string_view, std::uint64_t, Time) { scanner_.begin(); }
void ImapSession::on_content(std::string_view chunk) { scanner_.add(chunk); }
void ImapSession::on_content_end() { scanner_.end(); }

bool ImapSession::left_out(const session::ImapFetchRow& row, const Identity& identity) {
  const bool stranger = row.has_content && !row.content_nil && identity == Identity{};
  if (!looks_before_ || !stranger || ++strangers_ <= kStrangersKept) return false;
  guard_.saw(row.uid, identity);
  ++left_out_;
  return true;
}

void ImapSession::note_left_out() {
  if (left_out_ == 0) return;
  auto e = event(Type::obs, What::observed);
  e.mailbox = view().mailbox;
  e.text = fmt::format("looked at {} more messages that are not ours: not written down one by one", left_out_);
  left_out_ = 0;
  context_.append(std::move(e));
}

void ImapSession::record_content(const session::ImapFetchRow& row, const Identity& identity) {
  if (row.content_nil) {
    auto e = event(Type::obs, What::nil);
    e.mailbox = view().mailbox;
    e.uid = row.uid;
    e.seq = row.seq;
    context_.append(std::move(e));
    return;
  }
  const bool full = row.section.empty();
  auto e = event(Type::obs, What::message);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.uid = row.uid;
  e.seq = row.seq;
  describe_content(context_, scanner_, full, e);
  guard_.saw(row.uid, identity);
  const Content content{row.uid, e.message, full};
  if (full && !scanner_.token()) record_reports(context_, scanner_, e);
  context_.append(std::move(e));
  if (hooks.content) hooks.content(content);
}

void ImapSession::on_fetch(const session::ImapFetchRow& row, Time) {
  const bool shown = row.has_content && !row.content_nil;
  const Identity identity = shown ? identify(context_.messages, scanner_) : Identity{};
  if (left_out(row, identity)) {
    if (hooks.content) hooks.content({row.uid, 0, row.section.empty()});
    if (hooks.row) hooks.row(row);
    return;
  }
  if (row.flags || row.size || row.modseq || !row.internaldate.empty()) {
    auto e = event(Type::obs, What::row);
    e.mailbox = view().mailbox;
    e.uidvalidity = view().uidvalidity;
    e.seq = row.seq;
    e.uid = row.uid;
    e.size = row.size.value_or(0);
    e.modseq = row.modseq.value_or(0);
    e.text = row.internaldate;
    if (row.flags) {
      e.has_flags = true;
      e.flags = join_flags({row.flags->begin(), row.flags->end()});
    }
    context_.append(std::move(e));
  }
  if (row.has_content) record_content(row, identity);
  if (hooks.row) hooks.row(row);
}

void ImapSession::on_list(const session::ImapListRow& row, Time) {
  auto e = event(Type::obs, What::mailbox);
  e.mailbox = row.name;
  e.has_flags = true;
  e.flags = join_flags({row.attributes.begin(), row.attributes.end()});
  context_.append(std::move(e));
  if (hooks.list) hooks.list(row);
}

void ImapSession::on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time) {
  if (hooks.status) hooks.status(mailbox, item, value);
}

void ImapSession::on_search(const imap::SequenceSet& numbers, Time) {
  if (searches_ == 0) return;  // nobody asked
  for (const auto& [first, last] : numbers.ranges()) found_.add(first, last);
  context_.keeps(number_, numbers.ranges().size() * sizeof(imap::SequenceSet::Range));
  if (hooks.search) hooks.search(numbers);
}

void ImapSession::on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                           Time) {
  const std::uint64_t unit = iequals(resource, "STORAGE") ? 1024 : 1;
  auto e = event(Type::obs, What::quota);
  e.text = root;
  e.code = resource;
  e.size = used * unit;
  e.modseq = limit * unit;
  context_.append(std::move(e));
}

void ImapSession::on_deviation(const session::Deviation& deviation, Time) {
  auto e = event(Type::obs, What::deviation);
  e.code = deviation.code;
  e.text = deviation.excerpt;
  context_.append(std::move(e));
}

void ImapSession::on_ended(const session::Ended& ended, Time) {
  ended_ = true;
  end_ = ended;
  if (opened_) {
    auto e = event(Type::fail, What::connect);
    e.command = connect_event_;
    e.code = name(ended.reason);
    e.text = ended.message();
    context_.append(std::move(e));
  }
  auto e = event(Type::obs, What::end);
  e.code = name(ended.reason);
  e.text = ended.message();
  e.flags = ended.clean ? "clean" : ended.broken ? "broken" : ended.reason == EndReason::dropped ? "ours" : "";
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {}))
    then({session::Outcome::fail, "", std::string(name(ended.reason)), ended.message()});
  if (hooks.ended) hooks.ended(ended);
}

}  // namespace mailproof::play
