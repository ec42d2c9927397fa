#include "sim/wrong_script.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/names.h"

namespace mailproof::sim {
namespace {

using Kind = WrongAction::Kind;

std::string told(const WrongBlock& block, std::size_t time) {
  std::string out = block.at == WrongBlock::At::greeting  ? "greeting"
                    : block.at == WrongBlock::At::secured ? "secured"
                    : block.at == WrongBlock::At::regex   ? fmt::format("C~: {}", block.text)
                    : block.at == WrongBlock::At::prefix  ? fmt::format("C: {} *", block.text)
                                                          : fmt::format("C: {}", block.text);
  if (block.connection) out = fmt::format("{}> {}", *block.connection, out);
  if (block.protocol != Protocol::pop3) out = fmt::format("{}> {}", name(block.protocol), out);
  return time < 2 ? out : fmt::format("{} for time {} on a connection", out, time);
}

WrongScript::Block compiled(const WrongBlock& block) {
  WrongScript::Block out;
  out.actions = block.actions;
  bool pass = false, instead = false;
  for (const WrongAction& action : block.actions) {
    pass = pass || action.kind == Kind::pass;
    instead = instead || action.kind == Kind::instead;
    if (action.kind == Kind::edit || action.kind == Kind::drop)
      out.edits.push_back(
          {Pattern::checked(action.pattern), action.kind == Kind::drop, action.text, action.only_first});
  }
  out.edits_give_own = !pass && !instead && !out.edits.empty();
  out.own_command = pass || out.edits_give_own;
  return out;
}

}  // namespace

WireLine take_line(std::string_view& rest) {
  const std::size_t lf = rest.find('\n');
  const std::size_t whole = lf == std::string_view::npos ? rest.size() : lf + 1;
  std::size_t length = lf == std::string_view::npos ? whole : lf;
  if (length < whole && length > 0 && rest[length - 1] == '\r') --length;
  const WireLine line{rest.substr(0, length), rest.substr(length, whole - length)};
  rest.remove_prefix(whole);
  return line;
}

bool WrongScript::Place::fits(WrongBlock::At at, std::string_view line) const {
  if (at != WrongBlock::At::line) return where.at == at;
  switch (where.at) {
    case WrongBlock::At::line:
      return iequals(line, where.text);
    case WrongBlock::At::prefix:
      return line.size() > where.text.size() && istarts_with(line, where.text) && line[where.text.size()] == ' ';
    case WrongBlock::At::regex:
      return pattern->search(line);
    default:
      return false;
  }
}

std::vector<std::string> WrongScript::Place::groups(std::string_view line) const {
  std::vector<std::string> out;
  if (!pattern || !pattern->match(line, &out)) out.clear();
  return out;
}

WrongScript::WrongScript(const WrongDialogue& dialogue) {
  for (const WrongBlock& block : dialogue.blocks) {
    auto place =
        std::find_if(places.begin(), places.end(), [&](const Place& known) { return known.where.same_place(block); });
    if (place == places.end()) {
      place = places.insert(places.end(), {block, std::nullopt, {}});
      if (block.at == WrongBlock::At::regex) place->pattern = Pattern::checked(block.text, Pattern::Letters::any_case);
    }
    place->times.push_back(compiled(block));
    place->times.back().told = told(block, place->times.size());
  }
}

std::string edited(std::string_view rest, const WrongScript::Edit& edit) {
  std::string out;
  for (bool done = false; !rest.empty();) {
    const WireLine line = take_line(rest);
    if (done || !edit.pattern.search(line.text)) {
      out.append(line.text).append(line.end);
      continue;
    }
    done = edit.only_first;
    if (edit.drop) continue;
    out.append(edit.pattern.replace_first(line.text, edit.text)).append(line.end);
  }
  return out;
}

}  // namespace mailproof::sim
