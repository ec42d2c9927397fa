#pragma once
#include "load/customer.h"
#include "play/ownership.h"
#include "session/pop3/client.h"

namespace mailproof::load {

/// A customer's POP3 client: a session a poll.
class Pop3Customer final : public Customer, public session::Pop3Sink {
 public:
  Pop3Customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
               std::uint64_t seed)
      : Customer(scene, profile, number, account, seed), guard_(fresh_guard()) {}
  ~Pop3Customer() override { drop(); }

  void come(Time due) override;
  void leave(Time now) override;
  bool owes() const override { return present_ && next_poll_ && *next_poll_ < scene_.stopped_at; }

  // session::Pop3Sink
  void on_greeting(std::string_view text, Time now) override;
  void on_capabilities(std::span<const std::string> lines, session::Stage stage, Time now) override;
  void on_ready(Time now) override;
  void on_done(const session::Pop3Completion& done, Time now) override;
  void on_stat(std::uint32_t messages, std::uint64_t octets, Time now) override;
  void on_list(std::uint32_t number, std::uint64_t octets, Time now) override;
  void on_uidl(std::uint32_t number, std::string_view id, Time now) override;
  void on_content_begin(std::uint32_t number, bool top, Time now) override;
  void on_content(std::string_view chunk) override;
  void on_content_end(std::uint64_t octets, Time now) override;
  void on_ended(const session::Ended& end, Time now) override;

 private:
  /// A message of the maildrop, in this session.
  struct Listed {
    std::uint32_t number = 0;
    std::uint32_t parcel = 0;  ///< index + 1; 0: not known to be of this run
    std::uint64_t id = 0;      ///< hash of its unique-id; 0 = not told
    bool got = false, marked = false;
    bool retrieved = false;  ///< ... by RETR
    bool looked = false;     ///< its header was asked for; a server may refuse that
  };
  /// One that was fetched and left there.
  struct Kept {
    std::uint64_t id = 0;
    Time got{};
    std::uint32_t parcel = 0;
  };

  void wake(Time now) override;
  void put_off(Time now);
  void connect(Time intended);
  void proceed(Time now);
  bool perform(const scenario::ProfileStep& step);
  bool retrieve(const scenario::ProfileStep& step);
  bool message_by_message(const scenario::ProfileStep& step);
  bool ask_of(const scenario::ProfileStep& step, Listed& one, const play::OwnedNumber& owned);
  bool show_lines(const scenario::ProfileStep& step);
  std::optional<play::OwnedNumber> ours(Listed& one);
  void retr(Listed& one, const play::OwnedNumber& owned);
  void lines(const play::OwnedNumber& owned, std::uint32_t count);
  /// Where nobody else's mail is, all is as if the user had said so.
  play::Pop3Guard fresh_guard() const {
    return play::Pop3Guard(scene_.settings.own_mailboxes || !scene_.settings.look_first);
  }
  bool dele_due();
  bool dele(Listed& one);
  bool expired(const Listed& one, Time now) const;
  bool known(const Listed& one) const;
  void asked(session::CommandId id, std::string_view operation);
  Listed& row(std::uint32_t number);
  Listed* find(std::uint32_t number);
  void put_in_order();
  bool one_there();
  void ask_for_removal(bool asked);
  void note_double(std::uint32_t parcel, const Listed& one);
  void look_at(const mail::ContentScanner& scanner, Listed& one, Time now);
  void arm_next();

  bool connected() const override { return client_ != nullptr; }
  void forget_session() override { client_.reset(); }

  std::unique_ptr<session::Pop3Client> client_;
  play::Pop3Guard guard_;
  std::unique_ptr<mail::ContentScanner> scanner_;
  std::vector<Listed> listed_;                   ///< by number, once they are put in order
  std::vector<Kept> kept_;                       ///< by id, ascending
  std::size_t step_ = 0, place_ = 0, part_ = 0;  ///< part_: of the steps for one message
  std::uint32_t reading_ = 0, stated_ = 0;       ///< stated_: messages, by STAT
  Duration login_delay_{};                       ///< as the server announces it
  std::vector<std::uint32_t> mine_;              ///< parcels of the maildrop, in this session, ascending
  bool leaving_ = false, top_ = false;
  bool told_ = false, in_order_ = true;  ///< told_: all numbers, by LIST or UIDL
};

}  // namespace mailproof::load
