#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "session/imap/client.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::session {

/// Keeps an ImapView up to date: what EXISTS, EXPUNGE, VANISHED and FETCH do to sequence numbers and UIDs (RFC 9051
/// section 7.4, RFC 7162 section 3.2.10). Each change returns the code of a deviation when the server contradicts
/// itself, else "".
class ImapMailboxView {
 public:
  /// A server that claims more is not believed. It bounds our memory: 4 octets for each that is told of.
  static constexpr std::uint32_t max_messages = 1'000'000;

  const ImapView& view() const { return view_; }
  ImapView& view() { return view_; }

  /// SELECT or EXAMINE was sent. The old mailbox stays in view until the first sign of the new one.
  void select_sent(std::string_view mailbox);
  /// FLAGS, EXISTS, [CLOSED], [UIDVALIDITY]: what comes now is about the new mailbox.
  void select_answering();
  void select_done(bool ok, bool read_only);
  /// BAD: it was not even tried, so the old mailbox is still selected unless something else was seen.
  void select_not_tried() { selecting_ = false; }
  bool selecting() const { return selecting_; }
  bool in_mailbox() const { return selecting_ || !view_.mailbox.empty(); }
  void closed();

  /// `before` is what was believed until now. Never called with more than max_messages.
  std::string_view exists(std::uint32_t n, std::uint32_t& before);
  /// `uid` is set to that of the message removed, 0 if it was never learnt. With a deviation nothing was removed.
  std::string_view expunge(std::uint32_t seq, std::uint32_t& uid);
  /// `uid` 0 asks for what is known, otherwise it is learnt.
  std::string_view fetched(std::uint32_t seq, std::uint32_t& uid);

  struct Removed {
    std::uint32_t seq = 0;  ///< at the moment of its removal, the ones before it in the list being gone
    std::uint32_t uid = 0;
  };
  struct Vanished {
    std::vector<Removed> known;    ///< in their order; those whose UID was never learnt lie before one that was
    std::uint32_t behind = 0;      ///< so many more, all behind those whose UIDs were learnt ...
    std::uint32_t seq_behind = 0;  ///< ... each of this number at the moment of its removal
  };
  /// VANISHED without EARLIER: removes what is known, and of messages whose UIDs are unknown as many as must have gone.
  /// The work is that of looking through what was learnt, however many the set names.
  const Vanished& vanished(imap::SequenceSet uids);

 private:
  ImapView view_;
  std::string selected_;
  Vanished vanished_;
  bool selecting_ = false;
  bool answering_ = false;
  bool counted_ = false;  ///< EXISTS came since SELECT was sent
};

}  // namespace mailproof::session
