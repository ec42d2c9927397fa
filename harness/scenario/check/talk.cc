#include "scenario/check/talk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/pattern.h"
#include "core/units.h"
#include "scenario/story/words.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;

constexpr std::size_t kMostLines = 2000;
constexpr int kMostTimes = 5000;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Instructions that are not C: or S:, and what each wants behind its colon.
struct Instruction {
  std::string_view word;
  Op op;
  enum class Wants { nothing, span, text, operands, connect, fill, tls, alert } wants;
};
constexpr Instruction kInstructions[] = {
    {"closed", Op::closed, Instruction::Wants::alert},
    {"quiet", Op::quiet, Instruction::Wants::span},
    {"within", Op::within, Instruction::Wants::span},
    {"wait", Op::wait, Instruction::Wants::span},
    {"close", Op::close, Instruction::Wants::nothing},
    {"reset", Op::reset, Instruction::Wants::nothing},
    {"half-close", Op::half_close, Instruction::Wants::nothing},
    {"stop-reading", Op::stop_reading, Instruction::Wants::nothing},
    {"read", Op::read, Instruction::Wants::nothing},
    {"tls", Op::tls, Instruction::Wants::tls},
    {"compress", Op::compress, Instruction::Wants::nothing},
    {"connect", Op::connect, Instruction::Wants::connect},
    {"deliver", Op::deliver, Instruction::Wants::fill},
    {"arrives", Op::arrives, Instruction::Wants::text},
    {"await", Op::arrives, Instruction::Wants::text},
    {"no-report", Op::no_report, Instruction::Wants::text},
    {"note", Op::note, Instruction::Wants::text},
    {"ask", Op::ask, Instruction::Wants::text},
    {"took", Op::took, Instruction::Wants::text},
    {"same", Op::same, Instruction::Wants::operands},
    {"differ", Op::differ, Instruction::Wants::operands},
    {"fewer", Op::fewer, Instruction::Wants::operands},
    {"at-most", Op::at_most, Instruction::Wants::operands},
    {"distinct", Op::distinct, Instruction::Wants::text},
};

class TalkReader {
 public:
  TalkReader(const Node& node, std::size_t accounts, Complaints& complaints, Scenario& scenario, Check& check)
      : node_(node), accounts_(accounts), complaints_(complaints), scenario_(scenario), check_(check) {}

  void run() {
    const std::size_t before = complaints_.size();
    int line = node_.pos.line;
    std::string_view rest = node_.text;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      ++line;
      read(rest.substr(0, end), line);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (check_.talk.size() > kMostLines) return complain("the talk", fmt::format("at most {} lines", kMostLines));
    }
    if (check_.talk.empty() && complaints_.empty())
      complaints_.value(node_, "lines of talk: C: what is sent, S: what must come");
    close_block(line);
    no_line_is_left(std::nullopt);
    if (!check_.talk.empty() && complaints_.size() == before)
      check_sense(node_.pos.column, complaints_, scenario_, check_);
  }

 private:
  void complain(std::string_view text, std::string expected, const std::vector<std::string>& known = {}) {
    complaints_.at({line_, node_.pos.column}, text, std::move(expected), known);
  }

  void read(std::string_view text, int line) {
    line_ = line;
    const std::string_view whole = trimmed(text);
    if (whole.empty() || whole.front() == '#') return;
    std::string_view rest = whole;
    int first = 1, last = 1;
    const auto arrow = rest.find("> ");
    if (arrow != std::string_view::npos && arrow > 0 && arrow <= 5 &&
        rest.substr(0, arrow).find_first_not_of("0123456789-") == std::string_view::npos) {
      const auto dash = std::min(rest.find('-'), arrow);
      const auto from = number_in(rest.substr(0, dash), 1, 99);
      const auto to = dash == arrow ? from : number_in(rest.substr(dash + 1, arrow - dash - 1), 1, 99);
      if (!from || !to || *to < *from)
        return complain(whole, "a connection from 1 to 99, like 2> C: NOOP, or several, like 2-9> C: NOOP");
      first = *from;
      last = *to;
      rest = trimmed(rest.substr(arrow + 2));
    }
    // Several: the line for each of them, one after the other.
    for (int connection = first; connection <= last; ++connection) read(whole, rest, connection);
  }

  void read(std::string_view whole, std::string_view rest, int connection) {
    TalkLine out;
    out.connection = connection;
    out.written = whole;
    out.line = line_;
    if (rest.starts_with('C') && said(rest, out)) return;
    out.applies = rest.starts_with('A');
    out.prepares = rest.starts_with('P');
    if ((out.applies || out.prepares || rest.starts_with('S')) && awaited(rest, out)) return;
    out.applies = out.prepares = false;
    instruction(rest, out);
  }

  /// "C: x", "C!: x", "C*5: x". False: it is something else.
  bool said(std::string_view rest, TalkLine& out) {
    rest.remove_prefix(1);
    const bool raw = rest.starts_with('!');
    if (raw) rest.remove_prefix(1);
    if (!times(rest, out) || !rest.starts_with(':')) return false;
    rest.remove_prefix(1);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    out.op = raw ? Op::send_raw : Op::send;
    out.text = rest;
    if (raw && rest.empty()) {
      complain(out.written, "bytes behind C!:");
      return true;
    }
    put(std::move(out));
    return true;
  }

  bool times(std::string_view& rest, TalkLine& out) {
    if (!rest.starts_with('*')) return true;
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return false;
    const auto n = number_in(rest.substr(1, colon - 1), 1, kMostTimes);
    if (!n) return false;
    out.count = *n;
    rest.remove_prefix(colon);
    return true;
  }

  bool awaited(std::string_view rest, TalkLine& out) {
    static constexpr std::pair<std::string_view, Op> kMarks[] = {
        {"~~", Op::every_regex}, {"!~", Op::no_regex}, {"~", Op::reply_regex}, {"?", Op::maybe}, {"!", Op::never}};
    rest.remove_prefix(1);
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return false;
    const auto mark = std::ranges::find(kMarks, rest.substr(0, colon), &std::pair<std::string_view, Op>::first);
    out.op = Op::reply;
    if (mark != std::end(kMarks)) {
      out.op = mark->second;
      rest.remove_prefix(colon);
    } else if (rest.starts_with('*')) {
      if (!times(rest, out)) return false;
    } else if (!rest.empty() && rest.front() >= '1' && rest.front() <= '9') {
      const auto n = number_in(rest.substr(0, colon), 1, 99);
      if (!n) return false;
      out.command = *n;
      rest.remove_prefix(colon);
    }
    if (!rest.starts_with(':')) return false;
    out.text = trimmed(rest.substr(1));
    if (out.text.empty()) {
      complain(out.written, "what must come, behind the colon");
      return true;
    }
    const bool regex = out.op == Op::reply_regex || out.op == Op::every_regex || out.op == Op::no_regex;
    if (regex && !is_regex(out.text)) return true;
    if (is_mail(protocol_of(out.connection)) ? in_mail_reply(out) : in_block(out)) return true;
    const bool of_untagged = out.op == Op::no_regex && protocol_of(out.connection) == Protocol::imap;
    if ((out.op == Op::every_regex || out.op == Op::no_regex) && !of_untagged) {
      complain(out.written, "this within the block of a reply: behind S: +OK, with S: . at its end");
      return true;
    }
    alternatives(out);
    put(std::move(out));
    return true;
  }

  bool is_regex(const std::string& text) {
    if (const auto variable = text.find("${"); variable != std::string::npos) {
      complain(text.substr(variable),
               "a regular expression: it knows no variables, which are for S: (a $ itself is \\$)");
      return false;
    }
    const auto pattern = Pattern::compile(text);
    if (!pattern) complain(text, fmt::format("an ECMAScript regular expression ({})", pattern.error().why));
    return pattern.has_value();
  }

  static void alternatives(TalkLine& out) {
    if (out.op == Op::reply_regex || out.op == Op::every_regex || out.op == Op::no_regex) return;
    std::string_view rest = out.text;
    while (true) {
      const auto bar = rest.find(" | ");
      out.alternatives.emplace_back(trimmed(rest.substr(0, bar)));
      if (bar == std::string_view::npos) break;
      rest.remove_prefix(bar + 3);
    }
    if (out.op == Op::reply && out.alternatives.size() == 1 && out.alternatives.front() == "closed") {
      out.op = Op::closed;
      out.text.clear();
    }
  }

  /// SMTP and LMTP: "S: 250-SIZE ${n}" is about a line of the reply that the next S: ends, wherever it stands there,
  /// and whether it is its last or not (RFC 5321 section 4.2.1). So are S~~: and S!~:.
  bool in_mail_reply(TalkLine& line) {
    const bool all = line.op == Op::every_regex || line.op == Op::no_regex;
    const auto goes_on = [](const std::string& pattern) {
      return pattern.size() > 3 && pattern[3] == '-' && pattern[0] >= '2' && pattern[0] <= '5';
    };
    if (!all) alternatives(line);
    const bool one = (line.op == Op::reply || line.op == Op::maybe) && goes_on(line.text);
    no_line_is_left(line.connection);
    if (all || one) {
      if (one && !std::all_of(line.alternatives.begin(), line.alternatives.end(), goes_on))
        complain(line.written, "alternatives that are all about one line of a reply: S: 250-SIZE | 250-DSN");
      for (auto& pattern : line.alternatives)
        if (goes_on(pattern)) pattern[3] = ' ';
      reply_lines_.push_back(std::move(line));
      return true;
    }
    if (line.op == Op::reply || line.op == Op::reply_regex || line.op == Op::closed) {
      line.has_block = !reply_lines_.empty();
      line.block = std::exchange(reply_lines_, {});
    }
    line.alternatives.clear();
    return false;
  }

  /// Lines of a reply whose end does not follow on their connection.
  void no_line_is_left(std::optional<int> connection) {
    if (reply_lines_.empty() || reply_lines_.back().connection == connection) return;
    line_ = reply_lines_.back().line;
    complain(reply_lines_.back().written, "behind it the last line of that reply: S: 250");
    reply_lines_.clear();
  }

  /// S lines of POP3 that stand between the status line of a reply and the "S: ." that ends its block. Whether there is
  /// a block is known at its end, so lines wait in `waiting_`.
  bool in_block(TalkLine& line) {
    if (protocol_of(line.connection) != Protocol::pop3) return false;
    const bool status = line.text.starts_with("+OK") || line.text.starts_with("-ERR") ||
                        line.text.starts_with("closed") || line.text == "+" || line.text.starts_with("+ ");
    if (line.op == Op::reply && line.text == "." && line.count == 1) {
      if (!waiting_for_ || waiting_for_->connection != line.connection) {
        complain(line.written, "a reply before it that this ends: S: +OK");
        return true;
      }
      end_block();
      return true;
    }
    if (!waiting_for_ || waiting_for_->connection != line.connection) return false;
    line.prepares = waiting_for_->prepares;
    line.applies = waiting_for_->applies;
    const bool only_inside = line.op == Op::every_regex || line.op == Op::no_regex;
    if (line.op == Op::reply && status) return false;
    const bool a_line = line.op == Op::reply || line.op == Op::reply_regex || line.op == Op::maybe;
    if (!a_line && !only_inside) return false;
    if (line.op == Op::reply) {
      if (line.text == "...") line.op = Op::any_lines;
      if (line.text.starts_with("distinct ")) {
        const auto column = number_in(trimmed(std::string_view(line.text).substr(9)), 1, 9);
        if (!column) {
          complain(line.written, "the number of a column: S: distinct 2");
          return true;
        }
        line.op = Op::distinct;
        line.number = *column;
      }
    }
    alternatives(line);
    waiting_for_->block.push_back(std::move(line));
    return true;
  }

  void end_block() {
    waiting_for_->has_block = true;
    check_.talk.push_back(std::move(*waiting_for_));
    waiting_for_.reset();
  }

  /// Whether the S lines from the present one on come to an "S: ." before anything else.
  bool block_ahead(int line) const {
    std::string_view rest = node_.text;
    for (int skip = node_.pos.line; skip < line && !rest.empty(); ++skip)
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      std::string_view next = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (next.empty() || next.front() == '#') continue;
      if (next.front() >= '1' && next.front() <= '9')
        if (const auto arrow = next.find("> "); arrow != std::string_view::npos) next = trimmed(next.substr(arrow + 2));
      if (!next.starts_with('S')) return false;
      if (next == "S: .") return true;
      const auto text = trimmed(next.substr(std::min(next.find(':'), next.size() - 1) + 1));
      if (text.starts_with("+OK") || text.starts_with("-ERR")) return false;
    }
    return false;
  }

  Protocol protocol_of(int connection) const {
    for (auto line = check_.talk.rbegin(); line != check_.talk.rend(); ++line)
      if (line->connection == connection && line->op == Op::connect) return line->connect.protocol;
    return check_.first.protocol;
  }

  void close_block(int line) {
    line_ = line;
    if (!waiting_for_) return;
    check_.talk.push_back(std::move(*waiting_for_));
    waiting_for_.reset();
  }

  void put(TalkLine line) {
    if (waiting_for_) close_block(line.line);
    no_line_is_left(std::nullopt);
    const bool block_follows =
        (line.op == Op::reply || line.op == Op::reply_regex) && line.count == 1 && block_ahead(line.line);
    if (block_follows && protocol_of(line.connection) == Protocol::pop3) {
      waiting_for_ = std::move(line);
      return;
    }
    check_.talk.push_back(std::move(line));
  }

  void instruction(std::string_view rest, TalkLine& out) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const std::string_view word = trimmed(rest.substr(0, colon));
    const std::string_view text = colon < rest.size() ? trimmed(rest.substr(colon + 1)) : std::string_view();
    const auto* found = std::find_if(std::begin(kInstructions), std::end(kInstructions),
                                     [&](const Instruction& one) { return one.word == word; });
    if (found == std::end(kInstructions)) {
      std::vector<std::string> known = {"C:", "C!:", "S:", "S!:", "S?:", "S~:", "P:", "A:"};
      for (const auto& one : kInstructions) known.emplace_back(one.word);
      return complain(word, fmt::format("a line of talk: {}", either(known)), known);
    }
    out.op = found->op;
    out.text = text;
    out.prepares = word == "await";
    using Wants = Instruction::Wants;
    switch (found->wants) {
      case Wants::nothing:
        if (!text.empty()) return complain(out.written, fmt::format("nothing behind {}", word));
        break;
      case Wants::span: {
        const auto span = parse_duration(text);
        if (!span || span.value() <= Duration::zero())
          return complain(out.written, fmt::format("a time, like {}: 500ms", word));
        out.span = span.value();
        break;
      }
      case Wants::text:
        if (text.empty()) return complain(out.written, "text behind the colon");
        if (out.op == Op::arrives || out.op == Op::no_report) alternatives(out);
        break;
      case Wants::alert:
        if (!text.empty() && text != "close-notify") return complain(out.written, "closed, or closed: close-notify");
        break;
      case Wants::tls:
        if (!text.empty() && text != "fails" && text != "either")
          return complain(out.written, "tls, tls: fails or tls: either");
        break;
      case Wants::operands:
        out.alternatives = words_in(text);
        if (out.alternatives.size() != 2)
          return complain(out.written, fmt::format("two values, like {}: ${{a}} ${{b}}", word));
        break;
      case Wants::connect:
        out.connect = check_.first;
        read_connect(text, {line_, node_.pos.column}, accounts_, complaints_, out.connect);
        break;
      case Wants::fill: {
        auto step = read_fill(text, {line_, node_.pos.column}, complaints_);
        if (!step) return;
        step->text = out.written;
        out.delivery = scenario_.steps.size();
        scenario_.steps.push_back(std::move(*step));
        break;
      }
    }
    put(std::move(out));
  }

  const Node& node_;
  std::size_t accounts_;
  Complaints& complaints_;
  Scenario& scenario_;
  Check& check_;
  int line_ = 0;
  std::optional<TalkLine> waiting_for_;  ///< a reply whose block is being read
  std::vector<TalkLine> reply_lines_;    ///< SMTP, LMTP: of the reply that the next S: ends
};

}  // namespace

void read_talk(const Node& node, std::size_t accounts, Complaints& complaints, Scenario& scenario, Check& check) {
  TalkReader(node, accounts, complaints, scenario, check).run();
}

}  // namespace mailproof::scenario
