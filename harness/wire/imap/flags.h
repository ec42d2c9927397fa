#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::imap {

/// System flags (RFC 9051 section 2.3.2). `may_create` is the "\*" of PERMANENTFLAGS.
enum class Flag : std::uint8_t {
  seen = 1,
  answered = 2,
  flagged = 4,
  deleted = 8,
  draft = 16,
  recent = 32,
  may_create = 64,
};
std::string_view name(Flag flag);  ///< "\Seen"

/// flag-list = "(" [flag *(SP flag)] ")". A set: order does not count, and names are compared without regard to case.
/// Small, because a mailbox view keeps one a message: bits, and one string of keywords. Reuse allocates nothing.
class FlagList {
 public:
  /// Any flag by its name on the wire, "\Seen" or "$Forwarded". A backslash name we do not know is kept as a keyword.
  void add(std::string_view flag);
  void add(Flag flag) { system_ = static_cast<std::uint8_t>(system_ | static_cast<std::uint8_t>(flag)); }
  /// Many at once: sorted, where one by one would look through all of them for each. Of two that are equal the first
  /// stays.
  void add_many(const std::vector<std::string_view>& flags);
  void remove(std::string_view flag);
  void remove(Flag flag) { system_ = static_cast<std::uint8_t>(system_ & ~static_cast<std::uint8_t>(flag)); }
  bool has(std::string_view flag) const;
  bool has(Flag flag) const { return (system_ & static_cast<std::uint8_t>(flag)) != 0; }
  void add(const FlagList& others);
  void remove(const FlagList& others);
  bool empty() const { return system_ == 0 && keywords_.empty(); }
  void clear() {
    system_ = 0;
    keywords_.clear();
  }

  /// Calls f(std::string_view name) for each, system flags first, keywords in alphabetical order.
  template <class F>
  void for_each(F&& f) const {
    for (unsigned bit = 1; bit <= 64; bit *= 2)
      if ((system_ & bit) != 0) f(name(static_cast<Flag>(bit)));
    for_each_keyword(f);
  }
  template <class F>
  void for_each_keyword(F&& f) const {
    for (std::string_view left = keywords_; !left.empty();) {
      const std::string_view word = left.substr(0, left.find(' '));
      f(word);
      left.remove_prefix(word.size() == left.size() ? word.size() : word.size() + 1);
    }
  }

  /// "(\Seen $Forwarded)"
  std::string format() const;
  void format_to(std::string& out) const;

  friend bool operator==(const FlagList& a, const FlagList& b);

 private:
  std::uint8_t system_ = 0;
  std::string keywords_;  ///< sorted, joined by one space
};

}  // namespace mailproof::imap
