// Blocks of 4 KiB that a match may keep its way back in; a line of some hundred thousand octets wants a few thousand.
#define BOOST_REGEX_MAX_BLOCKS 8192
// Steps of one match: a quarter of a second.
#define BOOST_REGEX_MAX_STATE_COUNT 20000000
#include "core/pattern.h"

#include <fmt/format.h>

#include <boost/regex.hpp>
#include <new>

#include "core/bytes.h"

namespace mailproof {
namespace {

using Match = boost::match_results<std::string_view::const_iterator>;

const auto kFlags = boost::match_single_line | boost::match_not_dot_newline;

/// Perl has some escapes of letters and signs that ECMAScript has not, and means others by some that both have.
std::string as_perl(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == '<' || next == '>' || next == '\'' || next == '`')
      out += next;  // borders of words and texts in Perl, the sign itself here
    else if (next == 'v')
      out += "\\x0b";
    else if (next == 'u' && i + 4 < text.size()) {
      out += fmt::format("\\x{{{}}}", text.substr(i + 1, 4));
      i += 4;
    } else
      out.append({'\\', next});
  }
  return out;
}

/// Where a [ stands that no ] ends; npos = nowhere.
std::size_t open_bracket(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;  // whatever it is, it opens nothing
    else if (text[i] == '[') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != ']') end += text[end] == '\\' ? 2 : 1;
      if (end >= text.size()) return i;
      i = end;
    }
  }
  return std::string_view::npos;
}

/// "Unmatched marking parenthesis ( or \(, at character 3": without the library's excerpt, and without what it says of
/// a bracket, which depends on what else stands there.
std::string why_wrong(std::string_view text, const boost::regex_error& error) {
  if (const auto at = open_bracket(text); at != std::string_view::npos)
    return fmt::format("no ] ends the [ at character {}", at + 1);
  std::string_view what = error.what();
  what = what.substr(0, what.find("  The error occurred"));
  while (!what.empty() && (what.back() == '.' || what.back() == ' ')) what.remove_suffix(1);
  return fmt::format("{}, at character {}", what, error.position() + 1);
}

}  // namespace

struct Pattern::Compiled {
  std::string text;
  boost::regex regex;

  /// `look` looks for the pattern in a text of `octets`.
  bool tried(std::size_t octets, const auto& look) const {
    const auto trouble = [&](std::string_view why) {
      return PatternTrouble(
          fmt::format("a text of {} octets could not be compared with the pattern \"{}\": {}. Whether it is like it is "
                      "not known; a simpler pattern may tell",
                      octets, printable(text, 200), why));
    };
    try {
      return look();
    } catch (const boost::regex_error& error) {
      throw trouble(error.code() == boost::regex_constants::error_complexity ? "it takes too many steps"
                                                                             : "it takes too much memory");
    } catch (const std::bad_alloc&) {
      throw trouble("it takes too much memory");
    }
  }
};

Pattern::Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

Result<Pattern> Pattern::compile(std::string_view text, Letters letters) {
  try {
    auto compiled = std::make_shared<Compiled>();
    compiled->text = text;
    compiled->regex.assign(
        as_perl(text), letters == Letters::any_case ? boost::regex::perl | boost::regex::icase : boost::regex::perl);
    return Pattern(std::move(compiled));
  } catch (const boost::regex_error& error) {
    return Error("", why_wrong(text, error));
  }
}

Pattern Pattern::checked(std::string_view text, Letters letters) {
  auto compiled = compile(text, letters);
  if (!compiled) throw std::logic_error(fmt::format("the pattern \"{}\": {}", text, compiled.error().why));
  return std::move(*compiled);
}

bool Pattern::search(std::string_view text) const {
  return compiled_->tried(text.size(),
                          [&] { return boost::regex_search(text.begin(), text.end(), compiled_->regex, kFlags); });
}

bool Pattern::match(std::string_view text, std::vector<std::string>* groups) const {
  Match found;
  const bool like = compiled_->tried(
      text.size(), [&] { return boost::regex_match(text.begin(), text.end(), found, compiled_->regex, kFlags); });
  if (!like || groups == nullptr) return like;
  groups->clear();
  for (std::size_t i = 1; i < found.size(); ++i) groups->push_back(found[static_cast<int>(i)].str());
  return true;
}

std::string Pattern::replace_first(std::string_view text, std::string_view replacement) const {
  Match found;
  if (!compiled_->tried(text.size(),
                        [&] { return boost::regex_search(text.begin(), text.end(), found, compiled_->regex, kFlags); }))
    return std::string(text);
  std::string out = found.prefix().str();
  // ECMA-262, table "Replacement Text Symbol Substitutions".
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const std::string_view rest = replacement.substr(i + 1);
    if (replacement[i] != '$' || rest.empty()) {
      out += replacement[i];
      continue;
    }
    const auto digit = [&](std::size_t at) { return at < rest.size() && rest[at] >= '0' && rest[at] <= '9'; };
    if (rest[0] == '$') {
      out += '$';
    } else if (rest[0] == '&') {
      out += found[0].str();
    } else if (rest[0] == '`') {
      out += found.prefix().str();
    } else if (rest[0] == '\'') {
      out += found.suffix().str();
    } else if (digit(0)) {
      int group = rest[0] - '0';
      if (digit(1) && static_cast<std::size_t>(group * 10 + rest[1] - '0') < found.size()) {
        group = group * 10 + rest[1] - '0';
        ++i;
      }
      out += found[group].str();
    } else {
      out += '$';
      continue;
    }
    ++i;
  }
  return out += found.suffix().str();
}

}  // namespace mailproof
