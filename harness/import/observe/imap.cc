#include "import/observe/imap.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/bytes.h"
#include "history/heard.h"
#include "wire/imap/cursor.h"

namespace mailproof::imports {

using history::Event;
using history::Type;
using history::What;
using session::Outcome;

namespace {

session::ClientConfig config_of(const Conversation& about) {
  session::ClientConfig config;
  config.endpoint.protocol = Protocol::imap;
  config.endpoint.host = about.server;
  return config;
}

/// "A1 APPEND Sent (\Seen) " and the announcement of the message, not of the mailbox's name.
bool announces_message(std::string_view line) {
  imap::Cursor c(line.substr(0, line.rfind('{')));
  c.tag();
  c.sp();
  if (!iequals(c.word(), "APPEND")) return false;
  c.sp();
  c.astring();
  return c.ok();
}

/// The message that is announced is but a part of one.
bool catenates(std::string_view line) { return upper(line).find(" CATENATE (") != std::string::npos; }

}  // namespace

ImapObserver::ImapObserver(Recording& recording, Conversation about)
    : Listener(recording, std::move(about)),
      commands_sink_(*this),
      commands_(imap::Framer::Reads::commands, commands_sink_),
      heard_(config_of(this->about()), *this),
      login_(recording.history.secrets),
      sure_(this->about().begin != Begin::middle) {}

void ImapObserver::start() {
  if (std::exchange(started_, true)) return;
  heard_.listen(now());
  if (about().begin != Begin::greeting) logged_in("");
}

void ImapObserver::client(std::string_view octets, Time now) {
  at(now);
  if (deaf()) return;
  start();
  commands_.feed(octets);
  if (commands_.dead() && !deaf()) blind("what the client sends cannot be read", now);
}

void ImapObserver::server(std::string_view octets, Time now) {
  at(now);
  if (deaf()) return;
  start();
  log().received(octets, now);
  heard_.feed(as_bytes(octets), now);
}

imap::LiteralAction ImapObserver::literal_begins(const imap::LiteralBegin& begin) {
  const std::string word = imap_command_word(begin.line);
  const bool secret = authenticating_ || word == "LOGIN" || word == "AUTHENTICATE";
  if (!secret) {
    log().sent(fmt::format("{}\r\n", begin.line.substr(std::min(logged_, begin.line.size()))), false, now());
    logged_ = begin.line.size();
  }
  imap::Cursor tag(begin.line);
  literal_tag_ = tag.tag();
  literal_size_ = begin.synchronising ? begin.size : 0;
  if (word != "APPEND" || !announces_message(begin.line)) return imap::LiteralAction::keep;
  imap::Cursor c(begin.line);
  appending_ = c.tag();
  append_head_ = begin.line;
  answered_ = false;
  catenates_ = catenates(begin.line);
  if (appended_) {
    append_.end();
    appends_.push_back(Sight::of(append_, true));
  }
  append_.begin();
  appended_ = true;
  return imap::LiteralAction::stream;
}

void ImapObserver::literal(std::string_view octets) {
  log().sent(octets, false, now());
  append_.add(octets);
}

/// Refused before the message was there: it is sent nevertheless where the client did not wait (RFC 7888), else not.
bool ImapObserver::answered_early(std::string_view tag) {
  if (appending_.empty() && tag == literal_tag_ && !answered_ && !tag.empty()) {
    literal_tag_.clear();
    // Who was refused (RFC 9051 section 4.3) goes on with another command.
    if (literal_size_ != 0 && commands_.in_literal() && commands_.literal_octets_missing() == literal_size_) {
      commands_.restart();
      logged_ = 0;
    } else {
      answered_ = true;
    }
    return true;
  }
  if (appending_.empty() || tag != appending_ || answered_) return false;
  answered_ = true;
  imap::LogicalLine line;
  line.text = append_head_;
  if (begun()) {
    const ImapAsked read = read_imap_command(line, heard_.view());
    auto invoke = event(Type::invoke, What::append);
    invoke.mailbox = read.mailbox;
    const std::uint32_t number = append(std::move(invoke));
    auto refusal = event(Type::fail, What::append);
    refusal.command = number;
    refusal.mailbox = read.mailbox;
    append(std::move(refusal));
  }
  const bool waits = !std::string_view(append_head_).ends_with("+}");
  if (waits) {
    commands_.restart();
    answered_ = false;
    appending_.clear();
    appended_ = false;
    appends_.clear();
    logged_ = 0;
  }
  return true;
}

/// What this APPEND brings; one that nobody knows where it is put together elsewhere.
std::vector<Sight> ImapObserver::messages_of_line() {
  std::vector<Sight> out = std::exchange(appends_, {});
  if (!appended_ || catenates_) return std::vector<Sight>(1);
  append_.end();
  out.push_back(Sight::of(append_, true));
  return out;
}

void ImapObserver::log_command(const ImapAsked& asked, std::string_view line) {
  const std::string_view rest = line.substr(std::min(logged_, line.size()));
  if (!asked.secret) return log().sent(fmt::format("{}\r\n", rest), false, now());
  std::size_t shown = std::min(asked.tag.size() + 1 + asked.name.size() + 1, line.size());
  if (asked.name == "AUTHENTICATE") shown = std::min(shown + asked.mechanism.size() + 1, line.size());
  log().sent(line.substr(0, shown), false, now());
  log().sent(fmt::format("{}\r\n", line.substr(shown)), true, now());
}

void ImapObserver::command_line(const imap::LogicalLine& line) {
  if (deaf()) return;
  const bool response =
      line.text.find(' ') == std::string_view::npos && !line.text.empty() && !iequals(line.text, "DONE") &&
      (refused_sasl_ || LoginHeard::is_secret(line.text) || (about().begin == Begin::middle && !commanded_));
  if (response && !authenticating_) ++stray_;
  if (authenticating_ || response) {
    log().sent(fmt::format("{}\r\n", line.text), true, now());
    login_.response(line.text);
    logged_ = 0;
    return;
  }
  refused_sasl_ = false;
  commanded_ = commanded_ || is_imap_command(imap_command_word(line.text));
  literal_tag_.clear();
  if (iequals(line.text, "DONE")) {
    log().sent("DONE\r\n", false, now());
    return;
  }
  ImapAsked read = read_imap_command(line, heard_.view());
  if (read.name == "LOGIN") login_.plain(read.user, read.password);
  if (read.name == "AUTHENTICATE") {
    login_.begin(read.mechanism);
    if (!read.initial_response.empty()) login_.response(read.initial_response);
    authenticating_ = true;
  }
  log_command(read, line.text);
  logged_ = 0;
  const bool answered = std::exchange(answered_, false);
  appending_.clear();
  if (!answered) asked(std::move(read));
  appended_ = false;
  appends_.clear();
}

/// Behind a SELECT without an answer numbers, and what "*" is, are those of a mailbox that is not open yet.
void ImapObserver::pipelined(ImapAsked& read) const {
  const bool of_set =
      read.what == What::store || read.what == What::copy || read.what == What::move || read.what == What::expunge;
  if (selecting_.empty() || !of_set || read.set.empty()) return;
  if (read.name.starts_with("UID ") && read.text.empty()) return;
  if (read.text.empty()) read.text = "number";
  read.set.clear();
}

void ImapObserver::asked(ImapAsked read) {
  const bool selects = read.what == What::select || read.what == What::examine;
  // PREAUTH: nobody logs in.
  if (read.told && !begun() && (selects || read.what == What::append || read.what == What::list)) logged_in("");
  std::uint32_t told_unknown = 0;
  if (!read.unknown.empty() && begun() && !heard_.view().mailbox.empty()) {
    auto unknown = data(What::observed);
    unknown.code = history::kUnknownCommand;
    unknown.text = fmt::format("{} is no command that is known: what it does to messages nobody can say",
                               printable(read.unknown, 40));
    told_unknown = append(std::move(unknown));
  }
  pipelined(read);
  Pending pending{0, std::move(read), 0, {}, told_unknown};
  const ImapAsked& asked = pending.asked;
  if (asked.told && begun()) {
    auto invoke = event(Type::invoke, asked.what);
    invoke.mailbox = !asked.mailbox.empty() ? asked.mailbox : selecting_.empty() ? heard_.view().mailbox : selecting_;
    invoke.other_mailbox = asked.other_mailbox;
    invoke.set = asked.set;
    invoke.flags = asked.flags;
    invoke.has_flags = asked.what == What::store;
    invoke.code = asked.code;
    invoke.text = asked.text;
    invoke.uidvalidity = asked.uidvalidity;
    const auto tell = [&](What what, const Sight& sight) {
      auto one = invoke;
      one.what = what;
      one.message = what == What::append ? recording().mail().number(sight, "") : 0;
      one.size = sight.size;
      const std::uint32_t message = one.message;
      const std::uint32_t number = append(std::move(one));
      if (pending.event != 0) return pending.also.push_back({what, number, message});
      pending.event = number;
      pending.message = message;
    };
    if (asked.what == What::append)
      for (const Sight& sight : messages_of_line()) tell(What::append, sight);
    else
      tell(asked.what, {});
    if (asked.name.ends_with("REPLACE")) tell(What::expunge, {});
  }
  if (selects) {
    selecting_ = asked.mailbox;
    counted_ = false;
  }
  const session::CommandId id = heard_.heard({asked.tag, asked.name, asked.mailbox}, now());
  if (id != 0) pending_.emplace(id, std::move(pending));
}

void ImapObserver::completed(const Pending& pending, const session::ImapCompletion& done, Event e) {
  const ImapAsked& asked = pending.asked;
  const auto& view = heard_.view();
  const auto written = [](const imap::SequenceSet& uids) {
    std::string out;
    for (const auto& range : uids.ranges()) {
      const auto [first, last] = std::minmax(range.first, range.last);
      fmt::format_to(std::back_inserter(out), "{}{}", out.empty() ? "" : ",", first);
      if (last != first) fmt::format_to(std::back_inserter(out), ":{}", last);
    }
    return out;
  };
  switch (asked.what) {
    case What::select:
    case What::examine:
      sure_ = sure_ || counted_;
      e.uidvalidity = view.uidvalidity;
      e.facts = history::SelectFacts{view.exists, view.uidnext, view.highestmodseq};
      break;
    case What::copy:
    case What::move:
      e.uidvalidity = done.uidvalidity;
      e.set = written(done.source_uids);
      e.facts = history::CopyFacts{written(done.destination_uids)};
      break;
    case What::append:
      e.uidvalidity = done.uidvalidity;
      e.uid = nth(done.destination_uids, 0, pending.also.size() + 1);
      break;
    case What::enable:
      if (e.type == Type::ok && heard_.qresync()) e.code = "QRESYNC";
      break;
    case What::search:
      if (asked.name == "UID SEARCH") e.set = written(found_);
      break;
    default:
      break;
  }
  append(std::move(e));
}

/// RFC 4315 section 3: UIDs "in the order they were transmitted". 0 = there are not as many as messages.
std::uint32_t ImapObserver::nth(const imap::SequenceSet& uids, std::size_t n, std::size_t all) {
  std::vector<std::uint32_t> each;
  for (const auto& range : uids.ranges()) {
    const auto [first, last] = std::minmax(range.first, range.last);
    if (last - first >= all) return 0;
    for (std::uint32_t uid = first; uid < last; ++uid) each.push_back(uid);
    each.push_back(last);
  }
  return each.size() == all ? each[n] : 0;
}

void ImapObserver::on_done(const session::ImapCompletion& done, Time) {
  const auto found = pending_.find(done.id);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  const ImapAsked& asked = pending.asked;
  const bool ok = done.outcome == Outcome::ok;
  if (asked.name == "LOGIN" || asked.name == "AUTHENTICATE") {
    authenticating_ = false;
    if (ok) return logged_in(login_.user());
    refused_ = fmt::format("{}: {}", asked.name, printable(done.text));
    refused_sasl_ = asked.name == "AUTHENTICATE";
    return;
  }
  if (asked.what == What::select || asked.what == What::examine) selecting_.clear();
  if (ok && asked.name == "STARTTLS") return tls_begins(asked.name);
  if (ok && asked.name == "COMPRESS") return blind("what follows COMPRESS is not read", now());
  if (pending.unknown != 0 && done.outcome == Outcome::fail) {
    auto refused = data(What::observed);
    refused.code = history::kUnknownRefused;
    refused.seq = pending.unknown;
    refused.text = fmt::format("{} was refused", printable(asked.unknown, 40));
    append(std::move(refused));
  }
  if (pending.event == 0) return;
  const Type type = ok ? Type::ok : done.outcome == Outcome::fail ? Type::fail : Type::info;
  auto e = event(type, asked.what);
  e.command = pending.event;
  e.code = done.code;
  e.text = done.text;
  e.message = pending.message;
  const Event& invoke = recording().history.event(pending.event);
  e.mailbox = invoke.mailbox.empty() ? heard_.view().mailbox : invoke.mailbox;
  e.other_mailbox = invoke.other_mailbox;
  std::vector<Event> also;
  for (std::size_t i = 0; i < pending.also.size(); ++i) {
    Event& one = also.emplace_back(e);
    one.what = pending.also[i].what;
    one.command = pending.also[i].event;
    one.message = pending.also[i].message;
    if (!ok || one.what != What::append) continue;
    one.uidvalidity = done.uidvalidity;
    one.uid = nth(done.destination_uids, i + 1, pending.also.size() + 1);
  }
  if (ok)
    completed(pending, done, std::move(e));
  else
    append(std::move(e));
  for (Event& one : also) append(std::move(one));
  if (asked.what == What::search) found_.clear();
}

void ImapObserver::on_deviation(const session::Deviation& found, Time) {
  if (found.code == "imap.tag.unknown") {
    if (answered_early(found.excerpt)) return;
    if (stray_ > 0) return void(--stray_);
    // The answer to a login that was not heard.
    if (about().begin != Begin::greeting && !std::exchange(login_answered_, true)) return;
  }
  if (sure_) deviation(found.code, found.excerpt);
}

void ImapObserver::on_ended(const session::Ended& ended, Time) {
  if (abandoning_) return;
  // Who comes in the middle of a literal takes mail for responses.
  const bool broken = ended.broken && sure_;
  over(ended.clean              ? "clean"
       : broken && ended.beyond ? "beyond"
       : broken                 ? "broken"
                                : "ours",
       name(ended.reason), ended.clean ? std::string("LOGOUT") : ended.why);
}

void ImapObserver::abandon(std::string_view why) {
  abandoning_ = true;
  heard_.ended(EndReason::none, why, now());
}

std::unique_ptr<Observer> observe_imap(Recording& recording, Conversation about) {
  return std::make_unique<ImapObserver>(recording, std::move(about));
}

}  // namespace mailproof::imports
