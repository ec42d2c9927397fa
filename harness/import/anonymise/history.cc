#include "import/anonymise/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/columns.h"

namespace mailproof::imports {

using history::Event;
using history::History;
using history::What;

namespace {

/// Sets of UIDs and message numbers.
bool is_set(std::string_view text) { return text.find_first_not_of("0123456789:,-*") == std::string_view::npos; }

/// What these are about is said in our own words.
bool code_is_ours(const Event& e) {
  switch (e.what) {
    case What::deviation:
    case What::end:
    case What::connect:
    case What::problem:
    case What::settle:
    case What::enumerated:
    case What::message:
    case What::admin:
    case What::rule:
    case What::fate:
    case What::outcome:
    case What::welcome:
    case What::asked_again:
    case What::smuggled:
    case What::not_applicable:
      return true;
    default:
      return false;
  }
}

void keep_numbers(const History& original, Pseudonyms& words) {
  for (const Event& e : original.events()) {
    const history::Columns columns = history::columns(e);
    for (const std::uint64_t number : {std::uint64_t{columns.uid}, std::uint64_t{columns.seq}, columns.size,
                                       columns.modseq, std::uint64_t{e.uidvalidity}})
      words.keep_number(number);
    for (const std::string_view set : {std::string_view(e.set), columns.other_set})
      if (is_set(set))
        for (const std::uint32_t uid : history::parse_uids(set)) words.keep_number(uid);
  }
}

void keep_ours(const History& original, Pseudonyms& words) {
  const auto& info = original.info;
  for (const std::string* text : {&info.scenario, &info.title, &info.version}) words.keep_word(*text);
  words.keep_word("sim sockets recording import record command audit begin");
  // Of events, as history/event.h has them.
  words.keep_word(
      "clean ours broken foreign run rcpt locally sender null sent answered silent plaintext accepted refused "
      "either blind middle full header left out as expected interrupted unreachable login");
  if (info.check) words.keep_word(info.check->requirement);
  // What a run of our own is made from says nothing of anybody.
  for (const std::uint64_t seed : {info.run_seed, info.seed, info.scenario_hash})
    words.keep_word(fmt::format("{:016x}", seed));
  for (const auto& message : original.messages()) {
    words.keep_word(message.set);
    words.keep_word(fmt::format("{:016x}", message.seed));
  }
  for (const Event& e : original.events())
    if (code_is_ours(e)) words.keep_word(e.code);
}

Event anonymised(const Event& original, Pseudonyms& words) {
  Event e = original;
  e.index = 0;
  e.hash = words.hash(original.hash);
  for (std::string* field : {&e.mailbox, &e.other_mailbox, &e.flags, &e.text}) *field = words.text(*field);
  if (!is_set(e.set)) e.set = words.text(e.set);
  if (!code_is_ours(e)) e.code = words.text(e.code);
  if (auto* copied = std::get_if<history::CopyFacts>(&e.facts); copied != nullptr && !is_set(copied->destinations))
    copied->destinations = words.text(copied->destinations);
  if (auto* outcome = std::get_if<history::OutcomeFacts>(&e.facts))
    outcome->may_differ = words.text(outcome->may_differ);
  if (auto* rule = std::get_if<history::RuleFacts>(&e.facts)) rule->wants = words.text(rule->wants);
  return e;
}

bool has_word(std::string_view text, std::initializer_list<std::string_view> words) {
  const std::string_view first = text.substr(0, text.find_first_of(" \r\n:-"));
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return iequals(first, word); });
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A command or a reply, not a line of mail; of a line that may be both it is a reply.
bool is_protocol(std::string_view line) {
  if (line.starts_with("* ") || line.starts_with("+") || line.starts_with("-ERR") || line == ")" || line == ".")
    return true;
  if (line.size() >= 4 && all_digits(line.substr(0, 3)) && (line[3] == ' ' || line[3] == '-')) return true;
  if (has_word(line, {"USER", "PASS", "APOP", "AUTH", "CAPA",     "STLS", "STAT", "LIST", "UIDL",
                      "RETR", "TOP",  "DELE", "NOOP", "RSET",     "QUIT", "EHLO", "HELO", "LHLO",
                      "MAIL", "RCPT", "DATA", "BDAT", "STARTTLS", "DONE", "RETR", "TLS"}))
    return true;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 20) return all_digits(line);
  std::string_view rest = line.substr(space + 1);
  if (istarts_with(rest, "UID ")) rest.remove_prefix(4);
  if (all_digits(line.substr(0, space)) && rest.find(' ') == std::string_view::npos) return true;  // a row of LIST
  return has_word(
      rest, {"OK",        "NO",           "BAD",      "SELECT",   "EXAMINE", "FETCH",        "STORE",  "SEARCH",
             "COPY",      "MOVE",         "EXPUNGE",  "APPEND",   "LOGIN",   "AUTHENTICATE", "LOGOUT", "NOOP",
             "IDLE",      "CAPABILITY",   "LIST",     "LSUB",     "STATUS",  "CREATE",       "DELETE", "RENAME",
             "SUBSCRIBE", "UNSUBSCRIBE",  "CLOSE",    "UNSELECT", "CHECK",   "ENABLE",       "ID",     "NAMESPACE",
             "STARTTLS",  "GETQUOTAROOT", "GETQUOTA", "SORT",     "THREAD"});
}

}  // namespace

void keep_what_is_ours(const History& original, Pseudonyms& words) {
  keep_numbers(original, words);
  keep_ours(original, words);
}

std::unique_ptr<History> anonymised(const History& original, Pseudonyms& words) {
  auto out = std::make_unique<History>();
  out->info = original.info;
  out->info.target = words.text(original.info.target);
  for (auto& customer : out->info.customers) customer.name = words.text(customer.name);
  for (auto& account : out->info.accounts)
    for (std::string* field : {&account.name, &account.login, &account.address}) *field = words.text(*field);
  for (auto& device : out->info.devices) device.name = words.text(device.name);
  for (auto& step : out->info.steps) step = words.text(step);
  for (history::SessionInfo session : original.sessions()) {
    session.label = words.text(session.label);
    session.endpoint = words.text(session.endpoint);
    out->add_session(std::move(session));
  }
  for (history::MessageInfo message : original.messages()) {
    message.hash = words.hash(message.hash);
    message.header_hash = words.hash(message.header_hash);
    message.subject = words.mail(message.subject);
    message.message_id = words.mail(message.message_id);
    out->add_message(std::move(message));
  }
  for (const Event& e : original.events()) out->append(anonymised(e, words));
  return out;
}

std::string anonymised_log(std::string_view original, Pseudonyms& words) {
  std::string out;
  while (!original.empty()) {
    const std::size_t end = std::min(original.find('\n'), original.size());
    const std::string_view line = original.substr(0, end);
    original.remove_prefix(std::min(end + 1, original.size()));
    // "0.123 S: "
    const std::size_t side = line.find(": ");
    const std::size_t head = side == std::string_view::npos || side > 24 ? 0 : side + 2;
    out += line.substr(0, head);
    const std::string_view said = line.substr(head);
    out += is_protocol(said) ? words.text(said) : words.mail(said);
    out += '\n';
  }
  return out;
}

}  // namespace mailproof::imports
