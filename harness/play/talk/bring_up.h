#pragma once
#include <string>
#include <vector>

#include "play/talk/connection.h"
#include "play/talk/way_in.h"
#include "scenario/check/check.h"
#include "wire/imap/command.h"

namespace mailproof::play {

/// The target's endpoint that a talk means; null: it has none.
const Endpoint* talk_endpoint(const scenario::Target& target, const scenario::TalkConnect& how);

/// Brings a talk's connection to where the talk wants it: greeting, STARTTLS, login, SELECT. Looked at again whenever
/// something came.
class TalkBringUp {
 public:
  TalkBringUp(Context& context, TalkConnection& connection, const scenario::TalkConnect& how, const Endpoint& endpoint);

  enum class State { busy, up, refused, failed };
  /// Wants more than before: from authorization on to authenticated.
  void raise(scenario::Standing standing);
  /// The same by USER and PASS, also where another mechanism is wanted.
  void raise_by_password(scenario::Standing standing);
  /// Goes on as far as it can. `refused`: another session has the maildrop, it may be tried again.
  State go_on();
  const std::string& why() const { return why_; }
  bool user_taken() const { return user_taken_; }    ///< USER was answered with +OK
  const TalkReply& hello() const { return hello_; }  ///< SMTP, LMTP: the newest answer to EHLO or LHLO

 private:
  enum class Step {
    greeting,
    hello,
    starttls,
    tls,
    mechanisms,
    user,
    pass,
    plain,
    login,
    authenticate,
    exchange,
    select,
    up
  };
  State at(Step step);
  State fail(std::string why);
  State clear_text(std::string_view what);
  void say(std::string text, bool secret = false);
  void go_on_with_login();
  std::optional<State> exchange(std::string_view line, bool ok);
  Step behind_tls() const;
  State mail(const TalkReply& reply);
  bool tagged(const std::string& line) const;
  std::string credentials() const;

  std::string door() const;
  void mechanisms(const TalkReply& reply);

  Context& context_;
  TalkConnection& connection_;
  scenario::TalkConnect how_;
  const Endpoint endpoint_;
  const scenario::PoolAccount& account_;
  bool wants_starttls_;
  bool wants_auth_;  ///< SMTP: this service takes no mail without a login
  TalkReply hello_;
  bool user_taken_ = false;
  imap::CommandWriter login_;
  std::vector<std::string> capabilities_;  ///< as CAPABILITY told them before login
  std::unique_ptr<TalkSasl> sasl_;         ///< an exchange that is on
  Step step_ = Step::greeting;
  std::string why_;
};

/// What a server offers, asked over a connection of its own: CAPA or CAPABILITY, before and, where that may tell more,
/// after login. A server without CAPA is tried: USER, UIDL, TOP. APOP is in no list, so it is tried as well.
class TalkProbe {
 public:
  TalkProbe(Context& context, std::uint32_t session, const scenario::TalkConnect& how, const Endpoint& endpoint,
            std::vector<WantedOffer> wanted);

  /// Goes on as far as it can; to be called again when something came. True: it is over.
  bool go_on();
  bool leaving() const { return step_ == Step::quitting; }  ///< all is known, only the end is awaited
  bool refused() const { return refused_; }                 ///< over, as somebody else has the maildrop
  const Offered& offered() const { return offered_; }
  const std::string& problem() const { return problem_; }  ///< why it could not be asked; "" = it was
  TalkConnection& connection() { return connection_; }

 private:
  enum class Step { greeting, before, apop, raising, after, trying, quitting, over };
  void greeted();
  void listed(const TalkReply& reply);
  void log_in();
  void raised(TalkBringUp::State state);
  void quit();
  void tried(const TalkReply& reply);
  bool as_unknown(std::string_view command, const std::string& said) const;
  bool everything_known() const;
  void take(const TalkReply& reply);
  bool ask(std::string_view command, Step next);
  bool broken();

  TalkConnection connection_;
  scenario::TalkConnect how_;
  TalkBringUp bring_up_;
  std::vector<WantedOffer> wanted_;
  Step step_ = Step::greeting;
  Offered offered_;
  std::string trying_;        ///< the command that is being tried
  std::string unknown_;       ///< what it says to a command that cannot be
  bool by_password_ = false;  ///< it is tried whether USER lets in
  bool refused_ = false;
  std::string problem_;
};

}  // namespace mailproof::play
