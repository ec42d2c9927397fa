#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "history/history.h"
#include "scenario/story/search_keys.h"

namespace mailproof::play {

/// What may take a message away, or change its flags; and what may bring one.
bool may_take(history::What what);
bool adds(history::What what);

/// What the other sessions of an account did to it, as the history tells. `events`: since, or when, there were so many.
class Others {
 public:
  Others(const history::History& history, std::uint32_t account, std::uint32_t session)
      : history_(history), account_(account), session_(session) {}

  /// One of them has changed something that matters since this session was told last, and was answered.
  bool changed_since_told(bool (*matters)(history::What)) const;
  /// One of them asked for what may change flags, or was answered it, since then: a STORE, a FETCH without PEEK (RFC
  /// 3501 section 6.4.5), or what POP3 reads or marks, until its session is over.
  bool changed_flags_since(std::size_t events) const;
  /// One of them had set or cleared one of these flags of that message there, and was answered OK, by then.
  bool stored_before(std::size_t events, std::string_view mailbox, std::uint32_t uid,
                     const std::set<std::string>& flags) const;
  /// One of them did, or asked for, what matters to a search by these keys since then, or something of that has no
  /// answer. What reads, and was cut, is done when this session asks the next time.
  bool acted_since(std::size_t events, const scenario::SearchKeys& keys) const;

 private:
  bool is_theirs(const history::Event& e) const { return e.session != session_ && history_.account_of(e) == account_; }

  const history::History& history_;
  std::uint32_t account_, session_;
};

}  // namespace mailproof::play
