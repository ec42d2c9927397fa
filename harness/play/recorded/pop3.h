#pragma once
#include <functional>
#include <map>
#include <memory>

#include "play/context.h"
#include "play/ownership.h"
#include "play/recorded/recorder.h"
#include "session/pop3/client.h"

namespace mailproof::play {

/// One POP3 connection that writes down everything it does and sees; the POP3 sister of RecordedImap, with the same
/// rules: RETR and DELE take a proof that the message is ours, which its header gives (TOP n 0). Where TOP is not
/// offered, or refused, nobody has looked, and it counts as somebody else's. Where the server wants time between two
/// logins (LOGIN-DELAY, RFC 2449 section 6.5) and refuses one for that, it waits, and connects anew.
class RecordedPop3 final : public session::Pop3Sink, public Alarm {
 public:
  using Then = Recorder::Then;

  /// What is known of a message number in this session.
  struct Entry {
    std::uint64_t octets = 0;
    std::string uidl;
    std::uint32_t message = 0;  ///< one of ours, once its content was seen
  };

  RecordedPop3(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
               const Endpoint& endpoint, const std::string& mechanism = "", const scenario::Profile* profile = nullptr);
  ~RecordedPop3() override { context_.network.set_alarm(*this, std::nullopt); }

  void open(Then then);
  Duration waited() const { return waited_; }  ///< for the server's delay between logins, in open()
  /// Why the login was given up: the server wants more time between two than anybody waits for. "" = it was not.
  const std::string& too_long() const { return too_long_; }
  void stat(Then then);
  void list(Then then);
  void uidl(Then then);
  void top(std::uint32_t number, Then then);  ///< the header alone
  void retr(const OwnedNumber& number, Then then);
  void dele(const OwnedNumber& number, Then then);
  void rset(Then then);
  void quit(Then then);
  void give_up(const std::string& why) { client_->give_up(why); }
  void drop(bool with_reset) { recorder_->drop(with_reset, "the device drops the connection without QUIT"); }
  void misbehave(const LinkFaults& faults) { recorder_->misbehave(faults); }

  session::Pop3Client& client() { return *client_; }
  bool ready() const { return client_->ready() && !over() && !leaving_; }
  bool over() const { return recorder_->over(); }
  const session::Ended& end() const { return recorder_->end(); }  ///< how, once it is over
  std::uint32_t number() const { return recorder_->number(); }
  std::uint32_t messages() const { return messages_; }  ///< by the last STAT
  const std::map<std::uint32_t, Entry>& entries() const { return entries_; }
  std::vector<std::uint32_t> numbers() const;                                      ///< of all entries, ascending
  std::uint32_t message(std::uint32_t number) const;                               ///< of its entry
  const std::string& uidl(std::uint32_t number) { return entries_[number].uidl; }  ///< of its entry
  const Pop3Guard& guard() const { return guard_; }
  bool looked_at(std::uint32_t number) const { return guard_.looked_at(number); }
  std::optional<OwnedNumber> owned(std::uint32_t number) const { return guard_.owned(number); }
  /// What its CAPA says of what is downloaded; nothing: it says nothing of it.
  std::optional<Pop3Download> announced_download() const;
  /// Looks at the headers of those that nobody has looked at yet, as far as the server lets us.
  void look_at(std::vector<std::uint32_t> numbers, Finish then);
  /// Closes a complete listing in the history.
  void enumerated();
  void ring(Time now) override;

  // session::Pop3Sink
  void on_ready(Time) override;
  void on_done(const session::Pop3Completion& done, Time now) override;
  void on_stat(std::uint32_t messages, std::uint64_t octets, Time now) override;
  void on_list(std::uint32_t number, std::uint64_t octets, Time now) override;
  void on_uidl(std::uint32_t number, std::string_view id, Time now) override;
  void on_content_begin(std::uint32_t number, bool top, Time now) override;
  void on_content(std::string_view chunk) override;
  void on_content_end(std::uint64_t octets, Time now) override;
  void on_deviation(const session::Deviation& deviation, Time) override { recorder_->deviation(deviation); }
  void on_ended(const session::Ended& ended, Time now) override;

 private:
  history::Event event(history::Type type, history::What what) const { return recorder_->event(type, what); }
  template <class Issue>
  void command(history::What what, std::uint32_t number, Then then, Issue&& issue);

  void begin();
  void connect(Then then);
  void wait_until(Time at, Finish then);
  std::optional<Time> again_at();

  Context& context_;
  const std::uint32_t device_, account_, audit_round_;
  const Endpoint endpoint_;
  const std::string mechanism_;
  const scenario::Profile* const profile_;
  std::unique_ptr<session::Pop3Client> client_;
  std::map<std::uint32_t, Entry> entries_;
  std::uint32_t messages_ = 0;
  std::uint64_t octets_ = 0;
  bool leaving_ = false;  ///< QUIT was asked for
  mail::ContentScanner scanner_;
  Pop3Guard guard_;
  std::uint64_t content_octets_ = 0;
  Finish alarm_;
  Duration waited_{};
  bool again_ = false;  ///< it was refused too soon after another, and tries once more
  std::string too_long_;
  std::optional<Recorder> recorder_;  ///< last: its link goes first
};

}  // namespace mailproof::play
