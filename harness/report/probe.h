#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate.h"
#include "core/network.h"
#include "report/text.h"

namespace mailproof::report {

/// Connections that were open at once, and what became of those that were too many.
struct ProbedCrowd {
  unsigned opened = 0;
  unsigned logged_in = 0;
  unsigned served = 0;                ///< greeted, and logged in where that was asked for
  std::vector<std::string> refusals;  ///< each said once
};

/// What one endpoint of the target offers. What was not seen is absent, which is not the same as empty.
struct ProbedEndpoint {
  Endpoint endpoint;
  bool answered = false;       ///< it spoke its protocol, or showed a certificate
  bool usable = false;         ///< a session came as far as the login
  bool logged_in = false;      ///< and a login worked
  std::string trouble;         ///< where and why it came no further; "" = it did
  bool login_refused = false;  ///< here alone: it works at another endpoint
  std::string greeting;
  using Words = std::optional<std::vector<std::string>>;  ///< IMAP capabilities, CAPA lines, EHLO keywords
  Words before_tls, after_tls, after_login;
  std::string tls_version, cipher;
  std::optional<Certificate> certificate;
  std::optional<double> connect_ms;  ///< median, from the first packet to the greeting, implicit TLS included
  std::optional<double> noop_ms;     ///< median
  std::optional<ProbedCrowd> crowd;
  std::string no_crowd;  ///< why not
};

/// A login over one protocol.
struct ProbedLogin {
  bool ok = false;
  std::string text;                       ///< what refused it, why it was not tried, or why the messages are not known
  bool tried = true;                      ///< the server was asked
  std::optional<std::uint32_t> messages;  ///< in the INBOX or the maildrop
};

struct ProbedMailbox {
  std::string name;
  std::uint64_t messages = 0;
  std::optional<std::uint64_t> ours;  ///< of these, stamped by an earlier run
};

struct ProbedQuota {
  std::string root, resource;
  std::uint64_t used = 0, limit = 0;  ///< as sent: STORAGE in units of 1024 octets (RFC 9208 section 5.1)
};

struct ProbedAccount {
  std::string login;
  std::optional<std::uint64_t> quota;  ///< what the target file promises, in octets
  std::optional<ProbedLogin> imap, pop3;
  std::vector<ProbedMailbox> mailboxes;            ///< over IMAP, those that hold something
  std::optional<std::vector<ProbedQuota>> quotas;  ///< of the INBOX; absent where QUOTA is not offered
};

/// All that was seen of a target.
struct Probe {
  std::string target, version;
  std::chrono::sys_seconds at{};
  bool insecure = false;  ///< certificates are not verified
  std::vector<ProbedEndpoint> endpoints;
  std::vector<ProbedAccount> accounts;     ///< those looked into
  std::size_t pool = 0, pool_limited = 0;  ///< accounts of the target; of these, with a quota
  std::vector<std::string> delivery;       ///< ways that the target file names and that lead somewhere
  std::uint64_t open_files = 0;            ///< this process's own limit
  bool interrupted = false;
};

/// A sentence about what would get in the way of runs.
struct Obstacle {
  bool hinders = false;  ///< runs would fail; else they would be less than they could be
  std::string text;
};
std::vector<Obstacle> obstacles(const Probe& probe);

/// 0 nothing hinders, 1 runs would fail, 3 nothing could be said: no endpoint answered, or it was interrupted.
int probe_status(const Probe& probe);

/// SASL mechanisms offered where the login would be, with what stands beside SASL: "USER", "APOP", "LOGIN" (the
/// command).
std::vector<std::string> mechanisms(const ProbedEndpoint& endpoint);

/// The target names it without TLS, and without TLS it takes no login.
bool refuses_plaintext(const ProbedEndpoint& endpoint);

/// Whole days until the certificate's end; negative behind it.
std::int64_t days_left(const Certificate& certificate, std::chrono::sys_seconds at);

/// For people.
std::string probe_text(const Probe& probe, const TextStyle& style = {});

/// reports/probe.schema.json says what is in it.
std::string probe_json(const Probe& probe);

}  // namespace mailproof::report
