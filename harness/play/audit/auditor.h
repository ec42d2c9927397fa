#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "play/devices/mailbox_reader.h"
#include "play/recorded/imap.h"
#include "play/recorded/pop3.h"

namespace mailproof::play {

/// Looks at the leased accounts from outside, with fresh sessions: before the scenario (baseline, which removes what an
/// earlier run left) and after it (audit, which changes nothing). In the end removes what is ours.
class Auditor final : public Alarm {
 public:
  using Then = std::function<void()>;
  explicit Auditor(Context& context) : context_(context) {}
  ~Auditor() override;

  /// Mailboxes must be empty, or hold only what an earlier run left, which is removed. Anything else, and what could
  /// not be looked at, is a problem of the context, and nothing is changed.
  void baseline(Then then);
  /// In place of baseline(): what somebody saw a moment ago.
  void believe(const SeenEmpty& seen);
  /// What the newest look saw, if that was all empty and it was one of baseline() or clean_after_talk(); or what was
  /// believed instead of that.
  const std::optional<SeenEmpty>& seen_empty() const { return seen_empty_; }
  /// Only looks: what is there must be ours. Before the lines of a check, which take what they find.
  void verify(Then then, MailboxReader::Bodies bodies = MailboxReader::Bodies::left);
  /// Looks, and only the history is told: what came in beside a check. Nothing of it, nor that it could not be done, is
  /// a problem.
  void look_beside(Then then);
  /// After the talk of a check: as baseline(), and nothing of it is recorded. `own_mailboxes`: the check may have made
  /// mailboxes and subscribed to them.
  void clean_after_talk(bool own_mailboxes, Then then);
  /// Enumerates every mailbox of every account over IMAP (EXAMINE, BODY.PEEK[]) and POP3 (RETR without DELE; TOP alone
  /// where what was downloaded may go with QUIT).
  void audit(std::uint32_t round, Then then);
  /// Removes this playing's messages, and reports about them, from the mailboxes that the last audit listed, and then
  /// the mailboxes that this playing made, where they hold nothing else. What was there before stays, and what another
  /// playing left or is using. Not recorded.
  void clean(Then then);
  void forget();  ///< its sessions go
  void ring(Time now) override;

 private:
  struct Visit {
    std::uint32_t account = 0;
    std::unique_ptr<RecordedImap> imap;
    std::unique_ptr<MailboxReader> reader;
    std::unique_ptr<RecordedPop3> pop3;
    std::vector<std::string> mailboxes;  ///< that can be selected
    std::set<std::string> names;         ///< of all that LIST told, in small letters
    Separators separators;
    std::vector<std::string> own;  ///< by their names a check's; deepest last
    std::vector<std::string> own_subscribed;
    std::vector<std::string> made;  ///< by devices of this playing; the deepest first
    std::unique_ptr<RecordedImap> remover;
    std::vector<std::unique_ptr<MailboxCheck>> checks;
    bool listed = false;         ///< LIST was answered
    bool beside_others = false;  ///< INBOX was seen to hold what is not ours
    bool removed = false;        ///< something, in this look
    bool all_empty = false;      ///< by STATUS, in this look; none of them a check's
  };
  using Each = std::function<void(Visit&, Then)>;
  void visit_all(Each each, Then then);
  void open_imap(Visit& visit, std::uint32_t round, MailboxReader::Bodies bodies, std::function<void(bool)> then);
  void list_mailboxes(Visit& visit, Then then);
  enum class Look { only, clean, clean_subscriptions };
  void look_before(Look look, MailboxReader::Bodies bodies, Then then);
  void look_at_all(Visit& visit, Look look, int pass, Then then);
  void look_into(Visit& visit, const std::string& mailbox, bool change, Then then);
  void remove_own(Visit& visit, bool subscriptions, Then then);
  void delete_own(Visit& visit, Then then);
  void not_looked_into(const Visit& visit, const std::string& mailbox, const std::string& why);
  void not_emptied(const Visit& visit);
  void not_ours(const Visit& visit, const std::string& mailbox, std::size_t foreign);
  void note_seen_empty(Time began);
  void note_baseline(std::uint32_t session, std::uint32_t messages, const std::string& mailbox);
  void enumerate(Visit& visit, Then then);
  void audit_pop3(Visit& visit, std::uint32_t round, Time give_up, Then then);
  void pop3_list(Visit& visit, Then then);
  bool may_remove_what_it_downloads(const Visit& visit) const;
  void pop3_fetch(Visit& visit, Then then);
  void pop3_listed(Visit& visit, Then then);
  enum class Sweep { look, before, after };
  void sweep_maildrop(Visit& visit, Sweep what, Then then);
  void look_at_maildrop(Visit& visit, Sweep what, Then then);
  void empty_maildrop(Visit& visit, Then then);
  void remove_made(Visit& visit, Then then);
  void clean_mailbox(Visit& visit, const std::string& mailbox, MailboxReader::Leftovers leftovers, Then then);
  void remove_ours(Visit& visit, MailboxReader::Leftovers leftovers, Then then);
  void expunge_ours(Visit& visit, const OwnedUids& uids, Then then);
  void note(std::string text);
  void fail(std::string_view code, std::string text);

  Context& context_;
  std::vector<std::unique_ptr<Visit>> visits_;   ///< of the latest pass; sessions stay open for clean()
  std::vector<std::unique_ptr<Visit>> earlier_;  ///< continuations may still refer to them
  std::optional<SeenEmpty> seen_empty_;
  Then alarm_;
  bool first_look_ = false;  ///< baseline() is under way
  bool beside_ = false;      ///< look_beside() is under way
};

}  // namespace mailproof::play
