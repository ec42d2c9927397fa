#pragma once
#include <functional>
#include <memory>

#include "play/devices/mailbox_reader.h"
#include "play/recorded/imap.h"

namespace mailproof::play {

/// What became of a message that an MTA took: looks into the recipient's and the sender's INBOX until one of them
/// tells.
class BounceWatch final : public Alarm {
 public:
  enum class Seen { nothing, delivered, bounced, cannot_look };
  using Then = std::function<void(Seen)>;

  /// `sender` 0 = the null reverse-path or outside the scenario: no report can come.
  BounceWatch(Context& context, std::uint32_t sender, std::uint32_t recipient);
  ~BounceWatch() override;

  /// Asks, soon at first and then once a second, until something is seen or `bound` has passed. One message at a time.
  void await(std::uint32_t message, Duration bound, Then then);
  void close();  ///< logs out, in the background
  void ring(Time now) override;

 private:
  struct Eye {
    std::uint32_t account = 0;
    std::unique_ptr<RecordedImap> session;
    std::unique_ptr<MailboxReader> reader;
  };
  void look(std::size_t eye);
  void decide();
  void answer(Seen seen);

  Context& context_;
  std::uint32_t recipient_;
  std::vector<Eye> eyes_;
  std::uint32_t message_ = 0;
  Time since_, deadline_;
  Then then_;
  bool blind_ = false;
};

}  // namespace mailproof::play
