#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace mailproof::judge {

/// Small numbers for mailboxes, so that what is known of each single message is kept by a number and not by names: a
/// history has as many of those as it has rows.
class Boxes {
 public:
  /// Of this mailbox of an account under this UIDVALIDITY, from 1; the same three, the same number.
  std::uint32_t number(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity) {
    // One row comes after the other of the same mailbox.
    if (last_ != 0 && account == account_ && uidvalidity == uidvalidity_ && mailbox == mailbox_) return last_;
    account_ = account;
    uidvalidity_ = uidvalidity;
    mailbox_ = mailbox;
    last_ = numbers_.try_emplace({account, mailbox_, uidvalidity}, static_cast<std::uint32_t>(numbers_.size() + 1))
                .first->second;
    return last_;
  }

  /// A message there: by its UID, or by our number.
  std::uint64_t place(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity, std::uint32_t which) {
    return place(number(account, mailbox, uidvalidity), which);
  }
  /// ... in the mailbox of this number.
  static std::uint64_t place(std::uint32_t number, std::uint32_t which) { return std::uint64_t{number} << 32U | which; }

 private:
  std::map<std::tuple<std::uint32_t, std::string, std::uint32_t>, std::uint32_t> numbers_;
  std::uint32_t account_ = 0, uidvalidity_ = 0, last_ = 0;
  std::string mailbox_;
};

}  // namespace mailproof::judge
