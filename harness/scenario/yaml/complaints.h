#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// Collects the problems of one file, at most kMaxProblems of them.
class Complaints {
 public:
  static constexpr std::size_t kMaxProblems = 100;

  /// `root`: where the files are that this one names by words; "" = nobody said.
  explicit Complaints(std::string file, std::string root = "") : file_(std::move(file)), root_(std::move(root)) {}

  /// `known`: the words it could have been; the nearest becomes the hint.
  void at(Pos pos, std::string_view text, std::string expected, const std::vector<std::string>& known = {});
  /// About a value. Silent for a bad node; an absent value is named by its key.
  void value(const Node& node, std::string expected, const std::vector<std::string>& known = {});
  /// About a key of a map.
  void key(const Node& node, std::string expected, const std::vector<std::string>& known = {});

  /// About another file that this one names.
  void elsewhere(std::string file, Pos pos, std::string text, std::string expected);

  /// Not wrong, but hardly what was meant: said, and the file is played.
  void note(Pos pos, std::string_view text, std::string expected, const std::vector<std::string>& known = {});

  const std::string& file() const { return file_; }
  const std::string& root() const { return root_; }
  bool empty() const { return problems_.empty(); }
  std::size_t size() const { return problems_.size(); }
  /// In the order of the file.
  std::vector<Problem> take();
  std::vector<Problem> take_notes() { return std::exchange(notes_, {}); }

 private:
  void add(Pos pos, std::string_view text, std::string expected, std::optional<std::string> hint);

  std::string file_, root_;
  std::vector<Problem> problems_, notes_;
};

/// "imap, pop3 or delivery".
std::string either(const std::vector<std::string>& words);

}  // namespace mailproof::scenario
