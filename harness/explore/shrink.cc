#include "explore/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "explore/shrink_tries.h"
#include "explore/story_tree.h"
#include "explore/write.h"
#include "scenario/scenario.h"

namespace mailproof::explore {
namespace {

using namespace story_tree;
using scenario::Node;

class Shrinker : ShrinkTries {
 public:
  Shrinker(Node story, const std::string& path, const StillFails& still_fails, const ShrinkLimits& limits)
      : ShrinkTries(
            std::move(story), [&path](Node& candidate) { return fit(candidate, path); }, still_fails, limits),
        path_(path) {}

  Shrunk run() {
    drop_head();
    std::string before;
    do {
      before = text();
      without_devices();
      without_steps();
      apart();
      with_fewer_messages();
      with_fewer_options();
      with_smaller_values();
      with_fewer_actors();
    } while (out_.finished && text() != before);
    drop_needs();
    return std::move(out_);
  }

 private:
  Node& steps() { return *find_in(out_.story, "steps"); }

  /// They tell of the longer story. None of it changes what is played.
  void drop_head() {
    for (const char* key : {"title", "why", "refs", "tags"}) erase_key(out_.story, key);
    Node mended = out_.story;
    if (fit(mended, path_)) out_.story = std::move(mended);
    seen_.insert(text());
  }

  void drop_needs() {
    for (std::size_t i = 0;; ++i) {
      const Node* needs = scenario::find(out_.story, "needs");
      if (needs == nullptr || i > needs->children.size()) return;
      Node candidate = out_.story;
      Node& list = *find_in(candidate, "needs");
      if (i == 0) {
        erase_key(candidate, "needs");
      } else {
        list.children.erase(list.children.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
      if (!scenario::parse(write(candidate).text, path_).problems.empty()) continue;
      out_.story = std::move(candidate);
      if (i != 0) i -= 1;
    }
  }

  void without_devices() {
    std::vector<std::string> names;
    if (const Node* devices = scenario::find(out_.story, "devices"))
      for (const Node& device : devices->children) names.push_back(device.key);
    for (const std::string& name : names)
      adopt_with([&](Node& story) {
        Node& all = *find_in(story, "steps");
        for (Node& step : all.children)
          if (is_together(step))
            std::erase_if(entry_of(step).children, [&](const Node& child) { return acts(child, name); });
        std::erase_if(all.children, [&](const Node& step) { return !is_together(step) && acts(step, name); });
      });
  }

  /// Delta debugging: halves, quarters and so on to single steps, from the end, where what depends on others stands.
  void without_steps() {
    for (std::size_t size = steps().children.size() / 2; size >= 1; size /= 2)
      for (std::size_t end = steps().children.size(); end > 0;) {
        const std::size_t from = end > size ? end - size : 0;
        const bool gone = adopt_with([&](Node& story) {
          auto& all = find_in(story, "steps")->children;
          all.erase(all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(end));
        });
        end = gone ? std::min(from, steps().children.size()) : from;
      }
  }

  /// One after the other, or fewer at the same time.
  void apart() {
    for (std::size_t i = 0; i < steps().children.size(); ++i) {
      if (!is_together(steps().children[i])) continue;
      const bool done = adopt_with([&](Node& story) {
        auto& all = find_in(story, "steps")->children;
        const auto children = entry_of(all[i]).children;
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(i), children.begin(), children.end());
      });
      for (std::size_t child = 0; !done && i < steps().children.size() && is_together(steps().children[i]) &&
                                  child < entry_of(steps().children[i]).children.size();) {
        const bool gone = adopt_with([&](Node& story) {
          auto& list = entry_of(find_in(story, "steps")->children[i]).children;
          list.erase(list.begin() + static_cast<std::ptrdiff_t>(child));
        });
        if (!gone) ++child;
      }
    }
  }

  /// Every action of the story: what stands behind a device, if it is a map.
  template <class F>
  void for_each_action(const F& f) {
    for (std::size_t i = 0; i < steps().children.size(); ++i) {
      const std::size_t children = is_together(steps().children[i]) ? entry_of(steps().children[i]).children.size() : 0;
      for (std::size_t child = 0; child <= children; ++child) {
        if ((child == 0) == (children != 0)) continue;
        f([i, child](Node& story) -> Node* {
          auto& all = find_in(story, "steps")->children;
          if (i >= all.size()) return nullptr;
          Node* step = &all[i];
          if (child != 0) {
            if (!is_together(*step) || child > entry_of(*step).children.size()) return nullptr;
            step = &entry_of(*step).children[child - 1];
          }
          return is_step(*step) && entry_of(*step).kind == Node::Kind::map ? &entry_of(*step) : nullptr;
        });
      }
    }
  }

  /// A set of fewer messages: what was said of those that are not there any more is said of one that is.
  void with_fewer_messages() {
    for_each_action([&](const auto& action) {
      for (bool smaller = true; smaller;) {
        smaller = false;
        const Node* made = action(out_.story);
        if (made == nullptr) return;
        const Node* set = scenario::find(*made, "deliver");
        if (set == nullptr) set = scenario::find(*made, "save");
        const Node* count = scenario::find(*made, "count");
        const auto now = count == nullptr ? std::nullopt : number_of(*count);
        if (set == nullptr || !now || *now < 2) return;
        const std::string name = set->text;
        for (const std::int64_t fewer : {std::int64_t{1}, *now / 2, *now - 1})
          for (const bool shifted : {false, true})
            if (!smaller && fewer >= 1 && fewer < *now)
              smaller = adopt_with([&](Node& story) { keep(story, *action(story), name, *now, fewer, shifted); });
      }
    });
  }

  /// `shifted`: the last of them are kept, else the first.
  static void keep(Node& story, Node& made, const std::string& set, std::int64_t now, std::int64_t fewer,
                   bool shifted) {
    if (fewer == 1)
      erase_key(made, "count");
    else
      set_text(*find_in(made, "count"), std::to_string(fewer));
    const std::int64_t by = shifted ? now - fewer : 0;
    for_each_scalar(*find_in(story, "steps"), [&](Node& scalar) {
      auto ref = ref_of(scalar.text);
      if (!ref || ref->set != set) return;
      ref->first = std::clamp<std::int64_t>(ref->first - by, 1, fewer);
      ref->last = std::clamp<std::int64_t>(ref->last - by, 1, fewer);
      scalar.text = ref->first == 1 && ref->last == fewer ? set : text_of(*ref);
    });
  }

  /// What may be left out of a step, of a device, and of an account.
  void with_fewer_options() {
    for_each_action([&](const auto& action) {
      const Node* now = action(out_.story);
      if (now == nullptr) return;
      std::vector<std::string> keys;
      for (const Node& entry : now->children) keys.push_back(entry.key);
      for (const std::string& key : keys)
        if (key != "to") drop_key(action, key);  // to whom a message goes is said, also where there is one account
      lists_in(action);
    });
    of_each("devices", [](const std::string& key) { return key != "imap" && key != "pop3" && key != "delivers"; });
    of_each("accounts", [](const std::string&) { return true; });
  }

  template <class Action>
  void drop_key(const Action& action, const std::string& key) {
    const Node* now = action(out_.story);
    if (now == nullptr || now->children.size() < 2 || scenario::find(*now, key) == nullptr) return;
    Node candidate = out_.story;
    erase_key(*action(candidate), key);
    // Without its verb, or an option that must stand, it is no step, and mending would drop it: that was tried already.
    if (scenario::parse(write(candidate).text, path_).problems.empty()) adopt(std::move(candidate));
  }

  /// [alice, bob] becomes alice, where one will do.
  template <class Action>
  void lists_in(const Action& action) {
    const Node* now = action(out_.story);
    if (now == nullptr) return;
    for (std::size_t at = 0; at < now->children.size(); ++at) {
      for (std::size_t i = 0;;) {
        now = action(out_.story);
        if (now == nullptr || at >= now->children.size()) return;
        const Node& list = now->children[at];
        if (list.kind != Node::Kind::list || list.children.size() < 2 || i >= list.children.size()) break;
        const bool gone = adopt_with([&](Node& story) {
          Node& shorter = action(story)->children[at];
          shorter.children.erase(shorter.children.begin() + static_cast<std::ptrdiff_t>(i));
          if (shorter.children.size() > 1) return;
          const std::string key = shorter.key;
          const Node only = shorter.children.front();
          shorter = only;
          shorter.key = key;
        });
        if (!gone) ++i;
      }
      now = action(out_.story);
      if (now == nullptr) return;
    }
  }

  template <class MayGo>
  void of_each(std::string_view part, const MayGo& may_go) {
    const Node* all = scenario::find(out_.story, part);
    if (all == nullptr || all->kind != Node::Kind::map) return;
    std::vector<std::pair<std::string, std::string>> keys;
    for (const Node& one : all->children)
      for (const Node& entry : one.children)
        if (may_go(entry.key)) keys.emplace_back(one.key, entry.key);
    for (const auto& pair : keys)
      adopt_with([&](Node& story) {
        Node* in = find_in(story, part);
        if (in == nullptr) return;
        if (Node* map = find_in(*in, pair.first)) erase_key(*map, pair.second);
      });
  }

  /// Numbers and sizes, halved as long as that goes; a range of messages becomes one of them.
  void with_smaller_values() {
    for_each_action([&](const auto& action) {
      for (const char* key : {"times", "at_most"}) {
        const auto value = [&]() -> std::optional<std::int64_t> {
          const Node* now = action(out_.story);
          const Node* entry = now == nullptr ? nullptr : scenario::find(*now, key);
          return entry == nullptr ? std::nullopt : number_of(*entry);
        };
        for (auto now = value(); now && *now > 1; now = value())
          if (!smaller_number(action, key, *now)) break;
      }
      for (const char* key : {"size", "pieces"})
        while (smaller_size(action, key)) {
        }
      one_of_range(action);
    });
  }

  template <class Action>
  bool smaller_number(const Action& action, const char* key, std::int64_t now) {
    for (const std::int64_t fewer : {std::int64_t{1}, std::int64_t{2}, now / 2, now - 1})
      if (fewer >= 1 && fewer < now &&
          adopt_with([&](Node& story) { set_text(*find_in(*action(story), key), std::to_string(fewer)); }))
        return true;
    return false;
  }

  template <class Action>
  bool smaller_size(const Action& action, const char* key) {
    const Node* now = action(out_.story);
    const Node* entry = now == nullptr ? nullptr : scenario::find(*now, key);
    const auto half = entry == nullptr ? std::nullopt : half_size(*entry);
    return half && adopt_with([&](Node& story) { set_text(*find_in(*action(story), key), *half); });
  }

  template <class Action>
  void one_of_range(const Action& action) {
    const Node* now = action(out_.story);
    for (std::size_t at = 0; now != nullptr && at < now->children.size(); ++at) {
      const auto ref = ref_of(now->children[at].text);
      if (ref && ref->first < ref->last)
        for (const std::int64_t one : {ref->first, ref->last})
          if (adopt_with([&](Node& story) { set_text(action(story)->children[at], text_of({ref->set, one, one})); }))
            break;
      now = action(out_.story);
    }
  }

  /// One device does what two did, and one account has what two had.
  void with_fewer_actors() {
    merge("devices", [](Node& story, const std::string& from, const std::string& to) {
      for (Node& step : find_in(story, "steps")->children) {
        rename_actor(step, from, to);
        for_each_scalar(step, [&](Node& scalar) {
          if (scalar.text == from) scalar.text = to;
        });
      }
    });
    merge("accounts", [](Node& story, const std::string& from, const std::string& to) {
      for (const char* part : {"steps", "devices"})
        if (Node* in = find_in(story, part))
          for_each_scalar(*in, [&](Node& scalar) {
            if (scalar.text == from) scalar.text = to;
          });
    });
  }

  static void rename_actor(Node& step, const std::string& from, const std::string& to) {
    if (is_together(step)) {
      for (Node& child : entry_of(step).children) rename_actor(child, from, to);
    } else if (is_step(step) && entry_of(step).key == from) {
      entry_of(step).key = to;
    }
  }

  std::vector<std::string> names_in(std::string_view part) const {
    std::vector<std::string> out;
    if (const Node* all = scenario::find(out_.story, part))
      for (const Node& one : all->children) out.push_back(all->kind == Node::Kind::map ? one.key : one.text);
    return out;
  }

  template <class Rename>
  void merge(std::string_view part, const Rename& rename) {
    const auto names = names_in(part);
    // The later into the earlier first: stories begin with the names that people know.
    for (const bool back : {true, false})
      for (std::size_t to = 0; to < names.size(); ++to)
        for (std::size_t from = 0; from < names.size(); ++from) {
          if (from == to || (from > to) != back) continue;
          const auto now = names_in(part);
          const auto there = [&](const std::string& name) {
            return std::find(now.begin(), now.end(), name) != now.end();
          };
          if (!there(names[from]) || !there(names[to])) continue;
          Node candidate = out_.story;
          rename(candidate, names[from], names[to]);
          drop_unused(candidate);
          // Only where all steps still make sense of the other one: a phone cannot deliver.
          if (scenario::parse(write(candidate).text, path_).problems.empty()) adopt(std::move(candidate));
        }
  }

  const std::string& path_;
};

}  // namespace

std::size_t steps_in(const scenario::Node& story) {
  const Node* steps = scenario::find(story, "steps");
  if (steps == nullptr) return lines_in(story);
  std::size_t out = 0;
  for (const Node& step : steps->children) out += is_together(step) ? entry_of(step).children.size() : 1;
  return out;
}

Shrunk shrink(scenario::Node story, const std::string& path, const StillFails& still_fails,
              const ShrinkLimits& limits) {
  return Shrinker(std::move(story), path, still_fails, limits).run();
}

}  // namespace mailproof::explore
