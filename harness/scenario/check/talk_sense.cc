// What a talk can be told before it is played: lines that no server could ever satisfy, or that every server would.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "core/bytes.h"
#include "core/pattern.h"
#include "scenario/check/talk.h"
#include "scenario/check/talk_pattern.h"
#include "wire/mime/date.h"
#include "wire/pop3/command.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;

constexpr int kMostFill = 1 << 24;
const std::vector<std::string> kTypes = {"number", "uid",    "seq",  "modseq", "date",     "literal",
                                         "flags",  "base64", "uidl", "rest",   "distinct", "set"};
const std::vector<std::string> kOfBlocks = {"block", "octets", "lines", "sum", "column 2"};
const std::vector<std::string> kGiven = {"user",   "pass",    "address", "wrong", "apop", "timestamp", "b64",
                                         "quoted", "literal", "fill",    "pad",   "head", "nobody",    "mixed"};

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The whole text is one variable.
std::optional<TalkVariable> only_variable(std::string_view text) {
  const auto parts = cut_pattern(text);
  return parts.size() == 1 ? parts.front().variable : std::nullopt;
}

bool is_continuation(std::string_view pattern) { return pattern == "+" || pattern.starts_with("+ "); }

bool may_close(const TalkLine& line) {
  return std::find(line.alternatives.begin(), line.alternatives.end(), "closed") != line.alternatives.end();
}

/// What a line of a talk can say of a server: whether it holds anything that can come out wrong.
bool can_fail(const TalkLine& line) {
  if (line.prepares || line.applies) return false;
  switch (line.op) {
    case Op::reply:
    case Op::reply_regex:
    case Op::never:
    case Op::no_regex:
    case Op::closed:
    case Op::imaptest:
    case Op::quiet:
    case Op::same:
    case Op::differ:
    case Op::fewer:
    case Op::at_most:
    case Op::distinct:
    case Op::arrives:
    case Op::no_report:
      return true;
    case Op::tls:
      return line.text != "either";
    default:
      return false;
  }
}

class TalkSense {
 public:
  TalkSense(int column, Complaints& complaints, const Scenario& scenario, Check& check)
      : column_(column), complaints_(complaints), scenario_(scenario), check_(check) {
    for (std::size_t i = 0; i < check.deliveries; ++i) messages_ += scenario.steps[i].get<Deliver>().count;
  }

  void run() {
    const std::size_t before = complaints_.size();
    for (std::size_t i = 0; i < check_.talk.size(); ++i) line(i);
    for (auto& [number, wire] : wires_) is_read(wire);
    if (complaints_.size() == before && check_.rule.empty() &&
        std::none_of(check_.talk.begin(), check_.talk.end(), can_fail))
      complain(check_.talk.front(), check_.talk.front().written,
               "also a line that can fail, like S: +OK: every server would pass this");
  }

 private:
  /// A reply that a connection owes.
  struct Owed {
    std::size_t line = 0;  ///< of the talk
    int times = 1;
    bool greeting = false;
  };
  struct Wire {
    Protocol protocol = Protocol::pop3;
    std::deque<Owed> owed;
    bool certain = true;     ///< each C line has its reply, and each S line takes one
    bool peeked = false;     ///< S!: looked at the first that is owed
    bool continued = false;  ///< "+" was read: the next C line answers it
    bool content = false;    ///< SMTP, LMTP: 354 was read: C lines are mail, up to its final dot
    bool ended = false;
    std::string said;  ///< what was sent while `certain` was false
  };

  void complain(const TalkLine& at, std::string_view text, std::string expected,
                const std::vector<std::string>& known = {}) {
    complaints_.at({at.line, column_}, text, std::move(expected), known);
  }

  Wire& wire_of(const TalkLine& line) {
    const auto [at, fresh] = wires_.try_emplace(line.connection);
    if (fresh) begin(at->second, check_.first);
    return at->second;
  }
  static void begin(Wire& wire, const TalkConnect& how) {
    wire = {};
    wire.protocol = how.protocol;
    if (how.protocol != Protocol::imap && how.standing == Standing::greeting) wire.owed.push_back({0, 1, true});
  }

  void line(std::size_t index) {
    TalkLine& one = check_.talk[index];
    switch (one.op) {
      case Op::connect: {
        const auto known = wires_.find(one.connection);
        if (known != wires_.end()) is_read(known->second);
        return begin(wires_[one.connection], one.connect);
      }
      case Op::deliver:
        messages_ += scenario_.steps.at(one.delivery).get<Deliver>().count;
        return;
      case Op::note:
        return;
      case Op::arrives:
      case Op::no_report:
        return arrives(one);
      case Op::wait:
      case Op::within:
        waited_ = true;
        return;
      case Op::same:
      case Op::differ:
      case Op::fewer:
      case Op::at_most:
        return compared(one);
      case Op::distinct:
        return filled(one, one.text);
      case Op::took: {
        const auto variable = only_variable(one.text);
        if (!variable || !variable->type.empty()) return complain(one, one.text, "a variable, like took: ${login}");
        bound_.insert(variable->name);
        return;
      }
      case Op::ask:
        if (wire_of(one).protocol != Protocol::imap) complain(one, one.written, "ask: on a connection of IMAP");
        [[fallthrough]];
      case Op::send:
      case Op::send_raw:
        filled(one, one.text);
        waited_ = false;
        return sent(wire_of(one), index);
      case Op::reply:
      case Op::reply_regex:
      case Op::maybe:
      case Op::never:
      case Op::no_regex:
        return awaited(wire_of(one), one);
      default:
        return happened(wire_of(one), one);
    }
  }

  // What is sent.

  void filled(const TalkLine& at, std::string_view text) {
    for (const TalkPart& part : cut_pattern(text)) {
      if (part.variable) {
        given(at, *part.variable);
      } else if (part.literal.find("${") != std::string::npos) {
        complain(at, at.written, "a } that ends the variable");
      }
    }
  }

  void given(const TalkLine& at, const TalkVariable& variable) {
    const std::string& name = variable.name;
    const auto shown = [&] {
      return fmt::format("${{{}{}{}}}", name, variable.type.empty() ? "" : ":", variable.type);
    };
    const bool literal = name == "literal";
    if (literal && (at.op != Op::send || wire_of(at).protocol != Protocol::imap))
      complain(at, shown(), "a literal in a C: line of IMAP");
    if (name == "b64" || name == "quoted" || literal) return filled(at, variable.type);
    if (name == "fill" || name == "pad") {
      const auto colon =
          name == "fill" ? std::min(variable.type.find(':'), variable.type.size()) : variable.type.size();
      if (!number_in(std::string_view(variable.type).substr(0, colon), 1, kMostFill) ||
          colon + 1 == variable.type.size())
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
    if (name == "wrong" || name == "nobody" || name == "mixed" || bound_.contains(name) || own(variable)) return;
    for (const std::string_view word : {"user", "pass", "address"}) {
      if (!name.starts_with(word)) continue;
      const std::string_view number = std::string_view(name).substr(word.size());
      if (number.empty() || number_in(number, 1, static_cast<int>(scenario_.accounts.size()))) return;
      if (is_number(number)) return complain(at, shown(), "one of the accounts of the check: accounts: 2 leases two");
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

  /// A mailbox of the check's own, or how its name is made.
  bool own(const TalkVariable& variable) {
    if (!variable.type.empty() || !is_own_mailbox(variable.name)) return false;
    check_.own.insert(variable.name);
    return true;
  }

  /// Any other mailbox may be somebody's, and nobody would remove it.
  void others_mailboxes(const TalkLine& line) {
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

  void sent(Wire& wire, std::size_t index) {
    const TalkLine& line = check_.talk[index];
    if (wire.protocol == Protocol::imap) others_mailboxes(line);
    if (is_mail(wire.protocol)) {
      addresses(line);
      if (mail(wire, line)) return;
    }
    if (line.op == Op::send_raw) wire.certain = false;
    if (wire.protocol == Protocol::imap && line.op == Op::send) literals(line);
    if (!wire.certain) {
      wire.said += line.text + "\n";
      return;
    }
    const bool answers = std::exchange(wire.continued, false) ||
                         (wire.protocol == Protocol::imap && !wire.owed.empty() && iequals(line.text, "DONE"));
    if (answers) return;
    // Tags tell the replies of IMAP apart: each is one of its own.
    const bool each = wire.protocol == Protocol::imap;
    for (int i = 0; i < (each ? line.count : 1); ++i) wire.owed.push_back({index, each ? 1 : line.count});
  }

  /// A message that is sent, or its text. False: it is a command.
  bool mail(Wire& wire, const TalkLine& line) {
    if (line.op != Op::send) return false;
    const bool chunk = istarts_with(line.text, "BDAT ");
    const auto open = line.text.find("{mail"), close = line.text.find('}', open);
    // {mial} would go out as it stands, and be the mail.
    const auto brace = line.text.find('{');
    const bool begins = brace == 0 || (brace != std::string::npos && line.text[brace - 1] == ' ');
    if ((wire.content || chunk) && begins && open != brace)
      complain(line, line.text.substr(brace, line.text.find('}', brace) - brace + 1), "{mail}, a new message");
    bool made = false;
    if (open != std::string::npos && close != std::string::npos && !line.text.substr(open).starts_with("{mail.")) {
      made = true;
      messages_ += line.count;
      const std::string inside = line.text.substr(open, close - open + 1);
      if (!read_new_mail(inside))
        complain(line, inside, "what kind of message and how large, where it is not any: {mail dot-lines 8KiB}");
      if (!chunk && !wire.content && wire.certain)
        complain(line, line.written, "S: 354 above, which asks for it; or BDAT in front of it");
      if (!chunk && inside != line.text)
        complain(line, line.written, "a line of its own for {mail}, or BDAT before it");
    }
    const bool ends = wire.content && (made || line.text == ".");
    // LMTP has a reply for each recipient that was taken: how many is the server's to say.
    if ((ends || chunk) && wire.protocol == Protocol::lmtp) wire.certain = false;
    return ends ? std::exchange(wire.content, false) : wire.content;
  }

  /// A check sends no mail to anybody but those it was lent, and lets no report go elsewhere.
  void addresses(const TalkLine& line) {
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
        const bool lent = name.starts_with("address") || name == "nobody" || name == "mixed";
        if (lent || path.find_first_of("@$") == std::string_view::npos) continue;
        complain(line, line.written, "an address that the check was lent: <${address}>, <${address2}>; or <${nobody}>");
      }
    }
  }

  /// "mail.1", "mail.1 user2", "report mail.1"
  void arrives(const TalkLine& line) {
    auto words = words_in(line.text);
    if (line.op == Op::arrives && !words.empty() && words.front() == "report") words.erase(words.begin());
    const bool known_user =
        words.size() == 2 && words[1].starts_with("user") &&
        number_in(std::string_view(words[1]).substr(4), 2, static_cast<int>(scenario_.accounts.size()));
    if (words.empty() || words.size() > (known_user ? 2 : 1))
      return complain(line, line.written,
                      line.op == Op::arrives
                          ? "a message: arrives: mail.1, arrives: mail.1 user2, arrives: report mail.1"
                          : "a message: no-report: mail.1");
    delivered(line, words.front());
  }

  /// {mail.1} in what IMAP sends. Braces around a number are the client's own literal.
  void literals(const TalkLine& line) {
    const std::string_view text = line.text;
    for (std::size_t open = 0; (open = text.find('{', open)) != std::string_view::npos; ++open) {
      const auto close = text.find('}', open);
      if (close == std::string_view::npos || (open > 0 && text[open - 1] == '$')) continue;
      const std::string_view inside = text.substr(open + 1, close - open - 1);
      const auto dot = inside.rfind('.');
      if (dot == std::string_view::npos) continue;
      const std::string_view set = inside.substr(0, dot), number = inside.substr(dot + 1);
      const bool name =
          !set.empty() && std::all_of(set.begin(), set.end(), [](char c) { return c >= 'a' && c <= 'z'; });
      if (name && (number == "last" || is_number(number))) delivered(line, inside);
    }
  }

  /// "mail.2" is one of those that were delivered.
  void delivered(const TalkLine& line, std::string_view name) {
    const std::string_view number = name.starts_with("mail.") ? name.substr(5) : std::string_view();
    const bool there = number == "last" ? messages_ > 0 : number_in(number, 1, messages_).has_value();
    if (there) return;
    complain(line, fmt::format("{{{}}}", name),
             messages_ == 0 ? std::string("a message that was delivered before, and none was: mailbox: {messages: 1}")
             : messages_ == 1
                 ? std::string("a message that was delivered before: mail.1")
                 : fmt::format("a message that was delivered before: mail.1 to mail.{} or mail.last", messages_));
  }

  // What must come.

  void awaited(Wire& wire, TalkLine& line) {
    const bool regex = line.op == Op::reply_regex;
    for (const std::string& pattern : line.alternatives) {
      alternative(line, pattern);
      if (!regex) binds(line, pattern, false);
    }
    if (wire.protocol == Protocol::imap) return imap(wire, line);
    if (is_mail(wire.protocol)) return mail_reply(wire, line);
    in_block(line);
    if (statuses(line)) takes(wire, line);
  }

  void alternative(const TalkLine& line, const std::string& pattern) {
    const auto words = pattern_words(pattern);
    const bool glued = std::any_of(words.begin(), words.end(), [](std::string_view word) {
      if (word == "|" || word == "||") return true;
      const auto bar = word.find('|');
      const std::string_view first = word.substr(0, bar);
      return bar != std::string_view::npos &&
             (first == "+OK" || first == "-ERR" || first == "OK" || first == "NO" || first == "BAD");
    });
    if (words.empty() || glued) complain(line, line.written, "alternatives with one bar between blanks: S: +OK | -ERR");
  }

  /// Three digits, of which the last two may be left open (RFC 5321 section 4.2.1).
  static bool is_code(std::string_view word) {
    const auto digit = [](char c, char least, char most) { return (c >= least && c <= most) || c == 'x'; };
    return word.size() == 3 && digit(word[0], '2', '5') && digit(word[1], '0', '9') && digit(word[2], '0', '9');
  }

  void mail_reply(Wire& wire, TalkLine& line) {
    in_block(line);
    std::size_t intermediate = 0;
    for (const std::string& pattern : line.alternatives) {
      const auto words = pattern_words(pattern);
      if (pattern == "closed" || words.empty() || words.front().starts_with("${")) continue;
      if (!is_code(words.front())) {
        wire.certain = false;
        return complain(line, line.written, "a reply's code, like 250 or 5xx; or closed");
      }
      intermediate += words.front().starts_with('3') ? 1 : 0;
    }
    if (line.op == Op::never) {
      wire.peeked = true;
      return;
    }
    wire.peeked = false;
    if (line.op == Op::maybe || line.op == Op::reply_regex) {
      if (line.op == Op::maybe) wire.certain = false;
    } else if (intermediate > 0) {
      const bool data = wire.owed.empty() || !istarts_with(check_.talk[wire.owed.front().line].text, "AUTH");
      // Refused, the rest is nothing that a check can be about: the talk ends there.
      if (intermediate < line.alternatives.size()) wire.certain = false;
      (data ? wire.content : wire.continued) = true;
      return;
    }
    if (!wire.certain) return;
    for (int left = line.count; left > 0;) {
      if (wire.owed.empty()) {
        if (!may_close(line) && !waited_) complain(line, line.written, "a C: line above that this is the reply to");
        return;
      }
      Owed& first = wire.owed.front();
      const int taken = std::min(left, first.times);
      left -= taken;
      if ((first.times -= taken) == 0) wire.owed.pop_front();
    }
  }

  /// POP3 has no other replies (RFC 1939 section 3, RFC 5034 section 4).
  bool statuses(const TalkLine& line) {
    for (const std::string& pattern : line.alternatives) {
      if (pattern.empty() || pattern == "closed" || is_continuation(pattern) || pattern.starts_with("${")) continue;
      if (istarts_with(pattern, "+OK") || istarts_with(pattern, "-ERR")) continue;
      if (line.op != Op::reply) continue;
      complain(line, line.written, "+OK, -ERR, + or closed; lines of a block stand behind S: +OK, and S: . ends them");
      return false;
    }
    return true;
  }

  void in_block(const TalkLine& line) {
    for (const TalkLine& one : line.block) {
      if (one.op == Op::reply || one.op == Op::maybe) {
        if (one.op == Op::reply && one.text.starts_with('{') && one.text.ends_with('}')) {
          content(one);
          continue;
        }
        for (const std::string& pattern : one.alternatives) {
          alternative(one, pattern);
          binds(one, pattern, one.op == Op::reply && only_variable(one.text).has_value());
        }
      }
    }
  }

  /// "{mail.1}", "{mail.1 top 3}", "{mail.*}"
  void content(const TalkLine& line) {
    const std::string_view inside = std::string_view(line.text).substr(1, line.text.size() - 2);
    const auto space = std::min(inside.find(' '), inside.size());
    const std::string_view name = inside.substr(0, space), rest = inside.substr(space);
    if (!rest.empty() && (!rest.starts_with(" top ") || !is_number(rest.substr(5))))
      return complain(line, line.written, "{mail.1}, {mail.1 top 3} or {mail.*}");
    if (name == "mail.*" && messages_ > 0 && rest.empty()) return;
    delivered(line, name);
  }

  /// The variables of a pattern, with types that exist. `of_block`: it may be about the whole block.
  void binds(const TalkLine& line, const std::string& pattern, bool of_block) {
    for (const TalkPart& part : cut_pattern(pattern)) {
      if (!part.variable) {
        if (part.literal.find("${") != std::string::npos) complain(line, line.written, "a } that ends the variable");
        continue;
      }
      type(line, part.variable->type, of_block);
      if (own(*part.variable)) continue;
      if (part.variable->name != "_" && line.op != Op::never) bound_.insert(part.variable->name);
    }
  }

  void type(const TalkLine& line, const std::string& type, bool of_block) {
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
    const bool column = type.starts_with("column ") && number_in(std::string_view(type).substr(7), 1, 99);
    if (column || std::find(kOfBlocks.begin(), kOfBlocks.end(), type) != kOfBlocks.end()) {
      if (!of_block && !(type == "octets" && wire_of(line).protocol == Protocol::imap))
        complain(line, line.written,
                 fmt::format("{} as a line of its own in the block of a reply, above its S: .", type));
      return;
    }
    std::vector<std::string> known = kTypes;
    known.insert(known.end(), kOfBlocks.begin(), kOfBlocks.end());
    complain(line, type, fmt::format("a type: /a regular expression/, {}", either(known)), known);
  }

  /// A POP3 line takes the replies that the connection owes, the oldest first.
  void takes(Wire& wire, TalkLine& line) {
    if (line.op == Op::never) {
      wire.peeked = true;
      return;
    }
    wire.peeked = false;
    if (line.op == Op::maybe) wire.certain = false;
    const bool continued = line.op == Op::reply && std::all_of(line.alternatives.begin(), line.alternatives.end(),
                                                               [](const auto& one) { return is_continuation(one); });
    if (!wire.certain) return block_behind_bytes(wire, line);
    if (continued && !wire.owed.empty()) {
      wire.continued = true;
      return;
    }
    for (int left = line.count; left > 0;) {
      if (wire.owed.empty()) {
        if (!may_close(line) && !waited_)
          complain(
              line, line.written,
              "a C: line above that this is the reply to; lines of a block stand behind S: +OK, and S: . ends them");
        return;
      }
      Owed& first = wire.owed.front();
      if (line.has_block) is_answered_by_block(line, first);
      const int taken = std::min(left, first.times);
      left -= taken;
      if ((first.times -= taken) == 0) wire.owed.pop_front();
    }
  }

  void is_answered_by_block(const TalkLine& line, const Owed& owed) {
    if (owed.greeting) return complain(line, line.written, "no block here: a greeting is one line");
    TalkLine& command = check_.talk[owed.line];
    if (pop3::success_of(pop3::parse_command(command.text)) == pop3::Success::one_line)
      return complain(line, line.written,
                      fmt::format("no block here: the reply to {} is one line", printable(command.text, 40)));
    command.asks_block = true;
  }

  /// Which command a block belongs to is not known here; it is found by its name when it is one that the RFCs know.
  void block_behind_bytes(const Wire& wire, const TalkLine& line) {
    if (!line.has_block) return;
    std::string said;
    for (const char c : wire.said)
      if (c != '|') said += c;
    for (const char* known : {"RETR", "TOP", "LIST", "UIDL", "CAPA", "AUTH", "LANG"}) {
      const std::string_view word = known;
      for (std::size_t i = 0; i + word.size() <= said.size(); ++i)
        if (iequals(std::string_view(said).substr(i, word.size()), word)) return;
    }
    for (const Owed& owed : wire.owed)
      if (!owed.greeting && pop3::has_block(pop3::success_of(pop3::parse_command(check_.talk[owed.line].text)))) return;
    complain(line, line.written,
             "no block here: behind C!: and S?: only RETR, TOP, LIST, UIDL, CAPA, AUTH and LANG are known to have one");
  }

  void imap(Wire& wire, const TalkLine& line) {
    if (line.op == Op::no_regex) return;
    const bool regex = line.op == Op::reply_regex;
    if (regex ? line.text.find("\\*") != std::string::npos : line.text.starts_with("* ")) return;
    // Behind C!: the tag may stand in the pattern: nobody knows here what was sent.
    if (!regex && wire.certain)
      for (const std::string& pattern : line.alternatives) {
        const auto words = pattern_words(pattern);
        if (words.empty() || words.front().starts_with("${")) continue;
        if (std::none_of(kImapFirst.begin(), kImapFirst.end(),
                         [&](std::string_view one) { return iequals(words.front(), one); }))
          return complain(line, line.written, "OK, NO, BAD, + or closed, or * in front of an untagged reply");
      }
    if (line.op == Op::never) {
      wire.peeked = true;
      return;
    }
    wire.peeked = false;
    if (regex && line.text.starts_with("^\\+")) {
      wire.continued = true;
      return;
    }
    const auto pluses = std::count_if(line.alternatives.begin(), line.alternatives.end(),
                                      [](const auto& one) { return is_continuation(one); });
    if (line.op == Op::maybe || (pluses > 0 && static_cast<std::size_t>(pluses) < line.alternatives.size()))
      wire.certain = false;
    if (!wire.certain) return;
    if (pluses > 0) {
      wire.continued = true;
      return;
    }
    for (int i = 0; i < line.count && !wire.owed.empty(); ++i) {
      const auto which = std::min(static_cast<std::size_t>(line.command), wire.owed.size()) - 1;
      wire.owed.erase(wire.owed.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }

  void happened(Wire& wire, const TalkLine& line) {
    switch (line.op) {
      case Op::closed:
      case Op::quiet:
        // Nothing more may come: a reply that is owed would be what came.
        if (line.op == Op::closed && wire.protocol != Protocol::imap) is_read(wire, " before it");
        wire.owed.clear();
        break;
      case Op::close:
      case Op::reset:
        wire.owed.clear();
        break;
      case Op::tls:
        wire.certain = wire.certain && line.text.empty();
        break;
      case Op::compress:
        if (wire.protocol != Protocol::imap) complain(line, line.written, "this on a connection of IMAP (RFC 4978)");
        is_read(wire, " before it");
        break;
      case Op::stop_reading:
        wire.certain = false;
        break;
      default:
        break;
    }
  }

  /// A reply that no line reads says nothing of the server, whatever it is.
  void is_read(Wire& wire, std::string_view where = "") {
    if (!wire.certain || !check_.rule.empty()) return;
    if (wire.peeked && !wire.owed.empty()) wire.owed.pop_front();
    if (wire.owed.empty()) return;
    const Owed& first = wire.owed.front();
    const TalkLine& line = check_.talk[first.line];
    complain(line, first.greeting ? "state: greeting" : line.written,
             fmt::format("a line{} that reads the reply, like S: {}", where,
                         wire.protocol == Protocol::imap   ? "OK"
                         : wire.protocol == Protocol::pop3 ? "+OK"
                                                           : "250"));
  }

  // Comparisons.

  void compared(const TalkLine& line) {
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
            complain(line, part.variable->name, "a variable that an S line above binds",
                     {bound_.begin(), bound_.end()});
      } else if (!numbers && operand.starts_with('{') && operand.ends_with('}')) {
        delivered(line, std::string_view(operand).substr(1, operand.size() - 2));
      } else if (numbers && !number_in(operand, 0, std::numeric_limits<int>::max())) {
        complain(line, operand, "a number, or a variable that an S line above binds, like ${a}");
      }
    }
    if (!any) complain(line, line.written, "at least one variable, like ${a}: this is the same on every server");
  }

  static constexpr std::string_view kImapWords[] = {"OK", "NO", "BAD", "+", "closed", "*"};
  static constexpr std::span<const std::string_view> kImapFirst{kImapWords};
  static constexpr std::array<std::string_view, 5> kOfMailboxes = {"CREATE", "DELETE", "RENAME", "SUBSCRIBE",
                                                                   "UNSUBSCRIBE"};

  int column_;
  Complaints& complaints_;
  const Scenario& scenario_;
  Check& check_;
  int messages_ = 0;     ///< delivered before the present line
  bool waited_ = false;  ///< for what a server says unasked, like -ERR when its patience ends
  std::set<std::string> bound_;
  std::map<int, Wire> wires_;
};

}  // namespace

void check_sense(int column, Complaints& complaints, const Scenario& scenario, Check& check) {
  TalkSense(column, complaints, scenario, check).run();
}

}  // namespace mailproof::scenario
