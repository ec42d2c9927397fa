#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "play/imap_session.h"
#include "play/mailbox_reader.h"
#include "play/pop3_session.h"

namespace mailproof::play {

/// Looks at the leased accounts from outside, with fresh sessions and without changing anything: before the scenario
/// (baseline) and after it (audit). Afterwards removes what is ours.
class Auditor final : public Alarm {
 public:
  using Then = std::function<void()>;
  explicit Auditor(Context& context) : context_(context) {}
  ~Auditor() override;

  /// Mailboxes must be empty, or hold only what an earlier run left, which is removed. Anything else is a problem of
  /// the context.
  void baseline(Then then);
  /// Enumerates every mailbox of every account over IMAP (EXAMINE, BODY.PEEK[]) and POP3 (RETR without DELE).
  void audit(std::uint32_t round, Then then);
  /// Removes our messages and the mailboxes the scenario made. Not recorded.
  void clean(Then then);
  void ring(Time now) override;

 private:
  struct Visit {
    std::uint32_t account = 0;
    std::unique_ptr<ImapSession> imap;
    std::unique_ptr<MailboxReader> reader;
    std::unique_ptr<Pop3Session> pop3;
    std::vector<std::string> mailboxes;  ///< that can be selected
    std::size_t next = 0;
    std::vector<std::uint32_t> numbers;  ///< POP3 messages still to fetch
  };
  using Each = std::function<void(Visit&, Then)>;
  void visit_all(std::uint32_t round, Each each, Then then);
  void open_imap(Visit& visit, std::uint32_t round, std::function<void(bool)> then);
  void list_mailboxes(Visit& visit, Then then);
  void baseline_mailbox(Visit& visit, Then then);
  void enumerate(Visit& visit, Then then);
  void audit_pop3(Visit& visit, std::uint32_t round, Time give_up, Then then);
  void pop3_list(Visit& visit, Then then);
  void pop3_next(Visit& visit, Then then);
  void sweep_maildrop(Visit& visit, bool before, Then then);
  void look_at_maildrop(Visit& visit, bool before, Then then);
  void empty_maildrop(Visit& visit, Then then);
  void clean_mailbox(Visit& visit, Then then);
  void remove_ours(Visit& visit, Then then);
  void note(std::string text);

  Context& context_;
  std::vector<std::unique_ptr<Visit>> visits_;   ///< of the latest pass; sessions stay open for clean()
  std::vector<std::unique_ptr<Visit>> earlier_;  ///< continuations may still refer to them
  Then alarm_;
};

}  // namespace mailproof::play
