#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/talk_ends.h"
#include "play/talk/grammar.h"
#include "play/talk/imap.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using Op = scenario::TalkLine::Op;

bool about_status(std::string_view pattern) {
  for (const std::string_view word : {"OK", "NO", "BAD"})
    if (istarts_with(pattern, word) && (pattern.size() == word.size() || pattern[word.size()] == ' ')) return true;
  return pattern == "closed";
}

/// Whether a line is about untagged replies; of a regular expression "\*" tells.
bool about_untagged(const scenario::TalkLine& line) {
  return line.text.starts_with("* ") || line.op == Op::no_regex ||
         (line.op == Op::reply_regex && line.text.find("\\*") != std::string::npos);
}

/// Whether a line is about the "+" of a literal, AUTHENTICATE or IDLE; of a regular expression "^\+" tells.
bool about_continuation(const scenario::TalkLine& line) {
  return is_continuation(line.text) || (line.op == Op::reply_regex && line.text.starts_with("^\\+"));
}

/// RFC 7162 section 3.2.6: "Any VANISHED (EARLIER) responses MUST be returned before any FETCH responses".
bool is_vanished_earlier(std::string_view pattern) { return istarts_with(pattern, "* VANISHED (EARLIER)"); }

/// EXISTS, EXPUNGE and VANISHED keep their order, and CLOSED, between what is told of two mailboxes (RFC 9051 section
/// 7.1), and COPYUID, which comes before the EXPUNGEs of a MOVE (section 6.4.8); rows may come as they like.
bool in_written_order(std::string_view pattern) {
  const auto words = pattern_words(pattern);
  if (words.size() < 2) return false;
  if (iequals(words[1], "VANISHED")) return true;
  constexpr std::string_view kOrdered[] = {"EXISTS", "EXPUNGE", "[CLOSED]", "[COPYUID"};
  return words.size() >= 3 && std::ranges::any_of(kOrdered, [&](auto word) { return iequals(words[2], word); });
}

/// Numbers behind it are those of other messages.
bool renumbers(std::string_view reply) {
  const auto words = pattern_words(reply.substr(0, 40));
  return words.size() >= 2 && (iequals(words[1], "VANISHED") || (words.size() >= 3 && iequals(words[2], "EXPUNGE")));
}

/// "* SEARCH 1 2" and "* SEARCH 3" as one: no RFC says that the numbers come in a single response, as RFC 9051 section
/// 6.4.4 does of ESEARCH. `rows` gets them; empty: there are not several.
std::string searches_together(const std::vector<TalkReply>& replies, std::size_t from, const std::vector<bool>& taken,
                              std::vector<std::size_t>& rows) {
  constexpr std::string_view kSearch = "* SEARCH";
  std::string out(kSearch);
  for (std::size_t i = from; i < replies.size(); ++i) {
    const std::string_view line = replies[i].line;
    if ((i < taken.size() && taken[i]) || !istarts_with(line, kSearch)) continue;
    rows.push_back(i);
    out += line.substr(kSearch.size());
  }
  return rows.size() < 2 ? std::string() : out;
}

bool is_search(std::string_view reply) { return istarts_with(reply, "* SEARCH") || istarts_with(reply, "* ESEARCH"); }

/// A search that found nothing, and of which nothing is said: that SEARCH must say it (RFC 3501 section 6.4.4,
/// "REQUIRED untagged response") is what one check is about, by a regular expression, and not all that search.
bool found_nothing(const scenario::TalkLine& line, const std::vector<TalkReply>& replies) {
  if (line.op != Op::reply) return false;
  const auto& wanted = line.alternatives;
  return std::find(wanted.begin(), wanted.end(), "* SEARCH") != wanted.end() &&
         std::none_of(replies.begin(), replies.end(), [](const TalkReply& reply) { return is_search(reply.line); });
}

/// Some of them, so many octets of each.
std::string lines_of(const std::vector<TalkReply>& replies, const std::vector<std::size_t>& rows, std::size_t most) {
  std::string out;
  for (const std::size_t row : rows)
    out += fmt::format("{}{}", out.empty() ? "" : "\n", printable(replies[row].line, most));
  return out;
}

/// What was told again and again, as to "ask:", once with how often; of very many, as a large mailbox has them, the
/// first and the last.
std::string all(const std::vector<TalkReply>& replies) {
  constexpr std::size_t kEnds = 15;
  std::vector<std::string> lines;
  for (std::size_t i = 0, same = 0; i < replies.size(); i += same) {
    for (same = 1; i + same < replies.size() && replies[i + same].line == replies[i].line;) ++same;
    lines.push_back(printable(replies[i].line, 200) + (same > 1 ? fmt::format("   ({} times)", same) : ""));
  }
  const std::size_t left_out = lines.size() > 2 * kEnds ? lines.size() - 2 * kEnds : 0;
  std::string out;
  for (std::size_t i = 0; i < lines.size(); i += i + 1 == kEnds ? left_out + 1 : 1) {
    out += fmt::format("{}{}", out.empty() ? "" : "\n", lines[i]);
    if (i + 1 == kEnds && left_out > 0) out += fmt::format("\n[... {} lines ...]", left_out);
  }
  return out;
}

}  // namespace

/// What is not as the grammar has it.
void Talk::note_departures(const Line& at, std::string_view reply) {
  for (Departure& departure : departures(reply)) {
    auto e = context_.event(history::Type::obs, history::What::deviation, at.connection->session());
    e.code = std::move(departure.code);
    e.text = std::move(departure.excerpt);
    context_.append(std::move(e));
  }
}

/// Of long rows people want to know which word of them is wrong.
std::string Talk::nearest(const scenario::TalkLine& line, const Line& at) {
  for (const TalkReply& reply : at.untagged)
    if (const std::string where = where_unlike(line.text, reply.line, variables_); !where.empty()) return where + "\n";
  return {};
}

/// A line of the server's that is untagged waits for the status line of the command during which it came.
void Talk::sort_replies(Line& at) {
  auto& replies = at.connection->replies;
  while (!replies.empty() && replies.front().line.starts_with("* ")) {
    note_departures(at, replies.front().line);
    at.untagged.push_back(std::move(replies.front()));
    replies.pop_front();
  }
}

Talk::Came Talk::imap(Line& at, const scenario::TalkLine& line) {
  const bool greeting = at.how.standing == scenario::Standing::greeting && at.tags.empty();
  const bool untagged = about_untagged(line);
  if (untagged && !at.tags.empty() && !greeting) {
    // Compared when the status is there; without one behind it, as it comes.
    for (std::size_t i = next_ + 1; i < check_.talk.size(); ++i) {
      const auto& later = check_.talk[i];
      if (later.connection != line.connection) continue;
      if (later.op == Op::send || later.op == Op::send_raw || later.op == Op::connect) break;
      const bool status = later.op == Op::reply || later.op == Op::reply_regex;
      if (status && !about_untagged(later) && !about_continuation(later)) {
        at.awaited.insert(at.awaited.end(), static_cast<std::size_t>(line.count), &line);
        next();
        return Came::on;
      }
    }
  }
  sort_replies(at);
  if (untagged) return imap_untagged(at, line, false);
  if (line.op == Op::maybe) return maybe(at, line);
  if (line.op == Op::never) return never(at, line);
  return imap_status(at, line);
}

bool Talk::untagged_fits(const scenario::TalkLine& line, const std::string& text) {
  if (line.op == Op::reply_regex || line.op == Op::no_regex) return search_imap(text, line.text);
  return std::any_of(line.alternatives.begin(), line.alternatives.end(), [&](const std::string& pattern) {
    TalkTrial trial(variables_);
    const bool status_text = pattern_words(pattern).size() >= 2 && about_status(pattern_words(pattern)[1]);
    const bool open_end = status_text || istarts_with(pattern, "* BYE") || istarts_with(pattern, "* PREAUTH");
    return match_imap(pattern, text, open_end, variables_) && trial.keep();
  });
}

bool Talk::together_fit(const scenario::TalkLine& line, const std::vector<TalkReply>& replies,
                        const std::vector<std::size_t>& rows) {
  std::vector<std::string_view> lines;
  for (const std::size_t row : rows) lines.emplace_back(replies[row].line);
  return std::any_of(line.alternatives.begin(), line.alternatives.end(), [&](const std::string& pattern) {
    TalkTrial trial(variables_);
    return match_fetch(pattern, lines, variables_) && trial.keep();
  });
}

/// The first untagged reply that the line is about, or else all SEARCH responses, or the FETCH responses about one
/// message, that say it together: those that contribute, ascending. Behind an EXPUNGE a number is another message's.
std::vector<std::size_t> Talk::fitting(const scenario::TalkLine& line, const std::vector<TalkReply>& replies,
                                       std::size_t from, const std::vector<bool>& taken) {
  const auto is_free = [&](std::size_t i) { return i >= taken.size() || !taken[i]; };
  for (std::size_t i = from; i < replies.size(); ++i)
    if (is_free(i) && untagged_fits(line, replies[i].line)) return {i};
  if (line.op == Op::reply_regex || line.op == Op::no_regex) return {};
  std::vector<std::size_t> searches;
  if (const std::string all = searches_together(replies, from, taken, searches);
      !all.empty() && untagged_fits(line, all))
    return searches;
  std::map<std::string_view, std::vector<std::size_t>> told;
  for (std::size_t i = from; i < replies.size(); ++i) {
    if (renumbers(replies[i].line)) told.clear();
    const std::string_view number = fetched_number(replies[i].line);
    if (number.empty() || !is_free(i)) continue;
    std::vector<std::size_t>& rows = told[number];
    rows.push_back(i);
    if (rows.size() < 2 || !together_fit(line, replies, rows)) continue;
    for (std::size_t k = rows.size() - 1; k-- > 0;) {
      std::vector<std::size_t> fewer = rows;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(k));
      if (together_fit(line, replies, fewer)) rows = std::move(fewer);
    }
    return rows;
  }
  return {};
}

/// What a server may tell at any time is asked for again and again. No RFC says how soon it must be told, so what is
/// not told within the bound is as silence is: played once more with more patience, and wrong then.
Talk::Came Talk::ask(Line& at, const scenario::TalkLine& line) {
  at.asking = Line::Asking{&line, context_.network.now()};
  if (guarded() && what_it_takes("t " + line.text).what != Taking::What::nothing)
    return not_ours(fmt::format("\"ask: {}\" takes messages again and again", line.text));
  say(at, line);
  done(at, line);
  next();
  return Came::on;
}

void Talk::say(Line& at, const scenario::TalkLine& line) {
  for (const Segment& segment : imap_segments(at, line.text)) at.connection->send(segment.pieces);
}

/// The first of the awaited untagged lines that has not come yet.
const scenario::TalkLine* Talk::not_come(const Line& at) {
  const TalkTrial trial(variables_);
  std::vector<bool> taken(at.untagged.size());
  for (const scenario::TalkLine* awaited : at.awaited) {
    if (awaited->op == Op::never || awaited->op == Op::no_regex || awaited->op == Op::maybe) continue;
    const auto rows = fitting(*awaited, at.untagged, 0, taken);
    if (rows.empty()) return awaited;
    for (const std::size_t row : rows) taken[row] = true;
  }
  return nullptr;
}

/// The command was answered. `on`: what it was asked for is there, or it is over with asking.
Talk::Came Talk::ask_again(Line& at) {
  const Time now = context_.network.now();
  const scenario::TalkLine* missing = not_come(at);
  if (missing == nullptr) return Came::on;
  if (now >= at.asking->since + bound()) {
    if (was(history::kSilent)) return Came::on;
    return unanswered(&at, *missing, expected(*missing),
                      fmt::format("not told within {} to {}", format_duration(bound()), at.asking->line->text));
  }
  at.asking->again = look_at_ = now + kAskRetry;
  since_ = now;  // for the bound of the next answer
  return Came::blocked;
}

/// One untagged line now: the first that came and fits.
Talk::Came Talk::imap_untagged(Line& at, const scenario::TalkLine& line, bool complete) {
  const bool awaits = complete && line.op == Op::reply;
  const bool ordered = awaits && in_written_order(line.text);
  const auto words = pattern_words(line.text);
  const bool behind = awaits && at.behind_earlier && words.size() > 2 && iequals(words[2], "FETCH");
  const auto rows = fitting(line, at.untagged, ordered || behind ? at.in_order : 0);
  if (!rows.empty()) {
    if (line.op == Op::never || line.op == Op::no_regex) {
      const std::string wanted = line.op == Op::never ? filled_in(line.text, variables_) : "reply like " + line.text;
      return wrong(&at, line, fmt::format("no {}", wanted), lines_of(at.untagged, rows, 300));
    }
    const std::string text = lines_of(at.untagged, rows, 200);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      at.untagged.erase(at.untagged.begin() + static_cast<std::ptrdiff_t>(*row));
      if (!ordered && *row < at.in_order) --at.in_order;
    }
    if (ordered) {
      at.in_order = rows.front();
      at.behind_earlier = at.behind_earlier || is_vanished_earlier(line.text);
    }
    if (complete) {
      record(&at, line, history::Type::ok, expected(line), text);
      return Came::on;
    }
    return ++times_ < line.count ? Came::on : right(&at, line, text);
  }
  if (line.op == Op::never || line.op == Op::no_regex || line.op == Op::maybe) {
    if (!complete) next();
    return Came::on;
  }
  if (complete && found_nothing(line, at.untagged)) {
    record(&at, line, history::Type::ok, expected(line), "no such reply, as nothing was found");
    return Came::on;
  }
  if (!complete && at.connection->over() && (line.applies || goodbye(at) != nullptr)) return without_reply(at, line);
  if (complete || at.connection->over()) {
    const std::string came = all(at.untagged);
    std::string wanted = expected(line) + (behind ? ", behind VANISHED (EARLIER)" : "");
    std::string actual =
        came.empty() ? "no such reply" : fmt::format("{}no such reply among\n{}", nearest(line, at), came);
    if (complete) return wrong(&at, line, std::move(wanted), std::move(actual));
    return gone(at, line, std::move(wanted), fmt::format("{}; {}", actual, how_it_ended(at)));
  }
  return wait_for(at, line);
}

/// "t1 ", if the reply is one that must begin with it.
std::string Talk::awaited_tag(const Line& at, const scenario::TalkLine& line, const TalkReply& reply) {
  if (is_continuation(reply.line) || at.tags.empty()) return {};
  // Several together come in any order (RFC 3501 section 5.5).
  if (line.count > 1) {
    const std::string first = reply.line.substr(0, reply.line.find(' '));
    if (std::find(at.tags.begin(), at.tags.end(), first) != at.tags.end()) return first + " ";
  }
  return at.tags[std::min(static_cast<std::size_t>(line.command), at.tags.size()) - 1] + " ";
}

Talk::Came Talk::imap_status(Line& at, const scenario::TalkLine& line) {
  if (at.asking && at.asking->again) {
    if (context_.network.now() < *at.asking->again) {
      look_at_ = at.asking->again;
      return Came::blocked;
    }
    at.asking->again.reset();
    say(at, *at.asking->line);
  }
  auto& replies = at.connection->replies;
  if (replies.empty()) return without_reply(at, line);
  const TalkReply came = std::move(replies.front());
  replies.pop_front();
  // "+" of a literal that a C!: line sent already.
  if (is_continuation(came.line) && !about_continuation(line)) return Came::on;
  at.continued = is_continuation(came.line);
  const std::string tag = awaited_tag(at, line, came);
  if (!came.line.starts_with(tag))
    return wrong(&at, line, fmt::format("{}{}", tag, expected(line)), printable(came.line, 300));
  if (!tag.empty()) std::erase(at.tags, tag.substr(0, tag.size() - 1));
  at.in_order = 0;
  at.behind_earlier = false;
  at.refused = !at.continued && !istarts_with(std::string_view(came.line).substr(came.line.find(' ') + 1), "OK");
  if (at.asking && !at.refused) {
    if (const Came what = ask_again(at); what != Came::on) return what;
  }
  at.asking.reset();
  // S*3: what is untagged may come with any of them.
  if (times_ + 1 < line.count && one_of(at, line, came, tag)) {
    ++times_;
    return Came::on;
  }
  // Refused, there is nothing to compare: the refusal says more than what did not come with it.
  if ((line.prepares || at.refused) && !one_of(at, line, came, tag)) return refused(at, line, expected(line), came);
  for (const scenario::TalkLine* awaited : std::exchange(at.awaited, {}))
    if (const Came what = imap_untagged(at, *awaited, true); what != Came::on) return what;
  if (check_.strict_untagged && !at.untagged.empty())
    return wrong(&at, line, "no other untagged replies", all(at.untagged));
  at.untagged.clear();
  if (one_of(at, line, came, tag))
    return ++times_ < line.count ? Came::on : right(&at, line, printable(came.line, 200));
  return wrong(&at, line, expected(line), printable(came.line, 300));
}

}  // namespace mailproof::play
