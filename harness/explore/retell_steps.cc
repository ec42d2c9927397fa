// What is said: names of messages, steps, and what a device does to several messages, told together.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "explore/retell_teller.h"
#include "explore/story_tree.h"
#include "explore/write.h"

namespace mailproof::explore {
namespace {

constexpr std::uint64_t kOrdinary = 2048;  ///< octets of a message that a story says no size of

}  // namespace

std::string Teller::ref(std::uint32_t first, std::uint32_t last) const {
  const Letter& from = letters_.at(first);
  const Letter& to = letters_.at(last);
  if (from.index == 1 && to.index == from.of) return from.set;
  return story_tree::text_of({from.set, static_cast<std::int64_t>(from.index), static_cast<std::int64_t>(to.index)});
}

void Teller::put(const MailboxOf& where, const std::map<std::uint64_t, std::uint32_t>& mail) {
  std::vector<std::uint32_t> fresh, again;
  for (const auto& [place, message] : mail) {
    (letters_.contains(message) ? again : fresh).push_back(message);
    there_[where].insert(message);
  }
  const std::string box = mailbox(where.second);
  const std::string saver = cast_.saver(where.first);
  const bool inbox = where.second == "INBOX";
  if (!inbox && saver.empty()) return;
  if (!fresh.empty()) {
    const std::string set = new_set(fresh);
    std::vector<std::pair<std::string, Node>> action = {{inbox ? "deliver" : "save", word(set)},
                                                        {"to", word(inbox ? account(where.first) : box)}};
    if (fresh.size() > 1) action.emplace_back("count", word(std::to_string(fresh.size())));
    if (const auto size = size_of(fresh)) action.emplace_back("size", word(*size));
    say(inbox ? "mta" : saver, map_of(std::move(action)));
  }
  for (const std::uint32_t message : again)
    if (!saver.empty()) say(saver, map_of({{"upload", word(ref(message, message))}, {"to", word(box)}}));
}

std::string Teller::new_set(const std::vector<std::uint32_t>& messages) {
  const std::string set = sets_ == 0 ? "mail" : fmt::format("mail{}", sets_ + 1);
  ++sets_;
  for (std::size_t i = 0; i < messages.size(); ++i) letters_[messages[i]] = {set, i + 1, messages.size()};
  return set;
}

std::optional<std::string> Teller::size_of(const std::vector<std::uint32_t>& messages) const {
  constexpr std::uint64_t kMost = 8U << 20;
  std::uint64_t most = 0;
  for (const std::uint32_t message : messages)
    if (message <= history_.messages().size()) most = std::max(most, history_.message(message).size);
  if (most <= kOrdinary) return std::nullopt;
  return format_size(std::min(kMost, (most + 511) / 512 * 512));
}

void Teller::say(const std::string& device, Node action) {
  if (device.empty()) return;
  Node step = map_of({{device, std::move(action)}});
  if (device == "mta") mta_ = true;
  // Twice the same word says nothing more: NOOP, NOOP.
  if (!steps_.empty() && step.children.front().kind == Node::Kind::scalar &&
      scenario::entries_in_one_line(steps_.back()) == scenario::entries_in_one_line(step))
    return;
  steps_.push_back(std::move(step));
}

void Teller::say_of(std::uint32_t number, Node action) {
  Session& s = sessions_[number];
  if (const auto opening = std::exchange(s.opening, std::nullopt)) say(cast_.device_of(number), *opening);
  s.said = true;
  say(cast_.device_of(number), std::move(action));
}

void Teller::act(const Event& e, Node action) {
  flush();
  say_of(e.session, std::move(action));
}

void Teller::leave(const Event& e, const char* how) {
  Session& s = sessions_[e.session];
  flush();
  s.opening.reset();
  if (!std::exchange(s.left, true) && s.said) act(e, word(how));
}

void Teller::act(const Event& e, std::string_view verb, const std::string& object) {
  act(e, map_of({{std::string(verb), word(object)}}));
}

void Teller::listen(const Event& e) {
  const std::string& device = cast_.device_of(e.session);
  const std::string box = mailbox(sessions_[e.session].where.second);
  const auto last =
      std::find_if(steps_.rbegin(), steps_.rend(), [&](const Node& step) { return story_tree::acts(step, device); });
  const Node* idle = last == steps_.rend() ? nullptr : scenario::find(story_tree::entry_of(*last), "idle");
  const bool listens = idle != nullptr && idle->text == box && sessions_[e.session].pending.empty();
  if (!box.empty() && !listens) act(e, "idle", box);
}

void Teller::with(const Event& e, std::string_view verb, std::uint32_t message) {
  if (message == 0 || !letters_.contains(message)) return;
  for (auto& [number, session] : sessions_)
    if (number != e.session && !session.pending.empty()) flush(number);
  Session& s = sessions_[e.session];
  const std::string box = mailbox(s.where.second);
  auto same = std::find_if(s.pending.begin(), s.pending.end(),
                           [&](const Pending& p) { return p.verb == verb && p.mailbox == box; });
  if (same == s.pending.end()) {
    s.pending.push_back({std::string(verb), box, {}});
    same = std::prev(s.pending.end());
  }
  if (std::find(same->messages.begin(), same->messages.end(), message) == same->messages.end())
    same->messages.push_back(message);
}

void Teller::flush() {
  for (auto& [number, session] : sessions_) flush(number);
}

void Teller::flush(std::uint32_t number) {
  auto pending = std::exchange(sessions_[number].pending, {});
  const bool pop = history_.session(number).protocol == Protocol::pop3;
  // RFC 1939 section 6: DELE does nothing before QUIT, so that downloads may be said first.
  std::stable_sort(pending.begin(), pending.end(),
                   [&](const Pending& a, const Pending& b) { return pop && a.verb > b.verb; });
  for (auto& one : pending)
    for_ranges(one.messages, [&](const std::string& letters) {
      std::vector<std::pair<std::string, Node>> action = {{one.verb, word(letters)}};
      if (!pop && one.mailbox != "INBOX") action.emplace_back("in", word(one.mailbox));
      say_of(number, map_of(std::move(action)));
    });
}

}  // namespace mailproof::explore
