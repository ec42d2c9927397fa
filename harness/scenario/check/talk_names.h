#pragma once
// The names that a talk's lines use, followed from line to line as the talk is read.
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/check/talk.h"
#include "scenario/check/talk_pattern.h"

namespace mailproof::scenario {

/// The whole text is one variable.
std::optional<TalkVariable> only_variable(std::string_view text);

/// What the lines read so far have bound and delivered. Each function complains about what its line may not name;
/// `imap` says that the line's connection speaks it.
class TalkNames {
 public:
  TalkNames(int column, Complaints& complaints, const Scenario& scenario, Check& check);

  void complain(const TalkLine& at, std::string_view text, std::string expected,
                const std::vector<std::string>& known = {});

  /// `count` messages more may be named from here on: {mail.1} and so on.
  void delivers(int count) { messages_ += count; }
  /// The line binds the time that it took.
  void took(const TalkLine& line);
  /// The variables in what is sent have a value.
  void filled(const TalkLine& at, std::string_view text, bool imap);
  /// A command that creates, deletes or renames: any other mailbox than the check's own may be somebody's.
  void others_mailboxes(const TalkLine& line);
  /// A check sends no mail to anybody but those it was lent, and lets no report go elsewhere.
  void addresses(const TalkLine& line);
  /// {mail.1} in what IMAP sends. Braces around a number are the client's own literal.
  void literals(const TalkLine& line);
  /// "mail.1", "mail.1 user2", "report mail.1"
  void arrives(const TalkLine& line);
  /// "{mail.1}", "{mail.1 top 3}", "{mail.*}"
  void content(const TalkLine& line);
  /// The variables of a pattern, with types that exist. `of_block`: it may be about the whole block.
  void binds(const TalkLine& line, const std::string& pattern, bool imap, bool of_block);
  /// same:, differ:, fewer:, at most:
  void compared(const TalkLine& line);

 private:
  void given(const TalkLine& at, const TalkVariable& variable, bool imap);
  void type(const TalkLine& line, const std::string& type, bool imap, bool of_block);
  /// A mailbox of the check's own, or how its name is made.
  bool own(const TalkVariable& variable);
  /// "mail.2" is one of those that were delivered.
  void delivered(const TalkLine& line, std::string_view name);

  int column_;
  Complaints& complaints_;
  const Scenario& scenario_;
  Check& check_;
  int messages_ = 0;  ///< delivered before the present line
  std::set<std::string> bound_;
};

}  // namespace mailproof::scenario
