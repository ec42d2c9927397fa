#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::scenario {

/// The pattern of a class's logins and addresses: "user%04d". At most one %d or %0Nd (N 1 to 9), %% for a percent sign.
class AccountPattern {
 public:
  static std::optional<AccountPattern> read(std::string_view text);
  bool numbered() const { return numbered_; }
  std::string with(std::int64_t number) const;

 private:
  std::string before_;
  std::string behind_;
  bool numbered_ = false;
  int width_ = 0;
};

}  // namespace mailproof::scenario
