#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "wire/sasl/mechanism.h"

namespace mailproof::pop3 {

/// The text behind "+OK " of STAT: "nn mm".
struct DropListing {
  std::uint32_t messages = 0;
  std::uint64_t octets = 0;
};
/// One line of LIST, or the text of its one-message form.
struct ScanListing {
  std::uint32_t number = 0;
  std::uint64_t octets = 0;
};
/// One line of UIDL, or the text of its one-message form. `uid` points into the line.
struct UniqueIdListing {
  std::uint32_t number = 0;
  std::string_view uid;
  bool well_formed = false;  ///< 1 to 70 characters in 0x21 to 0x7E (RFC 1939 section 7)
};

/// More text may follow the numbers after a space (RFC 1939 section 5); message numbers start at 1.
Result<DropListing> parse_drop_listing(std::string_view text);
Result<ScanListing> parse_scan_listing(std::string_view text);
Result<UniqueIdListing> parse_unique_id_listing(std::string_view text);

/// What CAPA listed (RFC 2449). Tags are kept upper-case; at most kMost of them.
class Capabilities {
 public:
  static constexpr std::size_t kMost = 64;
  void add(std::string_view line);
  bool has(std::string_view tag) const { return tags_.find(tag) != tags_.end(); }
  std::string_view arguments(std::string_view tag) const;
  std::vector<sasl::Mechanism> sasl() const;         ///< those spoken here
  std::optional<std::uint32_t> login_delay() const;  ///< seconds
  const std::map<std::string, std::string, std::less<>>& all() const { return tags_; }
  void clear() { tags_.clear(); }

 private:
  std::map<std::string, std::string, std::less<>> tags_;
};

}  // namespace mailproof::pop3
