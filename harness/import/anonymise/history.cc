#include "import/anonymise/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

#include "core/bytes.h"
#include "history/columns.h"

namespace mailproof::imports {

using history::Event;
using history::History;
using history::What;

namespace {

/// Sets of UIDs and message numbers.
bool is_set(std::string_view text) { return text.find_first_not_of("0123456789:,-*") == std::string_view::npos; }

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
    if (code_is_ours(e.what)) words.keep_word(e.code);
}

/// Scenarios call accounts and mailboxes what they like; what the server calls them is somebody's.
void tell_names(const History& original, Pseudonyms& words) {
  const auto local_part = [](std::string_view address) { return address.substr(0, address.rfind('@')); };
  for (const auto& account : original.info.accounts) {
    words.name(local_part(account.login));
    words.name(local_part(account.address));
  }
  if (!original.info.recorded) return;
  for (const Event& e : original.events())
    for (const std::string* mailbox : {&e.mailbox, &e.other_mailbox}) words.name(*mailbox);
}

Event anonymised(const Event& original, Pseudonyms& words) {
  Event e = original;
  e.index = 0;
  e.hash = words.hash(original.hash);
  for (std::string* field : {&e.mailbox, &e.other_mailbox, &e.flags, &e.text}) *field = words.text(*field);
  if (!is_set(e.set)) e.set = words.text(e.set);
  if (!code_is_ours(e.what)) e.code = words.text(e.code);
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

bool code_is_ours(What what) {
  switch (what) {
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
    case What::observed:
      return true;
    default:
      return false;
  }
}

void keep_what_is_ours(const History& original, Pseudonyms& words) {
  keep_numbers(original, words);
  keep_ours(original, words);
  tell_names(original, words);
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

namespace {

/// "[... 1234 octets ...]": what a log leaves out.
constexpr std::string_view kLeftOut = "[... ";
bool is_left_out(std::string_view said) {
  constexpr std::string_view kEnd = " octets ...]";
  if (!said.starts_with(kLeftOut) || !said.ends_with(kEnd)) return false;
  said.remove_prefix(kLeftOut.size());
  const std::size_t digits = std::min(said.find_first_not_of("0123456789"), said.size());
  return digits > 0 && said.substr(digits) == kEnd;
}

/// Follows what one side says over the lines of a log, and knows what of it is mail: a literal, the text of BDAT, DATA,
/// RETR or TOP. Where the log leaves something out it is believed that it goes on.
class MailInLog {
 public:
  explicit MailInLog(Pseudonyms& words) : words_(words) {}

  std::string line(char side, std::string_view said) {
    if (is_left_out(said)) in_doubt_ = true;
    std::uint64_t& literal = side == 'C' ? client_ : server_;
    if (literal > 0) return in_literal(literal, said);
    if (side == 'C' ? in_data_ : in_text_) {
      if (said == ".") (side == 'C' ? in_data_ : in_text_) = false;
      return said == "." || is_left_out(said) ? std::string(said) : words_.mail(said);
    }
    side == 'C' ? asked(said) : answered(said);
    if (!is_protocol(said)) return words_.mail(said);
    if (side == 'C' && has_word(said, {"BDAT"})) literal = number(said.substr(said.find(' ') + 1));
    if (side == 'S' && said.starts_with("354")) in_data_ = true;
    announce(literal, said);
    return words_.text(said);
  }

 private:
  /// Of POP3, which answers in the order of what was asked (RFC 2449 section 6.6). Of other protocols it is never asked
  /// for what came of it.
  void asked(std::string_view said) {
    constexpr std::size_t kMostAsked = 100'000;
    if (std::exchange(goes_on_, false)) return;
    const bool text = has_word(said, {"RETR", "TOP"});
    if (!text && !has_word(said, {"USER", "PASS", "APOP", "AUTH", "CAPA", "STLS", "STAT", "LIST", "UIDL", "DELE",
                                  "NOOP", "RSET", "QUIT", "UTF8", "LANG", "XTND"}))
      in_doubt_ = true;
    else if (asked_.size() < kMostAsked)
      asked_.push_back(text);
  }

  void answered(std::string_view said) {
    const bool good = said.starts_with("+OK");
    if (!good && !said.starts_with("-ERR")) {
      if (said.starts_with('+')) goes_on_ = true;
      return;
    }
    // Rather too much is taken for mail than too little.
    const auto text = std::find(asked_.begin(), asked_.end(), true);
    if (in_doubt_ && text != asked_.end()) asked_.erase(asked_.begin(), text);
    in_text_ = good && !asked_.empty() && asked_.front();
    if (!asked_.empty()) asked_.pop_front();
    if (asked_.empty()) in_doubt_ = false;
  }

  static std::uint64_t number(std::string_view text) {
    std::uint64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  }

  /// literal = "{" number ["+"] "}" at the end of a line
  static void announce(std::uint64_t& literal, std::string_view said) {
    const std::size_t brace = said.rfind('{');
    if (said.ends_with('}') && brace != std::string_view::npos) literal = number(said.substr(brace + 1));
  }

  std::string in_literal(std::uint64_t& literal, std::string_view said) {
    constexpr std::uint64_t kLineEnd = 2;
    if (is_left_out(said)) {
      literal -= std::min(literal, number(said.substr(kLeftOut.size())));
      return std::string(said);
    }
    std::size_t written = 0;
    std::uint64_t octets = 0;
    for (; written < said.size() && octets < literal; ++octets)
      written += said.substr(written).starts_with("\\x") ? 4 : 1;
    written = std::min(written, said.size());
    literal -= std::min(literal, octets + kLineEnd);
    if (written == said.size()) return words_.mail(said);
    const std::string_view rest = said.substr(written);
    literal = 0;
    announce(literal, rest);
    return words_.mail(said.substr(0, written)) + words_.text(rest);
  }

  Pseudonyms& words_;
  std::uint64_t client_ = 0, server_ = 0;  ///< octets that are left of a literal
  std::deque<bool> asked_;                 ///< what is not answered yet: whether it is RETR or TOP
  bool goes_on_ = false;                   ///< the client's next line is no command: AUTH
  bool in_doubt_ = false;                  ///< commands or answers may be missing among them
  bool in_data_ = false, in_text_ = false;
};

}  // namespace

std::string anonymised_log(std::string_view original, Pseudonyms& words) {
  std::string out;
  MailInLog mail(words);
  while (!original.empty()) {
    const std::size_t end = std::min(original.find('\n'), original.size());
    const std::string_view line = original.substr(0, end);
    original.remove_prefix(std::min(end + 1, original.size()));
    const std::size_t head = head_of_line(line);
    out += line.substr(0, head);
    const char side = head == 0 ? '*' : line[head - 3];
    const std::string_view said = line.substr(head);
    if (side == 'C' || side == 'S')
      out += mail.line(side, said);
    else
      out += is_protocol(said) ? words.text(said) : words.mail(said);
    out += '\n';
  }
  return out;
}

std::size_t head_of_line(std::string_view line) {
  const std::size_t side = line.find(": ");
  return side == std::string_view::npos || side > 24 || side == 0 ? 0 : side + 2;
}

}  // namespace mailproof::imports
