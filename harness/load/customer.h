#pragma once
#include <algorithm>
#include <memory>

#include "load/scene.h"

namespace mailproof::load {

/// One device of one account, played by its profile for as long as its owner is there. Stands directly on a client
/// session: a handful of due times and a place in a list of steps.
class Customer : public Alarm {
 public:
  Customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
           std::uint64_t seed)
      : scene_(scene), profile_(profile), account_(account), number_(number), rng_(seed) {}
  ~Customer() override { scene_.network.set_alarm(*this, std::nullopt); }
  Customer(const Customer&) = delete;
  Customer& operator=(const Customer&) = delete;

  virtual void come(Time due) = 0;   ///< the owner is there: it connects
  virtual void leave(Time now) = 0;  ///< ends what is under way and says goodbye
  /// No connection, and none wanted.
  bool away() const { return !connected() && !present_; }
  void drop();  ///< breaks off at once
  /// Puts a message that was sent into its mailbox for those, as soon as it is connected.
  virtual void save(std::size_t parcel, Time now) { (void)parcel, (void)now; }
  /// Whether by `now` it should have shown what was accepted then: who wants to be told of new mail as it comes,
  /// however its connection fares; and who polls, once a poll was due since.
  bool should_have_seen(Time accepted, Time now) const {
    return (profile_.idle && present_) || accepted < polled_at_ ||
           (next_poll_ && *next_poll_ <= now && accepted < *next_poll_);
  }
  /// Something was due before the load was ended, is not begun, and still can be.
  virtual bool owes() const = 0;
  std::uint32_t account() const { return account_; }
  const FlightRecorder& recorder() const { return recorder_; }
  const scenario::Profile& profile() const { return profile_; }
  /// A further connection of a device, and not the one that looks for mail.
  bool beside() const { return profile_.protocol == Protocol::imap && !profile_.idle && profile_.every == Duration{}; }

  void ring(Time now) final {
    if (armed_) scene_.lateness.add(now - *armed_);
    armed_.reset();
    wake(now);
  }

 protected:
  virtual void wake(Time now) = 0;
  void arm(std::optional<Time> at) {
    if (at == armed_) return;
    armed_ = at;
    scene_.network.set_alarm(*this, at);
  }
  /// The next time of something that is done every so often, a little earlier or later by chance.
  Time next(Time due) {
    const double part = 2 * static_cast<double>(rng_.next()) / 4294967296.0 - 1;
    const Duration every = scene_.paced(profile_.every);
    return due + every +
           Duration(static_cast<std::int64_t>(static_cast<double>(every.count()) * part * profile_.jitter));
  }

  /// The first of these times, which lies anywhere within the interval: so the polls of many who came together are not
  /// all due at once, nor none of them for long.
  Time first(Time due) {
    if (profile_.jitter == 0 && scene_.plan.polls_at_once) return next(due);  // who polls by the clock from then on
    const double part = static_cast<double>(rng_.next()) / 4294967296.0;
    return due + Duration(static_cast<std::int64_t>(static_cast<double>(scene_.paced(profile_.every).count()) * part));
  }
  /// It connects when its owner comes; else when its first poll is due.
  bool connects_at_once() const { return profile_.stays || profile_.every == Duration{} || scene_.plan.polls_at_once; }

  /// At the end of the measured time: polls that were due while the customer was still waiting for answers.
  void count_missed(stats::Operations::Id round, std::optional<Time> due, Time now) {
    for (; scene_.over && due && *due < scene_.stopped_at; due = next(*due)) scene_.missed(round, *due, now);
  }
  virtual bool connected() const = 0;  ///< it has a session, which may be over
  virtual void forget_session() = 0;   ///< ... and has none any more
  /// A session that ended before the login was answered, or in the middle of a poll: neither of them is done.
  void count_broken(Time now, std::string_view error_class, bool refused, EndReason how);
  /// A session is begun with that, which lives until it is forgotten.
  void open(Peer& session, const Endpoint& endpoint, Time intended);
  /// A session that is over goes, from outside its own calls.
  void bury();

  Scene& scene_;
  FlightRecorder recorder_;
  const scenario::Profile& profile_;
  const std::uint32_t account_;
  const std::uint16_t number_;  ///< of the profile
  Rng rng_;
  std::unique_ptr<Link> link_;
  std::uint32_t session_ = 0;
  std::uint32_t current_ = 0;            ///< the command that is under way; 0 = none
  stats::Operations::Id operation_ = 0;  ///< ... and what it counts as
  Time intended_{}, round_intended_{}, opened_{}, login_from_{};
  Time polled_at_{};  ///< when the poll was due that was begun last
  std::optional<Time> next_poll_;
  bool present_ = false, dead_ = false, ready_ = false;
  bool greeted_ = false;   ///< the server spoke first
  bool rounding_ = false;  ///< a whole poll is under way

 private:
  void close_link();
  std::string_view protocol() const { return name(profile_.protocol); }

  std::optional<TappedPeer> tap_;
  std::optional<Time> armed_;
};

/// A class of errors for how a session ended.
std::string error_class(const session::Ended& end);

std::unique_ptr<Customer> make_imap_customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number,
                                             std::uint32_t account, std::uint64_t seed);
std::unique_ptr<Customer> make_pop3_customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number,
                                             std::uint32_t account, std::uint64_t seed);

/// FETCH items that also bring what identifies a message: X-Mailproof, Message-ID and Subject are added to
/// HEADER.FIELDS.
std::string with_identity(const std::string& items);

}  // namespace mailproof::load
