#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "play/audit/auditor.h"
#include "play/catching_network.h"
#include "play/context.h"
#include "play/devices/actor.h"
#include "play/talk/talk.h"

namespace mailproof::play {

/// Plays one copy of a scenario on a network and writes its history. Driven by the network's events: start(), then run
/// the network until done(). Phases: baseline, devices that idle come up, the steps, devices leave, audit (twice if
/// something is missing), clean-up.
class Player final : public Alarm {
 public:
  /// `scenario` and `target` must outlive the player. `leased` has an account for each of the scenario's.
  Player(const scenario::Scenario& scenario, const scenario::Target& target, std::vector<scenario::PoolAccount> leased,
         Network& network, PlayOptions options);
  ~Player() override;

  void start();
  bool done() const { return done_; }
  /// Ctrl-C: records it and is done at once; connections just end.
  void interrupt();
  /// The world ran dry: nothing can happen any more though the scenario is not over.
  void stalled();
  /// Something was thrown, by the player or by who plays it: records it as a problem of this copy and is done. What the
  /// network calls of the player does this by itself. Never throws.
  void broke(const std::string& what) noexcept;
  /// It is over, and nobody calls it any more: its devices and connections go. To be called on the thread that played
  /// it; what is left, its history, ledger and logs, may then be read, and destroyed, on any other.
  void retire();
  bool broken() const { return broken_; }  ///< something was thrown: nobody knows what is left in the mailboxes
  const std::string& problem() const { return context_.problem; }  ///< why playing could not go on; "" = nothing
  /// How a check ended that is to be played once more, for the play that comes after it.
  std::optional<EarlierEnd> early_end() const;

  /// What the baseline found, for another playing on the same accounts that has none of its own.
  const MailboxesBefore& mailboxes_before() const { return context_.before; }
  /// How the leased accounts were left, where a look has seen that all is empty and nothing was put there since.
  const std::optional<SeenEmpty>& left_empty() const { return left_empty_; }

  const history::History& history() const { return history_; }
  history::History& history() { return history_; }
  const history::Ledger& ledger() const { return ledger_; }
  /// From the first step to the last (audit and clean-up not counted).
  Duration playing_time() const { return steps_ended_ - steps_began_; }
  const std::vector<std::unique_ptr<history::WireLog>>& logs() const { return context_.logs; }
  /// Called once, from within the network's run; the player must not be destroyed in it.
  std::function<void()> on_done;
  std::function<void()> on_steps_done;  ///< the same of the steps of a story; its devices leave behind it

  void ring(Time now) override;

 private:
  void fill_info();
  void note_earlier();
  void prepare(std::size_t actor);
  void look();
  void play_steps();
  void play_step(std::size_t index, Finish next);
  void play_talk();
  void look_beside(Finish done);
  bool filled();
  bool is_proper_mail(std::uint32_t message) const;
  void verify_mailbox(Time since, std::size_t known);
  struct Sight {
    std::uint32_t message = 0;
    std::string mailbox;  ///< "" over POP3
    bool in_inbox() const { return mailbox.empty() || iequals(mailbox, "INBOX"); }
  };
  std::vector<Sight> seen_since(std::size_t event) const;
  void not_filled(std::string why);
  void fill(const scenario::Step& step, Finish done);
  void perform(const scenario::Step& step, Finish done);  ///< as many times as the step says
  void perform_once(const scenario::Step& step, Finish done);
  void perform_together(const scenario::Step& step, Finish done);
  void perform_admin(const scenario::Step& step, Finish done);
  void restore_quotas(Finish done);
  void expect_at_end(const scenario::Step& step);
  void leave(std::size_t actor);
  void audit();
  void clean();
  void await_mail(Time since);
  void leave_empty(bool cleaned);
  void finish();
  bool accepted_and_nowhere() const;
  Duration until_absence_counts() const;
  bool may_be_reported() const;
  Duration longest() const;
  bool talks() const { return scenario_.check && scenario_.check->talks(); }
  bool stuck() const { return !context_.problem.empty(); }

  const scenario::Scenario& scenario_;
  PlayOptions options_;
  history::History history_;
  history::Ledger ledger_;
  Messages messages_;
  CatchingNetwork network_;  ///< what anybody here throws stays here
  Context context_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::vector<AdminRequest> undo_;    ///< limits that were changed, as they were
  std::deque<scenario::Step> fills_;  ///< deliveries of a check, cut into single messages, and the looks between them
  std::unique_ptr<Talk> talk_;        ///< a check's: its talk, and what looks whether it is applicable
  Auditor auditor_;
  std::optional<SeenEmpty> left_empty_;
  Time steps_began_{}, steps_ended_{};
  bool done_ = false;
  bool waited_for_mail_ = false;
  std::uint32_t messages_before_talk_ = 0;
  bool verified_ = false;  ///< of a check: what its deliveries brought
  bool talking_ = false;   ///< the lines of a check are played
  bool unfilled_ = false;  ///< ... was not what it asks for, so it was not played
  bool broken_ = false;
  std::uint32_t round_ = 0;
  std::function<void()> alarm_;
};

}  // namespace mailproof::play
