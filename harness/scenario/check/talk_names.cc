// The names in a talk: each variable bound before it is used, each message delivered, each mailbox the check's own.
#include "scenario/check/talk_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/bytes.h"
#include "core/pattern.h"
#include "wire/mime/date.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;

constexpr int kMostFill = 1 << 24;
const std::vector<std::string> kTypes = {"number", "uid",  "seq",  "modseq",   "date", "literal", "flags",
                                         "base64", "uidl", "rest", "distinct", "set",  "sorted"};
const std::vector<std::string> kOfBlocks = {"block", "octets", "lines", "sum", "column 2"};
const std::vector<std::string> kGiven = {
    "user",         "pass",    "address",        "wrong",    "apop", "timestamp", "b64",
    "quoted",       "literal", "fill",           "pad",      "head", "nobody",    "nobody-mixed",
    "nobody-empty", "mixed",   "quoted-address", "capitals", "envid"};
constexpr std::array<std::string_view, 5> kOfMailboxes = {"CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE"};

/// An address of the domain of the lent ones that is no mailbox's.
bool is_of_nobody(std::string_view name) {
  return name == "nobody" || name == "nobody-mixed" || name == "nobody-empty";
}

/// A lent address, as it may be written as well.
bool is_respelt(std::string_view name) { return name == "mixed" || name == "quoted-address" || name == "capitals"; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<TalkVariable> only_variable(std::string_view text) {
  const auto parts = cut_pattern(text);
  return parts.size() == 1 ? parts.front().variable : std::nullopt;
}

TalkNames::TalkNames(int column, Complaints& complaints, const Scenario& scenario, Check& check)
    : column_(column), complaints_(complaints), scenario_(scenario), check_(check) {
  for (std::size_t i = 0; i < check.deliveries; ++i) delivers(scenario.steps[i].get<Deliver>().count);
}

void TalkNames::took(const TalkLine& line) {
  const auto variable = only_variable(line.text);
  if (!variable || !variable->type.empty()) return complain(line, line.text, "a variable, like took: ${login}");
  bound_.insert(variable->name);
}

void TalkNames::complain(const TalkLine& at, std::string_view text, std::string expected,
                         const std::vector<std::string>& known) {
  complaints_.at({at.line, column_}, text, std::move(expected), known);
}

void TalkNames::filled(const TalkLine& at, std::string_view text, bool imap) {
  for (const TalkPart& part : cut_pattern(text)) {
    if (part.variable) {
      given(at, *part.variable, imap);
    } else if (part.literal.find("${") != std::string::npos) {
      complain(at, at.written, "a } that ends the variable");
    }
  }
}

void TalkNames::given(const TalkLine& at, const TalkVariable& variable, bool imap) {
  const std::string& name = variable.name;
  const auto shown = [&] { return fmt::format("${{{}{}{}}}", name, variable.type.empty() ? "" : ":", variable.type); };
  const bool literal = name == "literal";
  if (literal && (at.op != Op::send || !imap)) complain(at, shown(), "a literal in a C: line of IMAP");
  if (name == "b64" || name == "quoted" || literal) return filled(at, variable.type, imap);
  if (name == "fill" || name == "pad") {
    const auto colon = name == "fill" ? std::min(variable.type.find(':'), variable.type.size()) : variable.type.size();
    if (!number_in(std::string_view(variable.type).substr(0, colon), 1, kMostFill) || colon + 1 == variable.type.size())
      complain(at, shown(), fmt::format("how many octets, 1 to {}: ${{{}:600}}", kMostFill, name));
    return;
  }
  if (name == "apop" || name == "timestamp") {
    if (!variable.type.empty() && !number_in(variable.type, 1, 99))
      complain(at, shown(), fmt::format("${{{0}}}, or of another connection ${{{0}:2}}", name));
    return;
  }
  if (name == "head") {  // a message of its own
    messages_ += at.count;
    return;
  }
  if (name == "envid" && !variable.type.empty() && variable.type != "xtext")
    return complain(at, shown(), "${envid}, or ${envid:xtext}", {"xtext"});
  if (name == "wrong" || is_of_nobody(name) || is_respelt(name) || name == "envid" || bound_.contains(name) ||
      own(variable))
    return;
  for (const std::string_view word : {"user", "pass", "address"}) {
    if (!name.starts_with(word)) continue;
    const std::string_view number = std::string_view(name).substr(word.size());
    if (number.empty() || number_in(number, 1, static_cast<int>(scenario_.accounts.size()))) return;
    if (all_digits(number)) return complain(at, shown(), "one of the accounts of the check: accounts: 2 leases two");
  }
  std::vector<std::string> known(bound_.begin(), bound_.end());
  known.insert(known.end(), kGiven.begin(), kGiven.end());
  complain(
      at, name,
      "a variable that an S line above binds, or one of ${user}, ${pass}, ${address}, ${wrong}, ${apop}, "
      "${timestamp}, ${b64:...}, ${quoted:...}, ${literal:...}, ${fill:600}, ${pad:255}, ${box}, ${box/a}, ${token} "
      "and ${sep}",
      known);
}

bool TalkNames::own(const TalkVariable& variable) {
  if (!variable.type.empty() || !is_own_mailbox(variable.name)) return false;
  check_.own.insert(variable.name);
  return true;
}

void TalkNames::others_mailboxes(const TalkLine& line) {
  const auto words = pattern_words(line.text);
  const auto changes = [](std::string_view word) {
    return std::any_of(kOfMailboxes.begin(), kOfMailboxes.end(), [&](auto one) { return iequals(word, one); });
  };
  if (std::none_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(words.size(), 2)),
                   changes))
    return;
  const std::string text = upper(line.text);
  for (const std::string_view ours : {"${BOX", "${TOKEN", "INBOX"})
    if (text.find(ours) != std::string::npos) return;
  complain(line, line.written, "a mailbox of the check's own, like ${box} or ${box/a}, or INBOX");
}

void TalkNames::addresses(const TalkLine& line) {
  for (const std::string_view word : {"RCPT TO:", "MAIL FROM:"}) {
    const std::string text = upper(line.text);
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      std::string_view path = std::string_view(line.text).substr(at + word.size());
      while (path.starts_with(' ')) path.remove_prefix(1);
      path.remove_prefix(path.starts_with('<') ? 1 : 0);
      path = path.substr(0, path.find_first_of("> \\"));
      const auto parts = cut_pattern(path);
      const bool variable = parts.size() == 1 && parts.front().variable && parts.front().variable->type.empty();
      const std::string name = variable ? parts.front().variable->name : "";
      const bool lent = name.starts_with("address") || is_of_nobody(name) || is_respelt(name);
      if (lent || path.find_first_of("@$") == std::string_view::npos) continue;
      complain(line, line.written, "an address that the check was lent: <${address}>, <${address2}>; or <${nobody}>");
    }
  }
}

void TalkNames::arrives(const TalkLine& line) {
  if (line.op == Op::no_report && line.alternatives.size() > 1)
    return complain(line, line.written, "a message: no-report: mail.1");
  for (const std::string& one : line.alternatives) {
    auto words = words_in(one);
    if (line.op == Op::arrives && !words.empty() && words.front() == "report") words.erase(words.begin());
    const bool known_user =
        words.size() == 2 && words[1].starts_with("user") &&
        number_in(std::string_view(words[1]).substr(4), 2, static_cast<int>(scenario_.accounts.size()));
    if (words.empty() || words.size() > (known_user ? 2 : 1))
      return complain(line, line.written,
                      line.op == Op::arrives
                          ? "a message: arrives: mail.1, arrives: mail.1 user2, arrives: mail.1 | report mail.1"
                          : "a message: no-report: mail.1");
    delivered(line, words.front());
  }
}

void TalkNames::literals(const TalkLine& line) {
  const std::string_view text = line.text;
  for (std::size_t open = 0; (open = text.find('{', open)) != std::string_view::npos; ++open) {
    const auto close = text.find('}', open);
    if (close == std::string_view::npos || (open > 0 && text[open - 1] == '$')) continue;
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    const auto dot = inside.rfind('.');
    if (dot == std::string_view::npos) continue;
    const std::string_view set = inside.substr(0, dot), number = inside.substr(dot + 1);
    const bool name = !set.empty() && std::all_of(set.begin(), set.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (name && (number == "last" || all_digits(number))) delivered(line, inside);
  }
}

void TalkNames::delivered(const TalkLine& line, std::string_view name) {
  const std::string_view number = name.starts_with("mail.") ? name.substr(5) : std::string_view();
  const bool there = number == "last" ? messages_ > 0 : number_in(number, 1, messages_).has_value();
  if (there) return;
  complain(line, fmt::format("{{{}}}", name),
           messages_ == 0 ? std::string("a message that was delivered before, and none was: mailbox: {messages: 1}")
           : messages_ == 1
               ? std::string("a message that was delivered before: mail.1")
               : fmt::format("a message that was delivered before: mail.1 to mail.{} or mail.last", messages_));
}

void TalkNames::content(const TalkLine& line) {
  const std::string_view inside = std::string_view(line.text).substr(1, line.text.size() - 2);
  const auto space = std::min(inside.find(' '), inside.size());
  const std::string_view name = inside.substr(0, space), rest = inside.substr(space);
  const bool text = rest == " text";
  if (!rest.empty() && !text && (!rest.starts_with(" top ") || !all_digits(rest.substr(5))))
    return complain(line, line.written, "{mail.1}, {mail.1 text}, {mail.1 top 3}, {mail.*} or {mail.* text}");
  if (name == "mail.*" && messages_ > 0 && (rest.empty() || text)) return;
  delivered(line, name);
}

void TalkNames::binds(const TalkLine& line, const std::string& pattern, bool imap, bool of_block) {
  for (const TalkPart& part : cut_pattern(pattern)) {
    if (!part.variable) {
      if (part.literal.find("${") != std::string::npos) complain(line, line.written, "a } that ends the variable");
      continue;
    }
    type(line, part.variable->type, imap, of_block);
    if (own(*part.variable)) continue;
    if (part.variable->name != "_" && line.op != Op::never) bound_.insert(part.variable->name);
  }
}

void TalkNames::type(const TalkLine& line, const std::string& type, bool imap, bool of_block) {
  if (type.empty() || std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end()) return;
  if (type.size() >= 2 && type.front() == '/' && type.back() == '/') {
    const auto pattern = Pattern::compile(std::string_view(type).substr(1, type.size() - 2));
    if (!pattern)
      complain(line, type, fmt::format("an ECMAScript regular expression between slashes ({})", pattern.error().why));
    return;
  }
  if (type.starts_with("at ")) {
    if (!mime::parse_internal_date(std::string_view(type).substr(3)))
      complain(line, type, "a date-time of RFC 3501: at 01-Feb-2003 04:05:06 +0700");
    return;
  }
  if (type.starts_with("holds ")) {
    if (!bound_.contains(type.substr(6))) complain(line, type, "a variable that an S line above binds: holds uid");
    return;
  }
  const bool column = type.starts_with("column ") && number_in(std::string_view(type).substr(7), 1, 99);
  if (column || std::find(kOfBlocks.begin(), kOfBlocks.end(), type) != kOfBlocks.end()) {
    if (!of_block && !(type == "octets" && imap))
      complain(line, line.written,
               fmt::format("{} as a line of its own in the block of a reply, above its S: .", type));
    return;
  }
  std::vector<std::string> known = kTypes;
  known.insert(known.end(), kOfBlocks.begin(), kOfBlocks.end());
  complain(line, type, fmt::format("a type: /a regular expression/, {}", either(known)), known);
}

void TalkNames::compared(const TalkLine& line) {
  const bool numbers = line.op == Op::fewer || line.op == Op::at_most;
  bool any = false;
  for (const std::string& operand : line.alternatives) {
    if (const auto variable = only_variable(operand)) {
      any = true;
      if (bound_.contains(variable->name) || own(*variable)) continue;
      complain(line, variable->name, "a variable that an S line above binds", {bound_.begin(), bound_.end()});
    } else if (operand.find("${") != std::string::npos && numbers) {
      complain(line, operand, "a variable alone, like ${a}");
    } else if (operand.find("${") != std::string::npos) {  // of texts, one behind the other
      any = true;
      for (const TalkPart& part : cut_pattern(operand))
        if (part.variable && !bound_.contains(part.variable->name) && !own(*part.variable))
          complain(line, part.variable->name, "a variable that an S line above binds", {bound_.begin(), bound_.end()});
    } else if (!numbers && operand.starts_with('{') && operand.ends_with('}')) {
      delivered(line, std::string_view(operand).substr(1, operand.size() - 2));
    } else if (numbers && !number_in(operand, 0, std::numeric_limits<int>::max())) {
      complain(line, operand, "a number, or a variable that an S line above binds, like ${a}");
    }
  }
  if (!any) complain(line, line.written, "at least one variable, like ${a}: this is the same on every server");
}

}  // namespace mailproof::scenario
