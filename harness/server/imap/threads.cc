#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "server/imap/sort_fields.h"

namespace mailproof::server {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// The tree of RFC 5256 section 3, REFERENCES. Nodes 0 to n-1 are the messages, those behind them dummies.
class ReferenceTree {
 public:
  explicit ReferenceTree(const std::vector<ThreadMessage>& messages) : messages_(messages), nodes_(messages.size()) {}

  std::string threads() {
    link();
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].parent == kNone) roots_.push_back(i);
    prune();
    by_date(roots_);
    merge_subjects();
    for (auto& node : nodes_) by_date(node.children);
    by_date(roots_);
    std::string out;
    for (const auto root : roots_) write(root, out);
    return out;
  }

 private:
  struct Node {
    std::size_t parent = kNone;
    std::vector<std::size_t> children;
  };

  bool dummy(std::size_t node) const { return node >= messages_.size(); }
  /// A dummy is dated and named after its first child.
  std::size_t speaker(std::size_t node) const {
    while (dummy(node)) node = nodes_[node].children.front();
    return node;
  }
  const SortFields& fields(std::size_t node) const { return messages_[speaker(node)].fields; }

  bool descends(std::size_t node, std::size_t from) const {
    while (node != kNone && node != from) node = nodes_[node].parent;
    return node == from;
  }
  void unlink(std::size_t child) {
    auto& parent = nodes_[child].parent;
    if (parent != kNone) std::erase(nodes_[parent].children, child);
    parent = kNone;
  }
  void adopt(std::size_t parent, std::size_t child) {
    unlink(child);
    nodes_[child].parent = parent;
    nodes_[parent].children.push_back(child);
  }

  /// Step 1.
  void link() {
    std::map<std::string_view, std::size_t> by_id;
    for (std::size_t i = 0; i < messages_.size(); ++i)
      if (!messages_[i].id.empty()) by_id.emplace(messages_[i].id, i);
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      std::size_t last = kNone;
      for (const auto& id : messages_[i].references) {
        const auto [known, fresh] = by_id.try_emplace(id, nodes_.size());
        if (fresh) nodes_.emplace_back();
        const std::size_t one = known->second;
        if (last != kNone && nodes_[one].parent == kNone && !descends(last, one)) adopt(last, one);
        last = one;
      }
      unlink(i);
      if (last != kNone && !descends(last, i)) adopt(last, i);
    }
  }

  /// Step 3: dummies stay at the top only, where they hold several together.
  void prune() {
    for (std::size_t i = messages_.size(); i < nodes_.size(); ++i) {
      if (nodes_[i].parent == kNone) continue;
      const auto parent = nodes_[i].parent;
      const auto children = nodes_[i].children;
      unlink(i);
      for (const auto child : children) adopt(parent, child);
    }
    std::vector<std::size_t> kept;
    for (const auto root : roots_) {
      if (!dummy(root) || nodes_[root].children.size() > 1) {
        kept.push_back(root);
      } else if (!nodes_[root].children.empty()) {
        kept.push_back(nodes_[root].children.front());
        unlink(kept.back());
      }
    }
    roots_ = std::move(kept);
    for (auto& node : nodes_) by_date(node.children);
  }

  void by_date(std::vector<std::size_t>& siblings) const {
    std::sort(siblings.begin(), siblings.end(), [&](std::size_t a, std::size_t b) {
      const auto sent_a = fields(a).sent;
      const auto sent_b = fields(b).sent;
      return sent_a != sent_b ? sent_a < sent_b : speaker(a) < speaker(b);
    });
  }

  /// Step 5.
  void merge_subjects() {
    std::map<std::string, std::size_t> table;
    for (const auto root : roots_) {
      const auto& subject = fields(root).subject;
      if (subject.empty()) continue;
      const auto [at, fresh] = table.try_emplace(subject, root);
      if (fresh || dummy(at->second)) continue;
      if (dummy(root) || (fields(at->second).reply && !fields(root).reply)) at->second = root;
    }
    std::vector<std::size_t> kept;
    const auto roots = std::exchange(roots_, {});
    for (const auto root : roots) {
      if (fields(root).subject.empty()) {
        roots_.push_back(root);
        continue;
      }
      auto& first = table.at(fields(root).subject);
      if (first == root) {
        roots_.push_back(root);
      } else if (dummy(first) && dummy(root)) {
        const auto children = nodes_[root].children;
        for (const auto child : children) adopt(first, child);
      } else if (dummy(first) || (fields(root).reply && !fields(first).reply)) {
        adopt(first, root);
      } else {
        nodes_.emplace_back();
        const auto made = nodes_.size() - 1;
        std::erase(roots_, first);
        adopt(made, first);
        adopt(made, root);
        roots_.push_back(made);
        first = made;
      }
    }
    // A dummy that took the place of a message further down the list is in it once.
    std::erase_if(roots_, [&](std::size_t root) { return nodes_[root].parent != kNone; });
  }

  // thread-list = "(" (thread-members / thread-nested) ")"
  void write(std::size_t node, std::string& out) const {
    out += '(';
    while (true) {
      const auto& children = nodes_[node].children;
      if (!dummy(node)) fmt::format_to(std::back_inserter(out), "{}", messages_[node].number);
      if (children.empty()) break;
      if (!dummy(node)) out += ' ';
      if (children.size() > 1) {
        for (const auto child : children) write(child, out);
        break;
      }
      node = children.front();
    }
    out += ')';
  }

  const std::vector<ThreadMessage>& messages_;
  std::vector<Node> nodes_;
  std::vector<std::size_t> roots_;
};

}  // namespace

std::string threads_by_references(const std::vector<ThreadMessage>& messages) {
  return ReferenceTree(messages).threads();
}

std::string threads_by_subject(const std::vector<ThreadMessage>& messages) {
  std::vector<const ThreadMessage*> sorted;
  for (const auto& message : messages) sorted.push_back(&message);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->fields.subject != b->fields.subject) return a->fields.subject < b->fields.subject;
    return a->fields.sent < b->fields.sent;
  });
  std::vector<std::vector<const ThreadMessage*>> threads;
  for (const auto* message : sorted) {
    if (threads.empty() || threads.back().front()->fields.subject != message->fields.subject) threads.emplace_back();
    threads.back().push_back(message);
  }
  std::stable_sort(threads.begin(), threads.end(), [](const auto& a, const auto& b) {
    const auto& first = *a.front();
    const auto& second = *b.front();
    return first.fields.sent != second.fields.sent ? first.fields.sent < second.fields.sent
                                                   : first.number < second.number;
  });
  std::string out;
  for (const auto& thread : threads) {
    fmt::format_to(std::back_inserter(out), "({}", thread.front()->number);
    if (thread.size() == 2) fmt::format_to(std::back_inserter(out), " {}", thread.back()->number);
    if (thread.size() > 2) out += ' ';
    for (std::size_t i = 1; thread.size() > 2 && i < thread.size(); ++i)
      fmt::format_to(std::back_inserter(out), "({})", thread[i]->number);
    out += ')';
  }
  return out;
}

}  // namespace mailproof::server
