#pragma once
#include <map>
#include <string>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// RFC 5321 section 4.5.4.1: what an MTA took it may queue, and deliver when it likes. Of what came that way, and was
/// shown to nobody in time, nothing is owed. All events are looked at once, by the constructor; the case must outlive
/// it.
class LateMail {
 public:
  explicit LateMail(const Case& c);

  /// account 0 = any. "" = it was there in time, or did not come that way.
  std::string came_later(const history::Event& expectation, std::uint32_t message, std::uint32_t account) const;

 private:
  std::uint32_t needed_by(const history::Event& expectation, std::uint32_t accepted) const;

  /// Events of one device, in order.
  struct Looks {
    std::vector<std::uint32_t> pop3_logins;
    std::vector<std::uint32_t> imap;  ///< whatever was answered OK
  };
  const Case& c_;
  std::map<std::uint32_t, Looks> of_;
};

/// Whether an MTA answered it, which may queue what it takes; LMTP may not (RFC 2033 section 4.2).
bool over_smtp(const Case& c, const history::Event& reply);

/// Whether its MTA may still be trying: as long as the target file says that it does, or for days (RFC 5321 section
/// 4.5.4.1). `taken`: the answer that accepted it.
bool may_still_be_tried(const Case& c, std::uint32_t account, std::uint32_t taken);

/// The mailbox may be full: it, or the customer whose it is, has a limit.
bool has_limit(const Case& c, std::uint32_t account);

/// Whether an admin step stopped the server between these two events: what it was sending then it sends again (RFC 5321
/// section 6.1, RFC 1047).
bool stopped_between(const Case& c, std::uint32_t from, std::uint32_t to);

/// The same of what was answered: a server that is killed may not have noted the answer, and one that is stopped in
/// order cuts off what has just come to it from its own queue.
bool may_have_lost_its_answer(const Case& c, std::uint32_t answer, std::uint32_t to);

/// Taken over SMTP when nobody had seen it yet, or once more since: that copy may be queued.
bool perhaps_queued(const Case& c, const history::Cell& cell);

}  // namespace mailproof::judge
