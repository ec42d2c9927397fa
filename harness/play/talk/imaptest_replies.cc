// How the replies to a group of an ImapTest script are looked at (scenario/imaptest).
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/talk/grammar.h"
#include "play/talk/imaptest_match.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using Replies = scenario::ImapTestReplies;
using Is = Replies::Untagged::Is;

/// What goes on behind its code as it likes.
bool has_text(std::string_view reply) {
  const std::string_view word = reply.substr(0, reply.find(' '));
  return iequals(word, "OK") || iequals(word, "NO") || iequals(word, "BAD") || iequals(word, "BYE");
}

std::optional<std::uint32_t> expunged_by(std::string_view reply) {
  const auto words = pattern_words(reply);
  if (words.size() < 2 || !iequals(words[1], "EXPUNGE") || !is_of_type(words[0], "seq")) return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(words[0].substr(0, 9)));
}

}  // namespace

/// The first thing that was not as it must be; ImapTest goes on behind it, with the same verdict.
void Talk::imaptest_mismatch(std::string wanted, std::string came, int line) {
  if (!imaptest_->wrong.empty()) return;
  imaptest_->wanted = fmt::format("{} (script line {})", wanted, line);
  imaptest_->wrong = std::move(came);
}

void Talk::imaptest_untagged(const Replies& replies, const std::string& reply) {
  ImapTestGroup& group = *imaptest_;
  const bool prefix = has_text(reply);
  bool any = false;
  group.came += fmt::format("{}* {}", group.came.empty() ? "" : "\n", printable(reply, 200));
  for (std::size_t i = 0; i < replies.untagged.size(); ++i) {
    const auto& one = replies.untagged[i];
    if (group.found[i]) continue;
    if (matcher_.matches(one.pattern, reply, prefix)) {
      if (one.is == Is::must_not)
        return imaptest_mismatch("no reply like " + one.pattern, "* " + printable(reply, 300), one.line);
      group.found[i] = any = true;
      if (replies.ordered) break;
    } else if (replies.ordered && one.is == Is::must) {
      break;
    }
  }
  if (!any && replies.no_extra) imaptest_mismatch("no other untagged reply", "* " + printable(reply, 300), 0);
  if (const auto seq = expunged_by(reply)) matcher_.expunged(*seq);
}

Talk::Came Talk::imaptest(Line& at, const scenario::TalkLine& line) {
  const Replies& replies = *line.imaptest;
  if (!imaptest_) {
    imaptest_ = ImapTestGroup{};
    imaptest_->found.resize(replies.untagged.size());
    imaptest_->open = std::max<std::size_t>(replies.tagged.size(), 1);
    matcher_.begin(replies.tagged.empty() ? "" : replies.tagged.front().tag);
  }
  ImapTestGroup& group = *imaptest_;
  auto& waiting = at.connection->replies;
  while (!waiting.empty() && group.open > 0) {
    const TalkReply came = std::move(waiting.front());
    waiting.pop_front();
    if (is_continuation(came.line)) continue;
    if (came.line.starts_with("* ")) {
      note_departures(at, came.line);
      imaptest_untagged(replies, came.line.substr(2));
      if (replies.tagged.empty()) group.open = 0;
      continue;
    }
    const auto space = std::min(came.line.find(' '), came.line.size());
    const std::string tag = came.line.substr(0, space);
    const auto one = std::find_if(replies.tagged.begin(), replies.tagged.end(),
                                  [&](const Replies::Tagged& wanted) { return wanted.tag == tag; });
    if (one == replies.tagged.end() || std::erase(at.tags, tag) == 0) {
      imaptest_mismatch("a reply with the tag of a command", printable(came.line, 300), line.line);
      break;
    }
    const std::string text = came.line.substr(std::min(space + 1, came.line.size()));
    group.came += fmt::format("{}{}", group.came.empty() ? "" : "\n", printable(text, 200));
    if (!one->pattern.empty() && !matcher_.matches(one->pattern, text, true))
      imaptest_mismatch(one->pattern, printable(text, 300), one->line);
    --group.open;
  }
  const auto any_reply = [](const Replies::Tagged& one) { return one.pattern.empty(); };
  const auto awaits_bye = [](const Replies::Untagged& one) {
    return one.is == Is::must && istarts_with(one.pattern, "BYE");
  };
  const bool bye = std::any_of(replies.untagged.begin(), replies.untagged.end(), awaits_bye) &&
                   std::all_of(replies.tagged.begin(), replies.tagged.end(), any_reply);
  if (group.open > 0 && group.wrong.empty()) {
    if (!at.connection->over()) {
      if (waits()) return Came::blocked;
      const std::string wanted = expected(line);
      imaptest_.reset();
      return silent(at, line, wanted, fmt::format("no status within {}", format_duration(bound())));
    }
    if (!bye) imaptest_mismatch("the connection stays open", how_it_ended(at), line.line);
  }
  for (std::size_t i = 0; i < replies.untagged.size() && group.wrong.empty(); ++i)
    if (replies.untagged[i].is == Is::must && !group.found[i])
      imaptest_mismatch("* " + replies.untagged[i].pattern,
                        group.came.empty() ? std::string("no reply") : "no such reply among\n" + group.came,
                        replies.untagged[i].line);
  const ImapTestGroup done = std::move(*imaptest_);
  imaptest_.reset();
  return done.wrong.empty() ? right(&at, line, done.came) : wrong(&at, line, done.wanted, done.wrong);
}

}  // namespace mailproof::play
