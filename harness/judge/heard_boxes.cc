#include "judge/heard_boxes.h"

#include "core/bytes.h"

namespace mailproof::judge::heard {

std::optional<imap::SequenceSet> uids_in(const std::string& set) {
  constexpr std::size_t kMostRanges = 1'000'000;
  auto parsed = imap::SequenceSet::parse(set, kMostRanges);
  if (!parsed || parsed->has_star()) return std::nullopt;
  parsed->normalise();
  return std::move(*parsed);
}

bool has_attribute(std::string_view attributes, std::string_view one) {
  for (std::string_view rest = attributes; !rest.empty();) {
    const std::string_view next = rest.substr(0, rest.find(' '));
    if (iequals(next, one)) return true;
    rest.remove_prefix(std::min(rest.size(), next.size() + 1));
  }
  return false;
}

bool may_lie_below(std::string_view mailbox, std::string_view above) {
  if (!mailbox.starts_with(above)) return false;
  if (mailbox.size() == above.size() || above.empty()) return true;
  const auto letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80U;
  };
  return !letter(mailbox[above.size()]) || !letter(above.back());
}

bool ends_alike(std::string_view one, std::string_view other) {
  const auto last = [](std::string_view name) {
    const std::size_t at = name.find_last_of("/.\\^");
    return at == std::string_view::npos ? name : name.substr(at + 1);
  };
  return iequals(last(one), last(other));
}

std::string_view search_criteria(std::string_view query) {
  if (istarts_with(query, "RETURN (")) {
    const std::size_t end = query.find(')');
    if (end == std::string_view::npos || end + 2 > query.size()) return query;
    const std::string_view options = query.substr(8, end - 8);
    if (!options.empty() && !has_attribute(options, "ALL")) return query;
    query.remove_prefix(end + 2);
  }
  if (istarts_with(query, "CHARSET ")) {
    const std::size_t end = query.find(' ', 8);
    if (end != std::string_view::npos) query.remove_prefix(end + 1);
  }
  return query;
}

}  // namespace mailproof::judge::heard
