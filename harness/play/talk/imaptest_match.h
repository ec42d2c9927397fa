#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "play/talk/match.h"

namespace mailproof::play {

/// How ImapTest compares replies (its page "Scripted Testing Configuration"): arguments without case, variables in any
/// of them, directives at the beginning of lists. What a variable of its takes is kept in TalkVariables.
class ImapTestMatcher {
 public:
  explicit ImapTestMatcher(TalkVariables& variables) : variables_(variables) {}

  /// A group of commands begins: message numbers count from now, "$3" is what is the third now.
  void begin(std::string tag);
  /// An EXPUNGE of this group was looked at.
  void expunged(std::uint32_t seq) { expunged_.push_back(seq); }
  /// `prefix`: the reply may go on, behind its last argument and within it.
  bool matches(std::string_view pattern, std::string_view reply, bool prefix);

 private:
  struct Arg {
    enum class Kind { nil, atom, string, list } kind = Kind::atom;
    std::string text;
    std::vector<Arg> items = {};
  };
  class Reader;
  static void add_defaults(std::vector<Arg>& pattern);
  bool args(const std::vector<Arg>& pattern, std::size_t from, std::size_t most, const std::vector<Arg>& reply,
            std::size_t at, bool prefix);
  bool list(const std::vector<Arg>& pattern, const std::vector<Arg>& reply);
  bool text(std::string_view pattern, std::string_view text, bool prefix);
  std::string relative(std::uint32_t seq) const;
  bool modseq(const std::string& name, std::uint64_t index, const std::string& value);

  TalkVariables& variables_;
  std::string tag_;
  std::vector<std::uint32_t> expunged_;
  std::uint64_t modseq_index_ = 0, modseq_value_ = 0;
};

}  // namespace mailproof::play
