#include "wire/pop3/listing.h"

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::pop3 {
namespace {

Error malformed(std::string_view what, std::string_view line) {
  return Error{"", "not a " + std::string(what) + ": \"" + printable(line, 80) + "\""};
}

}  // namespace

/// drop-listing = "+OK" SP nn SP mm [SP text]
Result<DropListing> parse_drop_listing(std::string_view line) {
  std::string_view rest = line;
  const auto messages = text::parse_number<std::uint32_t>(text::take_word(rest));
  const auto octets = text::parse_number<std::uint64_t>(text::take_word(rest));
  if (!messages || !octets) return malformed("drop listing", line);
  return DropListing{*messages, *octets};
}

/// scan-listing = nn SP mm [SP text]
Result<ScanListing> parse_scan_listing(std::string_view line) {
  std::string_view rest = line;
  const auto number = text::parse_number<std::uint32_t>(text::take_word(rest));
  const auto octets = text::parse_number<std::uint64_t>(text::take_word(rest));
  if (!number || *number == 0 || !octets) return malformed("scan listing", line);
  return ScanListing{*number, *octets};
}

/// unique-id listing = nn SP 1*70(%x21-7E)
Result<UniqueIdListing> parse_unique_id_listing(std::string_view line) {
  std::string_view rest = line;
  const auto number = text::parse_number<std::uint32_t>(text::take_word(rest));
  if (!number || *number == 0 || rest.empty()) return malformed("unique-id listing", line);
  UniqueIdListing listing{*number, rest, rest.size() <= 70};
  for (const char c : rest) listing.well_formed = listing.well_formed && c > ' ' && c < 0x7f;
  return listing;
}

void Capabilities::add(std::string_view line) {
  const std::string tag = upper(text::take_word(line));
  if (tag.empty() || tags_.size() >= kMost) return;
  tags_.insert_or_assign(tag, std::string(line));
}

std::string_view Capabilities::arguments(std::string_view tag) const {
  const auto found = tags_.find(tag);
  return found == tags_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<sasl::Mechanism> Capabilities::sasl() const {
  std::vector<sasl::Mechanism> mechanisms;
  std::string_view rest = arguments("SASL");
  while (!rest.empty())
    if (const auto mechanism = sasl::parse_mechanism(text::take_word(rest))) mechanisms.push_back(*mechanism);
  return mechanisms;
}

std::optional<std::uint32_t> Capabilities::login_delay() const {
  std::string_view rest = arguments("LOGIN-DELAY");
  return text::parse_number<std::uint32_t>(text::take_word(rest));
}

}  // namespace mailproof::pop3
