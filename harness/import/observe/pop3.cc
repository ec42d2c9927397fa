#include "import/observe/pop3.h"

#include <fmt/format.h>

#include <utility>

#include "core/bytes.h"
#include "wire/pop3/listing.h"

namespace mailproof::imports {

using history::Event;
using history::Type;
using history::What;

namespace {

std::optional<What> what_of(pop3::Verb verb) {
  switch (verb) {
    case pop3::Verb::stat:
      return What::stat;
    case pop3::Verb::list:
      return What::pop_list;
    case pop3::Verb::uidl:
      return What::pop_uidl;
    case pop3::Verb::retr:
      return What::retr;
    case pop3::Verb::top:
      return What::top;
    case pop3::Verb::dele:
      return What::dele;
    case pop3::Verb::rset:
      return What::rset;
    case pop3::Verb::noop:
      return What::pop_noop;
    case pop3::Verb::quit:
      return What::quit;
    default:
      return std::nullopt;
  }
}

bool logs_in(pop3::Verb verb) {
  return verb == pop3::Verb::pass || verb == pop3::Verb::apop || verb == pop3::Verb::auth;
}
/// AUTH alone asks which mechanisms there are, of servers older than RFC 5034.
bool logs_in(pop3::Verb verb, pop3::Success success) { return logs_in(verb) && success == pop3::Success::one_line; }

}  // namespace

Pop3Observer::Pop3Observer(Recording& recording, Conversation about)
    : Listener(recording, std::move(about)), login_(recording.history.secrets), greeted_(false) {}

/// A maildrop is the INBOX, RFC 1939 knows no other.
Event Pop3Observer::about_maildrop(Type type, What what) const {
  auto e = event(type, what);
  e.mailbox = "INBOX";
  return e;
}

void Pop3Observer::start() {
  if (std::exchange(started_, true)) return;
  if (about().begin != Begin::greeting) logged_in("");
}

void Pop3Observer::client(std::string_view octets, Time now) {
  at(now);
  if (deaf()) return;
  start();
  while (const auto line = lines_.next(octets)) {
    if (line->cut) return blind("a command line without an end", now);
    command(line->text);
    if (deaf()) return;
  }
}

void Pop3Observer::log_command(const pop3::Command& command, std::string_view line) {
  const bool secret = logs_in(command.verb);
  if (!secret) return log().sent(fmt::format("{}\r\n", line), false, now());
  log().sent(fmt::format("{} ", command.keyword), false, now());
  log().sent(fmt::format("{}\r\n", command.arguments), true, now());
}

void Pop3Observer::command(std::string_view line) {
  if (authenticating_) {
    log().sent(fmt::format("{}\r\n", line), true, now());
    return login_.response(line);
  }
  const pop3::Command said = pop3::parse_command(line);
  commanded_ = commanded_ || said.verb != pop3::Verb::unknown;
  const bool within = about().begin == Begin::middle && !commanded_;  // the login, maybe
  // Who did not wait for the answer to AUTH sends the response to a server that has refused it.
  const bool response = said.verb == pop3::Verb::unknown && line.find(' ') == std::string_view::npos &&
                        (refused_sasl_ || within || LoginHeard::is_secret(line));
  if (response) {
    log().sent(fmt::format("{}\r\n", line), true, now());
    login_.response(line);
    if (within && !pending_.empty()) return;
  } else {
    log_command(said, line);
    refused_sasl_ = false;
  }
  Asked asked;
  asked.verb = said.verb;
  asked.success = pop3::success_of(said);
  if (response && within) {  // one answer to all of them
    asked.verb = pop3::Verb::auth;
    asked.success = pop3::Success::one_line;
  }
  switch (said.verb) {
    case pop3::Verb::user:
      login_.plain(std::string(said.arguments), "");
      break;
    case pop3::Verb::pass:
      login_.plain(login_.user(), std::string(said.arguments));
      break;
    case pop3::Verb::apop:
      if (const auto apop = pop3::parse_apop(said.arguments)) login_.plain(std::string(apop->name), "");
      break;
    case pop3::Verb::auth: {
      if (said.arguments.empty()) break;
      const std::size_t space = std::min(said.arguments.find(' '), said.arguments.size());
      login_.begin(said.arguments.substr(0, space));
      if (space < said.arguments.size()) login_.response(said.arguments.substr(space + 1));
      authenticating_ = true;
      break;
    }
    case pop3::Verb::top:
      if (const auto top = pop3::parse_top(said.arguments)) {
        asked.number = top->number;
        asked.lines = top->lines;
      }
      break;
    default:
      if (const auto number = pop3::parse_message_number(said.arguments)) asked.number = *number;
      break;
  }
  invoke(asked);
  pending_.push_back(asked);
}

void Pop3Observer::invoke(Asked& asked) {
  const auto what = what_of(asked.verb);
  if (!what || !begun()) return;
  auto e = about_maildrop(Type::invoke, *what);
  e.seq = asked.number;
  if (asked.verb == pop3::Verb::dele) {
    e.message = entries_[asked.number].message;
    e.text = entries_[asked.number].uidl;
  }
  if (asked.verb == pop3::Verb::top) e.facts = history::TopFacts{asked.lines, 0};
  asked.event = append(std::move(e));
}

void Pop3Observer::server(std::string_view octets, Time now) {
  at(now);
  if (deaf()) return;
  start();
  log().received(octets, now);
  for (auto read = replies_.next(octets); read != pop3::ResponseReader::Event::more && !deaf();
       read = replies_.next(octets)) {
    switch (read) {
      case pop3::ResponseReader::Event::status:
        status(replies_.status());
        break;
      case pop3::ResponseReader::Event::line:
        row(replies_.chunk());
        break;
      case pop3::ResponseReader::Event::chunk:
        scan_.add(replies_.chunk());
        break;
      case pop3::ResponseReader::Event::end:
        body_end();
        break;
      case pop3::ResponseReader::Event::garbage:
        over(about().begin == Begin::middle ? "ours" : "broken", "",
             fmt::format("this is no POP3 response: {}", printable(replies_.chunk(), 100)));
        break;
      case pop3::ResponseReader::Event::more:
        break;
    }
  }
  if (deaf()) return;
  for (const auto& found : replies_.deviations().take()) deviation(found.code, found.excerpt);
}

void Pop3Observer::status(const pop3::StatusLine& said) {
  if (said.kind == pop3::StatusLine::Kind::challenge) return;
  const bool first = !std::exchange(greeted_, true);
  if (first && about().begin == Begin::greeting) return;
  // The reply to a login that was not heard comes before anything is asked.
  if (pending_.empty()) return first ? void() : deviation("pop3.response.unasked", printable(said.text, 80));
  const bool ok = said.kind == pop3::StatusLine::Kind::ok;
  const Asked& asked = pending_.front();
  if (logs_in(asked.verb, asked.success)) {
    refused_sasl_ = !ok && asked.verb == pop3::Verb::auth;
    pending_.pop_front();
    return login_over(ok, said.text);
  }
  if (ok && asked.verb == pop3::Verb::stls) {
    pending_.pop_front();
    return tls_begins("STLS");
  }
  if (ok && asked.success == pop3::Success::unknown)
    return blind("a command that is not known: where its answer ends nobody can say", now());
  if (ok && pop3::has_block(asked.success)) {
    kept_text_ = said.text;
    scan_.begin();
    return replies_.expect(asked.success == pop3::Success::message ? pop3::ResponseReader::Body::text
                                                                   : pop3::ResponseReader::Body::lines);
  }
  if (ok && (asked.verb == pop3::Verb::list || asked.verb == pop3::Verb::uidl)) row(said.text);
  if (ok && asked.verb == pop3::Verb::stat)
    if (const auto drop = pop3::parse_drop_listing(said.text)) {
      messages_ = drop->messages;
      octets_ = drop->octets;
    }
  answered(ok ? Type::ok : Type::fail, said.code_text, said.text);
}

void Pop3Observer::login_over(bool ok, std::string_view text) {
  authenticating_ = false;
  if (ok) return logged_in(login_.user());
  refused_ = fmt::format("login: {}", printable(text));
}

void Pop3Observer::row(std::string_view line) {
  if (pending_.empty() || pending_.front().event == 0) return;
  const pop3::Verb verb = pending_.front().verb;
  if (verb == pop3::Verb::list) {
    const auto scan = pop3::parse_scan_listing(line);
    if (!scan) return deviation("pop3.list.malformed", printable(line, 80));
    auto e = about_maildrop(Type::obs, What::pop_list);
    e.seq = scan->number;
    e.size = scan->octets;
    append(std::move(e));
  } else if (verb == pop3::Verb::uidl) {
    const auto listing = pop3::parse_unique_id_listing(line);
    if (!listing || !listing->well_formed) deviation("pop3.uidl.malformed", printable(line, 80));
    if (!listing) return;
    entries_[listing->number].uidl = listing->uid;
    auto e = about_maildrop(Type::obs, What::pop_uidl);
    e.seq = listing->number;
    e.text = listing->uid;
    append(std::move(e));
  }
}

void Pop3Observer::content() {
  const Asked& asked = pending_.front();
  Entry& entry = entries_[asked.number];
  const Sight sight = Sight::of(scan_, asked.verb == pop3::Verb::retr);
  auto e = about_maildrop(Type::obs, What::message);
  e.command = asked.event;
  e.seq = asked.number;
  e.text = entry.uidl;
  e.code = sight.whole ? "full" : "header";
  e.size = scan_.octets();
  e.hash = sight.body_hash;
  e.message = recording().mail().number(
      sight, entry.uidl.empty() ? std::string() : fmt::format("{} pop3 {}", account(), entry.uidl));
  entry.message = e.message;
  append(std::move(e));
}

void Pop3Observer::body_end() {
  const Asked& asked = pending_.front();
  if (asked.verb == pop3::Verb::retr || asked.verb == pop3::Verb::top) {
    scan_.end();
    if (asked.event != 0) content();
  }
  answered(Type::ok, "", kept_text_);
}

void Pop3Observer::answered(Type type, std::string_view code, std::string_view text) {
  const Asked asked = pending_.front();
  pending_.pop_front();
  if (asked.event != 0) {
    auto e = about_maildrop(type, *what_of(asked.verb));
    e.command = asked.event;
    e.seq = asked.number;
    e.code = code;
    e.text = text;
    if (const auto entry = entries_.find(asked.number); asked.number != 0 && entry != entries_.end())
      e.message = entry->second.message;
    if (type == Type::ok && asked.verb == pop3::Verb::stat) {
      e.facts = history::CountFacts{messages_};
      e.size = octets_;
    }
    if (type == Type::ok && (asked.verb == pop3::Verb::retr || asked.verb == pop3::Verb::top))
      e.size = replies_.body_stats().octets;
    if (type == Type::ok && asked.verb == pop3::Verb::top) e.facts = history::TopFacts{0, scan_.body_lines()};
    append(std::move(e));
  }
  // RFC 1939 section 6: whatever QUIT came to, the session is over.
  if (asked.verb == pop3::Verb::quit) over("clean", name(EndReason::closed), "QUIT");
}

void Pop3Observer::abandon(std::string_view why) {
  for (const Asked& asked : std::exchange(pending_, {})) {
    if (asked.event == 0) continue;
    auto e = about_maildrop(Type::info, *what_of(asked.verb));
    e.command = asked.event;
    e.seq = asked.number;
    e.text = why;
    append(std::move(e));
  }
}

std::unique_ptr<Observer> observe_pop3(Recording& recording, Conversation about) {
  return std::make_unique<Pop3Observer>(recording, std::move(about));
}

}  // namespace mailproof::imports
