#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace mailproof::scenario {

/// Who can do a verb, as bits.
enum Actor : unsigned { kDeliverer = 1, kImap = 2, kPop3 = 4, kJudge = 8, kAdmin = 16 };
Actor actor(DeviceKind kind);
/// "an IMAP device", "the judge".
std::string_view described(Actor actor);

/// What stands behind a verb: {verb: OBJECT}.
enum class Object {
  none,     ///< the bare word, or {quit: now} where options follow
  new_set,  ///< names a set that the step makes
  set,      ///< a set made before, or a part of it
  which,    ///< new, all or a set
  mailbox,
  maybe_mailbox,  ///< a mailbox, or the bare word
  names,          ///< of mailboxes
  query,          ///< IMAP search keys, as the protocol writes them
  state,          ///< offline or online
  number,
  devices,
  account,
  line,      ///< a command of the protocol, without a tag
  owner,     ///< an account or a customer
  duration,  ///< of time that passes
  now        ///< the bare word, now, or plaintext
};

struct VerbRule {
  std::string_view word;
  Verb verb;
  unsigned actors;
  Object object;
  std::string_view options;   ///< words with blanks between
  std::string_view required;  ///< those of them that must be there
};

/// Finds what `word` means for `actor`, or null.
const VerbRule* find_verb(std::string_view word, Actor actor);
/// The rule of a verb that was understood.
const VerbRule& rule_of(Verb verb);
/// Who else knows this word: for "download is for a POP3 device".
const VerbRule* find_verb_of_anybody(std::string_view word);
std::vector<std::string> verbs_of(Actor actor);
std::vector<std::string> split_words(std::string_view words);
/// How often a step is done, {VERB: ..., times: 5}: every verb of a device has this option.
inline constexpr std::string_view kTimes = "times";
/// Whether any verb has an option of this name.
bool is_option(std::string_view word);
bool can_be_bare(const VerbRule& rule);

}  // namespace mailproof::scenario
