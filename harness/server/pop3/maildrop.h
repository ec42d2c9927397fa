#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "server/context.h"

namespace mailproof::server {

/// The maildrop as one POP3 session sees it: numbered at login and fixed from then on (RFC 1939 section 4).
/// Messages that others remove meanwhile stay readable here. Numbers begin with 1; 0 is never a message.
class Maildrop {
 public:
  Maildrop(ServerContext& context, AccountState& account);

  std::uint32_t last() const { return static_cast<std::uint32_t>(entries_.size()); }  ///< deleted ones included
  /// False for numbers that are not there and for what is marked as deleted.
  bool has(std::uint32_t number) const { return exists(number) && !entries_[number - 1].deleted; }
  /// Whether LIST and UIDL without an argument show it.
  bool lists(std::uint32_t number) const;

  std::uint32_t count() const;
  std::uint64_t octets() const;  ///< of all that is not marked

  /// As RETR sends it: every CRLF two octets, stuffed dots not counted, and a final CRLF even when the message has none
  /// (RFC 1939 sections 5 and 11).
  std::uint64_t octets(std::uint32_t number) const;
  std::string unique_id(std::uint32_t number) const;  ///< RFC 1939 section 7
  const MessagePtr& message(std::uint32_t number) const { return entries_[number - 1].message; }

  void mark(std::uint32_t number);
  void unmark_all();
  void downloaded(std::uint32_t number) { entries_[number - 1].downloaded = true; }  ///< by RETR
  void mark_seen(std::uint32_t number);
  /// The UPDATE state: removes what is marked and, where the site wants that, what was downloaded.
  void update();
  /// Told before each command; a correct server's numbers do not care.
  void before_command();

 private:
  struct Entry {
    MessagePtr message;
    bool deleted = false;
    bool unmarked = false;  ///< by RSET
    bool downloaded = false;
  };
  bool exists(std::uint32_t number) const { return number >= 1 && number <= entries_.size(); }
  void take_snapshot();
  std::vector<Uid> to_remove() const;  ///< by QUIT
  void set_flag(const MessagePtr& message, imap::Flag flag, bool on);
  void hide(const std::vector<Uid>& uids);  ///< from POP3 alone

  ServerContext& context_;
  AccountState& account_;
  std::vector<Entry> entries_;
  std::uint32_t session_ = 0;  ///< differs between sessions where a defect wants that
};

}  // namespace mailproof::server
