#include "scenario/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "core/units.h"
#include "scenario/parse.h"
#include "scenario/plan/values.h"
#include "scenario/story/words.h"
#include "scenario/target/pool.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

const std::vector<std::string> kPlanKeys = {"plan",   "title",      "accounts", "ramp",       "for",
                                            "phases", "pace",       "mix",      "arrivals",   "also",
                                            "slo",    "abort_when", "measure",  "first_poll", "resume_tls"};
constexpr double kMostRate = 10'000;
constexpr Duration kLongest = std::chrono::hours(24);
constexpr Word<Spacing> kSpacings[] = {{"constant", Spacing::constant}, {"poisson", Spacing::poisson}};
constexpr Word<Way> kMailWays[] = {{"lmtp", Way::lmtp}, {"smtp", Way::smtp}};
enum class FirstPoll : std::uint8_t { at_once, spread };
constexpr Word<FirstPoll> kFirstPolls[] = {{"at-once", FirstPoll::at_once}, {"spread", FirstPoll::spread}};
constexpr std::size_t kMostRecorded = 16U << 20;

struct NamedSizes {
  std::string_view name;
  std::vector<SizeShare> sizes;
};

/// Shapes of mail as people know it; not measured anywhere, and said so on the page.
const std::vector<NamedSizes>& named_sizes() {
  static const std::vector<NamedSizes> all = {
      {"small", {{2 << 10, 8 << 10, 1}}},
      {"office-mix",
       {{3 << 10, 12 << 10, 0.60}, {12 << 10, 80 << 10, 0.28}, {80 << 10, 512 << 10, 0.10}, {1 << 20, 3 << 20, 0.02}}},
      {"consumer-mix", {{10 << 10, 60 << 10, 0.70}, {60 << 10, 150 << 10, 0.25}, {500 << 10, 2 << 20, 0.05}}}};
  return all;
}

class PlanReader {
 public:
  PlanReader(const Node& root, const std::string& scenarios, Complaints& complaints, LoadedPlan& out)
      : root_(root), scenarios_(scenarios), complaints_(complaints), out_(out), plan_(out.plan) {}

  void run() {
    check_keys(root_, kPlanKeys, complaints_);
    require_keys(root_, {"plan", "accounts", "mix"}, complaints_);
    if (const Node* node = find(root_, "plan"))
      plan_.name = read_text(*node, "the plan's name", complaints_).value_or("");
    if (const Node* node = find(root_, "title")) plan_.title = read_text(*node, "one line", complaints_).value_or("");
    if (const Node* node = find(root_, "accounts"))
      plan_.accounts = static_cast<std::uint32_t>(
          read_number(*node, 1, kMostAccounts, "a number of accounts", complaints_).value_or(1));
    if (const Node* node = find(root_, "pace")) pace(*node);
    if (const Node* node = find(root_, "resume_tls")) plan_.resume_tls = read_flag(*node, complaints_);
    length();
    if (const Node* node = find(root_, "measure")) measure(*node);
    if (const Node* node = find(root_, "first_poll")) {
      const auto when = read_word(*node, kFirstPolls, complaints_);
      plan_.polls_said = when.has_value();
      plan_.polls_at_once = when.value_or(FirstPoll::at_once) == FirstPoll::at_once;
    }
    if (const Node* node = find(root_, "mix")) mix(*node);
    if (const Node* node = find(root_, "arrivals")) arrivals(*node);
    if (const Node* node = find(root_, "also")) also(*node);
    for (const auto& [key, into] : {std::pair("slo", &plan_.slo), std::pair("abort_when", &plan_.abort_when)})
      if (const Node* node = find(root_, key))
        for (const Node* line : read_list(*node, "lines like 'imap.fetch p99 < 250ms'", complaints_))
          if (auto slo = read_slo(*line, complaints_)) {
            if (into == &plan_.abort_when && slo->measure == Measure::count)
              complaints_.value(*line, "errors, times or rates; what became of messages is known in the end only");
            into->push_back(std::move(*slo));
          }
  }

 private:
  void pace(const Node& node) {
    const auto pace = read_number(node, 1, 10'000, "so many times as fast as life", complaints_);
    plan_.pace = static_cast<double>(pace.value_or(1));
  }

  // ramp: and for:, or phases:

  void length() {
    const Node* ramp = find(root_, "ramp");
    const Node* duration = find(root_, "for");
    const Node* phases = find(root_, "phases");
    if (phases != nullptr) {
      for (const Node* one : {ramp, duration})
        if (one != nullptr) complaints_.key(*one, "phases: alone, which say how long the run is");
      return this->phases(*phases);
    }
    if (duration == nullptr)
      return complaints_.at(root_.pos, root_.children.front().key, "also for:, how long it goes on, or phases:");
    if (ramp != nullptr) add(0, 1, read_duration(*ramp, complaints_));
    add(1, 1, read_duration(*duration, complaints_));
    bounded(*duration);
  }

  void phases(const Node& node) {
    constexpr std::string_view shape =
        "phases like {ramp: 2m, to: 100%}, {steady: 5m}, {steps: [50%, 75%, 100%], each: 1m} or {spike: 150%, for: "
        "30s}";
    const std::vector<std::string> kinds = {"ramp", "steady", "steps", "spike"};
    double height = 0;
    if (node.kind != Node::Kind::list || node.children.empty()) return complaints_.value(node, std::string(shape));
    for (const Node& entry : node.children) {
      if (!is_map(entry, shape, complaints_)) continue;
      if (const Node* ramp = find(entry, "ramp")) {
        check_keys(entry, {"ramp", "to"}, complaints_);
        const Node* to = find(entry, "to");
        const double next = to == nullptr ? 1 : read_part(*to, 10, complaints_).value_or(1);
        add(height, next, read_duration(*ramp, complaints_));
        height = next;
      } else if (const Node* steady = find(entry, "steady")) {
        check_keys(entry, {"steady"}, complaints_);
        if (height == 0) height = 1;
        add(height, height, read_duration(*steady, complaints_));
      } else if (const Node* steps = find(entry, "steps")) {
        check_keys(entry, {"steps", "each"}, complaints_);
        const Node* each = find(entry, "each");
        if (each == nullptr) complaints_.key(*steps, "also each:, how long one step lasts");
        const auto length = each == nullptr ? std::nullopt : read_duration(*each, complaints_);
        for (const Node* step : read_list(*steps, "heights like 50%", complaints_)) {
          height = read_part(*step, 10, complaints_).value_or(1);
          add(height, height, length);
        }
      } else if (const Node* spike = find(entry, "spike")) {
        check_keys(entry, {"spike", "for"}, complaints_);
        const Node* lasts = find(entry, "for");
        if (lasts == nullptr) complaints_.key(*spike, "also for:, how long it lasts");
        const double peak = read_part(*spike, 10, complaints_).value_or(1);
        add(peak, peak, lasts == nullptr ? std::nullopt : read_duration(*lasts, complaints_));
      } else {
        complaints_.key(entry.children.front(), either(kinds), kinds);
      }
    }
    bounded(node);
  }

  // measure: all, or {from: 1m, for: 5m}

  void measure(const Node& node) {
    constexpr std::string_view shape = "all, or a stretch of the run like {from: 1m, for: 5m}";
    if (node.kind != Node::Kind::map) {
      if (node.text != "all") return complaints_.value(node, std::string(shape), {"all"});
      plan_.measure.emplace(Duration{}, plan_.length());
      return;
    }
    check_keys(node, {"from", "for"}, complaints_);
    const Node *from = find(node, "from"), *lasts = find(node, "for");
    if (lasts == nullptr) return complaints_.key(node, std::string(shape));
    const auto begin = from == nullptr ? Duration{} : read_duration(*from, complaints_).value_or(Duration{});
    const auto end = begin + read_duration(*lasts, complaints_).value_or(Duration{});
    if (end > plan_.length())
      return complaints_.value(*lasts, fmt::format("an end within the run, which lasts {:g} s",
                                                   std::chrono::duration<double>(plan_.length()).count()));
    plan_.measure.emplace(begin, end);
  }

  void add(double from, double to, std::optional<Duration> length) {
    if (length) plan_.phases.push_back({from, to, *length});
  }

  void bounded(const Node& node) {
    if (plan_.length() > kLongest) complaints_.value(node, "at most 24h in all");
  }

  // mix: {thunderbird: 40%, pop-delete: 60%}, or a list of {devices: [thunderbird, ios-mail], share: 40%}

  void mix(const Node& node) {
    constexpr std::string_view shape =
        "{thunderbird: 40%, pop-delete: 60%}, or a list of {devices: [thunderbird, ios-mail], share: 40%}";
    if (node.kind == Node::Kind::map) {
      for (const Node& entry : node.children)
        if (const auto share = read_part(entry, 1, complaints_))
          if (device(entry.key, entry.key_pos)) plan_.mix.push_back({{entry.key}, *share, entry.key_pos});
    } else if (node.kind == Node::Kind::list) {
      for (const Node& entry : node.children) {
        if (!is_map(entry, shape, complaints_)) continue;
        check_keys(entry, {"devices", "share"}, complaints_);
        const Node* devices = find(entry, "devices");
        const Node* share = find(entry, "share");
        if (devices == nullptr || share == nullptr) {
          complaints_.key(entry.children.front(), "devices: and share:");
          continue;
        }
        MixEntry one{{}, read_part(*share, 1, complaints_).value_or(0), entry.pos};
        for (const Node* name : read_list(*devices, "names of device profiles", complaints_))
          if (device(name->text, name->pos)) one.devices.push_back(name->text);
        plan_.mix.push_back(std::move(one));
      }
    } else {
      return complaints_.value(node, std::string(shape));
    }
    if (!complaints_.empty()) return;
    double sum = 0;
    for (const auto& entry : plan_.mix) sum += entry.share;
    if (std::abs(sum - 1) > 0.001)
      complaints_.at(node.key_pos, node.key, fmt::format("shares that add up to 100%; these make {:g}%", sum * 100));
  }

  /// Reads its profile, once.
  bool device(const std::string& name, Pos pos) {
    for (const auto& known : plan_.profiles)
      if (known.name == name) return true;
    const bool file = name.find('/') != std::string::npos || name.ends_with(".yaml");
    const auto names = profile_names(scenarios_);
    if (!file && std::find(names.begin(), names.end(), name) == names.end()) {
      complaints_.at(
          pos, name,
          names.empty()
              ? fmt::format("a device profile; {}/devices has none: --scenarios DIR says where they are", scenarios_)
              : "a device profile: " + either(names),
          names);
      return false;
    }
    auto loaded = load_profile(file ? beside(complaints_.file(), name) : profile_path(scenarios_, name));
    for (auto& problem : loaded.problems) out_.problems.push_back(std::move(problem));
    if (!file && loaded.problems.empty() && loaded.profile.name != name)
      out_.problems.push_back({loaded.profile.path, {1, 1}, loaded.profile.name, "the name of its file, " + name, ""});
    loaded.profile.name = name;
    plan_.profiles.push_back(std::move(loaded.profile));
    return true;
  }

  void arrivals(const Node& node) {
    if (!is_map(node, "{deliveries: 150/s, sizes: office-mix}", complaints_)) return;
    check_keys(node, {"deliveries", "spacing", "recorded", "sizes", "via", "connections", "each_connection"},
               complaints_);
    Deliveries& out = plan_.deliveries;
    if (const Node* rate = find(node, "deliveries")) out.rate = read_rate(*rate, kMostRate, complaints_).value_or(1);
    if (const Node* spacing = find(node, "spacing"))
      out.spacing = read_word(*spacing, kSpacings, complaints_).value_or(Spacing::constant);
    if (const Node* list = find(node, "recorded")) {
      if (const Node* spacing = find(node, "spacing"))
        complaints_.value(*spacing, "recorded: says itself when mail comes: either it, or spacing:");
      recorded(*list);
    }
    if (out.rate == 0 && out.spacing != Spacing::recorded)
      complaints_.key(node, "arrivals: with deliveries:, a rate, or recorded:, a file of times");
    if (const Node* sizes = find(node, "sizes")) this->sizes(*sizes);
    if (const Node* via = find(node, "via")) out.via = read_word(*via, kMailWays, complaints_);
    if (const Node* most = find(node, "connections"))
      out.connections =
          static_cast<std::uint32_t>(read_number(*most, 1, 10'000, "connections", complaints_).value_or(1));
    if (const Node* each = find(node, "each_connection"))
      out.each = static_cast<std::uint32_t>(read_number(*each, 1, 1'000'000, "messages", complaints_).value_or(1));
  }

  /// A file of one time a line, in seconds from the start: "0.250".
  void recorded(const Node& node) {
    Deliveries& out = plan_.deliveries;
    const auto name = read_text(node, "a file of times in seconds, one a line", complaints_);
    if (!name) return;
    if (out.rate != 0) complaints_.value(node, "either deliveries: or recorded:");
    const std::string path = beside(complaints_.file(), *name);
    const auto text = read_file(path, kMostRecorded);
    if (!text) return complaints_.value(node, text.error().why);
    out.spacing = Spacing::recorded;
    int line = 0;
    double before = 0;
    for (std::size_t at = 0; at < text->size();) {
      const auto end = std::min(text->find('\n', at), text->size());
      const std::string word = text->substr(at, end - at);
      at = end + 1;
      ++line;
      if (word.empty() || word.front() == '#') continue;
      char* stop = nullptr;
      const double seconds = std::strtod(word.c_str(), &stop);
      if (stop == word.c_str() || (*stop != '\0' && *stop != '\r') || !(seconds >= before) || seconds > 86400)
        return complaints_.elsewhere(path, {line, 1}, word, "a time in seconds, not before the one above it");
      before = seconds;
      out.recorded.emplace_back(static_cast<std::int64_t>(seconds * 1e9));
    }
  }

  void sizes(const Node& node) {
    Deliveries& out = plan_.deliveries;
    if (node.kind == Node::Kind::map) {
      double sum = 0;
      for (const Node& entry : node.children) {
        const auto size = parse_size(entry.key);
        const auto share = read_part(entry, 1, complaints_);
        if (!size || *size < 512 || *size > (64U << 20))
          complaints_.key(entry, "a size from 512 to 64MiB, like 8KiB");
        else if (share)
          out.sizes.push_back({*size, *size, *share});
        sum += share.value_or(0);
      }
      if (complaints_.empty() && std::abs(sum - 1) > 0.001)
        complaints_.at(node.key_pos, node.key, fmt::format("shares that add up to 100%; these make {:g}%", sum * 100));
      return;
    }
    for (const auto& known : named_sizes())
      if (known.name == node.text) {
        out.mix = node.text;
        out.sizes = known.sizes;
        return;
      }
    complaints_.value(node, either(size_mixes()) + ", or {8KiB: 90%, 1MiB: 10%}", size_mixes());
  }

  void also(const Node& node) {
    constexpr std::string_view shape =
        "stories like {story: sync.read-on-phone-read-everywhere, rate: 1/s, copies: 5}, or {story: ..., users: 5, "
        "think: 2s..5s}";
    if (node.kind != Node::Kind::list) return complaints_.value(node, fmt::format("a list of {}", shape));
    for (const Node& entry : node.children) {
      if (!is_map(entry, shape, complaints_)) continue;
      check_keys(entry, {"story", "rate", "copies", "users", "think"}, complaints_);
      AlsoStory one;
      one.pos = entry.pos;
      if (const Node* story = find(entry, "story")) {
        one.story = read_text(*story, "the id of a story", complaints_).value_or("");
        one.pos = story->pos;
      } else {
        complaints_.value(entry, "also story:, the id of a story");
      }
      if (const Node* rate = find(entry, "rate")) one.rate = read_rate(*rate, kMostRate, complaints_).value_or(1);
      if (const Node* copies = find(entry, "copies"))
        one.copies = static_cast<std::uint32_t>(
            read_number(*copies, 1, 100'000, "copies at the same time", complaints_).value_or(1));
      users(entry, one);
      const auto twice = [&](const AlsoStory& other) { return !one.story.empty() && other.story == one.story; };
      if (std::any_of(plan_.also.begin(), plan_.also.end(), twice))
        complaints_.value(entry, fmt::format("another story: {} stands here already, and what both come to would be "
                                             "counted as one",
                                             one.story));
      plan_.also.push_back(std::move(one));
    }
  }

  /// Closed: users:, each of whom thinks between, instead of arrivals at a rate.
  void users(const Node& entry, AlsoStory& out) {
    const Node *users = find(entry, "users"), *think = find(entry, "think");
    if (users == nullptr) {
      if (think != nullptr) complaints_.key(*think, "think: beside users:, who play the story again and again");
      return;
    }
    for (const char* open : {"rate", "copies"})
      if (const Node* one = find(entry, open))
        complaints_.key(*one, "either users: and think:, who begin again when they are ready, or rate: and copies:");
    out.rate = 0;
    out.copies =
        static_cast<std::uint32_t>(read_number(*users, 1, 100'000, "users of this story", complaints_).value_or(1));
    if (think == nullptr) return complaints_.key(*users, "also think:, how long each of them pauses");
    out.think = read_think(*think, complaints_);
  }

  const Node& root_;
  const std::string& scenarios_;
  Complaints& complaints_;
  LoadedPlan& out_;
  Plan& plan_;
};

}  // namespace

const Profile& Plan::profile(const std::string& device) const {
  return *std::find_if(profiles.begin(), profiles.end(), [&](const Profile& one) { return one.name == device; });
}

double Plan::highest() const {
  double most = 0;
  for (const Phase& phase : phases) most = std::max({most, phase.from, phase.to});
  return most;
}

std::pair<Duration, Duration> Plan::measured() const {
  if (measure) return *measure;
  Duration from{}, to = length();
  auto first = phases.begin();
  for (; first != phases.end() && first->from < first->to; ++first) from += first->length;
  for (auto last = phases.rbegin(); last != phases.rend() && last->from > last->to; ++last) to -= last->length;
  return from < to ? std::pair(from, to) : std::pair(Duration{}, length());
}

Duration Plan::length() const {
  Duration all{};
  for (const Phase& phase : phases) all += phase.length;
  return all;
}

std::uint32_t Plan::accounts_needed() const {
  return static_cast<std::uint32_t>(std::ceil(static_cast<double>(accounts) * std::max(1.0, highest()) - 1e-6));
}

namespace {

/// `text`: of the plan. A changed profile makes another plan of it.
std::uint64_t hash_of(const Plan& plan, std::string_view text) {
  ContentHash hash;
  hash.add(text);
  for (const auto& profile : plan.profiles)
    if (const auto file = read_file(profile.path, kMaxFile)) hash.add(*file);
  return hash.value();
}

}  // namespace

LoadedPlan parse_plan(std::string_view text, const std::string& name, const std::string& root) {
  LoadedPlan out;
  Complaints complaints(name);
  if (const auto tree = parse_root(text, "a load plan: plan, accounts, for, mix", complaints))
    PlanReader(*tree, root, complaints, out).run();
  auto here = complaints.take();
  out.problems.insert(out.problems.begin(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
  out.plan.path = name;
  out.plan.hash = hash_of(out.plan, text);
  return out;
}

LoadedPlan load_plan(const std::string& path, const std::string& root) {
  const auto text = read_file(path, kMaxFile);
  if (text) return parse_plan(*text, path, root);
  LoadedPlan out;
  out.problems.push_back({path, {}, path, text.error().why, ""});
  return out;
}

LoadedPlan quick_plan(const QuickPlan& quick, const std::string& root) {
  LoadedPlan out;
  Plan& plan = out.plan;
  plan.name = quick.profile;
  plan.accounts = quick.accounts;
  if (quick.ramp > Duration{}) plan.phases.push_back({0, 1, quick.ramp});
  plan.phases.push_back({1, 1, quick.length});
  plan.deliveries.rate = quick.rate;
  // As of a plan that is written.
  if (plan.length() > kLongest) out.problems.push_back({"--for", {}, format_duration(quick.length), "at most 24h", ""});
  if (quick.rate > kMostRate)
    out.problems.push_back({"--rate", {}, fmt::format("{:g}/s", quick.rate), "at most 10000/s", ""});
  if (!out.problems.empty()) return out;
  const auto names = profile_names(root);
  const bool file = quick.profile.find('/') != std::string::npos || quick.profile.ends_with(".yaml");
  if (!file && std::find(names.begin(), names.end(), quick.profile) == names.end()) {
    const auto near = nearest_word(quick.profile, names);
    out.problems.push_back(
        {"--profile",
         {},
         quick.profile,
         names.empty() ? fmt::format("a device profile; {}/devices has none: --scenarios DIR says where they are", root)
                       : "a device profile: " + either(names),
         near.value_or("")});
    return out;
  }
  auto loaded = load_profile(file ? quick.profile : profile_path(root, quick.profile));
  out.problems = std::move(loaded.problems);
  plan.mix.push_back({{quick.profile}, 1, {}});
  loaded.profile.name = quick.profile;
  plan.profiles.push_back(std::move(loaded.profile));
  plan.hash = hash_of(plan, "");
  return out;
}

bool is_plan(std::string_view text) { return has_top_key(text, "plan"); }

bool is_plan_file(const std::string& path) {
  const auto text = read_file(path, kMaxFile);
  return text && is_plan(*text);
}

std::vector<std::string> size_mixes() {
  std::vector<std::string> out;
  for (const auto& one : named_sizes()) out.emplace_back(one.name);
  return out;
}

}  // namespace mailproof::scenario
