#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>

#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"
#include "scenario/yaml/source.h"

namespace mailproof::scenario {
namespace {

constexpr std::string_view kNoAnchors = "the value itself: anchors and aliases are not used here";

/// Builds the tree from the parser's events. Throws YAML::ParserException, as the parser itself does, to end a file
/// that is out of bounds: the parser has no other way to be stopped.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Source& source, Complaints& complaints) : source_(source), complaints_(complaints) {}

  std::optional<Node> root;
  int documents = 0;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents == 2)
      complaints_.at(at(mark), rest(mark),
                     "the end of the file, or indentation that joins this line to what stands above");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { leaf(mark, Node::Kind::null, "", false); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    check_tag(mark, tag);
    // The parser takes the end of the file for the missing quote.
    if (tag == "!" && !source_.quote_closes(mark.line, mark.column))
      throw YAML::ParserException(mark, YAML::ErrorMsg::EOF_IN_SCALAR);
    leaf(mark, Node::Kind::scalar, value, tag == "!");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (documents == 1) complaints_.at(at(mark), rest(mark), std::string(kNoAnchors));
    leaf(mark, Node::Kind::bad, "", false);
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    if (documents == 1) complaints_.at(at(mark), "&" + name, std::string(kNoAnchors));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, Node::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    begin(mark, tag, Node::Kind::map);
  }
  /// Where the innermost list or map that is still open began.
  const YAML::Mark* open() const { return stack_.empty() ? nullptr : &stack_.back().begun; }

  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    Node node;
    YAML::Mark begun;
    bool awaits_value = false;  // map: a key was read
    bool dropped = false;       // the value that comes next has a key we refused
    std::string key;
    Pos key_pos;
    std::unordered_map<std::string, Pos> keys;
  };

  Pos at(const YAML::Mark& mark) const { return source_.pos(mark.line, mark.column); }
  std::string_view rest(const YAML::Mark& mark) const { return source_.rest_of_line(mark.line, mark.column); }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (documents != 1 || tag.empty() || tag == "?" || tag == "!") return;
    complaints_.at(at(mark), rest(mark), "a value without a tag");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    check_tag(mark, tag);
    if (stack_.size() >= kMaxDepth)
      throw YAML::ParserException(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    count(mark);
    Frame frame;
    frame.node.kind = kind;
    frame.node.pos = at(mark);
    frame.begun = mark;
    stack_.push_back(std::move(frame));
  }

  void end() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    place(std::move(node));
  }

  void leaf(const YAML::Mark& mark, Node::Kind kind, const std::string& text, bool quoted) {
    count(mark);
    Node node;
    node.kind = kind;
    node.text = text;
    node.quoted = quoted;
    node.pos = at(mark);
    place(std::move(node));
  }

  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) throw YAML::ParserException(mark, fmt::format("more than {} values", kMaxNodes));
  }

  void place(Node node) {
    if (documents != 1) return;
    if (stack_.empty()) {
      root = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.children.push_back(std::move(node));
      return;
    }
    if (!frame.awaits_value) return take_key(frame, node);
    frame.awaits_value = false;
    if (frame.dropped) return;
    node.key = std::move(frame.key);
    node.key_pos = frame.key_pos;
    if (node.kind == Node::Kind::null) node.pos = node.key_pos;  // the parser marks what comes after it
    frame.node.children.push_back(std::move(node));
  }

  void take_key(Frame& frame, const Node& key) {
    frame.awaits_value = true;
    frame.dropped = true;
    if (key.kind == Node::Kind::bad) return;
    if (key.kind != Node::Kind::scalar) {
      complaints_.at(key.pos, key.kind == Node::Kind::null ? ":" : one_line(key), "a key that is one word");
      return;
    }
    if (key.text == "<<" && !key.quoted) {
      complaints_.at(key.pos, key.text, "the keys themselves: merge keys are not used here");
      return;
    }
    if (const auto [first, fresh] = frame.keys.emplace(key.text, key.pos); !fresh) {
      complaints_.at(
          key.pos, key.text,
          fmt::format("each key once; it stands at {}:{} already", first->second.line, first->second.column));
      return;
    }
    frame.dropped = false;
    frame.key = key.text;
    frame.key_pos = key.pos;
  }

  const Source& source_;
  Complaints& complaints_;
  std::vector<Frame> stack_;
  std::size_t nodes_ = 0;
};

/// What people most often get wrong, in our words.
struct Mistake {
  std::string_view parser_says;
  std::string_view expected;
  bool at_opening = false;  ///< the parser notices it far behind the bracket that was left open
};

constexpr Mistake kMistakes[] = {
    {"end of map flow not found", "',' and a key, or '}' to end what '{' began", true},
    {"end of sequence flow not found", "',' and a value, or ']' to end what '[' began", true},
    {"illegal map value", "one 'key: value' a line, keys of one map in one column; text that holds ': ' needs quotes"},
    {"illegal block entry", "'- ' only at the beginning of a list's line"},
    {"end of sequence not found", "'- ' in the same column as in the lines above"},
    {"end of map not found", "a key in the same column as in the lines above"},
    {"unknown token", "a word; text that begins with this character needs quotes"},
    {"illegal EOF in scalar", "a second quote that ends the text"},
    {"the referenced anchor is not defined", kNoAnchors},
};

void complain(const YAML::Exception& error, const Source& source, const YAML::Mark* open, Complaints& complaints) {
  for (const auto& mistake : kMistakes) {
    if (error.msg != mistake.parser_says) continue;
    const auto& mark = mistake.at_opening && open != nullptr ? *open : error.mark;
    const bool whole_line = mistake.parser_says == "illegal map value";
    complaints.at(source.pos(mark.line, mark.column), source.rest_of_line(mark.line, whole_line ? 0 : mark.column),
                  std::string(mistake.expected));
    return;
  }
  complaints.at(source.pos(error.mark.line, error.mark.column), source.rest_of_line(error.mark.line, 0),
                fmt::format("YAML that can be read ({})", error.msg));
}

}  // namespace

std::optional<Node> parse_yaml(std::string_view text, Complaints& complaints) {
  if (text.size() > kMaxFile) {
    complaints.at({1, 1}, fmt::format("{} bytes", text.size()), fmt::format("a file of at most {} bytes", kMaxFile));
    return std::nullopt;
  }
  const Source source(text);
  if (!source.clean(complaints)) return std::nullopt;

  std::istringstream stream{std::string(source.text())};
  TreeBuilder builder(source, complaints);
  try {
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    if (builder.documents < 2) {
      complain(error, source, builder.open(), complaints);
      return std::nullopt;
    }
  }
  return std::move(builder.root);
}

}  // namespace mailproof::scenario
