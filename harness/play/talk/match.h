#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "play/talk/connection.h"
#include "scenario/check/check.h"
#include "scenario/check/talk_pattern.h"

namespace mailproof::play {

/// Whether `text` has something like the regular expression, which was checked when it was read. All that compares here
/// may throw PatternTrouble: what then fits is not known.
bool search(std::string_view text, std::string_view regex);

/// What a talk's variables hold.
struct TalkVariables {
  std::map<std::string, std::string, std::less<>> values;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> distinct;  ///< ${x:distinct}: all so far

  /// What was bound on trial, in order.
  struct Bound {
    std::string name;
    std::optional<std::string> before;    ///< its value
    std::optional<std::string> distinct;  ///< went into its set
  };
  std::vector<Bound> on_trial;
  int trials = 0;
};

/// A pattern may bind variables before it turns out not to fit: they are taken back unless keep() was called. Trials
/// nest.
class TalkTrial {
 public:
  explicit TalkTrial(TalkVariables& variables);
  ~TalkTrial();
  TalkTrial(const TalkTrial&) = delete;
  TalkTrial& operator=(const TalkTrial&) = delete;
  bool keep() { return kept_ = true; }

 private:
  TalkVariables& variables_;
  std::size_t from_;
  bool kept_ = false;
};

using scenario::closing_brace;
using scenario::cut_pattern;
using scenario::pattern_words;
using scenario::TalkPart;
using scenario::TalkVariable;

/// "3:1,7" as 1, 2, 3, 7: a range is ascending whichever way it is written (RFC 3501 section 9, sequence-set), and the
/// order of what the commas part is kept. Nothing: it is no set of numbers, or one of more than 10000.
std::optional<std::vector<std::uint32_t>> one_by_one(std::string_view set);
std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> numbers);
std::string joined(const std::vector<std::uint32_t>& numbers);  ///< "1,2,3,7"

/// Whether a value is of a type (number, uid, date, base64, /regex/ ...; empty = anything). Unknown types: false.
bool is_of_type(std::string_view value, std::string_view type);
/// Binds, or compares with what is bound. False: it does not fit.
bool bind_variable(const TalkVariable& variable, std::string_view value, TalkVariables& variables);
/// One word, without case.
bool match_word(std::string_view pattern, std::string_view word, TalkVariables& variables);
/// Words from the left; further ones are free unless the pattern ends in " $".
bool match_line(std::string_view pattern, std::string_view line, TalkVariables& variables);
/// A pattern with what is bound filled in, for people.
std::string filled_in(std::string_view pattern, const TalkVariables& variables);

/// How the lines of a block are looked for: one after the other; in any order, as no RFC gives LIST and UIDL one; or in
/// any order among others that the talk does not name (CAPA).
enum class BlockOrder { as_written, any, any_and_more };
BlockOrder order_of_reply(std::string_view command);

/// What is wrong with a block: expected and actual.
struct TalkMismatch {
  std::string expected, actual;
  const scenario::TalkLine* line = nullptr;  ///< of the block; null: the block as a whole
};
/// The block of a POP3 reply; `message` has the octets of "mail.1". Empty: it is as it should be.
std::optional<TalkMismatch> match_block(const std::vector<scenario::TalkLine>& block, const TalkReply& reply,
                                        BlockOrder order,
                                        const std::function<std::optional<std::string>(std::string_view)>& message,
                                        TalkVariables& variables);

}  // namespace mailproof::play
