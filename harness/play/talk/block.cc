#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/bytes.h"
#include "core/pattern.h"
#include "play/talk/match.h"

namespace mailproof::play {
namespace {

using scenario::TalkLine;
using Op = TalkLine::Op;
using Message = std::function<std::optional<std::string>(std::string_view)>;

std::string column(std::string_view line, int number) {
  for (int i = 1; !line.empty(); ++i) {
    const auto end = std::min(line.find(' '), line.size());
    if (i == number) return std::string(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return {};
}

std::uint64_t as_number(std::string_view text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::size_t end_of_header(std::string_view text) {
  const auto at = text.find("\r\n\r\n");
  return at == std::string_view::npos ? text.size() : at + 2;
}

std::string field_name(std::string_view line) { return "\n" + upper(line.substr(0, line.find(':') + 1)); }

/// Without the trace fields that the way to the mailbox puts on top (RFC 5321 section 4.4), and without those of a
/// store that keeps its own there (Status, X-UIDL): fields of a name that the header which was sent does not have.
std::string canonical(std::string_view body, std::string_view sent) {
  constexpr std::string_view kOurs = "X-Mailproof:";
  const auto ours = body.starts_with(kOurs) ? 0 : body.find("\nX-Mailproof:");
  if (ours == std::string_view::npos) return {};
  body.remove_prefix(ours == 0 ? 0 : ours + 1);
  const std::string names = "\n" + upper(sent.substr(0, end_of_header(sent)));
  std::string out;
  bool kept = true;
  std::string_view header = body.substr(0, end_of_header(body));
  body.remove_prefix(header.size());
  while (!header.empty()) {
    const auto length = std::min(header.find('\n'), header.size() - 1) + 1;
    const std::string_view line = header.substr(0, length);
    const bool continues = line.front() == ' ' || line.front() == '\t';
    if (!continues)
      kept = line.find(':') == std::string_view::npos || names.find(field_name(line)) != std::string::npos;
    if (kept) out += line;
    header.remove_prefix(length);
  }
  return out.append(body);
}

/// What stands behind the header.
std::string_view text_of(std::string_view message) {
  return message.substr(std::min(end_of_header(message) + 2, message.size()));
}

/// "Name: value" of a header field as it came: a line end may stand anywhere in the white space behind the colon, and
/// none need be there (RFC 5321 section 4.4, RFC 5322 section 2.2.3). `lines`: how many of the block it takes; 0: that
/// is none.
std::string as_field(const std::vector<std::string>& block, std::size_t at, std::size_t& lines) {
  lines = 0;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  const std::string& first = block[at];
  const auto colon = first.find(':');
  if (colon == std::string::npos || colon == 0 || first.find_first_of(" \t") < colon) return {};
  std::string value = first.substr(colon + 1);
  for (lines = 1; at + lines < block.size() && !block[at + lines].empty() && blank(block[at + lines].front()); ++lines)
    value += block[at + lines];
  return first.substr(0, colon + 1) + " " + value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
}

/// Header, blank line and so many lines of the body (RFC 1939 section 7).
std::string top_of(const std::string& message, std::size_t lines) {
  auto at = message.find("\r\n\r\n");
  if (at == std::string::npos) return message;
  at += 4;
  for (; lines > 0 && at < message.size(); --lines) {
    const auto end = message.find("\r\n", at);
    if (end == std::string::npos) return message;
    at = end + 2;
  }
  return message.substr(0, at);
}

std::string first_difference(std::string_view wanted, std::string_view came) {
  std::size_t at = 0;
  while (at < wanted.size() && at < came.size() && wanted[at] == came[at]) ++at;
  return fmt::format("{} octets of it; at octet {} \"{}\" where \"{}\" was sent", came.size(), at,
                     printable(came.substr(std::min(at, came.size())), 60),
                     printable(wanted.substr(std::min(at, wanted.size())), 60));
}

/// A pattern that is about the whole body and takes no line.
bool about_all(const TalkLine& line) {
  if (line.op == Op::every_regex || line.op == Op::no_regex || line.op == Op::distinct) return true;
  if (line.op != Op::reply) return false;
  if (line.text.starts_with('{') && line.text.ends_with('}')) return true;
  const auto parts = cut_pattern(line.text);
  if (parts.size() != 1 || !parts.front().variable) return false;
  const std::string& type = parts.front().variable->type;
  return type == "block" || type == "octets" || type == "lines" || type == "sum" || type.starts_with("column ");
}

class Block {
 public:
  Block(const TalkReply& reply, const Message& message, TalkVariables& variables)
      : reply_(reply), message_(message), variables_(variables) {}

  std::optional<TalkMismatch> whole(const TalkLine& line) {
    switch (line.op) {
      case Op::every_regex:
        return each(line, true);
      case Op::no_regex:
        return each(line, false);
      case Op::distinct:
        return distinct(line.number);
      default:
        return line.text.starts_with('{') ? content(line.text) : measure(*cut_pattern(line.text).front().variable);
    }
  }

  std::optional<TalkMismatch> ordered(const std::vector<const TalkLine*>& lines) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const TalkLine& line = *lines[i];
      if (line.op == Op::any_lines) {
        if (i + 1 == lines.size()) return std::nullopt;
        while (at < reply_.block.size() && told(*lines[i + 1], at).lines == 0) ++at;
        continue;
      }
      const auto [text, count] = at < reply_.block.size() ? told(line, at) : Told{};
      if (line.op == Op::maybe && count == 0) continue;
      if (at >= reply_.block.size()) return TalkMismatch{shown(line), "the block ends here", &line};
      if (count == 0) return TalkMismatch{shown(line), printable(reply_.block[at], 300), &line};
      takes(line, text);
      at += count;
    }
    if (at < reply_.block.size())
      return TalkMismatch{"the end of the block", fmt::format("another line: {}", printable(reply_.block[at], 300))};
    return std::nullopt;
  }

  std::optional<TalkMismatch> unordered(const std::vector<const TalkLine*>& lines, bool further) {
    std::vector<bool> taken(reply_.block.size());
    for (const TalkLine* line : lines) {
      if (line->op == Op::any_lines) {
        further = true;
        continue;
      }
      std::size_t at = 0;
      while (at < taken.size() && (taken[at] || !tries(*line, reply_.block[at]))) ++at;
      if (at == taken.size() && line->op == Op::maybe) continue;
      if (at == taken.size()) return TalkMismatch{shown(*line), nearest(*line), line};
      takes(*line, reply_.block[at]);
      taken[at] = true;
    }
    const auto left = std::find(taken.begin(), taken.end(), false);
    if (further || left == taken.end()) return std::nullopt;
    const std::string& line = reply_.block[static_cast<std::size_t>(left - taken.begin())];
    return TalkMismatch{"the end of the block", fmt::format("another line: {}", printable(line, 300))};
  }

 private:
  std::string shown(const TalkLine& line) const { return filled_in(line.text, variables_); }
  /// The line that begins with the same word, as those of lists do with the message's number.
  std::string nearest(const TalkLine& wanted) const {
    const std::string word = column(shown(wanted), 1);
    for (const std::string& line : reply_.block)
      if (iequals(column(line, 1), word)) return printable(line, 300);
    return all_lines();
  }
  std::string all_lines() const {
    std::string out;
    for (const std::string& line : reply_.block) {
      out += fmt::format("{}{}", out.empty() ? "" : "\n", printable(line, 120));
      if (out.size() > 1000) return out + "\n...";
    }
    return out.empty() ? "an empty block" : out;
  }

  static bool fits(const TalkLine& line, std::string_view text, TalkVariables& variables) {
    if (line.op == Op::reply_regex) return search(text, line.text);
    if (line.text == "${_}") return true;
    return std::any_of(line.alternatives.begin(), line.alternatives.end(), [&](const std::string& pattern) {
      TalkTrial trial(variables);
      return match_line(pattern, text, variables) && trial.keep();
    });
  }
  bool tries(const TalkLine& line, std::string_view text) const {
    const TalkTrial trial(variables_);
    return fits(line, text, variables_);
  }
  /// The line of the block that fits, or the field that begins there and does, on however many lines it came.
  struct Told {
    std::string text;
    std::size_t lines = 0;  ///< 0: it does not fit
  };
  Told told(const TalkLine& line, std::size_t at) const {
    if (tries(line, reply_.block[at])) return {reply_.block[at], 1};
    std::size_t count = 0;
    std::string field = as_field(reply_.block, at, count);
    if (count != 0 && tries(line, field)) return {std::move(field), count};
    return {};
  }
  void takes(const TalkLine& line, std::string_view text) { fits(line, text, variables_); }

  std::optional<TalkMismatch> each(const TalkLine& line, bool wanted) const {
    const Pattern pattern = Pattern::checked(line.text);
    for (std::size_t at = 0; at < reply_.block.size(); ++at) {
      const std::string& text = reply_.block[at];
      std::size_t lines = 0;  // a field that must not come may come folded (RFC 5322 section 2.2.3)
      const std::string field = wanted ? std::string() : as_field(reply_.block, at, lines);
      if (pattern.search(text) == wanted && (lines < 2 || !pattern.search(field))) continue;
      return TalkMismatch{fmt::format("{} like {}", wanted ? "every line" : "no line", line.text),
                          printable(lines < 2 ? text : field, 300)};
    }
    return std::nullopt;
  }

  std::optional<TalkMismatch> distinct(int number) const {
    std::set<std::string> seen;
    for (const std::string& text : reply_.block)
      if (!seen.insert(column(text, number)).second)
        return TalkMismatch{fmt::format("pairwise different words in column {}", number),
                            fmt::format("{} stands there twice", printable(column(text, number), 100))};
    return std::nullopt;
  }

  std::optional<TalkMismatch> content(const std::string& text) {
    const std::string_view inside = std::string_view(text).substr(1, text.size() - 2);
    const auto space = inside.find(' ');
    const std::string_view name = inside.substr(0, space);
    const bool text_only = space != std::string_view::npos && inside.substr(space + 1) == "text";
    if (name.ends_with(".*")) return any_of(name.substr(0, name.size() - 2), text_only);
    auto wanted = message_(name);
    if (!wanted) return TalkMismatch{text, fmt::format("no message {} was delivered", name)};
    if (space != std::string_view::npos && inside.substr(space + 1).starts_with("top "))
      wanted = top_of(*wanted, as_number(inside.substr(space + 5)));
    const std::string came = canonical(reply_.body, *wanted);
    if (text_only && !came.empty()) {
      if (text_of(came) == text_of(*wanted)) return std::nullopt;
      return TalkMismatch{fmt::format("the {} octets of text of {} as they were sent", text_of(*wanted).size(), name),
                          first_difference(text_of(*wanted), text_of(came))};
    }
    if (same_message(came, *wanted)) return std::nullopt;
    return TalkMismatch{fmt::format("the {} octets of {} as they were sent, but for header fields that a server adds",
                                    wanted->size(), inside),
                        came.empty()
                            ? fmt::format("{} octets, and our first header is not among them", reply_.body.size())
                            : first_difference(*wanted, came)};
  }

  /// Where there is no body, an empty line for one is no other message: mbox keeps it so, and DKIM, too, takes both for
  /// the same (RFC 6376 section 3.4.3).
  static bool same_message(std::string_view came, std::string_view wanted) {
    const bool all_header = wanted.find("\r\n\r\n") == wanted.size() - 4;
    return came == wanted || (all_header && came.ends_with("\r\n") && came.substr(0, came.size() - 2) == wanted);
  }

  /// {mail.*}: exactly one of them, and none that came before. No RFC says in which order a server numbers what came.
  std::optional<TalkMismatch> any_of(std::string_view set, bool text_only) {
    auto& before = variables_.distinct[fmt::format("{{{}.*}}", set)];
    for (int i = 1;; ++i) {
      const std::string name = fmt::format("{}.{}", set, i);
      const auto wanted = message_(name);
      if (!wanted) break;
      const std::string came = canonical(reply_.body, *wanted);
      const bool same = text_only ? !came.empty() && text_of(came) == text_of(*wanted) : same_message(came, *wanted);
      if (same && before.insert(name).second) return std::nullopt;
    }
    return TalkMismatch{fmt::format("{}one of the messages of {} as it was sent, and not one that came before",
                                    text_only ? "the text of " : "", set),
                        fmt::format("{} octets: {}", reply_.body.size(), printable(reply_.body, 120))};
  }

  std::optional<TalkMismatch> measure(const TalkVariable& variable) {
    std::string value;
    if (variable.type == "block") {
      value = reply_.body;
    } else if (variable.type == "octets") {
      value = std::to_string(reply_.body.size());
    } else if (variable.type == "lines") {
      value = std::to_string(reply_.block.size());
    } else if (variable.type == "sum") {
      std::uint64_t sum = 0;
      for (const std::string& line : reply_.block) sum += as_number(column(line, 2));
      value = std::to_string(sum);
    } else {
      const int number = static_cast<int>(as_number(std::string_view(variable.type).substr(7)));
      for (const std::string& line : reply_.block) value += column(line, number) + "\n";
    }
    const auto before = variables_.values.find(variable.name);
    if (bind_variable({variable.name, ""}, value, variables_)) return std::nullopt;
    const std::string& bound = before->second;
    if (variable.type == "block" || variable.type.starts_with("column"))
      return TalkMismatch{fmt::format("the same {} as before ({} octets)", variable.type, bound.size()),
                          first_difference(bound, value)};
    return TalkMismatch{fmt::format("{} {}", bound, variable.type == "sum" ? "as the sum of the sizes" : variable.type),
                        value};
  }

  const TalkReply& reply_;
  const Message& message_;
  TalkVariables& variables_;
};

}  // namespace

BlockOrder order_of_reply(std::string_view command) {
  const std::string_view word = command.substr(0, command.find(' '));
  if (iequals(word, "CAPA")) return BlockOrder::any_and_more;
  return iequals(word, "LIST") || iequals(word, "UIDL") ? BlockOrder::any : BlockOrder::as_written;
}

std::optional<TalkMismatch> match_block(const std::vector<TalkLine>& lines, const TalkReply& reply, BlockOrder order,
                                        const Message& message, TalkVariables& variables) {
  Block block(reply, message, variables);
  std::vector<const TalkLine*> single;
  bool all = false;
  for (const TalkLine& line : lines) {
    if (!about_all(line)) {
      single.push_back(&line);
      continue;
    }
    all = true;
    if (auto mismatch = block.whole(line)) {
      mismatch->line = &line;
      return mismatch;
    }
  }
  if (single.empty() && all) return std::nullopt;
  if (order == BlockOrder::as_written) return block.ordered(single);
  return block.unordered(single, order == BlockOrder::any_and_more);
}

}  // namespace mailproof::play
