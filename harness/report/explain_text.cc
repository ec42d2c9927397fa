#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/explain.h"

namespace mailproof::report {
namespace {

using history::Sure;

std::string painted(std::string_view text, std::string_view code, const TextStyle& style) {
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string field(std::string_view label, const std::string& text) {
  return fmt::format("  {:<13}{}\n", fmt::format("{}:", label), one_line(text));
}

std::string place(const Explanation::Line& line) {
  if (!line.wire) return fmt::format("[event {}]", line.event);
  return line.wire->last > line.wire->first ? fmt::format("[lines {}-{}]", line.wire->first, line.wire->last)
                                            : fmt::format("[line {}]", line.wire->first);
}

std::string lines_text(const Explanation& one, const TextStyle& style) {
  std::size_t who = 8;
  for (const auto& session : one.sessions) who = std::max(who, session.label.size());
  std::string out;
  for (const auto& line : one.lines) {
    const std::string by = line.session == 0 ? "scenario" : one.sessions[line.session - 1].label;
    std::string sure = fmt::format("{:<8}", history::name(line.sure));
    if (line.sure != Sure::certain) sure = painted(sure, "33", style);
    out += fmt::format("  {:>9.3f} s  {}  {:<10}  {:<{}}  {}  {}\n", line.at, sure, line.word, plain(by), who,
                       one_line(line.text), painted(place(line), "2", style));
  }
  return out;
}

std::string sessions_text(const Explanation& one, const std::string& directory) {
  std::size_t who = 0, where = 0;
  for (const auto& session : one.sessions) {
    who = std::max(who, session.label.size());
    where = std::max(where, session.endpoint.size());
  }
  std::string out;
  for (const auto& session : one.sessions)
    out += fmt::format("    {:<{}}  {:<{}}  {}\n", plain(session.label), who, one_line(session.endpoint), where,
                       session.log.empty() ? "its bytes were not kept" : plain(directory + "/" + session.log));
  return out.empty() ? out : "  Sessions:\n" + out;
}

std::string text_of(const Explanation& one, const std::string& directory, const TextStyle& style) {
  std::string out = fmt::format("{} of {}{}: {}\n", painted(plain(one.message), "1", style), plain(one.scenario),
                                one.copy == 0 ? "" : fmt::format(", copy {}", one.copy),
                                painted(plain(one.verdict()), one.found.empty() ? "0" : "1;31", style));
  for (const auto& end : one.ends) {
    std::string text = end.account;
    if (!end.asked.empty()) text += ": " + end.asked;
    for (const auto& at : end.places) text += (text == end.account ? ": " : "; ") + at;
    out += field("Account", text);
    for (const auto& said : end.logs) out += field("Logged", said);
  }
  std::string local;
  for (const auto& copy : one.local) local += (local.empty() ? "" : ", ") + copy;
  if (!local.empty()) out += field("Local copy", local);
  if (one.nothing_left) out += field("Copies", "none is left anywhere");
  for (const auto& found : one.found)
    out +=
        field("Found", fmt::format("{} {}: {}", judge::name(found.severity), found.id, shortened(found.actual, 300)));
  for (const auto& what : one.not_known) out += field("Not known", what);
  out += lines_text(one, style) + sessions_text(one, directory);
  if (!one.command.empty()) out += field("Reproduce", one.command);
  return out;
}

}  // namespace

std::string explanations_text(const Explanations& explanations, const TextStyle& style) {
  std::string out;
  for (const Explanation& one : explanations.all)
    out += (out.empty() ? "" : "\n") + text_of(one, explanations.directory, style);
  if (explanations.left_out != 0)
    out += fmt::format("\n{} more are not told here; name one of them\n", explanations.left_out);
  return out;
}

}  // namespace mailproof::report
