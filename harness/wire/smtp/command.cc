#include "wire/smtp/command.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/bytes.h"
#include "wire/smtp/path.h"
#include "wire/smtp/xtext.h"
#include "wire/text/words.h"

namespace mailproof::smtp {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 15> kVerbs{{{"HELO", Verb::helo},
                                                                    {"EHLO", Verb::ehlo},
                                                                    {"LHLO", Verb::lhlo},
                                                                    {"MAIL", Verb::mail},
                                                                    {"RCPT", Verb::rcpt},
                                                                    {"DATA", Verb::data},
                                                                    {"RSET", Verb::rset},
                                                                    {"NOOP", Verb::noop},
                                                                    {"QUIT", Verb::quit},
                                                                    {"VRFY", Verb::vrfy},
                                                                    {"EXPN", Verb::expn},
                                                                    {"HELP", Verb::help},
                                                                    {"STARTTLS", Verb::starttls},
                                                                    {"AUTH", Verb::auth},
                                                                    {"BDAT", Verb::bdat}}};

Error syntax(std::string_view why) { return Error{"501", std::string(why)}; }
Error unknown(std::string_view keyword) {
  return Error{"555", fmt::format("parameter {} is not recognized", printable(keyword, 40))};
}

/// esmtp-param = esmtp-keyword ["=" esmtp-value]
struct Parameter {
  std::string_view keyword;
  std::string_view value;
};

Parameter take_parameter(std::string_view& rest) {
  const std::string_view word = text::take_word(rest);
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {word, {}};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

Result<std::string> path_behind(std::string_view keyword, std::string_view& rest) {
  if (!istarts_with(rest, keyword)) return syntax(fmt::format("{} is missing", keyword));
  rest.remove_prefix(keyword.size());
  // Not in the ABNF, but written by so many clients that every server takes it (RFC 5321 section 3.3 warns of it).
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  auto path = take_path(rest);
  if (!path) return path;
  if (!rest.empty() && !rest.starts_with(' ')) return syntax("a space is missing behind the path");
  if (!rest.empty()) rest.remove_prefix(1);
  return path;
}

/// NOTIFY= "NEVER" / ( notify-list-element *( "," notify-list-element ) )
Result<Notify> parse_notify(std::string_view value) {
  Notify notify;
  notify.given = true;
  if (iequals(value, "NEVER")) {
    notify.never = true;
    return notify;
  }
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view element = value.substr(0, comma);
    if (iequals(element, "SUCCESS")) {
      notify.success = true;
    } else if (iequals(element, "FAILURE")) {
      notify.failure = true;
    } else if (iequals(element, "DELAY")) {
      notify.delay = true;
    } else {
      return syntax("NOTIFY takes NEVER, or SUCCESS, FAILURE, DELAY");
    }
    if (comma == std::string_view::npos) return notify;
    value.remove_prefix(comma + 1);
  }
}

Result<void> set(MailFrom& mail, const Parameter& p) {
  if (iequals(p.keyword, "SIZE")) {
    mail.size = text::parse_number<std::uint64_t>(p.value);
    if (!mail.size) return syntax("SIZE takes a number of octets");
  } else if (iequals(p.keyword, "BODY")) {
    if (iequals(p.value, "7BIT")) {
      mail.body = Body::seven_bit;
    } else if (iequals(p.value, "8BITMIME")) {
      mail.body = Body::eight_bit_mime;
    } else if (iequals(p.value, "BINARYMIME")) {
      mail.body = Body::binary_mime;
    } else {
      return syntax("BODY takes 7BIT or 8BITMIME");
    }
  } else if (iequals(p.keyword, "RET")) {
    if (!iequals(p.value, "FULL") && !iequals(p.value, "HDRS")) return syntax("RET takes FULL or HDRS");
    mail.ret = iequals(p.value, "FULL") ? Ret::full : Ret::headers;
  } else if (iequals(p.keyword, "ENVID") || iequals(p.keyword, "AUTH")) {
    auto decoded = from_xtext(p.value);
    if (!decoded || p.value.empty()) return syntax(fmt::format("{} takes xtext", upper(p.keyword)));
    (iequals(p.keyword, "ENVID") ? mail.envid : mail.auth) = std::move(*decoded);
  } else if (iequals(p.keyword, "SMTPUTF8")) {
    mail.smtputf8 = true;
  } else {
    return unknown(p.keyword);
  }
  return {};
}

Result<void> set(RcptTo& rcpt, const Parameter& p) {
  if (iequals(p.keyword, "NOTIFY")) {
    const auto notify = parse_notify(p.value);
    if (!notify) return notify.error();
    rcpt.notify = *notify;
  } else if (iequals(p.keyword, "ORCPT")) {
    const std::size_t semicolon = p.value.find(';');
    if (semicolon == std::string_view::npos || semicolon == 0) return syntax("ORCPT takes a type and an address");
    const auto address = from_xtext(p.value.substr(semicolon + 1));
    if (!address) return syntax("ORCPT takes xtext");
    rcpt.orcpt_type = p.value.substr(0, semicolon);
    rcpt.orcpt = *address;
  } else {
    return unknown(p.keyword);
  }
  return {};
}

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

Result<MailFrom> parse_mail_from(std::string_view arguments) {
  MailFrom mail;
  auto path = path_behind("FROM:", arguments);
  if (!path) return path.error();
  mail.path = std::move(*path);
  while (!arguments.empty()) {
    const Parameter parameter = take_parameter(arguments);
    if (parameter.keyword.empty()) continue;
    if (const auto done = set(mail, parameter); !done) return done.error();
  }
  return mail;
}

Result<RcptTo> parse_rcpt_to(std::string_view arguments) {
  RcptTo rcpt;
  auto path = path_behind("TO:", arguments);
  if (!path) return path.error();
  if (path->empty()) return syntax("a recipient is wanted");
  rcpt.path = std::move(*path);
  while (!arguments.empty()) {
    const Parameter parameter = take_parameter(arguments);
    if (parameter.keyword.empty()) continue;
    if (const auto done = set(rcpt, parameter); !done) return done.error();
  }
  return rcpt;
}

std::string mail_command(const MailFrom& from) {
  std::string line = fmt::format("MAIL FROM:<{}>", from.path);
  if (from.size) line += fmt::format(" SIZE={}", *from.size);
  if (from.body == Body::eight_bit_mime) line += " BODY=8BITMIME";
  if (from.body == Body::binary_mime) line += " BODY=BINARYMIME";
  if (from.ret != Ret::unspecified) line += from.ret == Ret::full ? " RET=FULL" : " RET=HDRS";
  if (!from.envid.empty()) line += fmt::format(" ENVID={}", to_xtext(from.envid));
  if (from.smtputf8) line += " SMTPUTF8";
  if (!from.auth.empty()) line += fmt::format(" AUTH={}", to_xtext(from.auth));
  return line;
}

}  // namespace mailproof::smtp
