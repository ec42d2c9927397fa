#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/devices/cut_short.h"
#include "play/player.h"
#include "play/requirements.h"

// The mailbox that a check is played on: filled, and looked at before its lines are played.

namespace mailproof::play {

using history::Type;
using history::What;
using scenario::Verb;

namespace {

constexpr std::size_t kWatcher = 2;  ///< device of a check that looks whether its messages are there

/// Lines as RFC 5322 section 2.1.1 has them, of 7 bits, and the fields that its section 3.6 asks for.
bool well_formed(std::string_view message) {
  constexpr std::size_t kLongest = 998;
  std::string header = "\n";
  for (bool in_header = true; !message.empty();) {
    const auto end = message.find("\r\n");
    if (end == std::string_view::npos || end > kLongest) return false;
    const std::string_view line = message.substr(0, end);
    const auto proper = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
    if (!std::all_of(line.begin(), line.end(), proper)) return false;
    in_header = in_header && !line.empty();
    if (in_header) header += lower(line) + "\n";
    message.remove_prefix(end + 2);
  }
  return header.find("\nfrom:") != std::string::npos && header.find("\ndate:") != std::string::npos;
}

/// Whether a server must take it: lines that begin with a dot are as good as others (RFC 5321 section 4.5.2).
bool is_proper(const scenario::Deliver& deliver) {
  using Kind = scenario::MessageKind;
  if (!deliver.mime.empty()) return well_formed(deliver.mime);
  constexpr Kind kProper[] = {Kind::plain, Kind::office,   Kind::dot_lines, Kind::header_only,
                              Kind::dots,  Kind::lone_dot, Kind::edge};
  return std::find(std::begin(kProper), std::end(kProper), deliver.kind) != std::end(kProper);
}

}  // namespace

/// What sent this message, by its place in the set "mail": each step sends so many of it.
bool Player::is_proper_mail(std::uint32_t message) const {
  auto index = history_.message(message).index;
  for (const scenario::Step& step : scenario_.steps) {
    const auto& deliver = step.get<scenario::Deliver>();
    const auto count = static_cast<std::uint32_t>(deliver.count);
    if (index <= count) return is_proper(deliver);
    index -= count;
  }
  return true;
}

/// A server need not take what is no proper mail (bare LF, no final line end): without it there is nothing to check.
/// Proper mail it must take, and one that hangs up over the other has not said that it does not.
bool Player::filled() {
  for (const auto& e : history_.events()) {
    if (e.what != What::outcome || (e.type != Type::fail && e.type != Type::info)) continue;
    const std::string why = fmt::format("the server does not take the messages of the check: {}", e.text);
    const auto messages = history::parse_numbers(e.set);
    const bool proper =
        std::all_of(messages.begin(), messages.end(), [&](std::uint32_t message) { return is_proper_mail(message); });
    if (e.code == kEnded || proper) {
      not_filled(why);
    } else {
      auto none = context_.event(Type::obs, What::not_applicable);
      none.text = why;
      context_.append(std::move(none));
    }
    return false;
  }
  return true;
}

/// The check is not about that: nothing of it is played, and what became of its mail is audited as a story's is.
void Player::not_filled(std::string why) {
  unfilled_ = true;
  auto e = context_.event(Type::obs, What::problem);
  e.code = "mailbox";
  e.text = std::move(why);
  context_.append(std::move(e));
}

/// Our messages that a look since then has shown, and where.
std::vector<Player::Sight> Player::seen_since(std::size_t event) const {
  std::vector<Sight> out;
  for (std::size_t i = event; i < history_.events().size(); ++i) {
    const auto& e = history_.events()[i];
    if (e.what == What::message && e.message != 0 && e.flags != "foreign-run") out.push_back({e.message, e.mailbox});
  }
  return out;
}

/// A talk takes what it finds in INBOX, by its number: what is there must be ours, and all of it. What was accepted is
/// waited for as long as the target may take; a filter of the site's may have filed it in another mailbox.
void Player::verify_mailbox(Time since, std::size_t known) {
  const std::size_t before = history_.events().size();
  auditor_.verify([this, since, before, known] {
    if (stuck()) return leave(0);
    scenario::MessageRef all;
    all.set = "mail";
    const auto numbers = messages_.numbers(all);
    const auto seen = seen_since(before);
    std::string missing, filed;
    for (const std::uint32_t number : numbers) {
      const auto is_it = [&](const Sight& sight) { return sight.message == number; };
      const auto at = std::find_if(seen.begin(), seen.end(), is_it);
      if (std::any_of(at, seen.end(), [&](const Sight& sight) { return is_it(sight) && sight.in_inbox(); })) continue;
      const std::string name = history_.message(number).name();
      if (at == seen.end())
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
      else if (filed.empty())
        filed = fmt::format("the server filed {} in {}, and not in INBOX", name, printable(at->mailbox, 60));
    }
    const Duration waited = context_.network.now() - since;
    const Duration enough = context_.enough(context_.scaled(context_.target.settle));
    if (seen.size() > known && options_.learnt != nullptr) options_.learnt->arrived(waited);
    if (missing.empty() && filed.empty()) return play_talk();
    if (missing.empty()) {
      not_filled(fmt::format("its mailbox could not be prepared: {}", filed));
      return leave(0);
    }
    if (waited >= enough) {
      not_filled(fmt::format("its mailbox could not be prepared: of {} message{} {} {} accepted and never seen",
                             numbers.size(), numbers.size() == 1 ? "" : "s", missing,
                             missing.find(',') == std::string::npos ? "was" : "were"));
      return leave(0);
    }
    alarm_ = [this, since, there = seen.size()] {
      context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest()));
      verify_mailbox(since, there);
    };
    context_.network.set_alarm(*this, std::min(since + enough, context_.network.now() + look_again_after(waited)));
  });
}

/// What only prepares a check should need nothing of an MTA, which adds to the header, cuts or refuses what RFC 5321
/// section 4.5.3.1 gives bounds, and may take its time.
static bool better_appended(const scenario::Target& target, const scenario::Deliver& fill, bool meanwhile) {
  using Kind = scenario::MessageKind;
  if (target.imap.empty()) return false;
  constexpr Kind kSafe[] = {Kind::plain, Kind::office, Kind::dot_lines, Kind::header_only};
  if (std::find(std::begin(kSafe), std::end(kSafe), fill.kind) == std::end(kSafe)) return true;
  const auto& ways = target.delivery;
  return !meanwhile && std::find(ways.begin(), ways.end(), scenario::Way::append) != ways.end();
}

/// Over SMTP a 250 is no message in the mailbox yet, and queues change the order: one at a time then, each awaited. So
/// is what comes while a talk is played; before it, all of the mailbox is looked at together.
void Player::fill(const scenario::Step& step, Finish done) {
  const auto& fill = step.get<scenario::Deliver>();
  const auto way = delivery_way(context_.target, fill.via.value_or(scenario::Way::any));
  const bool meanwhile = talking_;
  if (!fill.via && way == scenario::Way::smtp && better_appended(context_.target, fill, meanwhile)) {
    scenario::Step& appended = fills_.emplace_back(step);
    appended.get<scenario::Deliver>().via = scenario::Way::append;
    return this->fill(appended, std::move(done));
  }
  if ((way != scenario::Way::smtp && !meanwhile) || context_.target.imap.empty()) return perform(step, std::move(done));
  one_by_one(
      static_cast<std::size_t>(fill.count),
      [this, &step](std::size_t, Finish next) {
        if (stuck()) return next();
        scenario::Step& one = fills_.emplace_back(step);
        one.get<scenario::Deliver>().count = 1;
        perform(one, [this, next = std::move(next)] {
          scenario::Step& look = fills_.emplace_back(Verb::see);
          look.device = kWatcher;
          look.get<scenario::Await>().messages.set = "mail";  // the one just sent: what the check removed is not owed
          look.get<scenario::Await>().messages.newest = true;
          look.text = "mailbox: awaited";
          perform(look, next);
        });
      },
      std::move(done));
}

}  // namespace mailproof::play
