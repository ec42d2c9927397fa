#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "judge/judge.h"
#include "load/customer.h"
#include "load/level.h"
#include "load/mail_flow.h"
#include "load/mailbox_visit.h"
#include "load/report.h"
#include "load/writer.h"

namespace mailproof::load {

/// What one thread plays of a plan: every `jobs`th account, with all devices and all mail of each.
struct PlanPart {
  const scenario::Plan* plan = nullptr;
  unsigned job = 0, jobs = 1;
  std::vector<scenario::PoolAccount> accounts;  ///< of this thread, in the order of their numbers
  std::optional<scenario::PoolAccount> sender;  ///< where reports about mail over SMTP come back to
  PlanSettings settings;
};

/// A message that is lost: what its sessions said last, and a story that tries the same with nobody else there.
struct LostMessage {
  std::uint32_t number = 0;
  std::string log, story;
};

/// Which entry of the mix an account has: spread so that any run of accounts has the plan's shares.
std::vector<std::size_t> spread_mix(const std::vector<scenario::MixEntry>& mix, std::size_t accounts);

/// The customers of a plan on one thread: they come and go with the plan's height, and mail comes in for them. Then,
/// out of the measured time, everything that was sent is looked for.
class Customers final : public Alarm {
 public:
  Customers(Network& network, const scenario::Target& target, PlanPart part);
  ~Customers() override;

  /// Sees that no account holds other mail; what mailproof left there earlier is removed. `then`: what was wrong.
  void check(std::function<void(std::string)> then);
  /// Time zero of the plan is this, which may lie ahead, or now.
  void start(std::optional<Time> zero = std::nullopt);
  /// The measured time is over and all have gone.
  bool gone() const { return gone_; }
  /// It ends before its time, as if its own abort_when had said so.
  void abort(const std::string& why);
  /// Nothing further is begun; what there is is dropped.
  void interrupt();
  /// Looks for what was sent: at once, and for what is missing again after the target's settling time, in a fresh
  /// session and another way if there is one. `then` is called from the network's loop.
  void audit(std::function<void()> then);

  struct Progress {
    std::size_t there = 0, connections = 0, waiting = 0;
    std::uint32_t due = 0;
    std::size_t prepared = 0, accounts = 0;
  };
  Progress progress() const;
  Scene& scene() { return scene_; }
  /// Why the plan ended before its time; "" = it did not.
  const std::string& aborted() const { return aborted_; }
  double seconds() const;                                     ///< that were measured
  std::uint64_t lay_before() const { return lay_before_; }    ///< messages in the mailboxes, at the first look
  std::uint64_t most_before() const { return most_before_; }  ///< ... in one of them

  /// What it came to.
  void harvest(StoryTotals& totals, std::map<std::string, Tally>& findings, const std::string& reproduce) const;

  /// At most so many of those that harvest() counts as lost. Only once all have gone.
  std::vector<LostMessage> lost_messages(std::size_t most);
  std::string so_far() const;
  /// The ledger as it stands while the load goes on: nobody has looked for anything yet.
  LedgerTotals ledger_so_far() const;

  void ring(Time now) override;

 private:
  struct Move {
    Duration at{};
    std::uint32_t account = 0;
    bool comes = false;
  };
  enum class Round : std::uint8_t { none, check, first, second, clean };

  void make_devices();
  std::string story_of(std::size_t parcel) const;
  std::string life_of_lost(std::size_t parcel) const;
  void end_of_time(Time now);
  bool all_visible(Time now) const;
  bool owes() const;
  const Customer* owed_by(const Parcel& parcel, Time now) const;
  void count_invisible(Time now);
  void watch(Time now);
  void arm_next();
  // looking into accounts
  void visit_all(Round round, std::vector<std::uint32_t> accounts);
  void visit_next();
  void found(std::uint32_t account, const Found& found);
  bool asks_another_way(std::uint32_t account) const;
  bool complete(std::uint32_t account) const;
  bool accounted_for(const Parcel& parcel) const;  ///< so far: nobody need ask for it again
  void note_unvisited();
  bool may_be_queued(const Parcel& parcel) const;
  /// RFC 1939 section 8: a site may let POP3 download a message once.
  bool gone_by_download(const Parcel& parcel) const;
  bool keeps_downloads() const;
  Time absence_counts() const;
  std::vector<std::uint32_t> incomplete() const;
  void after_round();
  VisitWhat visit_of(std::uint32_t account) const;

  std::vector<scenario::Profile> profiles_;  ///< as played: with what identifies a message added
  Level level_;
  Scene scene_;
  const PlanPart part_;  ///< its accounts are the scene's
  std::vector<std::unique_ptr<Customer>> devices_;
  std::vector<std::vector<std::uint32_t>> of_account_;  ///< devices by account
  std::vector<std::vector<std::uint32_t>> parcels_of_;  ///< for the audit, which makes it
  std::vector<bool> uses_trash_, audited_, has_come_;
  std::unique_ptr<MailFlow> flow_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::vector<std::uint32_t>> writers_of_;  ///< by account
  std::vector<std::string> sent_box_;                   ///< by account; "" = nothing is saved
  std::vector<std::vector<std::string>> opens_;         ///< by account: what its devices' profiles open beside INBOX
  std::vector<Move> moves_;
  std::size_t next_move_ = 0, there_ = 0, came_ = 0;
  Time zero_{}, ended_at_{}, looked_at_{};
  std::optional<Time> armed_, drain_until_, leave_until_, settle_at_, watch_at_;
  bool started_ = false, leaving_ = false, gone_ = false;
  std::string aborted_;
  // abort_when: what was counted when it was looked at before
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> watched_;

  Round round_ = Round::none;
  std::vector<std::uint32_t> to_visit_, second_;
  std::size_t next_visit_ = 0;
  std::vector<std::unique_ptr<MailboxVisit>> visits_;
  std::size_t visiting_ = 0;
  std::string wrong_;
  std::size_t closed_to_us_ = 0;  ///< accounts that could not be looked at in the check
  std::function<void(std::string)> checked_;
  std::function<void()> looked_;
  bool reports_unknown_ = false;                    ///< at the last look that counts into the sender's mailbox
  std::vector<bool> looked_into_;                   ///< by account: once at least
  std::map<std::uint32_t, std::string> failed_;     ///< account -> why a look failed, the last one
  std::map<std::string, std::uint64_t> unvisited_;  ///< accounts that could not be looked at, by why
  std::uint64_t foreign_ = 0, lay_before_ = 0, most_before_ = 0;
};

}  // namespace mailproof::load
