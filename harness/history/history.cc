#include "history/history.h"

#include <algorithm>
#include <charconv>

namespace mailproof::history {
namespace {

constexpr std::size_t kMostListed = 1'000'000;

std::vector<std::uint32_t> parse_ranges(std::string_view text, char range) {
  std::vector<std::uint32_t> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto colon = part.find(range);
    const auto number = [](std::string_view digits) {
      std::uint32_t n = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), n);
      return n;
    };
    const std::uint32_t first = number(part.substr(0, colon));
    const std::uint32_t last = colon == std::string_view::npos ? first : number(part.substr(colon + 1));
    for (std::uint64_t n = first; n != 0 && n <= last && out.size() < kMostListed; ++n)
      out.push_back(static_cast<std::uint32_t>(n));
  }
  return out;
}

std::string format_ranges(std::vector<std::uint32_t> numbers, char range) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    if (!out.empty()) out += ',';
    out += std::to_string(numbers[i]);
    if (j > i) out += range + std::to_string(numbers[j]);
    i = j + 1;
  }
  return out;
}

}  // namespace

std::uint32_t History::add_session(SessionInfo session) {
  sessions_.push_back(std::move(session));
  return static_cast<std::uint32_t>(sessions_.size());
}

std::uint32_t History::add_message(MessageInfo message) {
  messages_.push_back(std::move(message));
  return static_cast<std::uint32_t>(messages_.size());
}

/// What we ask for and expect is in our own words, which judges read.
void History::mask(Event& event) const {
  for (std::string* name : {&event.mailbox, &event.other_mailbox, &event.code, &event.flags}) secrets.mask_name(*name);
  const bool our_words = event.type == Type::invoke || event.type == Type::expect || event.what == What::step ||
                         event.what == What::vanish || (event.what == What::talk && event.type == Type::obs);
  if (!our_words) secrets.mask(event.text);
}

const Event& History::append(Event event) {
  if (!secrets.empty()) mask(event);
  event.index = static_cast<std::uint32_t>(events_.size() + 1);
  if (event.command > event.index) event.command = 0;  // an answer to what this history does not have
  if (event.type == Type::invoke || event.type == Type::expect) event.command = event.index;
  kinds_.push_back({event.type, event.what});
  const Event& kept = events_.emplace_back(std::move(event));
  for (const auto& listener : listeners_) listener(kept);
  return kept;
}

std::uint32_t History::account_of(const Event& event) const {
  if (event.account != 0) return event.account;
  return event.session != 0 ? session(event.session).account : 0;
}

std::string_view History::device_name(const Event& event) const {
  if (event.session == 0) return {};
  const std::uint32_t device_number = session(event.session).device;
  return device_number == 0 ? std::string_view("audit") : std::string_view(device(device_number).name);
}

std::string format_numbers(const std::vector<std::uint32_t>& numbers) { return format_ranges(numbers, '-'); }
std::vector<std::uint32_t> parse_numbers(std::string_view text) { return parse_ranges(text, '-'); }
std::string format_uids(const std::vector<std::uint32_t>& uids) { return format_ranges(uids, ':'); }
std::vector<std::uint32_t> parse_uids(std::string_view set) { return parse_ranges(set, ':'); }

}  // namespace mailproof::history
