#include "scenario/wrong/wrong.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "scenario/check/file_protocol.h"
#include "scenario/parse.h"
#include "scenario/wrong/dialogue.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".wrong.yaml";
constexpr std::size_t kLongestTold = 100;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    out.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return out;
}

/// "C: LIST / S: -ERR no messages"
std::string in_one_line(std::string_view dialogue) {
  std::string out;
  for (std::string_view line : lines_of(dialogue)) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty() || line.front() == '#') continue;
    out += (out.empty() ? "" : " / ") + std::string(line);
  }
  if (out.size() > kLongestTold) out = out.substr(0, kLongestTold) + "...";
  return out;
}

class WrongReader {
 public:
  WrongReader(std::string_view text, Complaints& complaints) : lines_(lines_of(text)), complaints_(complaints) {}

  void read(const Node& root, WrongFile& out) {
    const Node* of_story = find(root, "servers");
    if (of_story != nullptr) return read_story(root, *of_story, out);
    check_keys(root, {"wrong", "checks", "servers", "right", "permitted"}, complaints_);
    require_keys(root, {"wrong", "checks"}, complaints_);
    if (const Node* id = find(root, "wrong")) {
      out.file = read_text(*id, "the id of the conformance file beside this one", complaints_).value_or("");
      out.pos = id->pos;
      protocol_ = protocol_of_file(out.file);
    }
    for (const auto& [key, into] : {std::pair("checks", &out.checks), std::pair("permitted", &out.permitted)})
      if (const Node* checks = find(root, key); checks != nullptr && checks_map(*checks))
        for (const Node& check : checks->children) into->push_back({check.key, check.key_pos, servers(check)});
    if (const Node* right = find(root, "right"); right != nullptr && checks_map(*right))
      for (const Node& check : right->children)
        if (is_dialogue(check)) out.right.push_back({check.key, check.key_pos, dialogue(check)});
  }

 private:
  /// Beside a story: it is the only one, and has no id of its own.
  void read_story(const Node& root, const Node& of_story, WrongFile& out) {
    check_keys(root, {"wrong", "servers", "permitted"}, complaints_);
    require_keys(root, {"wrong"}, complaints_);
    if (const Node* id = find(root, "wrong")) {
      out.file = read_text(*id, "the id of the story beside this one", complaints_).value_or("");
      out.pos = id->pos;
    }
    out.checks.push_back({"", of_story.key_pos, servers(of_story)});
    if (const Node* permitted = find(root, "permitted"))
      out.permitted.push_back({"", permitted->key_pos, servers(*permitted)});
  }

  bool checks_map(const Node& node) {
    return is_map(node, "a map: the id of a check, and what a server does", complaints_);
  }

  bool is_dialogue(const Node& node) {
    return read_text(node, "a dialogue: 'C: LIST' and below it 'S: -ERR'", complaints_).has_value();
  }

  std::vector<WrongServer> servers(const Node& node) {
    std::vector<WrongServer> out;
    if (node.kind != Node::Kind::list) {
      add(node, out);
    } else if (node.children.empty()) {
      complaints_.value(node, kExpected);
    }
    if (node.kind == Node::Kind::list)
      for (const Node& one : node.children) add(one, out);
    return out;
  }

  void add(const Node& node, std::vector<WrongServer>& out) {
    WrongServer server;
    server.pos = node.pos;
    if (node.kind == Node::Kind::map && node.children.size() == 1) {
      check_keys(node, {"defect", "latitude", "test"}, complaints_);
      if (const Node* value = find(node, "test")) {
        server.test = read_text(*value, "the test that shows it", complaints_).value_or("");
        server.told = fmt::format("shown by {}", server.test);
      }
      for (const auto& [key, name] : {std::pair("defect", &server.defect), std::pair("latitude", &server.latitude)})
        if (const Node* value = find(node, key)) {
          *name = read_text(*value, "the name of a switch of the built-in server", complaints_).value_or("");
          server.pos = value->pos;
          server.told = fmt::format("{} {}", key, *name);
        }
    } else if (node.kind == Node::Kind::scalar && !node.text.empty()) {
      server.dialogue = dialogue(node);
      server.told = in_one_line(node.text);
    } else {
      return complaints_.value(node, kExpected);
    }
    out.push_back(std::move(server));
  }

  WrongDialogue dialogue(const Node& node) {
    return read_dialogue(
        node.text, protocol_, [&](int line) { return place(node, line); }, complaints_);
  }

  /// Lines of a block text ("|") are those of the file; of any other text only the beginning is known.
  Pos place(const Node& node, int line) const {
    const std::string_view begins = source_line(node.pos.line);
    const auto column = static_cast<std::size_t>(std::max(node.pos.column - 1, 0));
    if (column >= begins.size() || begins[column] != '|') return node.pos;
    const std::size_t indent = source_line(node.pos.line + 1 + line).find_first_not_of(' ');
    return {node.pos.line + 1 + line, indent == std::string_view::npos ? 1 : static_cast<int>(indent) + 1};
  }
  std::string_view source_line(int number) const {
    const auto index = static_cast<std::size_t>(number - 1);
    return index < lines_.size() ? lines_[index] : std::string_view();
  }

  static constexpr const char* kExpected =
      "a dialogue ('C: LIST' and below it 'S: -ERR'), {defect: NAME}, {latitude: NAME}, or a list of these";

  std::vector<std::string_view> lines_;
  Complaints& complaints_;
  Protocol protocol_ = Protocol::pop3;  ///< of the file's checks, and of the blocks that name none
};

void read_into(const fs::path& path, std::set<std::string>& seen, LoadedWrong& out) {
  std::error_code error;
  if (!seen.insert(fs::weakly_canonical(path, error).string()).second) return;
  const auto text = read_file(path.string(), kMaxFile);
  if (!text) {
    out.problems.push_back({path.string(), {}, path.string(), text.error().why, ""});
    return;
  }
  LoadedWrong one = parse_wrong(text.value(), path.string());
  std::move(one.files.begin(), one.files.end(), std::back_inserter(out.files));
  std::move(one.problems.begin(), one.problems.end(), std::back_inserter(out.problems));
}

}  // namespace

bool is_wrong_file(std::string_view path) { return path.ends_with(kSuffix); }

std::string checks_beside(std::string_view wrong_file) {
  return std::string(wrong_file.substr(0, wrong_file.size() - kSuffix.size())) + ".yaml";
}

LoadedWrong parse_wrong(std::string_view text, const std::string& name) {
  LoadedWrong out;
  Complaints complaints(name);
  if (const auto root = parse_root(text, "wrong servers: wrong, checks", complaints)) {
    WrongFile file;
    file.path = name;
    WrongReader(text, complaints).read(*root, file);
    if (complaints.empty()) out.files.push_back(std::move(file));
  }
  out.problems = complaints.take();
  return out;
}

LoadedWrong load_wrong(const std::vector<std::string>& paths) {
  LoadedWrong out;
  std::set<std::string> seen;
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      std::set<fs::path> below;
      for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
        if (is_wrong_file(at->path().string())) below.insert(at->path());
      for (const auto& file : below) read_into(file, seen, out);
      continue;
    }
    const fs::path file = is_wrong_file(path) ? fs::path(path) : fs::path(path).replace_extension(kSuffix);
    if (fs::exists(file, error)) read_into(file, seen, out);
  }
  return out;
}

}  // namespace mailproof::scenario
