#include "wire/imap/flags.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/bytes.h"

namespace mailproof::imap {
namespace {

struct Named {
  Flag flag;
  std::string_view name;
};
constexpr std::array<Named, 7> system_flags{{{Flag::seen, "\\Seen"},
                                             {Flag::answered, "\\Answered"},
                                             {Flag::flagged, "\\Flagged"},
                                             {Flag::deleted, "\\Deleted"},
                                             {Flag::draft, "\\Draft"},
                                             {Flag::recent, "\\Recent"},
                                             {Flag::may_create, "\\*"}}};

std::optional<Flag> system_flag(std::string_view flag) {
  if (flag.empty() || flag.front() != '\\') return std::nullopt;
  for (const Named& n : system_flags)
    if (iequals(n.name, flag)) return n.flag;
  return std::nullopt;
}

bool before(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return to_lower(x) < to_lower(y); });
}

/// Where `word` is, or where it would go, in a sorted list joined by spaces.
struct Place {
  std::size_t at;
  std::size_t size;  ///< 0 when it is not there
};
Place find(std::string_view keywords, std::string_view word) {
  std::size_t at = 0;
  while (at < keywords.size()) {
    const std::string_view here = keywords.substr(at, keywords.find(' ', at) - at);
    if (iequals(here, word)) return {at, here.size()};
    if (before(word, here)) break;
    at += here.size() + 1;
  }
  return {std::min(at, keywords.size()), 0};
}

}  // namespace

std::string_view name(Flag flag) {
  for (const Named& n : system_flags)
    if (n.flag == flag) return n.name;
  return "";
}

void FlagList::add(std::string_view flag) {
  if (flag.empty()) return;
  if (const auto system = system_flag(flag)) return add(*system);
  const Place place = find(keywords_, flag);
  if (place.size > 0) return;
  if (place.at == keywords_.size()) {
    if (!keywords_.empty()) keywords_ += ' ';
    keywords_ += flag;
  } else {
    keywords_.insert(place.at, 1, ' ');
    keywords_.insert(place.at, flag);
  }
}

void FlagList::add_many(const std::vector<std::string_view>& flags) {
  std::vector<std::string_view> words;
  for_each_keyword([&](std::string_view word) { words.push_back(word); });
  for (const std::string_view flag : flags) {
    if (flag.empty()) continue;
    if (const auto system = system_flag(flag))
      add(*system);
    else
      words.push_back(flag);
  }
  std::stable_sort(words.begin(), words.end(), before);
  words.erase(std::unique(words.begin(), words.end(), [](auto a, auto b) { return iequals(a, b); }), words.end());
  std::string joined;
  for (const std::string_view word : words) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  keywords_ = std::move(joined);
}

void FlagList::remove(std::string_view flag) {
  if (const auto system = system_flag(flag)) return remove(*system);
  const Place place = find(keywords_, flag);
  if (place.size == 0) return;
  const bool last = place.at + place.size == keywords_.size();
  if (last && place.at > 0)
    keywords_.erase(place.at - 1);
  else
    keywords_.erase(place.at, place.size + 1);
}

bool FlagList::has(std::string_view flag) const {
  if (const auto system = system_flag(flag)) return has(*system);
  return find(keywords_, flag).size > 0;
}

void FlagList::add(const FlagList& others) {
  system_ = static_cast<std::uint8_t>(system_ | others.system_);
  others.for_each_keyword([this](std::string_view word) { add(word); });
}

void FlagList::remove(const FlagList& others) {
  system_ = static_cast<std::uint8_t>(system_ & ~others.system_);
  others.for_each_keyword([this](std::string_view word) { remove(word); });
}

void FlagList::format_to(std::string& out) const {
  out += '(';
  bool first = true;
  for_each([&](std::string_view flag) {
    if (!first) out += ' ';
    first = false;
    out += flag;
  });
  out += ')';
}

std::string FlagList::format() const {
  std::string out;
  format_to(out);
  return out;
}

bool operator==(const FlagList& a, const FlagList& b) {
  return a.system_ == b.system_ && iequals(a.keywords_, b.keywords_);
}

}  // namespace mailproof::imap
