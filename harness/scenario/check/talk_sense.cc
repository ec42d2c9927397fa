// What a talk can be told before it is played: lines that no server could ever satisfy, or that every server would.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "core/bytes.h"
#include "core/pattern.h"
#include "scenario/check/talk.h"
#include "scenario/check/talk_names.h"
#include "scenario/check/talk_pattern.h"
#include "wire/pop3/command.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;

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
      : complaints_(complaints), scenario_(scenario), check_(check), names_(column, complaints, scenario, check) {}

  void run() {
    const std::size_t before = complaints_.size();
    for (std::size_t i = 0; i < check_.talk.size(); ++i) line(i);
    for (auto& [number, wire] : wires_) is_read(wire);
    if (complaints_.size() == before && check_.rule.empty() &&
        std::none_of(check_.talk.begin(), check_.talk.end(), can_fail))
      names_.complain(check_.talk.front(), check_.talk.front().written,
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
    bool selected = false;  ///< IMAP: a mailbox is open, or SELECT was sent
    std::string said;       ///< what was sent while `certain` was false
  };

  Wire& wire_of(const TalkLine& line) {
    const auto [at, fresh] = wires_.try_emplace(line.connection);
    if (fresh) begin(at->second, check_.first);
    return at->second;
  }
  static void begin(Wire& wire, const TalkConnect& how) {
    wire = {};
    wire.protocol = how.protocol;
    wire.selected = how.protocol == Protocol::imap && how.standing == Standing::selected;
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
        return names_.delivers(scenario_.steps.at(one.delivery).get<Deliver>().count);
      case Op::note:
        return;
      case Op::arrives:
      case Op::no_report:
        return names_.arrives(one);
      case Op::wait:
      case Op::within:
        waited_ = true;
        return;
      case Op::same:
      case Op::differ:
      case Op::fewer:
      case Op::at_most:
        return names_.compared(one);
      case Op::distinct:
        return names_.filled(one, one.text, false);
      case Op::took:
        return names_.took(one);
      case Op::ask:
        if (wire_of(one).protocol != Protocol::imap) names_.complain(one, one.written, "ask: on a connection of IMAP");
        [[fallthrough]];
      case Op::send:
      case Op::send_raw:
        names_.filled(one, one.text, wire_of(one).protocol == Protocol::imap);
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

  void sent(Wire& wire, std::size_t index) {
    const TalkLine& line = check_.talk[index];
    if (wire.protocol == Protocol::imap) {
      names_.others_mailboxes(line);
      if (line.op == Op::send) enables(wire, line);
    }
    if (is_mail(wire.protocol)) {
      names_.addresses(line);
      if (mail(wire, line)) return;
    }
    if (line.op == Op::send_raw) wire.certain = false;
    if (wire.protocol == Protocol::imap && line.op == Op::send) names_.literals(line);
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

  /// RFC 5161 section 3.1, RFC 9051 section 6.3.1: "Clients MUST NOT issue ENABLE once they SELECT/EXAMINE a mailbox".
  /// A server that checks says BAD, and whatever was to be looked at behind it never is.
  void enables(Wire& wire, const TalkLine& line) {
    auto words = pattern_words(line.text);
    if (words.size() > 2) words.resize(2);  // the command, or a tag and the command
    const auto says = [&](std::string_view command) {
      return std::any_of(words.begin(), words.end(), [&](const auto& word) { return iequals(word, command); });
    };
    if (says("SELECT") || says("EXAMINE")) wire.selected = true;
    if (says("CLOSE") || says("UNSELECT")) wire.selected = false;
    if (says("ENABLE") && wire.selected)
      names_.complain(line, line.written,
                      "ENABLE where no mailbox is open: state: authenticated, and C: SELECT INBOX behind it");
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
      names_.complain(line, line.text.substr(brace, line.text.find('}', brace) - brace + 1), "{mail}, a new message");
    bool made = false;
    if (open != std::string::npos && close != std::string::npos && !line.text.substr(open).starts_with("{mail.")) {
      made = true;
      names_.delivers(line.count);
      const std::string inside = line.text.substr(open, close - open + 1);
      if (!read_new_mail(inside))
        names_.complain(line, inside, "what kind of message and how large, where it is not any: {mail dot-lines 8KiB}");
      if (!chunk && !wire.content && wire.certain)
        names_.complain(line, line.written, "S: 354 above, which asks for it; or BDAT in front of it");
      if (!chunk && inside != line.text)
        names_.complain(line, line.written, "a line of its own for {mail}, or BDAT before it");
    }
    const bool ends = wire.content && (made || line.text == ".");
    // LMTP has a reply for each recipient that was taken: how many is the server's to say.
    if ((ends || chunk) && wire.protocol == Protocol::lmtp) wire.certain = false;
    return ends ? std::exchange(wire.content, false) : wire.content;
  }

  // What must come.

  void awaited(Wire& wire, TalkLine& line) {
    const bool regex = line.op == Op::reply_regex;
    for (const std::string& pattern : line.alternatives) {
      alternative(line, pattern);
      if (!regex) names_.binds(line, pattern, wire.protocol == Protocol::imap, false);
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
    if (words.empty() || glued)
      names_.complain(line, line.written, "alternatives with one bar between blanks: S: +OK | -ERR");
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
        return names_.complain(line, line.written, "a reply's code, like 250 or 5xx; or closed");
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
        if (!may_close(line) && !waited_)
          names_.complain(line, line.written, "a C: line above that this is the reply to");
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
      names_.complain(line, line.written,
                      "+OK, -ERR, + or closed; lines of a block stand behind S: +OK, and S: . ends them");
      return false;
    }
    return true;
  }

  void in_block(const TalkLine& line) {
    for (const TalkLine& one : line.block) {
      if (one.op == Op::reply || one.op == Op::maybe) {
        if (one.op == Op::reply && one.text.starts_with('{') && one.text.ends_with('}')) {
          names_.content(one);
          continue;
        }
        for (const std::string& pattern : one.alternatives) {
          alternative(one, pattern);
          names_.binds(one, pattern, false, one.op == Op::reply && only_variable(one.text).has_value());
        }
      }
    }
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
          names_.complain(
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
    if (owed.greeting) return names_.complain(line, line.written, "no block here: a greeting is one line");
    TalkLine& command = check_.talk[owed.line];
    if (pop3::success_of(pop3::parse_command(command.text)) == pop3::Success::one_line)
      return names_.complain(line, line.written,
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
    names_.complain(
        line, line.written,
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
          return names_.complain(line, line.written, "OK, NO, BAD, + or closed, or * in front of an untagged reply");
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
        if (wire.protocol != Protocol::imap)
          names_.complain(line, line.written, "this on a connection of IMAP (RFC 4978)");
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
    names_.complain(line, first.greeting ? "state: greeting" : line.written,
                    fmt::format("a line{} that reads the reply, like S: {}", where,
                                wire.protocol == Protocol::imap   ? "OK"
                                : wire.protocol == Protocol::pop3 ? "+OK"
                                                                  : "250"));
  }

  static constexpr std::string_view kImapWords[] = {"OK", "NO", "BAD", "+", "closed", "*"};
  static constexpr std::span<const std::string_view> kImapFirst{kImapWords};

  Complaints& complaints_;
  const Scenario& scenario_;
  Check& check_;
  bool waited_ = false;  ///< for what a server says unasked, like -ERR when its patience ends
  TalkNames names_;
  std::map<int, Wire> wires_;
};

}  // namespace

void check_sense(int column, Complaints& complaints, const Scenario& scenario, Check& check) {
  TalkSense(column, complaints, scenario, check).run();
}

}  // namespace mailproof::scenario
