#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "scenario/target/target.h"

namespace mailproof::explore {

/// What a world may use.
struct Offer {
  bool imap = true, pop3 = true;
  bool lmtp = true, smtp = true, append = true;  ///< ways to deliver
  std::size_t accounts = 4;                      ///< without a limit, at most so many of them
  std::vector<std::uint64_t> quotas = {};        ///< octets; each that an account of the target has
  std::vector<std::uint64_t> customer_quotas = {};
  bool tls = false;       ///< STARTTLS over IMAP and POP3
  bool smtp_tls = false;  ///< STARTTLS over SMTP
  bool set_quota = false, set_customer_quota = false;
  bool restarts = false;  ///< restart, kill and pause, and allowed
  /// Headers beyond ASCII are kept. RFC 3501 section 6.3.11 speaks of messages in the format of RFC 2822, whose headers
  /// are ASCII: what a server makes of others is its own affair until both sides have agreed on more (RFC 6855).
  bool raw_headers = true;
  std::size_t of_one_account = 0;  ///< connections of one account at the same time; 0 = as many as it likes
};
/// What there is on a target. An IMAP extension that a world uses and the target lacks makes that world not applicable.
Offer offer_of(const scenario::Target& target);

/// A random world: a scenario that anybody can read, keep, change and play. The same seed and offer are the same text
/// for ever. A seed draws which verbs and faults its world has at all, and how often each (swarm testing), so that
/// what is rare beside everything else is frequent somewhere.
/// It expects nothing but what every server that keeps the RFCs must show; what else is wrong the judges find.
/// One world in four is a talk instead (world_talk.h).
std::string world(std::uint64_t seed, const Offer& offer);

/// "explore.seed-17"
std::string world_id(std::uint64_t seed);
/// "explore-17.yaml"
std::string world_file(std::uint64_t seed);

}  // namespace mailproof::explore
