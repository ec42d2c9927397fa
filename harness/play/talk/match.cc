#include "play/talk/match.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/pattern.h"
#include "wire/imap/sequence_set.h"
#include "wire/mime/date.h"

namespace mailproof::play {
namespace {

bool all_of(std::string_view text, bool (*good)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), good);
}
bool digit(char c) { return c >= '0' && c <= '9'; }

std::string escaped_for_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

bool search(std::string_view text, std::string_view regex) { return Pattern::checked(regex).search(text); }

std::optional<std::vector<std::uint32_t>> one_by_one(std::string_view text) {
  constexpr std::uint64_t kMost = 10000;
  const auto set = imap::SequenceSet::parse(text);
  if (!set || set.value().has_star() || set.value().named() > kMost) return std::nullopt;
  std::vector<std::uint32_t> out;
  set.value().for_each(0xffff'ffff, [&](std::uint32_t number) { out.push_back(number); });
  return out;
}

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// Whether the set, which may name more than one would count one by one, has the number.
bool holds(std::string_view set, std::string_view number) {
  const auto all = imap::SequenceSet::parse(set), one = imap::SequenceSet::parse(number);
  if (!all || !one || one.value().has_star() || one.value().named() != 1) return false;
  return all.value().contains(one.value().ranges().front().first, 0xffff'ffff);
}

std::string joined(const std::vector<std::uint32_t>& numbers) { return fmt::format("{}", fmt::join(numbers, ",")); }

bool is_of_type(std::string_view value, std::string_view type) {
  if (type.empty() || type == "distinct" || type == "rest") return true;
  if (type == "number" || type == "modseq") return all_of(value, digit);
  if (type == "uid" || type == "seq") return all_of(value, digit) && value.front() != '0';
  if (type == "set" || type == "sorted") return one_by_one(value).has_value();
  if (type == "uidl") return value.size() <= 70 && all_of(value, [](char c) { return c >= 0x21 && c <= 0x7e; });
  if (type == "base64") return unbase64(value).has_value();
  if (type == "date") {
    static const Pattern date = Pattern::checked(
        R"re("?[ 0-9][0-9]-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{4} [0-9:]{8} [+-][0-9]{4}"?)re",
        Pattern::Letters::any_case);
    return date.match(value);
  }
  if (type == "flags") {
    static const Pattern flags = Pattern::checked(R"re(\((\\?[^\s(){%*"\\\]]+( \\?[^\s(){%*"\\\]]+)*)?\))re");
    return flags.match(value);
  }
  if (type == "literal") return true;
  if (type.starts_with("at ")) {
    const auto given = mime::parse_internal_date(type.substr(3)), moment = mime::parse_internal_date(value);
    return given && moment && given->unix_seconds() == moment->unix_seconds();
  }
  if (type.size() >= 2 && type.front() == '/' && type.back() == '/')
    return Pattern::checked(type.substr(1, type.size() - 2)).match(value);
  return false;
}

TalkTrial::TalkTrial(TalkVariables& variables) : variables_(variables), from_(variables.on_trial.size()) {
  ++variables_.trials;
}

TalkTrial::~TalkTrial() {
  auto& bound = variables_.on_trial;
  for (; !kept_ && bound.size() > from_; bound.pop_back()) {
    TalkVariables::Bound& last = bound.back();
    if (last.distinct) variables_.distinct[last.name].erase(*last.distinct);
    if (last.before) {
      variables_.values[last.name] = std::move(*last.before);
    } else {
      variables_.values.erase(last.name);
    }
  }
  if (--variables_.trials == 0) bound.clear();
}

/// RFC 5321 section 2.4: domains "are hence not case sensitive", local parts are.
static bool same_address(std::string_view a, std::string_view b) {
  const auto local = a.rfind('@');
  return local == b.rfind('@') && a.substr(0, local) == b.substr(0, local) && iequals(a, b);
}

bool bind_variable(const TalkVariable& variable, std::string_view given, TalkVariables& variables) {
  constexpr std::string_view kHolds = "holds ";
  if (variable.type.starts_with(kHolds)) {
    const auto number = variables.values.find(variable.type.substr(kHolds.size()));
    if (number == variables.values.end() || !holds(given, number->second)) return false;
    return bind_variable({variable.name, ""}, given, variables);
  }
  if (!is_of_type(given, variable.type)) return false;
  const bool is_set = variable.type == "set" || variable.type == "sorted";
  const std::string one_way =
      is_set ? joined(variable.type == "set" ? *one_by_one(given) : sorted(*one_by_one(given))) : std::string();
  const std::string_view value = is_set ? one_way : given;
  if (variable.name == "_") return true;
  const auto known = variables.values.find(variable.name);
  const bool distinct = variable.type == "distinct";
  if (!distinct && known != variables.values.end()) {
    // RFC 9051 section 5.1: servers "coerce names to a particular case".
    if (variable.name.starts_with("address")) return same_address(known->second, value);
    return scenario::is_own_mailbox(variable.name) ? iequals(known->second, value)
                                                   : mime::same_internal_date(known->second, value);
  }
  TalkVariables::Bound bound{variable.name, {}, {}};
  if (known != variables.values.end()) bound.before = known->second;
  variables.values.insert_or_assign(variable.name, std::string(value));
  const bool fits = !distinct || variables.distinct[variable.name].emplace(value).second;
  if (distinct && fits) bound.distinct = value;
  if (variables.trials > 0) variables.on_trial.push_back(std::move(bound));
  return fits;
}

bool match_word(std::string_view pattern, std::string_view word, TalkVariables& variables) {
  const auto parts = cut_pattern(pattern);
  if (parts.empty()) return word.empty();
  if (parts.size() == 1) {
    if (parts.front().variable) return bind_variable(*parts.front().variable, word, variables);
    return iequals(parts.front().literal, word);
  }
  std::string regex;
  for (const TalkPart& part : parts) {
    const auto known = part.variable && part.variable->type != "distinct" ? variables.values.find(part.variable->name)
                                                                          : variables.values.end();
    regex += !part.variable                    ? escaped_for_regex(part.literal)
             : known == variables.values.end() ? std::string("(.*?)")
                                               : fmt::format("({})", escaped_for_regex(known->second));
  }
  std::vector<std::string> groups;
  if (!Pattern::checked(regex, Pattern::Letters::any_case).match(word, &groups)) return false;
  std::size_t group = 0;
  for (const TalkPart& part : parts)
    if (part.variable && !bind_variable(*part.variable, groups[group++], variables)) return false;
  return true;
}

bool match_line(std::string_view pattern, std::string_view line, TalkVariables& variables) {
  std::vector<std::string> wanted = pattern_words(pattern);
  bool to_the_end = false;
  if (!wanted.empty() && wanted.back() == "$") {
    to_the_end = true;
    wanted.pop_back();
  }
  std::string_view rest = line;
  const auto skip = [&] {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  };
  for (const std::string& want : wanted) {
    skip();
    if (want.starts_with("${") && want.ends_with(":rest}")) return match_word(want, rest, variables);
    if (rest.empty()) return false;
    const auto end = std::min(rest.find(' '), rest.size());
    if (!match_word(want, rest.substr(0, end), variables)) return false;
    rest.remove_prefix(end);
  }
  skip();
  return !to_the_end || rest.empty();
}

std::string filled_in(std::string_view pattern, const TalkVariables& variables) {
  std::string out;
  for (const TalkPart& part : cut_pattern(pattern)) {
    if (!part.variable) {
      out += part.literal;
      continue;
    }
    const auto known = variables.values.find(part.variable->name);
    if (known != variables.values.end() && part.variable->type != "distinct" && known->second.size() <= 200 &&
        known->second.find('\n') == std::string::npos) {
      out += known->second;
    } else {
      out +=
          fmt::format("${{{}{}{}}}", part.variable->name, part.variable->type.empty() ? "" : ":", part.variable->type);
    }
  }
  return out;
}

}  // namespace mailproof::play
