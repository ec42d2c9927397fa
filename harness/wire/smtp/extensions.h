#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/sasl/mechanism.h"
#include "wire/smtp/reply.h"

namespace mailproof::smtp {

/// What the reply to EHLO or LHLO offered (RFC 5321 section 4.1.1.1). Keywords are kept upper-case; at most kMost.
class Extensions {
 public:
  static constexpr std::size_t kMost = 64;
  void read(const Reply& reply);  ///< of a positive reply to EHLO or LHLO; forgets what was known before
  void clear() { *this = Extensions(); }

  bool has(std::string_view keyword) const { return keywords_.find(keyword) != keywords_.end(); }
  std::string_view parameters(std::string_view keyword) const;
  const std::string& domain() const { return domain_; }  ///< the name the server gave itself
  /// SIZE (RFC 1870): nothing if not offered or offered without a number; 0 means no fixed limit.
  std::optional<std::uint64_t> size() const;
  std::vector<sasl::Mechanism> auth() const;  ///< those spoken here; "AUTH=" of old servers too
  const std::map<std::string, std::string, std::less<>>& all() const { return keywords_; }

 private:
  std::string domain_;
  std::map<std::string, std::string, std::less<>> keywords_;
};

}  // namespace mailproof::smtp
