#include "play/talk/imap.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/bytes.h"

namespace mailproof::play {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view line) : line_(line) {}

  std::vector<ImapValue> values(char end) {
    std::vector<ImapValue> out;
    while (at_ < line_.size()) {
      if (line_[at_] == ' ') {
        ++at_;
      } else if (end != '\0' && line_[at_] == end) {
        ++at_;
        return out;
      } else {
        out.push_back(value(end == '\0' && !out.empty() && is_status(out.back().text)));
      }
    }
    return out;
  }

 private:
  /// What a response code may stand behind; in a pattern a variable may hold it.
  static bool is_status(std::string_view word) {
    for (const std::string_view known : {"OK", "NO", "BAD", "BYE", "PREAUTH"})
      if (iequals(word, known)) return true;
    return word.starts_with("${");
  }

  /// `code`: "[" begins a response code here. Elsewhere it is a letter of an atom (RFC 3501 section 9, ATOM-CHAR).
  ImapValue value(bool code) {
    const std::size_t from = at_;
    ImapValue out;
    if (line_.substr(at_, 2) == "~{") ++at_;  // literal8 (RFC 3516 section 7)
    const char c = line_[at_];
    if (c == '(' || (code && c == '[' && line_.find(']', at_) != std::string_view::npos)) {
      ++at_;
      code_ = code_ || c == '[';
      out.kind = c == '(' ? ImapValue::Kind::list : ImapValue::Kind::code;
      if (++depth_ < 64) out.items = values(c == '(' ? ')' : ']');
      --depth_;
      if (c == '[') code_ = false;
      out.text = in_quotes(line_.substr(from, at_ - from));
    } else if (c == '"') {
      out.string = true;
      for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_) {
        if (line_[at_] == '\\' && at_ + 1 < line_.size()) ++at_;
        out.text += line_[at_];
      }
      ++at_;
    } else if (c == '{' && literal(out)) {
      out.string = true;
    } else {
      atom(out);
    }
    return out;
  }

  bool literal(ImapValue& out) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(line_.data() + at_ + 1, line_.data() + line_.size(), size);
    if (error != std::errc()) return false;
    auto next = static_cast<std::size_t>(end - line_.data());
    if (next < line_.size() && line_[next] == '+') ++next;
    if (line_.substr(next, 3) != "}\r\n") return false;
    out.text = line_.substr(next + 3, size);
    at_ = next + 3 + std::min(size, line_.size() - (next + 3));
    return true;
  }

  /// An atom, with what stands in [...] behind a word: BODY[HEADER.FIELDS (DATE)]. Variables hold what they like.
  void atom(ImapValue& out) {
    while (at_ < line_.size()) {
      const char c = line_[at_];
      if (line_.substr(at_, 2) == "${") {
        take_balanced(out, '{', '}');
      } else if (c == '[' && line_.find(']', at_) != std::string_view::npos && begins_section(out.text)) {
        take_balanced(out, '[', ']');
      } else if (c == ' ' || c == '(' || c == ')' || (c == ']' && code_) || c == '"') {
        if (c == ']' || c == '(' || c == '"') {
          if (out.text.empty()) out.text += line_[at_++];
        } else if (c == ')' && out.text.empty()) {
          out.text += line_[at_++];
        }
        return;
      } else {
        out.text += c;
        ++at_;
      }
    }
  }

  /// "[" behind BODY or BINARY begins a section, as it may behind a variable of a pattern; in "a[b" it is a letter.
  static bool begins_section(std::string_view atom) {
    return istarts_with(atom, "BODY") || istarts_with(atom, "BINARY") || atom.find("${") != atom.npos;
  }

  void take_balanced(ImapValue& out, char open, char close) {
    int depth = 0;
    while (at_ < line_.size()) {
      const char c = line_[at_++];
      if (open == '[' && c == '"') continue;  // BODY[HEADER.FIELDS ("DATE")]: header-fld-name = astring
      out.text += c;
      if (c == open) ++depth;
      if (c == close && --depth == 0) return;
    }
  }

  std::string_view line_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool code_ = false;  ///< within a response code, which "]" ends
};

bool is_variable(const ImapValue& value) {
  return value.kind == ImapValue::Kind::text && !value.string && value.text.starts_with("${") &&
         value.text.ends_with("}");
}

bool match_value(const ImapValue& want, const ImapValue& have, TalkVariables& variables);

/// "[nonexistent]" is [NONEXISTENT]; what stands behind the word may be somebody's name.
std::string in_one_case(const ImapValue& value) {
  if (value.kind != ImapValue::Kind::code) return value.text;
  const std::size_t word = std::min(value.text.find(' '), value.text.size());
  return upper(value.text.substr(0, word)) + value.text.substr(word);
}

/// Capabilities in capitals, from A to Z.
std::string in_one_order(const std::vector<ImapValue>& values) {
  std::vector<std::string> words;
  for (const ImapValue& value : values) words.push_back(upper(value.text));
  std::sort(words.begin(), words.end());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// "..." at the end of a list: what follows there is free (extension data of BODYSTRUCTURE).
bool match_in_order(const std::vector<ImapValue>& want, const std::vector<ImapValue>& have, bool open_end,
                    TalkVariables& variables) {
  if (!want.empty() && is_variable(want.back()) && want.back().text.ends_with(":rest}")) {
    if (have.size() + 1 < want.size()) return false;
    const std::vector<ImapValue> behind{have.begin() + static_cast<std::ptrdiff_t>(want.size() - 1), have.end()};
    std::string rest;
    if (is_word(want.front(), "CAPABILITY")) {  // the response code: as of the response, in one order
      rest = in_one_order(behind);
    } else {
      for (const ImapValue& value : behind) rest += (rest.empty() ? "" : " ") + in_one_case(value);
    }
    const auto variable = cut_pattern(want.back().text);
    return match_in_order({want.begin(), want.end() - 1},
                          {have.begin(), have.begin() + static_cast<std::ptrdiff_t>(want.size() - 1)}, false,
                          variables) &&
           bind_variable({variable.front().variable->name, ""}, rest, variables);
  }
  const bool open = open_end || (!want.empty() && is_word(want.back(), "..."));
  const std::size_t count = want.size() - (!want.empty() && is_word(want.back(), "...") ? 1 : 0);
  if (have.size() < count || (!open && have.size() != count)) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (!match_value(want[i], have[i], variables)) return false;
  return true;
}

/// Groups of `width` values in any order: items of FETCH and STATUS (2), flags (1).
bool match_any_order(const std::vector<ImapValue>& want, const std::vector<ImapValue>& have, std::size_t width,
                     bool extra_free, TalkVariables& variables) {
  if (want.size() % width != 0 || have.size() % width != 0) return false;
  if (!extra_free && want.size() != have.size()) return false;
  std::vector<bool> taken(have.size() / width);
  for (std::size_t i = 0; i < want.size(); i += width) {
    bool found = false;
    for (std::size_t j = 0; j < taken.size() && !found; ++j) {
      if (taken[j]) continue;
      TalkTrial trial(variables);
      bool fits = true;
      for (std::size_t k = 0; k < width && fits; ++k) fits = match_value(want[i + k], have[j * width + k], variables);
      if (fits) taken[j] = found = trial.keep();
    }
    if (!found) return false;
  }
  return true;
}

bool flags_only(const std::vector<ImapValue>& values) {
  return std::all_of(values.begin(), values.end(), [](const ImapValue& v) {
    return v.kind == ImapValue::Kind::text && !v.string && (v.text.starts_with('\\') || v.text.starts_with('$')) &&
           !v.text.starts_with("${");
  });
}

bool match_value(const ImapValue& want, const ImapValue& have, TalkVariables& variables) {
  if (is_variable(want)) {
    const auto parts = cut_pattern(want.text);
    if (parts.size() == 1 && parts.front().variable) {
      const TalkVariable& variable = *parts.front().variable;
      if (variable.type == "literal" && !have.string) return false;
      if (variable.type == "octets")
        return bind_variable({variable.name, "number"}, std::to_string(have.text.size()), variables);
      return bind_variable(variable, in_one_case(have), variables);
    }
  }
  if (want.kind != have.kind) return false;
  if (want.kind == ImapValue::Kind::text) {
    if (want.string && have.string) return want.text == have.text;
    if (have.string && is_word(want, "NIL")) return false;  // the string "NIL" is no NIL
    return match_word(want.text, have.text, variables);
  }
  if (want.kind == ImapValue::Kind::list && !want.items.empty() && flags_only(want.items))
    return match_any_order(want.items, have.items, 1, false, variables);
  return match_in_order(want.items, have.items, want.kind == ImapValue::Kind::code, variables);
}

/// "2:2" is the set "2": seq-range = seq-number ":" seq-number, and RFC 3501 section 9 has no rule that they differ.
void as_one_number(ImapValue& set) {
  const auto colon = set.text.find(':');
  if (set.kind != ImapValue::Kind::text || set.string || colon == std::string::npos) return;
  const std::string first = set.text.substr(0, colon);
  const bool number = !first.empty() && first.find_first_not_of("0123456789") == std::string::npos;
  if (number && set.text.substr(colon + 1) == first) set.text = first;
}

/// Where a reply names messages by a set: VANISHED (RFC 7162 section 7), MODIFIED there, COPYUID (RFC 4315 section 4).
void sets_of_one(std::vector<ImapValue>& reply) {
  if (reply.size() > 2 && is_word(reply[1], "VANISHED")) as_one_number(reply.back());
  for (ImapValue& value : reply) {
    if (value.kind != ImapValue::Kind::code || value.items.size() < 2) continue;
    const bool copied = is_word(value.items.front(), "COPYUID");
    if (!copied && !is_word(value.items.front(), "MODIFIED")) continue;
    for (std::size_t i = copied ? 2 : 1; i < value.items.size(); ++i) as_one_number(value.items[i]);
  }
}

/// An ESEARCH response (RFC 4731 section 3.1): its correlator, whether it is about UIDs, and what it tells.
struct Esearch {
  std::vector<ImapValue> correlator;
  bool uid = false;
  std::vector<ImapValue> data;  ///< name and value by turns; that of ALL as single numbers, ascending
};
Esearch read_esearch(const std::vector<ImapValue>& values) {
  Esearch out;
  std::size_t i = 2;
  if (i < values.size() && values[i].kind == ImapValue::Kind::list) out.correlator = values[i++].items;
  if (i < values.size() && is_word(values[i], "UID")) out.uid = i++ != 0;
  out.data.assign(values.begin() + static_cast<std::ptrdiff_t>(std::min(i, values.size())), values.end());
  for (std::size_t n = 0; n + 1 < out.data.size(); n += 2)
    if (const auto all = one_by_one(out.data[n + 1].text); all && is_word(out.data[n], "ALL")) {
      out.data[n + 1].text = joined(sorted(*all));
    } else if (is_word(out.data[n], "PARTIAL") || is_word(out.data[n], "ADDTO") || is_word(out.data[n], "REMOVEFROM")) {
      // a range or a position, and a set behind it (RFC 9394 section 4, RFC 5267 section 6)
      for (std::size_t set = 1; set < out.data[n + 1].items.size(); set += 2) as_one_number(out.data[n + 1].items[set]);
    }
  return out;
}

/// What is told may come in any order, and more than was asked for unless `exact`; without a correlator in the pattern
/// any will do.
bool match_esearch(const std::vector<ImapValue>& want, const std::vector<ImapValue>& have, bool exact,
                   TalkVariables& variables) {
  const Esearch wanted = read_esearch(want), came = read_esearch(have);
  if (wanted.uid != came.uid) return false;
  if (!wanted.correlator.empty() && !match_in_order(wanted.correlator, came.correlator, false, variables)) return false;
  return match_any_order(wanted.data, came.data, 2, !exact, variables);
}

bool is_list(const ImapValue& value) { return value.kind == ImapValue::Kind::list; }

bool is_fetch(const std::vector<ImapValue>& row) {
  return row.size() == 4 && is_word(row[2], "FETCH") && is_list(row[3]);
}

/// FETCH and STATUS: their items come in any order, and further ones are free.
bool match_items(const std::vector<ImapValue>& want, const std::vector<ImapValue>& have, TalkVariables& variables) {
  for (std::size_t i = 0; i < 3; ++i)
    if (!match_value(want[i], have[i], variables)) return false;
  return match_any_order(want[3].items, have[3].items, 2, true, variables);
}

/// "(STORAGE ${used} ${limit} ...)": resources come in any order, and further ones are free behind "...".
bool match_quota(std::vector<ImapValue>& want, const std::vector<ImapValue>& have, TalkVariables& variables) {
  for (std::size_t i = 0; i < 3; ++i)
    if (!match_value(want[i], have[i], variables)) return false;
  auto& wanted = want[3].items;
  const bool open = !wanted.empty() && is_word(wanted.back(), "...");
  if (open) wanted.pop_back();
  return match_any_order(wanted, have[3].items, 3, open, variables);
}

/// The first place, from the outside to the inside, where a value is not what it should be.
struct Unlike {
  std::vector<std::size_t> at;  ///< items of lists, from 1
  std::string wanted, found;
};

std::string shown(const ImapValue& value) {
  constexpr std::size_t most = 120;
  return value.string ? '"' + printable(value.text, most) + '"' : printable(value.text, most);
}

std::optional<Unlike> unlike(const ImapValue& want, const ImapValue& have, TalkVariables& variables) {
  {
    const TalkTrial trial(variables);
    if (match_value(want, have, variables)) return std::nullopt;
  }
  if (!is_list(want) || !is_list(have) || (!want.items.empty() && flags_only(want.items)))
    return Unlike{{}, shown(want), shown(have)};
  const bool open = !want.items.empty() && is_word(want.items.back(), "...");
  const std::size_t count = want.items.size() - (open ? 1 : 0);
  for (std::size_t i = 0; i < count && i < have.items.size(); ++i)
    if (auto inner = unlike(want.items[i], have.items[i], variables)) {
      inner->at.insert(inner->at.begin(), i + 1);
      return inner;
    }
  if (have.items.size() < count)
    return Unlike{{have.items.size() + 1}, shown(want.items[have.items.size()]), "the end"};
  if (!open && have.items.size() > count) return Unlike{{count + 1}, "the end", shown(have.items[count])};
  return std::nullopt;
}

}  // namespace

std::string where_unlike(std::string_view pattern, std::string_view reply, TalkVariables& variables) {
  const auto want = parse_imap_values(pattern), have = parse_imap_values(reply);
  if (!is_fetch(want) || !is_fetch(have)) return {};
  {
    const TalkTrial trial(variables);
    if (!match_value(want[1], have[1], variables)) return {};
  }
  const auto &wanted = want[3].items, &told = have[3].items;
  for (std::size_t i = 0; i + 1 < wanted.size(); i += 2) {
    std::size_t j = 0;
    while (j + 1 < told.size() && !is_word(told[j], wanted[i].text)) j += 2;
    if (j + 1 >= told.size()) return {};
    const auto found = unlike(wanted[i + 1], told[j + 1], variables);
    if (!found) continue;
    const auto item = found->at.empty() ? std::string() : fmt::format(", item {}", fmt::join(found->at, "."));
    return fmt::format("in {}{}: expected {}, found {}", wanted[i].text, item, filled_in(found->wanted, variables),
                       found->found);
  }
  return {};
}

bool is_word(const ImapValue& value, std::string_view word) {
  return value.kind == ImapValue::Kind::text && iequals(value.text, word);
}

std::vector<ImapValue> parse_imap_values(std::string_view line) { return Parser(line).values('\0'); }

bool match_imap(std::string_view pattern, std::string_view line, bool open_end, TalkVariables& variables) {
  auto want = parse_imap_values(pattern);
  auto have = parse_imap_values(line);
  sets_of_one(have);
  const bool exact = !want.empty() && is_word(want.back(), "$");
  if (exact) {
    want.pop_back();
    open_end = false;
  }
  const bool status = want.size() == 4 && is_word(want[1], "STATUS") && is_list(want[3]);
  if ((is_fetch(want) || status) && have.size() == 4 && is_list(have[3])) return match_items(want, have, variables);
  if (have.size() == 4 && is_word(have[1], "QUOTA") && is_list(have[3])) {
    order_resources(have[3]);
    if (want.size() == 4 && is_list(want[3])) return match_quota(want, have, variables);
  }
  // RFC 9051 section 7.3.1: extended data may come that nobody asked for.
  if (want.size() == 5 && have.size() == 6 && is_word(want[1], "LIST") && is_list(have[5]) && !exact) have.pop_back();
  if (want.size() >= 2 && have.size() >= 2 && is_word(want[1], "ESEARCH"))
    return is_word(have[1], "ESEARCH") && match_esearch(want, have, exact, variables);
  const bool capability = want.size() >= 2 && is_word(want[1], "CAPABILITY");
  if (capability || (want.size() >= 2 && is_word(want[1], "SEARCH"))) {
    if (have.size() < 2 || !match_value(want[0], have[0], variables) || !match_value(want[1], have[1], variables))
      return false;
    // "* CAPABILITY ${all:rest}": all of them, in one order.
    if (capability && want.size() == 3 && want[2].text.starts_with("${") && want[2].text.ends_with(":rest}"))
      return match_value(want[2], {ImapValue::Kind::text, in_one_order({have.begin() + 2, have.end()}), false, {}},
                         variables);
    if (capability)
      for (ImapValue& word : have) word.text = upper(word.text);
    // "* SEARCH 1:1280": each of them, as numbers, for a SEARCH response has no ranges.
    if (!capability && want.size() == 3)
      if (const auto numbers = one_by_one(want[2].text); numbers && numbers->size() > 1) {
        std::vector<std::uint32_t> found;
        for (auto value = have.begin() + 2; value != have.end(); ++value) {
          if (!is_of_type(value->text, "seq")) return false;
          const auto number = one_by_one(value->text);
          if (!number) return false;
          found.push_back(number->front());
        }
        return sorted(std::move(found)) == sorted(*numbers);
      }
    return match_any_order({want.begin() + 2, want.end()}, {have.begin() + 2, have.end()}, 1, capability, variables);
  }
  return match_in_order(want, have, open_end, variables);
}

bool match_fetch(std::string_view pattern, const std::vector<std::string_view>& rows, TalkVariables& variables) {
  const auto want = parse_imap_values(pattern);
  if (!is_fetch(want)) return false;
  std::vector<ImapValue> together;
  for (const std::string_view row : rows) {
    auto have = parse_imap_values(row);
    if (!is_fetch(have) || have[3].items.size() % 2 != 0) return false;
    if (together.empty()) {
      together = std::move(have);
      continue;
    }
    auto& said = together[3].items;
    for (std::size_t i = 0; i < have[3].items.size(); i += 2) {
      bool known = false;
      for (std::size_t j = 0; j < said.size() && !known; j += 2) known = is_word(said[j], have[3].items[i].text);
      if (known) continue;
      said.push_back(std::move(have[3].items[i]));
      said.push_back(std::move(have[3].items[i + 1]));
    }
  }
  return !together.empty() && match_items(want, together, variables);
}

std::string_view fetched_number(std::string_view line) {
  constexpr std::size_t kBefore = 2;  // "* "
  const std::size_t digits = line.find_first_not_of("0123456789", kBefore);
  if (!line.starts_with("* ") || digits == kBefore || digits == std::string_view::npos) return {};
  return istarts_with(line.substr(digits), " FETCH ") ? line.substr(kBefore, digits - kBefore) : std::string_view();
}

}  // namespace mailproof::play
