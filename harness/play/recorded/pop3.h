#pragma once
#include <functional>
#include <map>
#include <memory>

#include "play/context.h"
#include "play/ownership.h"
#include "session/pop3/client.h"

namespace mailproof::play {

/// One POP3 connection that writes down everything it does and sees; the POP3 sister of ImapSession, with the same
/// rules: RETR and DELE take a proof that the message is ours, which its header gives (TOP n 0). Where TOP is not
/// offered, or refused, nobody has looked, and it counts as somebody else's.
class Pop3Session final : public session::Pop3Sink {
 public:
  struct Result {
    session::Outcome outcome = session::Outcome::fail;
    std::string code, text;
    bool ok() const { return outcome == session::Outcome::ok; }
  };
  using Then = std::function<void(const Result&)>;

  /// What is known of a message number in this session.
  struct Entry {
    std::uint64_t octets = 0;
    std::string uidl;
    std::uint32_t message = 0;  ///< one of ours, once its content was seen
  };

  Pop3Session(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
              const Endpoint& endpoint, const std::string& mechanism = "");
  ~Pop3Session() override;

  void open(Then then);
  void stat(Then then);
  void list(Then then);
  void uidl(Then then);
  void top(std::uint32_t number, Then then);  ///< the header alone
  void retr(const OwnedNumber& number, Then then);
  void dele(const OwnedNumber& number, Then then);
  void rset(Then then);
  void quit(Then then);
  void give_up(const std::string& why) { client_->give_up(why); }
  void drop(bool with_reset);
  void misbehave(const LinkFaults& faults);

  session::Pop3Client& client() { return *client_; }
  bool ready() const { return client_->ready() && !ended_ && !leaving_; }
  bool over() const { return ended_; }
  const session::Ended& end() const { return end_; }  ///< how, once it is over
  std::uint32_t number() const { return number_; }
  std::uint32_t messages() const { return messages_; }  ///< by the last STAT
  const std::map<std::uint32_t, Entry>& entries() const { return entries_; }
  std::vector<std::uint32_t> numbers() const;                                      ///< of all entries, ascending
  std::uint32_t message(std::uint32_t number) const;                               ///< of its entry
  const std::string& uidl(std::uint32_t number) { return entries_[number].uidl; }  ///< of its entry
  const Pop3Guard& guard() const { return guard_; }
  bool looked_at(std::uint32_t number) const { return guard_.looked_at(number); }
  std::optional<OwnedNumber> owned(std::uint32_t number) const { return guard_.owned(number); }
  /// Looks at the headers of those that nobody has looked at yet, as far as the server lets us.
  void look_at(std::vector<std::uint32_t> numbers, Finish then);
  /// Closes a complete listing in the history.
  void enumerated();
  std::function<void(const session::Ended&)> ended_hook;

  // session::Pop3Sink
  void on_ready(Time now) override;
  void on_done(const session::Pop3Completion& done, Time now) override;
  void on_stat(std::uint32_t messages, std::uint64_t octets, Time now) override;
  void on_list(std::uint32_t number, std::uint64_t octets, Time now) override;
  void on_uidl(std::uint32_t number, std::string_view id, Time now) override;
  void on_content_begin(std::uint32_t number, bool top, Time now) override;
  void on_content(std::string_view chunk) override;
  void on_content_end(std::uint64_t octets, Time now) override;
  void on_deviation(const session::Deviation& deviation, Time now) override;
  void on_ended(const session::Ended& ended, Time now) override;

 private:
  struct Pending {
    std::uint32_t event = 0;
    history::What what = history::What::pop_noop;
    std::uint32_t number = 0;  ///< of the message it is about
    Then then;
  };
  history::Event event(history::Type type, history::What what) const;
  template <class Issue>
  void command(history::Event invoke, Then then, Issue&& issue);

  Context& context_;
  std::uint32_t number_;
  std::unique_ptr<session::Pop3Client> client_;
  std::unique_ptr<history::RecordedPeer> recorded_;
  std::unique_ptr<Link> link_;
  Endpoint endpoint_;
  std::map<session::CommandId, Pending> pending_;
  std::map<std::uint32_t, Entry> entries_;
  Then opened_;
  std::uint32_t connect_event_ = 0;
  std::uint32_t messages_ = 0;
  std::uint64_t octets_ = 0;
  bool ended_ = false;
  bool leaving_ = false;  ///< QUIT was asked for
  session::Ended end_;
  mail::ContentScanner scanner_;
  Pop3Guard guard_;
  std::uint64_t content_octets_ = 0;
};

}  // namespace mailproof::play
