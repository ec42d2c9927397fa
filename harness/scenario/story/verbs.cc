#include "scenario/story/verbs.h"

#include <algorithm>
#include <array>

namespace mailproof::scenario {
namespace {

constexpr std::array kVerbs = {
    VerbRule{"deliver", Verb::deliver, kDeliverer, Object::new_set,
             "to count size kind file subject until at_most settle expect status within via by cut latitude", ""},
    VerbRule{"retry", Verb::retry, kDeliverer, Object::set, "expect status within via by", ""},

    VerbRule{"open", Verb::open, kImap, Object::mailbox, "", ""},
    VerbRule{"examine", Verb::examine, kImap, Object::mailbox, "", ""},
    VerbRule{"sync", Verb::sync, kImap, Object::none, "", ""},
    VerbRule{"idle", Verb::idle, kImap, Object::maybe_mailbox, "", ""},
    VerbRule{"see", Verb::see, kImap | kPop3, Object::set, "in within for flags", ""},
    VerbRule{"lose", Verb::lose, kImap, Object::set, "in within", ""},
    VerbRule{"read", Verb::read, kImap, Object::set, "pieces in cut", ""},
    VerbRule{"flag", Verb::flag, kImap, Object::set, "with in cut", ""},
    VerbRule{"unflag", Verb::unflag, kImap, Object::set, "with in cut", ""},
    VerbRule{"delete", Verb::remove, kImap | kPop3, Object::set, "how in cut", ""},
    VerbRule{"expunge", Verb::expunge, kImap, Object::maybe_mailbox, "cut", ""},
    VerbRule{"move", Verb::move, kImap, Object::set, "to in cut", "to"},
    VerbRule{"copy", Verb::copy, kImap, Object::set, "to in cut", "to"},
    VerbRule{"save", Verb::save, kImap, Object::new_set, "to count size kind file subject cut", ""},
    VerbRule{"upload", Verb::upload, kImap, Object::set, "to cut", ""},
    VerbRule{"create", Verb::create, kImap, Object::mailbox, "", ""},
    VerbRule{"rename", Verb::rename, kImap, Object::mailbox, "to", "to"},
    VerbRule{"remove", Verb::remove_mailbox, kImap, Object::mailbox, "", ""},
    VerbRule{"subscribe", Verb::subscribe, kImap, Object::mailbox, "", ""},
    VerbRule{"try_names", Verb::try_names, kImap, Object::names, "", ""},
    VerbRule{"search", Verb::search, kImap, Object::query, "finds in", "finds"},
    VerbRule{"quota", Verb::quota, kImap, Object::maybe_mailbox, "", ""},
    VerbRule{"go", Verb::go, kImap, Object::state, "resync", ""},
    VerbRule{"logout", Verb::logout, kImap, Object::none, "", ""},
    VerbRule{"log out", Verb::logout, kImap, Object::none, "", ""},

    VerbRule{"connect", Verb::connect, kImap | kPop3, Object::now, "expect", ""},
    VerbRule{"smuggle", Verb::smuggle, kImap | kPop3, Object::line, "", ""},
    VerbRule{"list", Verb::list, kPop3, Object::none, "", ""},
    VerbRule{"download", Verb::download, kPop3, Object::which, "as after", ""},
    VerbRule{"reset", Verb::reset, kPop3, Object::none, "", ""},
    VerbRule{"quit", Verb::quit, kPop3, Object::none, "cut", ""},
    VerbRule{"advance", Verb::advance, kPop3, Object::duration, "", ""},

    VerbRule{"drop", Verb::drop, kImap | kPop3, Object::none, "", ""},
    VerbRule{"compare", Verb::compare, kImap | kPop3, Object::none, "", ""},
    VerbRule{"vanish", Verb::vanish, kImap | kPop3, Object::none, "", ""},

    VerbRule{"set_quota", Verb::set_quota, kAdmin, Object::owner, "to", "to"},
    VerbRule{"restart", Verb::restart, kAdmin, Object::none, "", ""},
    VerbRule{"kill", Verb::kill, kAdmin, Object::none, "", ""},
    VerbRule{"pause", Verb::pause, kAdmin, Object::duration, "", ""},

    VerbRule{"fate", Verb::fate, kJudge, Object::set, "is by over copy_on", "is"},
    VerbRule{"count", Verb::count, kJudge, Object::number, "in of", ""},
    VerbRule{"agree", Verb::agree, kJudge, Object::devices, "in", ""},
    VerbRule{"intact", Verb::intact, kJudge, Object::set, "", ""},
    VerbRule{"usage", Verb::usage, kJudge, Object::account, "", ""},
};

constexpr VerbRule kTogether{"together", Verb::together, 0, Object::none, "", ""};

}  // namespace

Actor actor(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::deliverer:
      return kDeliverer;
    case DeviceKind::imap:
      return kImap;
    case DeviceKind::pop3:
      return kPop3;
  }
  return kImap;
}

std::string_view described(Actor who) {
  switch (who) {
    case kDeliverer:
      return "a device that delivers";
    case kImap:
      return "an IMAP device";
    case kPop3:
      return "a POP3 device";
    case kJudge:
      return "the judge";
    case kAdmin:
      return "the admin";
  }
  return "?";
}

const VerbRule* find_verb(std::string_view word, Actor who) {
  for (const auto& rule : kVerbs)
    if (rule.word == word && (rule.actors & who) != 0) return &rule;
  return nullptr;
}

const VerbRule& rule_of(Verb verb) {
  for (const auto& rule : kVerbs)
    if (rule.verb == verb) return rule;
  return kTogether;
}

const VerbRule* find_verb_of_anybody(std::string_view word) {
  for (const auto& rule : kVerbs)
    if (rule.word == word) return &rule;
  return nullptr;
}

Takes takes_of(Verb verb) {
  switch (verb) {
    case Verb::deliver:
      return Deliver{};
    case Verb::retry:
      return Retry{};
    case Verb::open:
    case Verb::examine:
    case Verb::idle:
    case Verb::expunge:
    case Verb::create:
    case Verb::remove_mailbox:
    case Verb::subscribe:
      return OfMailbox{};
    case Verb::quota:
      return OfMailbox{"INBOX"};
    case Verb::rename:
      return Rename{};
    case Verb::see:
    case Verb::lose:
      return Await{};
    case Verb::flag:
    case Verb::unflag:
      return Flag{};
    case Verb::remove:
      return Delete{};
    case Verb::move:
    case Verb::copy:
      return Move{};
    case Verb::save:
      return Save{};
    case Verb::upload:
      return Upload{};
    case Verb::search:
      return Search{};
    case Verb::go:
      return Go{};
    case Verb::connect:
      return Connect{};
    case Verb::smuggle:
      return Smuggle{};
    case Verb::download:
      return Download{};
    case Verb::quit:
      return Quit{};
    case Verb::advance:
    case Verb::pause:
      return LetPass{};
    case Verb::set_quota:
      return SetQuota{};
    case Verb::fate:
      return HasFate{};
    case Verb::count:
      return HasCount{};
    case Verb::agree:
      return Agree{};
    case Verb::usage:
      return Usage{};
    case Verb::read:
      return Read{};
    case Verb::try_names:
      return OfNames{};
    case Verb::intact:
      return OfMessages{};
    case Verb::sync:
    case Verb::logout:
    case Verb::list:
    case Verb::reset:
    case Verb::drop:
    case Verb::compare:
    case Verb::vanish:
    case Verb::restart:
    case Verb::kill:
    case Verb::together:
      return Nothing{};
  }
  return Nothing{};
}

std::vector<std::string> verbs_of(Actor who) {
  std::vector<std::string> out;
  for (const auto& rule : kVerbs)
    if ((rule.actors & who) != 0 && rule.word != "log out") out.emplace_back(rule.word);
  return out;
}

std::vector<std::string> split_words(std::string_view words) {
  std::vector<std::string> out;
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    out.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

bool is_option(std::string_view word) {
  return word == kTimes || std::any_of(kVerbs.begin(), kVerbs.end(), [&](const VerbRule& rule) {
           const auto options = split_words(rule.options);
           return std::find(options.begin(), options.end(), word) != options.end();
         });
}

bool can_be_bare(const VerbRule& rule) {
  return rule.object == Object::none || rule.object == Object::maybe_mailbox || rule.object == Object::now;
}

}  // namespace mailproof::scenario
