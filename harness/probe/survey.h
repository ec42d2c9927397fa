#pragma once
#include <memory>
#include <vector>

#include "probe/look.h"
#include "report/probe.h"
#include "scenario/target/target.h"

namespace mailproof::probe {

/// Looks at everything a target offers, one session at a time, so that what is measured is the server alone. Every wait
/// has a bound; what does not answer is said and left. Changes nothing in any mailbox.
class ProbeSurvey {
 public:
  ProbeSurvey(const scenario::Target& target, double patience);
  ~ProbeSurvey();
  report::Probe run();

 private:
  /// An account that is looked into, and what was seen of it.
  struct Watched {
    const scenario::PoolAccount* pool = nullptr;
    report::ProbedAccount seen;
    std::optional<report::ProbedLogin>& over(Protocol protocol) {
      return protocol == Protocol::imap ? seen.imap : seen.pop3;
    }
  };

  void choose_accounts();
  session::ClientConfig config(const Endpoint& endpoint, const scenario::PoolAccount* account) const;
  Watched* candidate(Protocol protocol);

  void endpoint(report::ProbedEndpoint& out);
  void mail_access(report::ProbedEndpoint& out, Watched* who);
  void submission(report::ProbedEndpoint& out);
  void take(const Seen& seen, report::ProbedEndpoint& out);
  void behind_a_bad_certificate(report::ProbedEndpoint& out);
  void into(Look& look, report::ProbedEndpoint& out, Watched& who);
  void mailboxes(ImapLook& look, Watched& who);
  void connects(report::ProbedEndpoint& out);
  void crowd(report::ProbedEndpoint& out);
  void remaining_accounts(Protocol protocol);
  bool in_time(const Look& look) const;
  std::string said(const session::Ended& end) const;

  const scenario::Target& target_;
  double patience_;
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<net::Loop> credulous_;  ///< takes any certificate; nobody logs in over it
  std::vector<Watched> watched_;
  bool login_delay_ = false;  ///< POP3 wants time between two logins of an account
  report::Probe probe_;
};

}  // namespace mailproof::probe
