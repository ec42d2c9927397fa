#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "load/customer.h"
#include "session/smtp/client.h"

namespace mailproof::load {

/// How what customers send is numbered: of each account so many devices write at most, and each of them has numbers of
/// so many bits.
struct LetterNumbers {
  std::uint32_t writers = 1;
  unsigned bits = 0;
};
LetterNumbers letter_numbers(const scenario::Plan& plan);

/// The owner of a device writes to another account of the plan (one of the same thread): a connection a message, by
/// the target's SMTP endpoint that asks for a login, or its first.
class Writer final : public Alarm, public session::SmtpSink {
 public:
  /// `who`: number of the device among all of the plan that may write: what it sends is numbered by it, with
  /// numbers of `bits`. `device`: where a copy of what was sent is kept.
  Writer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account, std::uint32_t who,
         unsigned bits, std::uint64_t seed, Customer& device);
  ~Writer() override;
  Writer(const Writer&) = delete;

  void come(Time due);
  void leave(Time now);
  bool owes() const;  ///< as Customer's
  bool away() const { return !present_ && client_ == nullptr; }
  void drop();

  void ring(Time now) override;
  // session::SmtpSink
  void on_ready(Time now) override;
  void on_reply(std::string_view, const session::SmtpReply&, Time) override {}
  void on_recipient(session::CommandId, const session::RecipientResult& result, Time) override;
  void on_done(session::CommandId, session::Outcome outcome, Time sent, Time now) override;
  void on_ended(const session::Ended& end, Time now) override;

 private:
  void write(Time due);
  void arm();
  Time next(Time due);
  std::uint32_t next_number();
  bool numbers_left() const { return written_ + 2 < 1U << bits_; }

  Scene& scene_;
  const scenario::Letters& sending_;
  const Endpoint* endpoint_;
  const std::uint32_t account_, who_;
  const unsigned bits_;
  const std::uint16_t number_;
  Rng rng_;
  Customer& device_;
  FlightRecorder recorder_;
  std::unique_ptr<session::SmtpClient> client_;
  std::unique_ptr<TappedPeer> tap_;
  std::unique_ptr<Link> link_;
  std::optional<Time> due_;
  std::optional<std::size_t> parcel_;  ///< under way
  std::uint32_t written_ = 0, session_ = 0;
  Time intended_{}, opened_{}, began_{};
  std::string class_;
  EndReason lost_ = EndReason::none;  ///< how the session ended, where that is why nothing was said of the message
  bool present_ = false, dead_ = false, quitting_ = false;
};

}  // namespace mailproof::load
