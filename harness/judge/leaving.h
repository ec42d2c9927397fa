#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "judge/boxes.h"
#include "judge/case.h"
#include "judge/reshapes.h"

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
  /// Whether somebody may have asked, before `to`, for the removal of anything there, and had no answer before `from`.
  bool any_between(std::uint32_t from, std::uint32_t to, std::uint32_t account, std::string_view mailbox) const;
  /// As at(), of what is told to be nothing: no octets, no date, no flags. Of a recording without all its clients
  /// nobody knows who asked.
  bool nothing_at(std::uint32_t event, std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                  std::uint32_t uid) const;
  /// It is a recording without all its clients.
  bool unheard() const;
  static constexpr std::uint32_t kNever = ~std::uint32_t{};
  /// The event that answered this command, one that may remove something; kNever: none did, or the session ended
  /// before, so that nobody knows whether it was done.
  std::uint32_t answered(std::uint32_t command) const;
  /// The event by which it is known that this removal was done, its command answered or its session told that the
  /// message is gone (RFC 3501 section 7.4.1); kNever: none tells.
  std::uint32_t known_done(const history::Cell& removed) const;

 private:
  /// Commands of one kind, in the order in which they were asked.
  class Commands {
   public:
    void add(std::uint32_t invoke, std::uint32_t answer);  ///< an answer that never came: kNever
    /// Whether one was asked before `to`, and not answered before `from`.
    bool between(std::uint32_t from, std::uint32_t to) const;

   private:
    std::vector<std::pair<std::uint32_t, std::uint32_t>> all_;  ///< invoke, and the newest answer up to there
  };
  struct Asked {
    Boxes boxes;                                                      ///< by lower case and without UIDVALIDITY
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> answers;  ///< by command that may remove something
    std::map<std::uint32_t, Commands> expunges;                       ///< by box: EXPUNGE or CLOSE of all marked
    std::map<std::uint32_t, Commands> any;                            ///< ... these, UID EXPUNGE and MOVE
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> named;    ///< by place: the first MOVE of it, or UID
                                                                      ///< EXPUNGE once marked
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> marked;   ///< ... the first STORE of \Deleted
    /// By box: the first that marks, or moves, nobody knows which: copies of what is marked, sets that could not be
    /// read.
    std::map<std::uint32_t, std::uint32_t> marks_some, moves_some;
    /// By box, of those that were asked for: the first DELETE or RENAME; kNever: none.
    std::map<std::uint32_t, std::uint32_t> reshaped;
    std::vector<std::uint32_t> reshapes;  ///< all of these, of whatever mailbox
    /// Account and message, 0 = nobody knows which: the first DELE or RETR.
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> pop_marks;
    std::map<std::uint32_t, Commands> quits;           ///< by account: of POP3 sessions that marked or read something
    std::map<std::uint32_t, std::uint32_t> quit_some;  ///< ... nobody knows what: the first
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> quit;  ///< ... account and message: the first
  };
  class Look;
  Asked& asked() const;
  std::uint32_t reshaped(Asked& all, std::uint32_t account, const std::string& mailbox, std::uint32_t box) const;
  std::uint32_t marked(const Asked& all, std::uint32_t account, std::uint32_t message, std::uint32_t box,
                       std::uint32_t uid) const;

  const Case& c_;
  mutable std::optional<Asked> asked_;
  mutable std::optional<Reshapes> reshapes_;
  mutable std::optional<bool> unheard_;
};

}  // namespace mailproof::judge
