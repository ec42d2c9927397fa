#include "scenario/imaptest/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailproof::scenario {

ScriptLines lines_of(std::string_view script) {
  ScriptLines out;
  ScriptLine joined;
  std::string body;
  bool in_body = false, binary = false, header = true;
  int number = 0;
  while (!script.empty()) {
    const auto end = std::min(script.find('\n'), script.size());
    std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.ends_with('\r') && !(in_body && binary)) line.remove_suffix(1);
    ++number;
    if (in_body) {
      if (!line.starts_with("}}}")) {
        body += std::string(line) + (binary ? "\n" : "\r\n");
        continue;
      }
      body.resize(body.size() - std::min<std::size_t>(body.size(), binary ? 1 : 2));
      std::string name = fmt::format("text{}", out.given.size() + 1);
      joined.text += fmt::format("\1{}\1", name);
      out.given.emplace(std::move(name), std::exchange(body, {}));
      line.remove_prefix(3);
      in_body = false;
    } else {
      joined = {number, {}, header};
      if (line.empty()) {
        header = false;
        continue;
      }
      if (line.front() == '#') continue;
    }
    if (line.ends_with("{{{")) {
      binary = line.ends_with("~{{{");
      line.remove_suffix(3);
      joined.text += line;
      in_body = true;
      continue;
    }
    joined.text += line;
    out.lines.push_back(joined);
  }
  if (in_body) out.unfinished = joined.number;
  return out;
}

ScriptConditions::Took ScriptConditions::take(std::string_view line) {
  const bool with = line.starts_with("!ifenv "), without = line.starts_with("!ifnenv ");
  if (with || without) {
    std::string_view name = line.substr(with ? 7 : 8);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const bool outer = skips();
    open_.push_back({outer || has_environment_(std::string(name)) != with, outer, false});
    return Took::yes;
  }
  if (line != "!else" && line != "!endif") return Took::no;
  if (open_.empty() || (line == "!else" && open_.back().turned)) return Took::without_if;
  if (line == "!endif") {
    open_.pop_back();
    return Took::yes;
  }
  Open& now = open_.back();
  now.turned = true;
  if (!now.outer) now.skip = !now.skip;
  return Took::yes;
}

}  // namespace mailproof::scenario
