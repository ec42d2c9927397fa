#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "explore/retell_cast.h"
#include "history/history.h"

namespace mailproof::explore {

/// A mailbox of an account.
using MailboxOf = std::pair<std::uint32_t, std::string>;

/// Which message of a history a UID or a unique-id is, also where that was told only later; and which mail was there
/// before anything was heard. A message has the history's number, or one above those where nobody asked which it is.
class RetoldMail {
 public:
  RetoldMail(const history::History& history, const RetoldCast& cast);

  std::uint32_t at_uid(std::uint32_t owner, const std::string& mailbox, std::uint32_t uidvalidity, std::uint32_t uid);
  std::uint32_t at_uidl(std::uint32_t owner, const std::string& uidl) const;  ///< 0 = nobody read it
  std::uint32_t another() { return ++next_; }

  /// In the order of their UIDs, or of their numbers in the maildrop where only POP3 saw them.
  const std::map<MailboxOf, std::map<std::uint64_t, std::uint32_t>>& before() const { return before_; }
  /// Deliveries that were seen in another mailbox than INBOX, where no client put them.
  std::size_t put_elsewhere() const { return elsewhere_; }

 private:
  struct Open {
    std::string mailbox;
    std::uint32_t uidvalidity = 0;
  };
  void identify();
  void look(const history::Event& e);
  void note_arrival(const history::Event& e);
  void note_copies(std::uint32_t owner, const history::Event& e);
  void note_rename(std::uint32_t owner, const history::Event& asked);
  const history::Event& invoke_of(const history::Event& e) const { return history_.asked(e); }

  const history::History& history_;
  const RetoldCast& cast_;
  std::map<std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>, std::uint32_t> by_uid_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> by_uidl_;
  std::uint32_t next_ = 0;
  std::map<std::uint32_t, Open> open_;                           ///< by session
  std::set<std::pair<MailboxOf, std::uint32_t>> heard_;          ///< it is known how it came there
  std::set<std::pair<std::uint32_t, std::uint32_t>> delivered_;  ///< account, message
  std::map<MailboxOf, std::map<std::uint64_t, std::uint32_t>> before_;
  std::size_t elsewhere_ = 0;
};

/// A mailbox that is renamed, or lies below one (RFC 3501 section 6.3.5), by its new name; nothing: it is another.
std::optional<std::string> renamed(const std::string& mailbox, const history::Event& rename);

}  // namespace mailproof::explore
