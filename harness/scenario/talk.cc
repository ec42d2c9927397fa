#include "scenario/talk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

#include "core/units.h"
#include "scenario/words.h"

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

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (end > at) out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::optional<int> number(std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
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
    {"connect", Op::connect, Instruction::Wants::connect},
    {"deliver", Op::deliver, Instruction::Wants::fill},
    {"note", Op::note, Instruction::Wants::text},
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
    int connection = 1;
    const auto arrow = rest.find("> ");
    if (arrow != std::string_view::npos && arrow > 0 && arrow <= 2 &&
        std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(arrow),
                    [](char c) { return c >= '0' && c <= '9'; })) {
      const auto n = number(rest.substr(0, arrow), 1, 99);
      if (!n) return complain(whole, "a connection from 1 to 99, like 2> C: NOOP");
      connection = *n;
      rest = trimmed(rest.substr(arrow + 2));
    }
    TalkLine out;
    out.connection = connection;
    out.written = whole;
    out.line = line;
    if (rest.starts_with('C') && said(rest, out)) return;
    if (rest.starts_with('S') && awaited(rest, out)) return;
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
    const auto n = number(rest.substr(1, colon - 1), 1, kMostTimes);
    if (!n) return false;
    out.count = *n;
    rest.remove_prefix(colon);
    return true;
  }

  bool awaited(std::string_view rest, TalkLine& out) {
    rest.remove_prefix(1);
    out.op = Op::reply;
    if (rest.starts_with("~~:")) {
      out.op = Op::every_regex;
      rest.remove_prefix(2);
    } else if (rest.starts_with("!~:")) {
      out.op = Op::no_regex;
      rest.remove_prefix(2);
    } else if (rest.starts_with("~:")) {
      out.op = Op::reply_regex;
      rest.remove_prefix(1);
    } else if (rest.starts_with("?:")) {
      out.op = Op::maybe;
      rest.remove_prefix(1);
    } else if (rest.starts_with("!:")) {
      out.op = Op::never;
      rest.remove_prefix(1);
    } else if (rest.starts_with('*')) {
      if (!times(rest, out)) return false;
    } else if (!rest.empty() && rest.front() >= '1' && rest.front() <= '9') {
      const auto colon = std::min(rest.find(':'), rest.size());
      const auto n = number(rest.substr(0, colon), 1, 99);
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
    if (in_block(out)) return true;
    if (out.op == Op::every_regex || out.op == Op::no_regex) {
      complain(out.written, "this within the block of a reply: behind S: +OK, with S: . at its end");
      return true;
    }
    alternatives(out);
    put(std::move(out));
    return true;
  }

  bool is_regex(const std::string& text) {
    try {
      const std::regex probe(text, std::regex::ECMAScript);
      return true;
    } catch (const std::regex_error& error) {
      complain(text, fmt::format("an ECMAScript regular expression ({})", error.what()));
      return false;
    }
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
    const bool only_inside = line.op == Op::every_regex || line.op == Op::no_regex;
    if (line.op == Op::reply && status) return false;
    const bool a_line = line.op == Op::reply || line.op == Op::reply_regex || line.op == Op::maybe;
    if (!a_line && !only_inside) return false;
    if (line.op == Op::reply) {
      if (line.text == "...") line.op = Op::any_lines;
      if (line.text.starts_with("distinct ")) {
        const auto column = number(trimmed(std::string_view(line.text).substr(9)), 1, 9);
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
    block_follows_ = (line.op == Op::reply || line.op == Op::reply_regex) && line.count == 1 && block_ahead(line.line);
    if (block_follows_ && protocol_of(line.connection) == Protocol::pop3) {
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
      std::vector<std::string> known = {"C:", "C!:", "S:", "S!:", "S?:", "S~:"};
      for (const auto& one : kInstructions) known.emplace_back(one.word);
      return complain(word, fmt::format("a line of talk: {}", either(known)), known);
    }
    out.op = found->op;
    out.text = text;
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
        break;
      case Wants::alert:
        if (!text.empty() && text != "close-notify") return complain(out.written, "closed, or closed: close-notify");
        break;
      case Wants::tls:
        if (!text.empty() && text != "fails" && text != "either")
          return complain(out.written, "tls, tls: fails or tls: either");
        break;
      case Wants::operands:
        out.alternatives = words(text);
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
  bool block_follows_ = false;
};

constexpr Word<Standing> kStandings[] = {{"greeting", Standing::greeting},
                                         {"authorization", Standing::authorization},
                                         {"not-authenticated", Standing::authorization},
                                         {"transaction", Standing::authenticated},
                                         {"authenticated", Standing::authenticated},
                                         {"selected", Standing::selected}};
constexpr Word<TalkTls> kTalkTls[] = {{"none", TalkTls::none},
                                      {"clear", TalkTls::clear},
                                      {"starttls", TalkTls::starttls},
                                      {"implicit", TalkTls::implicit}};

template <class E, std::size_t N>
bool take_word(const Word<E> (&table)[N], std::string_view word, E& into) {
  for (const auto& entry : table)
    if (entry.word == word) {
      into = entry.meaning;
      return true;
    }
  return false;
}

}  // namespace

void read_talk(const Node& node, std::size_t accounts, Complaints& complaints, Scenario& scenario, Check& check) {
  TalkReader(node, accounts, complaints, scenario, check).run();
}

void read_connect(std::string_view text, Pos pos, std::size_t accounts, Complaints& complaints, TalkConnect& into) {
  const auto all = words(text);
  bool standing = false;
  for (const auto& word : all) {
    if (word == "imap" || word == "pop3") {
      into.protocol = word == "imap" ? Protocol::imap : Protocol::pop3;
      if (!standing) into.standing = word == "imap" ? Standing::selected : Standing::authenticated;
      continue;
    }
    if (take_word(kStandings, word, into.standing)) {
      standing = true;
      continue;
    }
    if (word.starts_with("tls=") && take_word(kTalkTls, std::string_view(word).substr(4), into.tls)) continue;
    if (word == "tls-max=1.0" || word == "tls-max=1.1") {
      into.tls_max = word.substr(8);
      continue;
    }
    if (word.starts_with("user")) {
      const auto n =
          word.size() == 4 ? std::optional(1) : number(std::string_view(word).substr(4), 1, static_cast<int>(accounts));
      if (n) {
        into.account = static_cast<std::size_t>(*n - 1);
        continue;
      }
    }
    complaints.at(
        pos, word,
        "imap or pop3; greeting, authorization, transaction, not-authenticated, authenticated or selected; "
        "tls=none, tls=clear, tls=starttls or tls=implicit; tls-max=1.1; user2 where the check has accounts: 2");
  }
  const bool pop = into.protocol == Protocol::pop3;
  if (pop && into.standing == Standing::selected)
    complaints.at(pos, text, "a state of POP3: greeting, authorization or transaction");
}

bool read_fill_kind(std::string_view word, Step& step) {
  if (take_word(kMessageKinds, word, step.kind)) return true;
  const auto dash = word.rfind('-');
  if (dash == std::string_view::npos || !take_word(kMessageKinds, word.substr(0, dash), step.kind)) return false;
  const bool sized = step.kind == MessageKind::edge || step.kind == MessageKind::line || step.kind == MessageKind::dots;
  const auto n = number(word.substr(dash + 1), 1, 64 << 20);
  if (!sized || !n) return false;
  step.size = static_cast<std::uint64_t>(*n);
  return true;
}

std::optional<Step> read_fill(std::string_view text, Pos pos, Complaints& complaints) {
  Step step;
  step.pos = pos;
  step.device = 0;
  step.verb = Verb::deliver;
  step.messages = MessageRef{"mail", 0, 0, false};
  step.to_accounts = {0};
  step.expect = Outcome::accepted;
  step.within = std::chrono::seconds(10);
  for (const auto& word : words(text)) {
    if (const auto n = number(word, 1, 5000)) {
      step.count = *n;
    } else if (read_fill_kind(word, step)) {
    } else if (const auto size = parse_size(word)) {
      step.size = size.value();
    } else {
      complaints.at(pos, word,
                    fmt::format("how many, what kind, how large: 3 dot-lines 8KiB; kinds are {}",
                                either(words_of(kMessageKinds))));
      return std::nullopt;
    }
  }
  return step;
}

}  // namespace mailproof::scenario
