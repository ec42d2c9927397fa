#include "scenario/wrong/dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "core/names.h"
#include "core/pattern.h"
#include "core/units.h"

namespace mailproof::scenario {
namespace {

using Kind = WrongAction::Kind;

constexpr std::size_t kMostFill = 1U << 20;

const std::vector<std::string> kWords = {
    "C:",   "C~:",     "greeting", "secured", "S:",    "S!:",   "edit:", "drop:",
    "pass", "silence", "instead:", "also:",   "wait:", "close", "reset", "compress"};

constexpr std::pair<std::string_view, Protocol> kProtocols[] = {
    {"imap", Protocol::imap}, {"pop3", Protocol::pop3}, {"smtp", Protocol::smtp}, {"lmtp", Protocol::lmtp}};

std::optional<unsigned> number(std::string_view text) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// \r \n \t \0 \xHH \\ \/ \| as the octets they stand for; nothing for any other.
std::optional<std::string> unescaped(std::string_view text) {
  constexpr std::pair<char, char> known[] = {{'r', '\r'},  {'n', '\n'}, {'t', '\t'}, {'0', '\0'},
                                             {'\\', '\\'}, {'/', '/'},  {'|', '|'}};
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == 'x') {
      unsigned value = 0;
      const std::string_view digits = text.substr(i + 1, 2);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
      out += static_cast<char>(value);
      i += 2;
      continue;
    }
    const auto found =
        std::find_if(std::begin(known), std::end(known), [&](const auto& one) { return one.first == text[i]; });
    if (found == std::end(known)) return std::nullopt;
    out += found->second;
  }
  return out;
}

/// ${fill:600} becomes so many A.
std::optional<std::string> filled(std::string text) {
  constexpr std::string_view opening = "${fill:";
  for (std::size_t at = 0; (at = text.find(opening, at)) != std::string::npos;) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) return std::nullopt;
    const auto count = number(std::string_view(text).substr(at + opening.size(), end - at - opening.size()));
    if (!count || *count > kMostFill) return std::nullopt;
    text.replace(at, end + 1 - at, *count, 'A');
    at += *count;
  }
  return text;
}

/// The text up to the next slash that no backslash is before; both are taken off `rest`. Nothing without a slash.
std::optional<std::string_view> up_to_slash(std::string_view& rest) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '/') {
      const std::string_view out = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return out;
    }
  }
  return std::nullopt;
}

class DialogueReader {
 public:
  DialogueReader(Protocol protocol, const std::function<Pos(int)>& place, Complaints& complaints)
      : protocol_(protocol), place_(place), complaints_(complaints) {}

  WrongDialogue read(std::string_view text) {
    for (int number = 0; !text.empty(); ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view one = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (one.find_first_not_of(" \t") == std::string_view::npos || one.front() == '#') continue;
      pos_ = place_(number);
      line_ = one;
      line();
    }
    check_actions();
    if (out_.blocks.empty() && !complained_)
      complaints_.at(place_(0), "nothing", "a block like 'C: LIST' and below it what the server does: 'S: -ERR'");
    return std::move(out_);
  }

 private:
  void complain(std::string expected, const std::vector<std::string>& known = {}) {
    complained_ = true;
    complaints_.at(pos_, line_, std::move(expected), known);
  }

  /// What stands behind "WORD" or "WORD " at the line's beginning.
  static std::optional<std::string_view> behind(std::string_view line, std::string_view word) {
    if (!line.starts_with(word)) return std::nullopt;
    line.remove_prefix(word.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  }

  void line() {
    if (place_of_block(line_)) return;
    if (out_.blocks.empty()) return complain("first the place: 'C: LIST', 'C~: ^RETR', greeting or secured", kWords);
    WrongBlock& block = out_.blocks.back();
    if (!block.actions.empty() && ends(block.actions.back().kind))
      return complain("a new block: the connection is over with what stands above");
    if (auto action = read_action()) block.actions.push_back(std::move(*action));
  }

  static bool ends(Kind kind) { return kind == Kind::close || kind == Kind::reset; }

  bool place_of_block(std::string_view rest) {
    WrongBlock block;
    block.protocol = protocol_;
    while (true) {
      const std::size_t angle = rest.find("> ");
      const std::string_view word = rest.substr(0, angle);
      if (angle == std::string_view::npos) break;
      const auto* protocol = std::ranges::find(kProtocols, word, &std::pair<std::string_view, Protocol>::first);
      if (protocol != std::end(kProtocols)) {
        block.protocol = protocol->second;
      } else if (const auto connection = number(word); connection && *connection > 0) {
        block.connection = *connection;
      } else {
        break;
      }
      rest.remove_prefix(angle + 2);
    }
    if (rest == "greeting") {
      block.at = WrongBlock::At::greeting;
    } else if (rest == "secured") {
      block.at = WrongBlock::At::secured;
    } else if (const auto said = behind(rest, "C:")) {
      const bool prefix = said->size() > 2 && said->ends_with(" *");
      block.at = prefix ? WrongBlock::At::prefix : WrongBlock::At::line;
      block.text = said->substr(0, said->size() - (prefix ? 2 : 0));
    } else if (const auto pattern = behind(rest, "C~:")) {
      block.at = WrongBlock::At::regex;
      block.text = *pattern;
      if (!is_pattern(block.text)) return true;
    } else {
      return false;
    }
    check_actions();
    block_pos_ = pos_;
    block_line_ = line_;
    out_.blocks.push_back(std::move(block));
    return true;
  }

  /// A block that does nothing is a mistake: `silence` says that nothing is what is meant.
  void check_actions() {
    if (out_.blocks.empty() || !out_.blocks.back().actions.empty() || complained_) return;
    complained_ = true;
    complaints_.at(block_pos_, block_line_, "below it what the server does; 'silence' when nothing");
  }

  bool is_pattern(const std::string& pattern) {
    const auto compiled = Pattern::compile(pattern);
    if (compiled && !pattern.empty()) return true;
    complain(fmt::format("a regular expression (ECMAScript): {}", compiled ? "is empty" : compiled.error().why));
    return false;
  }

  std::optional<WrongAction> read_action() {
    constexpr std::pair<std::string_view, Kind> bare[] = {{"pass", Kind::pass},
                                                          {"silence", Kind::silence},
                                                          {"close", Kind::close},
                                                          {"reset", Kind::reset},
                                                          {"compress", Kind::compress}};
    for (const auto& [word, kind] : bare)
      if (line_ == word) return WrongAction{.kind = kind};
    if (const auto text = behind(line_, "S:")) return say(std::string(*text), "\r\n");
    if (const auto text = behind(line_, "S!:")) {
      if (const auto bytes = unescaped(*text)) return say(*bytes, "");
      complain("text with \\r \\n \\t \\0 \\xHH \\\\ as its only escapes");
      return std::nullopt;
    }
    if (const auto text = behind(line_, "edit:")) return edit(*text);
    if (const auto text = behind(line_, "drop:")) {
      WrongAction out{.kind = Kind::drop, .pattern = std::string(*text)};
      if (!is_pattern(out.pattern)) return std::nullopt;
      return out;
    }
    for (const auto& [word, kind] : {std::pair("instead:", Kind::instead), std::pair("also:", Kind::also)})
      if (const auto text = behind(line_, word)) return command(kind, *text);
    if (const auto text = behind(line_, "wait:")) {
      const auto span = parse_duration(*text);
      if (span && *span > Duration{}) return WrongAction{.kind = Kind::wait, .span = *span};
      complain("a duration like 250ms or 2s");
      return std::nullopt;
    }
    complain(
        "C:, C~:, greeting or secured, or below one: S:, S!:, edit:, drop:, pass, silence, instead:, also:, "
        "wait:, compress, close or reset",
        kWords);
    return std::nullopt;
  }

  std::optional<WrongAction> say(std::string text, std::string_view end) {
    auto bytes = filled(std::move(text));
    if (!bytes) {
      complain(fmt::format("${{fill:N}} with N of at most {}", kMostFill));
      return std::nullopt;
    }
    return WrongAction{.kind = Kind::say, .text = *bytes + std::string(end)};
  }

  std::optional<WrongAction> command(Kind kind, std::string_view text) {
    if (!text.empty()) return WrongAction{.kind = kind, .text = std::string(text)};
    complain("a command behind it");
    return std::nullopt;
  }

  /// s/RE/TEXT/ or s/RE/TEXT/1
  std::optional<WrongAction> edit(std::string_view rest) {
    WrongAction out{.kind = Kind::edit};
    const bool begins = rest.starts_with("s/");
    if (begins) rest.remove_prefix(2);
    const auto pattern = begins ? up_to_slash(rest) : std::nullopt;
    const auto text = pattern ? up_to_slash(rest) : std::nullopt;
    if (!text || (!rest.empty() && rest != "1")) {
      complain("s/RE/TEXT/, or s/RE/TEXT/1 for the first line that matches only; a slash within is \\/");
      return std::nullopt;
    }
    for (std::size_t i = 0; i < pattern->size(); ++i)
      if (pattern->substr(i, 2) != "\\/") out.pattern += (*pattern)[i];
    const auto bytes = unescaped(*text);
    auto replacement = bytes ? filled(*bytes) : std::nullopt;
    if (!replacement) {
      complain("a TEXT with \\r \\n \\t \\0 \\xHH \\\\ \\/ as its only escapes, $1 and $& for what matched");
      return std::nullopt;
    }
    if (!is_pattern(out.pattern)) return std::nullopt;
    out.text = std::move(*replacement);
    out.only_first = rest == "1";
    return out;
  }

  Protocol protocol_;
  const std::function<Pos(int)>& place_;
  Complaints& complaints_;
  WrongDialogue out_;
  Pos pos_, block_pos_;
  std::string_view line_, block_line_;
  bool complained_ = false;
};

}  // namespace

WrongDialogue read_dialogue(std::string_view text, Protocol protocol, const std::function<Pos(int)>& place,
                            Complaints& complaints) {
  return DialogueReader(protocol, place, complaints).read(text);
}

}  // namespace mailproof::scenario
