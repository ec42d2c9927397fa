#include "import/observe/known_mail.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::imports {

std::string Sight::id_of(std::string_view value) {
  const std::size_t open = value.find('<'), close = open == std::string_view::npos ? open : value.find('>', open);
  std::string out(close == std::string_view::npos ? value : value.substr(open, close + 1 - open));
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return out;
}

Sight Sight::of(const MailScan& scan, bool whole) {
  Sight out;
  out.message_id = scan.message_id();
  out.subject = scan.subject();
  out.whole = whole;
  if (!whole) return out;
  out.body_hash = scan.body_hash();
  out.size = scan.octets();
  out.header_octets = scan.header_octets();
  out.header_fields = scan.header_fields();
  out.body_lines = static_cast<std::uint32_t>(scan.body_lines());
  return out;
}

std::uint32_t KnownMail::add(const Sight& sight, bool stored) {
  history::MessageInfo info;
  info.set = "mail";
  info.index = static_cast<std::uint32_t>(history_.messages().size() + 1);
  info.subject = sight.subject;
  info.message_id = sight.message_id;
  info.size = sight.size;
  info.hash = sight.whole ? sight.body_hash : 0;
  info.header_octets = sight.header_octets;
  info.header_lines = sight.header_fields;
  info.body_lines = sight.body_lines;
  bodies_.push_back(sight.whole ? std::optional(Body{sight.body_hash, stored}) : std::nullopt);
  return history_.add_message(std::move(info));
}

std::uint32_t KnownMail::find(const Sight& sight, bool stored) {
  // Without a Message-ID only the whole of it tells which it is.
  if (sight.message_id.empty() && !sight.whole) return 0;
  const std::string id =
      sight.message_id.empty() ? fmt::format("{:016x} {}", sight.body_hash, sight.subject) : sight.message_id;
  std::vector<std::uint32_t>& known = by_id_[id];
  if (!sight.whole) {
    if (known.empty()) known.push_back(add(sight, stored));
    return known.size() == 1 ? known.front() : 0;
  }
  const auto first = [&](const auto& fits) {
    const auto at = std::find_if(known.begin(), known.end(), [&](std::uint32_t n) { return fits(bodies_[n - 1]); });
    return at == known.end() ? 0 : *at;
  };
  std::uint32_t found = first([&](const auto& body) { return body && body->hash == sight.body_hash; });
  if (found == 0) found = first([&](const auto& body) { return !body; });
  if (found == 0 && stored && !sight.message_id.empty())
    found = first([&](const auto& body) { return body && !body->stored; });
  if (found != 0) {
    if (stored || !bodies_[found - 1]) bodies_[found - 1] = Body{sight.body_hash, stored};
    return found;
  }
  known.push_back(add(sight, stored));
  return known.back();
}

std::uint32_t KnownMail::number(Sight sight, const std::string& place) {
  sight.message_id = Sight::id_of(sight.message_id);
  const auto known = place.empty() ? by_place_.end() : by_place_.find(place);
  if (known != by_place_.end()) {
    const std::uint32_t here = known->second.message;
    const std::string& id = history_.message(here).message_id;
    if (!id.empty() && id == sight.message_id) {
      known->second.envelope = known->second.envelope && sight.envelope;
      if (sight.whole && (!bodies_[here - 1] || !bodies_[here - 1]->stored))
        bodies_[here - 1] = Body{sight.body_hash, true};
      return here;
    }
  }
  const std::uint32_t found = find(sight, !place.empty());
  if (found != 0 && !place.empty()) by_place_[place] = {found, sight.envelope};
  return found;
}

bool KnownMail::unsure(const Sight& sight, const std::string& place) const {
  const auto known = place.empty() ? by_place_.end() : by_place_.find(place);
  return known != by_place_.end() && known->second.envelope != sight.envelope &&
         history_.message(known->second.message).message_id != Sight::id_of(sight.message_id);
}

std::uint32_t KnownMail::at(const std::string& place) const {
  const auto found = by_place_.find(place);
  return found == by_place_.end() ? 0 : found->second.message;
}

}  // namespace mailproof::imports
