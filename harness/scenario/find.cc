#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/units.h"
#include "scenario/plan/plan.h"
#include "scenario/wrong/wrong.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/files.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;

/// What proves the checks of a file stands beside it, in a file of another kind.
bool is_scenario_file(const fs::path& path) {
  return (path.extension() == ".yaml" || path.extension() == ".yml") && !is_wrong_file(path.string());
}

/// The scenario files below a folder, sorted by path so that a run's order is the same everywhere. `without`: a folder
/// that is passed over unless it is this one.
std::vector<std::string> files_below(const fs::path& folder, const fs::path& without) {
  std::vector<std::string> out;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().filename() == without.filename() && fs::equivalent(at->path(), without, ignored))
      at.disable_recursion_pending();
    if (at->is_regular_file(ignored) && is_scenario_file(at->path())) out.push_back(at->path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Resolves what was asked for to files, then reads each of them once.
class Loader {
 public:
  explicit Loader(const std::string& root) : root_(root) {}

  void add(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const auto files = files_below(path, behaviour_folder(root_));
      if (files.empty()) complain(path, path, "a folder with scenario files (*.yaml)");
      for (const auto& file : files) read(file, "", true);
    } else if (fs::exists(path, error)) {
      read(path);
    } else if (path.find('/') != std::string::npos || is_scenario_file(path)) {
      complain(path, path, "a file or folder that exists");
    } else {
      add_id(path);
    }
  }

  Loaded take() { return std::move(out_); }

 private:
  void complain(const std::string& file, const std::string& text, const std::string& expected) {
    out_.problems.push_back({file, {}, text, expected, ""});
  }

  void add_id(const std::string& id) {
    if (!indexed_) index();
    if (const auto found = ids_.find(id); found != ids_.end()) {
      for (const auto& file : found->second) read(file);
      return;
    }
    if (const auto found = checks_.find(id); found != checks_.end()) return read(found->second, id);
    std::set<std::string> family;
    for (const auto& [one, files] : ids_)
      if (one.starts_with(id + ".")) family.insert(files.begin(), files.end());
    if (std::error_code error; family.empty() && fs::is_directory(fs::path(root_) / id, error))
      return add(fs::path(root_) / id);
    for (const auto& file : family) read(file);
    if (!family.empty()) return;
    std::vector<std::string> known;
    std::set<std::string> families;
    for (const auto& [one, files] : ids_) {
      known.push_back(one);
      for (std::size_t dot = one.find('.'); dot != std::string::npos; dot = one.find('.', dot + 1))
        families.insert(one.substr(0, dot));
    }
    known.insert(known.end(), families.begin(), families.end());
    for (const auto& [one, file] : checks_) known.push_back(one);
    complain(root_, id, "the id of a scenario below this folder, the first words of several, or a file");
    out_.problems.back().hint = nearest_word(id, known).value_or("");
  }

  /// Only the ids: a file that is bad elsewhere does not stand in the way of another's id.
  void index() {
    indexed_ = true;
    for (const auto& file : files_below(root_, "")) {
      const auto text = read_file(file, kMaxFile);
      if (!text) continue;
      Complaints ignored(file);
      const auto tree = parse_yaml(text.value(), ignored);
      const Node* id = tree ? find(*tree, "id") : nullptr;
      if (id == nullptr || id->text.empty()) continue;
      ids_[id->text].push_back(file);
      const Node* checks = find(*tree, "checks");
      if (checks == nullptr) continue;
      for (const Node& check : checks->children)
        if (const Node* slug = find(check, "id")) checks_.emplace(id->text + "." + slug->text, file);
    }
  }

  /// `only`: of a file of checks just this one. `in_folder`: nobody named it, so what is no scenario is passed over.
  void read(const std::string& file, const std::string& only = "", bool in_folder = false) {
    std::error_code error;
    const auto canonical = fs::weakly_canonical(file, error).string();
    const std::string& known_as = error ? file : canonical;
    if (seen_.contains(known_as) || !seen_.insert(only.empty() ? known_as : known_as + "#" + only).second) return;
    const auto text = read_file(file, kMaxFile);
    if (!text) {
      complain(file, file, text.error().why);
      return;
    }
    if (in_folder && (is_plan(*text) || is_profile(*text))) return;
    auto loaded = parse(text.value(), file, root_);
    for (auto& problem : loaded.problems) out_.problems.push_back(std::move(problem));
    for (auto& note : loaded.notes) out_.notes.push_back(std::move(note));
    for (auto& scenario : loaded.scenarios)
      if (only.empty() || scenario.id == only) keep(std::move(scenario));
    if (!only.empty()) singly_.insert(only);
  }

  void keep(Scenario scenario) {
    const auto [first, fresh] = owners_.emplace(scenario.id, scenario.path);
    if (!fresh && singly_.contains(scenario.id)) return;
    if (!fresh) {
      Complaints complaints(scenario.path);
      complaints.at(scenario.id_pos, scenario.id, "an id of its own; " + first->second + " has it already");
      out_.problems.push_back(complaints.take().front());
    }
    out_.scenarios.push_back(std::move(scenario));
  }

  std::string root_;
  bool indexed_ = false;
  std::map<std::string, std::vector<std::string>> ids_;
  std::map<std::string, std::string> checks_;  ///< id of a check -> its file
  std::set<std::string> seen_;
  std::set<std::string> singly_;  ///< checks that were asked for by themselves: their file may follow
  std::map<std::string, std::string> owners_;
  Loaded out_;
};

}  // namespace

std::string behaviour_folder(const std::string& root) { return (fs::path(root) / "behaviour").string(); }

Loaded load(const std::vector<std::string>& paths, const std::string& root) {
  Loader loader(root);
  for (const auto& path : paths) loader.add(path);
  return loader.take();
}

}  // namespace mailproof::scenario
