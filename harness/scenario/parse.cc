#include "scenario/parse.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "scenario/plan/profile.h"
#include "scenario/story/actors.h"
#include "scenario/story/steps.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

const std::vector<std::string> kStoryKeys = {"id",    "title",     "why",      "refs",    "tags",
                                             "needs", "customers", "accounts", "devices", "steps"};

/// Kinds of files that share the suffix. The word tells them apart.
constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
    {"plan", "this is a load plan: mailproof load FILE"},
    {"profile", "this is a device profile, which the mix: of a load plan names, and a device of a story by profile:"},
    {"target", "this is a target file: mailproof run --target FILE"}};

bool another_kind(const Node& root, Complaints& complaints) {
  if (const Node* found = find(root, "wrong"); found != nullptr && find(root, "id") == nullptr) {
    complaints.key(*found,
                   fmt::format("a scenario; this is a file of wrong servers: mailproof prove {}", complaints.file()));
    return true;
  }
  for (const auto& [key, kind] : kOthers)
    if (const Node* found = find(root, key)) {
      complaints.key(*found, fmt::format("a scenario (id, accounts, devices, steps); {}", kind));
      return true;
    }
  return false;
}

/// "mixed.pop-download-empties-the-phone": a family, a dot, and words of lower-case letters and digits joined by - or
/// dots.
bool is_id(std::string_view text) {
  if (text.empty() || text.size() > 120 || text.find('.') == std::string_view::npos) return false;
  char before = '.';
  for (char c : text) {
    const bool joint = c == '.' || c == '-';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && !(joint && before != '.' && before != '-')) return false;
    before = c;
  }
  return before != '.' && before != '-';
}

class ScenarioReader {
 public:
  ScenarioReader(const Node& root, Complaints& complaints, Scenario& scenario)
      : root_(root), complaints_(complaints), scenario_(scenario) {}

  void run() {
    check_keys(root_, kStoryKeys, complaints_);
    require_keys(root_, {"id", "accounts", "devices", "steps"}, complaints_);
    head();
    read_story(root_, complaints_, scenario_);
    if (complaints_.empty()) check_needs(find(root_, "needs"), complaints_, scenario_);
  }

 private:
  void head() {
    if (const Node* id = find(root_, "id")) {
      if (id->kind == Node::Kind::scalar && is_id(id->text)) {
        scenario_.id = id->text;
        scenario_.id_pos = id->pos;
      } else {
        complaints_.value(
            *id,
            "an id like mixed.pop-download-empties-the-phone: lower-case words joined by - after a family and a dot");
      }
    }
    if (const Node* title = find(root_, "title"))
      scenario_.title = read_text(*title, "one line of text", complaints_).value_or("");
    if (const Node* why = find(root_, "why")) scenario_.why = read_text(*why, "a sentence", complaints_).value_or("");
    if (const Node* refs = find(root_, "refs"))
      scenario_.refs = read_texts(*refs, "a reference like RFC 1939 section 6", complaints_);
    if (const Node* tags = find(root_, "tags")) scenario_.tags = read_texts(*tags, "a tag", complaints_);
    scenario_.needs = read_needs(root_, complaints_);
  }

  const Node& root_;
  Complaints& complaints_;
  Scenario& scenario_;
};

}  // namespace

std::optional<Node> parse_root(std::string_view text, std::string_view what, Complaints& complaints) {
  auto root = parse_yaml(text, complaints);
  if (!root) {
    if (complaints.empty()) complaints.at({1, 1}, "an empty file", std::string(what));
    return std::nullopt;
  }
  if (root->kind == Node::Kind::map && !root->children.empty()) return root;
  if (root->kind == Node::Kind::null || root->kind == Node::Kind::map) {
    if (complaints.empty()) complaints.at(root->pos, "no keys", std::string(what));
  } else {
    complaints.value(*root, std::string(what));
  }
  return std::nullopt;
}

void require_keys(const Node& root, const std::vector<std::string>& keys, Complaints& complaints) {
  std::string missing;
  for (const auto& key : keys)
    if (find(root, key) == nullptr) missing += fmt::format("{}{}:", missing.empty() ? "" : ", ", key);
  if (!missing.empty()) complaints.at(root.pos, root.children.front().key, fmt::format("also {}", missing));
}

void read_story(const Node& map, Complaints& complaints, Scenario& scenario) {
  if (const Node* customers = find(map, "customers")) read_customers(*customers, complaints, scenario);
  if (const Node* accounts = find(map, "accounts")) read_accounts(*accounts, complaints, scenario);
  Context context{scenario, complaints, {}, {}};
  if (const Node* devices = find(map, "devices")) read_devices(*devices, complaints, scenario, context.unread);
  if (const Node* steps = find(map, "steps")) read_steps(*steps, context, scenario.steps);
}

std::vector<Need> read_needs(const Node& map, Complaints& complaints) {
  std::vector<Need> out;
  const Node* needs = find(map, "needs");
  if (needs == nullptr) return out;
  for (const Node* entry : read_list(*needs, either(words_of(kNeeds)), complaints))
    if (const auto need = read_word(*entry, kNeeds, complaints)) out.push_back(*need);
  return out;
}

namespace {

void add_letters(const Step& step, ContentHash& hash) {
  for (const auto& child : step.together) add_letters(child, hash);
  const auto* made = step.maybe<NewMessages>();
  if (made == nullptr || made->letter == nullptr) return;
  hash.add(made->letter->subject);
  hash.add(made->letter->fields);
  hash.add(made->letter->body);
}

void add_profile(const Device& device, ContentHash& hash) {
  if (device.profile == nullptr) return;
  if (const auto file = read_file(device.profile->path, kMaxFile)) hash.add(*file);
}

}  // namespace

Loaded parse(std::string_view text, const std::string& name, const std::string& root_folder) {
  Loaded out;
  Complaints complaints(name, root_folder);
  if (const auto root = parse_root(text, "a scenario: id, accounts, devices, steps", complaints);
      root && !another_kind(*root, complaints)) {
    if (find(*root, "checks") != nullptr) {
      out.scenarios = read_checks(*root, complaints);
    } else {
      Scenario scenario;
      ScenarioReader(*root, complaints, scenario).run();
      out.scenarios.push_back(std::move(scenario));
    }
    if (!complaints.empty()) out.scenarios.clear();
    ContentHash hash;
    hash.add(text);
    for (auto& scenario : out.scenarios) {
      scenario.path = name;
      ContentHash whole = hash;  // with the letters that it sends, and what its devices are
      for (const auto& step : scenario.steps) add_letters(step, whole);
      for (const auto& device : scenario.devices) add_profile(device, whole);
      scenario.hash = whole.value();
    }
  }
  out.problems = complaints.take();
  out.notes = complaints.take_notes();
  return out;
}

}  // namespace mailproof::scenario
