#include "play/recorded/imap.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/units.h"
#include "play/earlier.h"
#include "play/recorded/content.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

/// Messages of other people that are written down, of those that are looked at before anything is played: who has a
/// hundred thousand of them needs not each in the history.
constexpr std::size_t kStrangersKept = 1000;

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

}  // namespace

RecordedImap::RecordedImap(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
                           const Endpoint& endpoint, const std::string& mechanism, const scenario::Profile* profile)
    : context_(context),
      session_(context.new_session(device, endpoint.protocol, account, audit_round, endpoint)),
      client_(std::make_unique<session::ImapClient>(
          context.client_config(endpoint, account, session_, mechanism, profile), *this)),
      guard_(context.options.own_mailboxes),
      looks_before_(device == 0 && audit_round == 0),
      as_client_(profile != nullptr),
      recorder_(context, *client_, session_, endpoint) {
  scanner_.compare_with(as_sent(context_));
}

bool RecordedImap::under_way(What what) const {
  return std::any_of(recorder_.pending().begin(), recorder_.pending().end(),
                     [what](const auto& entry) { return entry.second.what == what; });
}

bool RecordedImap::selecting() const { return under_way(What::select) || under_way(What::examine); }

void RecordedImap::note_unread_reports() {
  for (const std::uint32_t uid : guard_.maybe_reports()) {
    auto e = event(Type::obs, What::report);
    e.mailbox = view().mailbox;
    e.uidvalidity = view().uidvalidity;
    e.uid = uid;
    e.text = "unread: nothing says that it is about mail of this run";
    recorder_.append(std::move(e));
  }
}

void RecordedImap::enumerated(std::uint32_t messages) {
  auto e = event(Type::obs, What::enumerated);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.facts = history::CountFacts{messages};
  e.code = "imap";
  recorder_.append(std::move(e));
}

void RecordedImap::on_done(const session::ImapCompletion& done, Time) {
  const auto pending = recorder_.take(done.id);
  if (!pending) return;
  if (pending->what == What::fetch) note_left_out();
  auto e = recorder_.done(*pending, done.outcome, done.code, done.text);
  e.mailbox = view().mailbox;
  if (pending->event != 0) {
    const auto& invoke = context_.history.event(pending->event);
    if (!invoke.mailbox.empty()) e.mailbox = invoke.mailbox;
    e.message = invoke.message;
    e.other_mailbox = invoke.other_mailbox;
  }
  if (done.outcome == session::Outcome::ok) {
    switch (pending->what) {
      case What::select:
      case What::examine:
        guard_.opened(view().mailbox, view().uidvalidity);
        e.uidvalidity = view().uidvalidity;
        e.facts = history::SelectFacts{view().exists, view().uidnext, view().highestmodseq};
        break;
      case What::copy:
      case What::move:
        e.uidvalidity = done.uidvalidity;
        e.set = uid_list(done.source_uids);
        e.facts = history::CopyFacts{uid_list(done.destination_uids)};
        break;
      case What::append:
        e.uidvalidity = done.uidvalidity;
        e.uid = done.destination_uids.empty() ? 0 : done.destination_uids.ranges().front().first;
        break;
      case What::enable:
        if (client_->qresync()) e.code = "QRESYNC";
        break;
      case What::search:
        e.set = uid_list(found_);
        found_.clear();
        break;
      default:
        break;
    }
  }
  Completion result{done.outcome, std::string(done.status), std::string(done.code), std::string(done.text)};
  recorder_.append(std::move(e));
  if (pending->then) pending->then(result);
}

void RecordedImap::on_idling(Time) {
  if (hooks.idling) hooks.idling();
}

void RecordedImap::on_exists(std::uint32_t n, std::uint32_t before, Time) {
  auto e = event(Type::obs, What::exists);
  e.mailbox = view().mailbox;
  e.facts = history::ExistsFacts{n, before};
  recorder_.append(std::move(e));
  if (hooks.exists) hooks.exists(n, before);
}

void RecordedImap::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  auto e = event(Type::obs, What::expunged);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.seq = seq;
  e.uid = uid;
  recorder_.append(std::move(e));
  guard_.gone(uid);
  if (hooks.expunged) hooks.expunged(uid);
}

void RecordedImap::on_vanished(const imap::SequenceSet& uids, bool earlier, Time) {
  imap::SequenceSet set = uids;
  set.normalise();
  auto e = event(Type::obs, What::vanished);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.set = set.format();
  e.code = earlier ? "EARLIER" : "";
  recorder_.append(std::move(e));
  if (earlier && hooks.vanished) hooks.vanished(set);
}

void RecordedImap::on_content_begin(std::uint32_t, std::string_view, std::uint64_t, Time) {
  ++contents_;
  if (pieces_) pieces_->came = 0;
  if (!pieces_ || pieces_->from == 0) scanner_.begin();
}

void RecordedImap::on_content(std::string_view chunk) {
  if (pieces_) pieces_->came += chunk.size();
  scanner_.add(chunk);
}

void RecordedImap::on_content_end() {
  if (!pieces_) scanner_.end();
}

/// A piece that is shorter than asked for is the last (RFC 3501 section 6.4.5).
void RecordedImap::record_piece(const session::ImapFetchRow& row) {
  auto e = event(Type::obs, What::piece);
  e.mailbox = view().mailbox;
  e.uidvalidity = view().uidvalidity;
  e.uid = row.uid;
  e.seq = row.seq;
  e.message = guard_.message(row.uid);
  e.size = row.content_nil ? 0 : pieces_->came;
  e.facts = history::PieceFacts{pieces_->from, pieces_->octets};
  pieces_->over = row.content_nil || pieces_->came < pieces_->octets;
  pieces_->from += pieces_->octets;
  recorder_.append(std::move(e));
  if (!pieces_->over || row.content_nil) return;  // NIL: it has gone meanwhile, and what came is not all of it
  scanner_.end();
  auto whole = event(Type::obs, What::message);
  whole.mailbox = view().mailbox;
  whole.uidvalidity = view().uidvalidity;
  whole.uid = row.uid;
  whole.seq = row.seq;
  describe_content(context_, scanner_, true, whole);
  recorder_.append(std::move(whole));
}

/// All of its header or all of its text: by nothing less it can be told whose a message is, and whether it is what was
/// sent. A part that is shorter than asked for is all (RFC 3501 section 6.4.5).
bool RecordedImap::tells_all(const session::ImapFetchRow& row, std::size_t contents) const {
  if (!as_client_) return true;
  if (contents > 1 || (!row.section.empty() && !iequals(row.section, "HEADER"))) return false;
  return !row.origin || (row.section.empty() && *row.origin == 0 && row.content_size < most_asked_);
}

bool RecordedImap::left_out(const session::ImapFetchRow& row, const Identity& identity) {
  const bool stranger = row.has_content && !row.content_nil && identity == Identity{};
  if (!looks_before_ || !stranger || ++strangers_ <= kStrangersKept) return false;
  guard_.saw(row.uid, identity);
  ++left_out_;
  return true;
}

void RecordedImap::note_left_out() {
  if (left_out_ == 0) return;
  auto e = event(Type::obs, What::observed);
  e.mailbox = view().mailbox;
  e.text = fmt::format("looked at {} more messages that are not ours: not written down one by one", left_out_);
  left_out_ = 0;
  recorder_.append(std::move(e));
}

/// This one, or an earlier one of this run.
static bool names_a_playing(const Context& context, std::string_view text) {
  const auto before = newest_played(kPlayingsSought);
  return text.find(context.messages.playing()) != std::string_view::npos ||
         std::any_of(before.begin(), before.end(),
                     [&](const std::string& playing) { return text.find(playing) != std::string_view::npos; });
}

void RecordedImap::record_content(const session::ImapFetchRow& row, const Identity& identity) {
  if (row.content_nil) {
    auto e = event(Type::obs, What::nil);
    e.mailbox = view().mailbox;
    e.uid = row.uid;
    e.seq = row.seq;
    recorder_.append(std::move(e));
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
  // A report that the server took for ours, and does not say so when it is read.
  const bool report = full && guard_.whose(row.uid) == Whose::report;
  if (report && !names_a_playing(context_, scanner_.kept())) guard_.contradict(row.uid);
  const Content content{row.uid, e.message, full};
  if (full && scanner_.token() == nullptr) record_reports(context_, scanner_, e);
  recorder_.append(std::move(e));
  if (hooks.content) hooks.content(content);
}

void RecordedImap::on_fetch(const session::ImapFetchRow& row, Time) {
  const bool all = tells_all(row, std::exchange(contents_, 0));
  const bool shown = row.has_content && !row.content_nil && !pieces_ && all;
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
    e.facts = history::RowFacts{row.modseq.value_or(0), row.size == 0U};
    e.text = row.internaldate;
    if (row.flags) {
      e.has_flags = true;
      e.flags = join_flags({row.flags->begin(), row.flags->end()});
    }
    recorder_.append(std::move(e));
  }
  if (row.has_content && pieces_) {
    record_piece(row);
  } else if (row.has_content && (all || row.content_nil)) {
    record_content(row, identity);
  }
  if (hooks.row) hooks.row(row);
}

void RecordedImap::on_list(const session::ImapListRow& row, Time) {
  auto e = event(Type::obs, What::mailbox);
  e.mailbox = row.name;
  e.other_mailbox = row.old_name;
  e.has_flags = true;
  e.flags = join_flags({row.attributes.begin(), row.attributes.end()});
  recorder_.append(std::move(e));
  if (hooks.list) hooks.list(row);
}

void RecordedImap::on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time) {
  if (hooks.status) hooks.status(mailbox, item, value);
}

void RecordedImap::on_search(const imap::SequenceSet& numbers, Time) {
  if (!under_way(What::search)) return;  // nobody asked
  for (const auto& [first, last] : numbers.ranges()) found_.add(first, last);
  context_.keeps(number(), numbers.ranges().size() * sizeof(imap::SequenceSet::Range));
  if (hooks.search) hooks.search(numbers);
}

void RecordedImap::on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                            Time) {
  const auto octets = [storage = iequals(resource, "STORAGE")](std::uint64_t told) {
    return storage ? octets_of_kib(told) : told;
  };
  auto e = event(Type::obs, What::quota);
  e.text = root;
  e.code = resource;
  e.facts = history::QuotaFacts{octets(used), octets(limit)};
  recorder_.append(std::move(e));
}

void RecordedImap::on_ended(const session::Ended& ended, Time) {
  recorder_.ended(ended);
  if (hooks.ended) hooks.ended(ended);
}

}  // namespace mailproof::play
