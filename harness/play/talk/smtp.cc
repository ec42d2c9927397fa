#include "play/talk/smtp.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/talk_ends.h"
#include "play/talk/talk.h"
#include "scenario/check/talk.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::play {
namespace {

using history::What;
using Op = scenario::TalkLine::Op;

/// How often it is looked whether mail has arrived, beginning with the first look.
constexpr Duration kLookAgain = std::chrono::milliseconds(250);

bool fits_code(std::string_view wanted, std::string_view code) {
  for (std::size_t i = 0; i < 3; ++i)
    if (wanted[i] != 'x' && wanted[i] != code[i]) return false;
  return true;
}

}  // namespace

bool fits_mail_reply(const scenario::TalkLine& line, const TalkReply& reply, TalkVariables& variables) {
  if (!reply.one_code) return false;
  if (line.op == Op::reply_regex) return search(reply.body, line.text);
  for (const std::string& pattern : line.alternatives) {
    if (pattern == "closed") continue;
    std::string_view rest = pattern, text = reply.line;
    const bool open = pattern.size() >= 3 && pattern.substr(0, 3).find('x') != std::string::npos;
    if (open) {  // "5xx"
      if (!is_mail_reply(text) || !fits_code(rest, text)) continue;
      rest.remove_prefix(3);
      text.remove_prefix(std::min<std::size_t>(4, text.size()));
    }
    TalkTrial trial(variables);
    if (match_line(rest, text, variables)) return trial.keep();
  }
  return false;
}

Talk::Came Talk::mail_reply(Line& at, const scenario::TalkLine& line, const TalkReply& came) {
  at.refused = came.line.starts_with('4') || came.line.starts_with('5');
  if (!one_of(at, line, came, {})) {
    if (!came.one_code)
      return wrong(&at, line, fmt::format("{}, with the same code on every line", expected(line)), shown(came));
    if (came.line.starts_with("421")) {  // whether it closes behind it tells what it means
      at.connection->replies.push_front(came);
      if (!at.connection->over() && waits()) return Came::blocked;
      if (goodbye(at) != nullptr) return without_reply(at, line);
    }
    return refused(at, line, expected(line), came);
  }
  at.farewell = came.line.starts_with("421") ? std::optional(came) : std::nullopt;
  if (!line.has_block) return Came::on;
  const auto none = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
  if (auto mismatch = match_block(line.block, came, BlockOrder::any_and_more, none, variables_))
    return wrong(&at, *mismatch->line, std::move(mismatch->expected), std::move(mismatch->actual));
  return Came::on;
}

/// Which accounts get what is sent next: it is stamped for the first of them.
void Talk::note_recipients(Line& at, std::string_view line) {
  if (istarts_with(line, "MAIL FROM:")) at.recipients.clear();
  for (std::size_t i = 0; i < context_.accounts.size(); ++i) {
    const std::string name = i == 0 ? "${address}" : fmt::format("${{address{}}}", i + 1);
    const std::string numbered = fmt::format("${{address{}}}", i + 1);
    if (line.find("RCPT TO:<") != std::string_view::npos &&
        (line.find(name) != std::string_view::npos || line.find(numbered) != std::string_view::npos))
      at.recipients.push_back(i);
  }
}

Messages::Made Talk::new_mail(const Line& at, const scenario::NewMessages& wanted) {
  sent_mail_ = true;
  const std::size_t owner = at.recipients.empty() ? at.how.account : at.recipients.front();
  const auto sender = static_cast<std::uint32_t>(at.how.account + 1);
  scenario::NewMessages mail = wanted;
  mail.set = "mail";
  return context_.messages.make(mail, sender, context_.accounts.at(at.how.account).address,
                                context_.accounts.at(owner).address);
}

/// "{mail}" is a message with its final dot; "BDAT {mail} LAST" its octets and, behind the line, the message.
std::vector<Talk::Segment> Talk::mail_segments(Line& at, const scenario::TalkLine& line) {
  const std::string_view text = line.text;
  const auto open = text.find("{mail"), close = text.find('}', open);
  const auto wanted = open == std::string_view::npos || close == std::string_view::npos
                          ? std::nullopt
                          : scenario::read_new_mail(text.substr(open, close - open + 1));
  Segment out;
  if (!wanted) {
    out.pieces = fill_in(at, text, false);
    out.pieces.push_back({"\r\n", false});
  } else if (const auto made = new_mail(at, *wanted); open == 0) {
    out.pieces.push_back({text::dot_stuffed(*made.text), false});
  } else {
    out.pieces = fill_in(at, text.substr(0, open), false);
    out.pieces.push_back({fmt::format("{}", made.text->size()), false});
    for (auto& piece : fill_in(at, text.substr(close + 1), false)) out.pieces.push_back(std::move(piece));
    out.pieces.push_back({"\r\n" + *made.text, false});
  }
  return {std::move(out)};
}

/// What a look since that event has shown of one alternative of the line: the message, or a report about it.
Talk::Arrival Talk::arrival(const scenario::TalkLine& line, std::string_view wanted, std::size_t since,
                            std::string& what) const {
  auto words = scenario::words_in(wanted);
  bool report = line.op == Op::no_report;
  if (words.front() == "report") {
    report = true;
    words.erase(words.begin());
  }
  scenario::MessageRef ref;
  const auto dot = words.front().rfind('.');
  ref.set = words.front().substr(0, dot);
  ref.newest = words.front().substr(dot + 1) == "last";
  if (!ref.newest) ref.first = ref.last = scenario::number_in(words.front().substr(dot + 1), 1, 99999).value_or(0);
  const auto numbers = context_.messages.numbers(ref);
  if (numbers.empty()) return Arrival::none;
  const std::uint32_t account =
      words.size() < 2 ? 0 : static_cast<std::uint32_t>(scenario::number_in(words[1].substr(4), 1, 9).value_or(1));
  what =
      fmt::format("{}{}", report ? "a delivery report about " : "", context_.history.message(numbers.front()).name());
  const auto& events = context_.history.events();
  Arrival out = Arrival::none;
  for (std::size_t i = since; i < events.size(); ++i) {
    const history::Event& e = events[i];
    const bool own_look = e.session != 0 && context_.history.session(e.session).device == 0;
    if (!own_look || (account != 0 && context_.history.session(e.session).account != account)) continue;
    if (e.what == (report ? What::report : What::message) && e.message == numbers.front()) return Arrival::there;
    if (report && e.what == What::report && e.message == 0) out = Arrival::unclear;
  }
  return out;
}

/// The best of the alternatives; `what`: as it is called, or all of them.
Talk::Arrival Talk::arrival(const scenario::TalkLine& line, std::size_t since, std::string& what) const {
  Arrival best = Arrival::none;
  std::string all;
  for (const std::string& wanted : line.alternatives) {
    const Arrival one = arrival(line, wanted, since, what);
    if (one == Arrival::there) return one;
    best = std::max(best, one);
    all += (all.empty() ? "" : ", or ") + what;
  }
  what = std::move(all);
  return best;
}

std::size_t Talk::taken_mail() const {
  std::size_t taken = 0;
  for (const auto& entry : lines_) taken += entry.second.connection->taken();
  for (const Line& line : past_) taken += line.connection->taken();
  return taken;
}

/// Whether an MTA may have it still: until it gives up, which may be days (RFC 5321 section 4.5.4.1). What LMTP took is
/// delivered (RFC 2033 section 4.2); a report about it is mail of an MTA again.
bool Talk::may_be_queued(const scenario::TalkLine& line, Duration waited) const {
  const auto& gives_up = context_.target.gives_up_after;
  if (gives_up && waited >= *gives_up) return false;
  const auto by_mta = [](const Line& at) {
    return at.how.protocol == Protocol::smtp && at.connection && at.connection->taken() > 0;
  };
  const bool report = std::all_of(line.alternatives.begin(), line.alternatives.end(),
                                  [](const std::string& wanted) { return wanted.starts_with("report"); });
  return report || std::any_of(past_.begin(), past_.end(), by_mta) ||
         std::any_of(lines_.begin(), lines_.end(), [&](const auto& entry) { return by_mta(entry.second); });
}

/// The settling time; of what an MTA may have, a minute at least, and until it has given up where that is no longer
/// than people wait.
Duration Talk::absence_counts_after(const scenario::TalkLine& line) const {
  constexpr Duration kLongest = std::chrono::minutes(10);
  const Duration settle = context_.scaled(context_.target.settle);
  const auto& gives_up = context_.target.gives_up_after;
  if (line.op != Op::arrives) return settle;
  return gives_up && *gives_up <= kLongest ? std::max(context_.queued(), *gives_up + settle) : context_.queued();
}

/// Absence counts after the settling time only, and in fresh sessions: each look is one.
Talk::Came Talk::arrives(const scenario::TalkLine& line) {
  const Time now = context_.network.now();
  if (!std::exchange(begun_, true)) {
    since_ = now;
    asked_inside_ = now - kLookAgain;
    events_before_ = context_.history.events().size();
  }
  if (looking_inside_ && !looked_inside_) return Came::blocked;
  const Duration bound = absence_counts_after(line);
  const Time late = since_ + bound;
  if (std::exchange(looked_inside_, false)) {
    looking_inside_ = false;
    std::string what;
    const Arrival came = arrival(line, events_before_, what);
    const std::string waited = format_duration(bound);
    if (line.op == Op::no_report && came == Arrival::there)
      return wrong(nullptr, line, fmt::format("no {} within {}", what.substr(2), waited), what);
    if (line.op == Op::arrives && came == Arrival::there) return right(nullptr, line, what);
    if (asked_inside_ >= late) {
      const std::string wanted = line.op == Op::no_report
                                     ? fmt::format("no report within {}", waited)
                                     : fmt::format("{} in a mailbox that the check was lent", what);
      // RFC 6522 section 3: what a report is about need not stand in it.
      if (came == Arrival::unclear) {
        record(nullptr, line, history::Type::info, wanted,
               fmt::format("after {} a delivery report that does not say what message it is about", waited),
               "preparation");
        return Came::ended;
      }
      if (line.op == Op::no_report) return right(nullptr, line, fmt::format("none within {}", waited));
      std::string nowhere = fmt::format("it is in none of them after {}", waited);
      if (!may_be_queued(line, bound)) return wrong(nullptr, line, wanted, std::move(nowhere));
      record(nullptr, line, history::Type::info, wanted, nowhere + "; it may still be queued",
             std::string(history::kQueued));
      return Came::ended;
    }
  }
  if (const Time next = std::min(late, asked_inside_ + kLookAgain); now < next) {
    look_at_ = next;
    return Came::blocked;
  }
  looking_inside_ = true;
  asked_inside_ = now;
  look_inside_([this] {
    looked_inside_ = true;
    again();
  });
  return Came::blocked;
}

}  // namespace mailproof::play
