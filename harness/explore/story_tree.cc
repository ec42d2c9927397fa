#include "explore/story_tree.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <utility>

#include "core/units.h"
#include "explore/write.h"
#include "scenario/scenario.h"

namespace mailproof::explore::story_tree {
namespace {

/// What is left of steps at the same time is a step, or nothing.
void unwrap(Node& all) {
  for (Node& step : all.children)
    if (is_together(step) && entry_of(step).children.size() == 1) step = Node(entry_of(step).children.front());
  std::erase_if(all.children, [](const Node& step) { return is_together(step) && entry_of(step).children.empty(); });
}

}  // namespace

Node* find_in(Node& map, std::string_view key) {
  for (Node& child : map.children)
    if (child.key == key) return &child;
  return nullptr;
}

void erase_key(Node& map, std::string_view key) {
  std::erase_if(map.children, [&](const Node& child) { return child.key == key; });
}

std::optional<std::int64_t> number_of(const Node& node) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), out);
  if (node.kind != Node::Kind::scalar || error != std::errc{} || end != node.text.data() + node.text.size())
    return std::nullopt;
  return out;
}

std::optional<std::string> half_size(const Node& node) {
  const auto octets = parse_size(node.text);
  if (!octets || *octets < 2048) return std::nullopt;
  return format_size((*octets / 2 + 511) / 512 * 512);
}

void set_text(Node& node, std::string text) {
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  node.children.clear();
}

bool mentions(const Node& node, std::string_view word) {
  if (node.kind == Node::Kind::scalar && node.text == word) return true;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const Node& child) { return mentions(child, word); });
}

std::optional<Ref> ref_of(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  Ref out{std::string(text.substr(0, dot)), 0, 0};
  std::string_view rest = text.substr(dot + 1);
  const auto take = [&](std::int64_t& into) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), into);
    if (error != std::errc{} || into < 1) return false;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return true;
  };
  if (!take(out.first)) return std::nullopt;
  out.last = out.first;
  if (rest.empty()) return out;
  if (rest.front() != '-') return std::nullopt;
  rest.remove_prefix(1);
  if (!take(out.last) || !rest.empty() || out.last < out.first) return std::nullopt;
  return out;
}

std::string text_of(const Ref& ref) {
  return ref.first == ref.last ? fmt::format("{}.{}", ref.set, ref.first)
                               : fmt::format("{}.{}-{}", ref.set, ref.first, ref.last);
}

Node& entry_of(Node& step) { return step.children.front(); }
const Node& entry_of(const Node& step) { return step.children.front(); }
bool is_step(const Node& step) { return step.kind == Node::Kind::map && step.children.size() == 1; }
bool is_together(const Node& step) {
  return is_step(step) && entry_of(step).key == "together" && entry_of(step).kind == Node::Kind::list;
}

bool acts(const Node& step, std::string_view device) {
  if (!is_step(step)) return false;
  if (is_together(step))
    return std::any_of(entry_of(step).children.begin(), entry_of(step).children.end(),
                       [&](const Node& child) { return acts(child, device); });
  return entry_of(step).key == device;
}

void drop_unused(Node& story) {
  const Node* all = scenario::find(story, "steps");
  if (all == nullptr) return;
  const auto steps_mention = [&](std::string_view word) { return mentions(*all, word); };
  Node* devices = find_in(story, "devices");
  if (devices != nullptr)
    std::erase_if(devices->children, [&](const Node& device) {
      return !steps_mention(device.key) && std::none_of(all->children.begin(), all->children.end(),
                                                        [&](const Node& s) { return acts(s, device.key); });
    });
  Node* accounts = find_in(story, "accounts");
  if (accounts == nullptr) return;
  std::erase_if(accounts->children, [&](const Node& account) {
    const std::string& name = accounts->kind == Node::Kind::map ? account.key : account.text;
    return !steps_mention(name) && (devices == nullptr || !mentions(*devices, name));
  });
  if (Node* customers = find_in(story, "customers"); customers != nullptr && customers->kind == Node::Kind::map) {
    std::erase_if(customers->children, [&](const Node& customer) {
      return !steps_mention(customer.key) && !mentions(*accounts, customer.key);
    });
    if (customers->children.empty()) erase_key(story, "customers");
  }
  const bool plain =
      accounts->kind == Node::Kind::map && std::all_of(accounts->children.begin(), accounts->children.end(),
                                                       [](const Node& account) { return account.children.empty(); });
  if (!plain) return;
  for (Node& account : accounts->children) {
    set_text(account, account.key);
    account.quoted = false;
  }
  accounts->kind = Node::Kind::list;
}

bool fit(Node& story, const std::string& path) {
  for (;;) {
    Node* all = find_in(story, "steps");
    if (all == nullptr || all->children.empty()) return false;
    unwrap(*all);
    drop_unused(story);
    const Written written = write(story);
    const auto problems = scenario::parse(written.text, path).problems;
    if (problems.empty()) return true;
    std::set<std::pair<std::size_t, std::size_t>> bad;
    for (const auto& problem : problems)
      for (const auto& step : written.steps)
        if (step.line == problem.pos.line) bad.emplace(step.step, step.child);
    if (bad.empty()) return false;
    for (auto at = bad.rbegin(); at != bad.rend(); ++at) {
      const auto [step, child] = *at;
      Node& list = child == 0 ? *all : entry_of(all->children[step]);
      list.children.erase(list.children.begin() + static_cast<std::ptrdiff_t>(child == 0 ? step : child - 1));
    }
  }
}

}  // namespace mailproof::explore::story_tree
