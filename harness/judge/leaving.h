#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "judge/case.h"

namespace mailproof::judge {

/// From the command that asks for a message's removal until EXPUNGE tells a session of it, what that session is told of
/// the UID is nobody's state: the message as it was (RFC 2180 section 4.1.1), nothing in its place, in whatever form
/// (section 4.1.3), or that it bears \Deleted, as Cyrus has it of all that is expunged. Who compares what is told of a
/// message with what was told before asks this first. The case must outlive it; events are looked at once, when it is
/// first needed.
class Leaving {
 public:
  explicit Leaving(const Case& c) : c_(c) {}

  /// Whether somebody may have asked for the removal of what has this UID before this event.
  bool at(std::uint32_t event, std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
          std::uint32_t uid) const;
  /// Whether somebody may have asked for the removal of anything there before this event.
  bool any_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox) const;
  /// As at(), of what is told to be nothing: no octets, no date, no flags. Of a recording without all its clients
  /// nobody knows who asked.
  bool nothing_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                  std::uint32_t uid) const;

 private:
  struct Asked {
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> boxes;  ///< account and mailbox, from 1
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> named;         ///< box and UID: by MOVE or UID EXPUNGE
    std::map<std::uint32_t, std::uint32_t> all, any;                       ///< by box: EXPUNGE or CLOSE; any of these
    std::map<std::uint32_t, std::uint32_t> reshaped, quit;                 ///< by account: DELETE or RENAME; POP3
  };
  static Asked look(const Case& c);
  const Asked& asked() const;
  bool unheard() const;

  const Case& c_;
  mutable std::optional<Asked> asked_;  ///< the first events of each
  mutable std::optional<bool> unheard_;
};

}  // namespace mailproof::judge
