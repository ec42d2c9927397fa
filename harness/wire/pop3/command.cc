#include "wire/pop3/command.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::pop3 {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 17> kVerbs{{{"USER", Verb::user},
                                                                    {"PASS", Verb::pass},
                                                                    {"APOP", Verb::apop},
                                                                    {"AUTH", Verb::auth},
                                                                    {"CAPA", Verb::capa},
                                                                    {"STLS", Verb::stls},
                                                                    {"STAT", Verb::stat},
                                                                    {"LIST", Verb::list},
                                                                    {"RETR", Verb::retr},
                                                                    {"DELE", Verb::dele},
                                                                    {"NOOP", Verb::noop},
                                                                    {"RSET", Verb::rset},
                                                                    {"TOP", Verb::top},
                                                                    {"UIDL", Verb::uidl},
                                                                    {"UTF8", Verb::utf8},
                                                                    {"LANG", Verb::lang},
                                                                    {"QUIT", Verb::quit}}};

bool is_hex(char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

}  // namespace

std::string_view name(Verb verb) {
  for (const auto& [text, known] : kVerbs)
    if (known == verb) return text;
  return "?";
}

Command parse_command(std::string_view line) {
  Command command;
  command.arguments = line;
  command.keyword = text::take_word(command.arguments);
  for (const auto& [text, verb] : kVerbs)
    if (iequals(text, command.keyword)) command.verb = verb;
  return command;
}

Success success_of(const Command& command) {
  const auto one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return iequals(word, command.keyword); });
  };
  if (one_of({"RETR", "TOP"})) return command.arguments.empty() ? Success::unknown : Success::message;
  if (one_of({"CAPA"})) return command.arguments.empty() ? Success::lines : Success::unknown;
  if (one_of({"LIST", "UIDL", "AUTH", "LANG"})) return command.arguments.empty() ? Success::lines : Success::one_line;
  const bool known = one_of({"USER", "PASS", "APOP", "STLS", "STAT", "DELE", "NOOP", "RSET", "QUIT", "LAST", "UTF8"});
  return known ? Success::one_line : Success::unknown;
}

Result<std::uint32_t> parse_message_number(std::string_view arguments) {
  const auto number = text::parse_number<std::uint32_t>(text::trim(arguments));
  if (!number || *number == 0) return Error{"", "a message number is wanted"};
  return *number;
}

/// TOP SP msg SP n
Result<TopArguments> parse_top(std::string_view arguments) {
  arguments = text::trim(arguments);
  const auto number = parse_message_number(text::take_word(arguments));
  if (!number) return number.error();
  const auto lines = text::parse_number<std::uint64_t>(arguments);
  if (!lines) return Error{"", "a number of lines is wanted"};
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return TopArguments{*number, static_cast<std::uint32_t>(std::min(*lines, kMost))};
}

/// APOP SP name SP digest; the name may hold spaces, the digest cannot.
Result<ApopArguments> parse_apop(std::string_view arguments) {
  const std::size_t space = arguments.rfind(' ');
  if (space == std::string_view::npos || space == 0) return Error{"", "a name and a digest are wanted"};
  const ApopArguments parsed{arguments.substr(0, space), arguments.substr(space + 1)};
  if (parsed.digest.size() != 32 || !std::all_of(parsed.digest.begin(), parsed.digest.end(), is_hex))
    return Error{"", "the digest must be 32 hex digits"};
  return parsed;
}

}  // namespace mailproof::pop3
