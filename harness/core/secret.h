#pragma once
#include <string>
#include <string_view>
#include <utility>

namespace mailproof {

/// A password or derived key. Prints as ***; reveal() is the only way to the text.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string text_;
};

inline std::string_view format_as(const Secret&) { return "***"; }

}  // namespace mailproof
