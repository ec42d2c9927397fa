#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "explore/shrink_tries.h"
#include "explore/story_tree.h"
#include "explore/write.h"
#include "scenario/scenario.h"

namespace mailproof::explore {
namespace {

using scenario::Node;
using story_tree::erase_key;
using story_tree::find_in;
using story_tree::half_size;
using story_tree::number_of;
using story_tree::set_text;

std::vector<std::string> talk_lines(const Node& talk) {
  std::vector<std::string> out;
  for (std::string_view rest = talk.text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

class CheckShrinker : ShrinkTries {
 public:
  CheckShrinker(Node file, const std::string& path, const StillFails& still_fails, const ShrinkLimits& limits)
      : ShrinkTries(
            std::move(file),
            [&path](Node& candidate) { return scenario::parse(write(candidate).text, path).problems.empty(); },
            still_fails, limits) {}

  Shrunk run() {
    for (const char* key : {"note", "why", "tags", "refs"}) {
      adopt_with([&](Node& file) { erase_key(check_in(file), key); });
      adopt_with([&](Node& file) { erase_key(file, key); });
    }
    std::string before;
    do {
      before = text();
      without_lines();
      with_less_mail();
    } while (out_.finished && text() != before);
    return std::move(out_);
  }

 private:
  static Node& check_in(Node& file) { return find_in(file, "checks")->children.front(); }

  /// Halves, quarters and so on to single lines, from the end. A command and its reply go together: one alone leaves a
  /// talk that fails anywhere.
  void without_lines() {
    const auto lines = [&] { return talk_lines(*find_in(check_in(out_.story), "talk")); };
    for (std::size_t size = std::max<std::size_t>(lines().size() / 2, 1);; size = size > 1 ? size / 2 : 0) {
      if (size == 0) return;
      for (std::size_t end = lines().size(); end > 0;) {
        bool gone = false;
        // Of a width up to twice the size, so that pairs and replies of several lines are met wherever they begin.
        for (std::size_t width = size; !gone && width < 2 * size + 2 && width <= end; ++width)
          gone = without(end - width, end);
        end = gone ? std::min(end, lines().size()) : end - 1;
        if (gone && lines().empty()) return;
      }
    }
  }

  bool without(std::size_t from, std::size_t to) {
    return adopt_with([&](Node& file) { take_lines(file, from, to); });
  }

  static void take_lines(Node& file, std::size_t from, std::size_t to) {
    Node& talk = *find_in(check_in(file), "talk");
    const auto all = talk_lines(talk);
    std::string text;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (i < from || i >= to) text += all[i] + "\n";
    talk.text = std::move(text);
  }

  /// A message, alone or with the one line that tells of it: "S: 6 ${size}".
  template <class Change>
  bool adopt_with_a_line(const Change& change) {
    if (adopt_with(change)) return true;
    for (std::size_t line = lines_in(out_.story); line-- > 0;)
      if (adopt_with([&](Node& file) {
            change(file);
            take_lines(file, line, line + 1);
          }))
        return true;
    return false;
  }

  /// Fewer messages before the talk, and smaller ones.
  void with_less_mail() {
    for (const bool own : {true, false}) {
      const auto mailbox = [own](Node& file) { return find_in(own ? check_in(file) : file, "mailbox"); };
      Node* now = mailbox(out_.story);
      if (now == nullptr) continue;
      adopt_with([&](Node& file) { erase_key(own ? check_in(file) : file, "mailbox"); });
      now = mailbox(out_.story);
      if (now == nullptr) continue;
      if (now->kind == Node::Kind::list) {
        for (std::size_t i = now->children.size(); i-- > 0;)
          adopt_with_a_line([&](Node& file) {
            auto& list = mailbox(file)->children;
            if (i < list.size()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
          });
        continue;
      }
      fewer(mailbox);
      while (smaller(mailbox)) {
      }
    }
  }

  template <class Mailbox>
  void fewer(const Mailbox& mailbox) {
    for (bool less = true; less;) {
      less = false;
      const Node* count = find_in(*mailbox(out_.story), "messages");
      const auto now = count == nullptr ? std::nullopt : number_of(*count);
      if (!now || *now < 1) return;
      for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, *now / 2, *now - 1})
        if (!less && n < *now)
          less =
              adopt_with_a_line([&](Node& file) { set_text(*find_in(*mailbox(file), "messages"), std::to_string(n)); });
    }
  }

  template <class Mailbox>
  bool smaller(const Mailbox& mailbox) {
    const Node* size = find_in(*mailbox(out_.story), "size");
    const auto half = size == nullptr ? std::nullopt : half_size(*size);
    return half && adopt_with([&](Node& file) { set_text(*find_in(*mailbox(file), "size"), *half); });
  }
};

}  // namespace

std::optional<Node> only_check(const Node& file, std::string_view slug) {
  Node out = file;
  Node* checks = find_in(out, "checks");
  if (checks == nullptr) return std::nullopt;
  std::erase_if(checks->children, [&](const Node& check) {
    const Node* id = scenario::find(check, "id");
    return id == nullptr || id->text != slug;
  });
  if (checks->children.size() != 1) return std::nullopt;
  Node& check = checks->children.front();
  if (scenario::find(check, "talk") != nullptr) return out;
  if (scenario::find(check, "steps") == nullptr) return std::nullopt;
  // By steps: it is a story with a level.
  Node story;
  story.kind = Node::Kind::map;
  for (const char* key : {"id", "needs", "customers", "accounts", "devices", "steps"}) {
    const Node* part = scenario::find(check, key);
    if (part == nullptr) part = scenario::find(out, key);
    if (part != nullptr) story.children.push_back(*part);
  }
  find_in(story, "id")->text = fmt::format("check.{}", slug);
  return story;
}

bool is_check(const Node& file) { return scenario::find(file, "checks") != nullptr; }

std::size_t lines_in(const Node& file) {
  const Node* checks = scenario::find(file, "checks");
  std::size_t out = 0;
  for (std::size_t i = 0; checks != nullptr && i < checks->children.size(); ++i)
    if (const Node* talk = scenario::find(checks->children[i], "talk")) out += talk_lines(*talk).size();
  return out;
}

Shrunk shrink_check(Node file, const std::string& path, const StillFails& still_fails, const ShrinkLimits& limits) {
  return CheckShrinker(std::move(file), path, still_fails, limits).run();
}

}  // namespace mailproof::explore
