#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/blocks.h"
#include "core/fate.h"
#include "core/pop3_delete.h"
#include "core/pop3_download.h"
#include "history/chains.h"
#include "history/history.h"
#include "history/ledger/life.h"

namespace mailproof::history {

using mailproof::Fate;
using mailproof::name;

/// One message in one mailbox of one account: how many copies were put there and taken away for sure, how many perhaps,
/// how many are there by the last complete enumeration. Conservation: least() <= present <= most().
struct Cell {
  std::uint32_t message = 0;
  std::uint32_t added_by = 0;    ///< event that made the first addition certain or possible
  std::uint32_t removed_by = 0;  ///< the command (its invoke) that asked for the last removal: EXPUNGE, MOVE, QUIT, ...
  std::uint32_t marked_by = 0;   ///< the STORE or DELE before it
  std::uint32_t first_seen = 0, last_seen = 0, first_absent = 0;  ///< events
  std::uint16_t account = 0;
  std::uint16_t mailbox = 0;                     ///< index into Ledger::mailbox_name
  std::uint16_t moved_to = 0;                    ///< mailbox + 1
  std::uint16_t adds = 0, maybe_adds = 0;        ///< ok / info additions: deliveries, APPEND, COPY, MOVE into it
  std::uint16_t removes = 0, maybe_removes = 0;  ///< ok / possible removals that some client asked for
  std::uint16_t present = 0;      ///< by the last complete enumeration over IMAP (POP3 where there is no IMAP)
  std::uint16_t present_pop = 0;  ///< by the last complete POP3 listing (INBOX only)
  std::uint8_t misses = 0;        ///< audit rounds in a row, the newest among them, that hold fewer than least()
  std::uint8_t round = 0;         ///< the newest of these
  std::uint8_t maybe_moves = 0;   ///< how many of maybe_removes are a MOVE's: what goes here must turn up there
  std::uint8_t pop_removes = 0;   ///< of all removals, certain and possible, those that POP3 asked for
  /// Audit rounds in a row in which IMAP showed of what POP3 removed something else than the target file declares, or,
  /// where it declares nothing, anything of it.
  std::uint8_t unlike = 0;
  std::uint8_t unlike_round = 0;       ///< the newest of these
  std::uint8_t removed_over : 2 = 0;   ///< 1 = IMAP, 2 = POP3, 3 = both asked for a removal
  std::uint8_t listed_absent : 2 = 0;  ///< complete listings after a certain removal did not have it: as removed_over
  /// A QUIT that may remove what was downloaded came after a RETR of it: 1, or 2 where it was answered OK. It is one of
  /// maybe_removes as long as no client asks for the removal.
  std::uint8_t implied : 2 = 0;
  bool gone_with_audit : 1 = false;  ///< ... and it was the audit's own QUIT: what that listing saw is the last word
  bool reappeared : 1 = false;       ///< a fresh session of the protocol that listed it as absent saw it after that
  bool bounced : 1 = false;          ///< a report says it was not delivered: nothing is owed
  bool enumerated : 1 = false;   ///< its mailbox was listed completely by the audit, and nothing was asked of it since
  bool in_pop : 1 = false;       ///< present_pop is known
  bool by_pop : 1 = false;       ///< `present` is POP3's word: no IMAP session listed it
  bool tried_again : 1 = false;  ///< of maybe_adds: without an answer, or a MOVE of what another may have taken

  int least() const;  ///< copies that must be there
  int most() const;   ///< copies that may be there
  int kept() const;   ///< of `present`: what POP3 removed, and POP3 alone does not show any more
};
static_assert(sizeof(Cell) <= 56, "the memory budget of a message at load");
using Cells = Blocks<Cell, 64>;

/// What happened to one recipient's delivery attempt of a message. The answer's own event tells the rest of it.
struct Attempt {
  std::uint32_t message = 0;
  std::uint32_t event = 0;  ///< the ok/fail/info event
  std::uint16_t account = 0;
  std::uint16_t smtp_code : 12 = 0;
  Type outcome : 4 = Type::info;  ///< ok, fail, info
};
static_assert(sizeof(Attempt) <= 12, "the memory budget of a message at load");
using Attempts = Blocks<Attempt, 64>;

/// The enhanced status that an attempt's answer tells, or comes to.
std::string_view enhanced_status(const Event& answer);

/// A delivery report that was seen.
struct Report {
  std::uint32_t message = 0;        ///< reported on; 0 = unknown
  std::uint32_t recipient = 0;      ///< account; 0 = not one of ours
  std::uint32_t mailbox_owner = 0;  ///< account in whose mailbox it was seen
  std::string mailbox;              ///< where it was seen
  std::uint32_t uidvalidity = 0, uid = 0;
  std::string uidl;
  std::string action, status, diagnostic;
  std::uint32_t event = 0;  ///< first sight
};

/// Follows every message through the events of one history. Fed one event at a time, in order (History::listen or a
/// replay). Answers what play asks (is anything unexplained?) and what judges and reports tell (fates, lives).
class Ledger {
 public:
  /// `assumed`: what QUIT does with what was downloaded, where neither the target file nor CAPA says it; nothing: it
  /// keeps it.
  explicit Ledger(const History& history, std::optional<Pop3Download> assumed = {});
  ~Ledger();
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;
  void apply(const Event& event);

  const Cells& cells() const;
  const Attempts& attempts() const;
  /// Those of one message, in the same order; they cost as much as there are of them.
  Chained<Cells> cells_of(std::uint32_t message) const;
  Chained<Attempts> attempts_of(std::uint32_t message) const;
  /// Places in cells() of those that the newest apply() may have changed, some of them perhaps twice.
  const std::vector<std::uint32_t>& touched() const;
  const std::vector<Report>& reports() const;  ///< distinct reports (by mailbox owner, mailbox and uid or UIDL)
  const std::string& mailbox_name(std::uint16_t mailbox) const;
  const Cell* find(std::uint32_t message, std::uint32_t account, std::string_view mailbox) const;

  /// Which of our messages is (account, mailbox, uidvalidity, uid)? 0 = not known.
  std::uint32_t message_at(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity,
                           std::uint32_t uid) const;
  /// Which of our messages had this UIDL in the account's maildrop? 0 = not known.
  std::uint32_t message_with_uidl(std::uint32_t account, std::string_view uidl) const;

  /// What IMAP shows of what POP3 removed from this INBOX, where both were listed and something was removed.
  std::optional<Pop3Delete> pop3_delete(const Cell& inbox) const;
  /// Where the account has, and nobody put it there, what POP3 removed from this INBOX; null: nowhere.
  const Cell* in_trash(const Cell& inbox) const;

  std::optional<Pop3Download> assumed() const;
  /// A QUIT took away what was downloaded and not marked, as far as was seen: not in the maildrop any more and, where
  /// that was not listed, not in INBOX.
  bool gone_after_download(const Cell& inbox) const;

  /// Cells whose mailbox was enumerated and that hold fewer copies than they must, or more than they may, or of which
  /// IMAP and POP3 tell different numbers, or in which what POP3 removed is not as declared, or whose message a MOVE
  /// took nobody knows where: to be asked again, over both, after settle.
  std::vector<const Cell*> missing() const;

  /// Fate of one message for one recipient account, by the evidence so far.
  Fate fate(std::uint32_t message, std::uint32_t account) const;

  /// The life of a message in time order, a line an event, for people:
  /// "0.120 s  accepted   mta     LMTP 250 2.0.0 for alice". Innocent explanation first where there is one.
  std::vector<std::string> life(std::uint32_t message) const;
  /// The same with all that is known, for whoever tells it in another form.
  Life whole_life(std::uint32_t message) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof::history
