#include "scenario/story/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "scenario/plan/profile.h"
#include "scenario/yaml/fields.h"

namespace mailproof::scenario {
namespace {

/// Words of checks that people look for among the verbs.
constexpr std::string_view kOfChecks[] = {"talk", "wait", "rule", "repeat", "when"};

bool of_checks(std::string_view word) {
  return std::find(std::begin(kOfChecks), std::end(kOfChecks), word) != std::end(kOfChecks);
}

constexpr std::int64_t kMostTimes = 1000;
constexpr std::string_view kCut =
    "cut";  ///< where an IMAP device's connection ends: of the step, whatever its verb takes

/// The complaint about a word that should have been a verb of `who`.
void unknown_verb(std::string_view word, Pos pos, Actor who, Context& context) {
  const auto known = verbs_of(who);
  if (of_checks(word)) {
    context.complaints.at(pos, word, fmt::format("a verb; {} belongs to the checks of a conformance file", word));
  } else if (const auto* other = find_verb_of_anybody(word)) {
    std::string owners;
    for (Actor owner : {kDeliverer, kImap, kPop3, kJudge, kAdmin})
      if ((other->actors & owner) != 0) owners += (owners.empty() ? "" : " or ") + std::string(described(owner));
    context.complaints.at(pos, word,
                          fmt::format("a verb of {}: {} ({} is for {})", described(who), either(known), word, owners));
  } else {
    context.complaints.at(pos, word, fmt::format("a verb of {}: {}", described(who), either(known)), known);
  }
}

/// The one verb among the keys of an action, wherever it stands.
const VerbRule* verb_among(const Node& action, Actor who, Context& context, const Node*& verb_node) {
  const VerbRule* rule = nullptr;
  for (const auto& entry : action.children) {
    const auto* found = find_verb(entry.key, who);
    if (found == nullptr) continue;
    if (rule != nullptr) {
      context.complaints.key(entry, fmt::format("one verb a step; this one has {} already", rule->word));
      return nullptr;
    }
    rule = found;
    verb_node = &entry;
  }
  if (rule != nullptr) return rule;
  for (const auto& entry : action.children) {
    if (is_option(entry.key)) continue;
    unknown_verb(entry.key, entry.key_pos, who, context);
    return nullptr;
  }
  context.complaints.value(action, fmt::format("a verb of {}: {}", described(who), either(verbs_of(who))));
  return nullptr;
}

bool read_bare(const Node& action, Actor who, Context& context, Step& step) {
  const auto* rule = find_verb(action.text, who);
  if (rule == nullptr) {
    unknown_verb(action.text, action.pos, who, context);
    return false;
  }
  if (!can_be_bare(*rule)) {
    context.complaints.value(action, fmt::format("what to {}, like {{{}: ...}}", rule->word, rule->word));
    return false;
  }
  step.become(rule->verb);
  settle_step(*rule, nullptr, action, context, step);
  return true;
}

constexpr Duration kLongestStory = std::chrono::minutes(15);  ///< without the tag slow

/// What the profile of a device says is not said again by a step, and no step asks for what such a client never does.
void hold_to_profile(const Node& action, Context& context, const Step& step) {
  if (step.device >= context.scenario.devices.size()) return;
  const Device& device = context.scenario.devices[step.device];
  if (device.profile == nullptr) return;
  const Profile& profile = *device.profile;
  auto& complaints = context.complaints;
  for (const auto& entry : action.children) {
    if (entry.key == "how" && step.verb == Verb::remove)
      complaints.key(entry, fmt::format("no how: {} says it (delete: how:)", profile.name));
    if (entry.key == "pieces" && step.verb == Verb::read)
      complaints.key(entry,
                     fmt::format("no pieces: what it fetches to show a message {} says (read: steps:)", profile.name));
  }
  const auto* await = step.maybe<Await>();
  if (await == nullptr || device.kind != DeviceKind::imap || !device.idle.empty()) return;
  if (profile.every == Duration{} || profile.every >= kLongestStory)
    return complaints.at(step.pos, device.name,
                         fmt::format("no see and no lose: {} looks too rarely for a story. Let another device see "
                                     "what came, then sync this one",
                                     profile.name));
  if (await->within >= profile.every) return;
  const Node* within = find(action, "within");
  const std::string text = fmt::format("within: {} or more: {} does not listen, it looks so often",
                                       format_duration(profile.every), profile.name);
  within != nullptr ? complaints.key(*within, text) : complaints.at(step.pos, device.name, text);
}

bool read_action(const Node& action, Actor who, Context& context, Step& step) {
  if (action.kind == Node::Kind::scalar) return read_bare(action, who, context, step);
  if (action.kind != Node::Kind::map || action.children.empty()) {
    context.complaints.value(action, "an action: a word like quit, or {verb: ..., option: ...}");
    return false;
  }
  const Node* object = nullptr;
  const auto* rule = verb_among(action, who, context, object);
  if (rule == nullptr) return false;
  step.become(rule->verb);
  if (!read_object(*rule, *object, action, context, step)) return false;

  const auto options = split_words(rule->options);
  for (const auto& entry : action.children) {
    if (&entry == object) continue;
    if (entry.key == kTimes && who != kJudge) {
      step.times =
          static_cast<int>(read_number(entry, 1, kMostTimes, "how often, as a number", context.complaints).value_or(1));
    } else if (entry.key == kCut && who == kImap && std::find(options.begin(), options.end(), kCut) != options.end()) {
      step.cut = read_cut(entry, {"before-reply", "after N bytes"}, context.complaints);
    } else if (std::find(options.begin(), options.end(), entry.key) != options.end()) {
      read_option(entry, context, step);
    } else if (options.empty()) {
      context.complaints.key(entry, fmt::format("nothing: {} has no options", rule->word));
    } else {
      context.complaints.key(entry, fmt::format("an option of {}: {}", rule->word, either(options)), options);
    }
  }
  settle_step(*rule, &action, action, context, step);
  return true;
}

std::optional<Step> read_step(const Node& item, bool inside_together, Context& context);

bool read_together(const Node& list, Context& context, Step& step) {
  if (list.kind != Node::Kind::list || list.children.size() < 2) {
    context.complaints.value(list, "a list of two or more steps that start at the same time");
    return false;
  }
  context.sets.open_together();
  for (const auto& item : list.children) {
    auto child = read_step(item, true, context);
    if (!child) continue;
    const bool taken = std::any_of(step.together.begin(), step.together.end(),
                                   [&](const Step& other) { return other.device == child->device; });
    if (taken) context.complaints.key(item.children.front(), "another device: each does one thing at a time");
    step.together.push_back(std::move(*child));
  }
  context.sets.close_together();
  return true;
}

std::optional<Step> read_step(const Node& item, bool inside_together, Context& context) {
  if (item.kind != Node::Kind::map || item.children.size() != 1) {
    context.complaints.value(item, "one step, device: action");
    return std::nullopt;
  }
  const Node& entry = item.children.front();
  Step step;
  step.pos = entry.key_pos;
  step.text = entries_in_one_line(item);
  if (entry.key == "admin") {
    step.device = Step::kAdmin;
    return read_action(entry, kAdmin, context, step) ? std::optional(std::move(step)) : std::nullopt;
  }
  if (entry.key == "together" || entry.key == "judge") {
    if (inside_together) {
      context.complaints.key(entry, fmt::format("a device; {} cannot stand inside together", entry.key));
      return std::nullopt;
    }
    const bool read =
        entry.key == "judge" ? read_action(entry, kJudge, context, step) : read_together(entry, context, step);
    return read ? std::optional(std::move(step)) : std::nullopt;
  }
  const auto device = context.device(entry.key, entry.key_pos);
  if (!device) return std::nullopt;
  step.device = *device;
  if (!read_action(entry, actor(context.scenario.devices[*device].kind), context, step)) return std::nullopt;
  hold_to_profile(entry, context, step);
  return step;
}

}  // namespace

void read_steps(const Node& list, Context& context, std::vector<Step>& out) {
  if (list.kind != Node::Kind::list || list.children.empty()) {
    context.complaints.value(list, "a list of steps, each device: action");
    return;
  }
  for (const auto& item : list.children)
    if (auto step = read_step(item, false, context)) out.push_back(std::move(*step));
}

}  // namespace mailproof::scenario
