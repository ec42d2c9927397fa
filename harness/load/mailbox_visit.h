#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "load/scene.h"
#include "play/ownership.h"
#include "session/imap/client.h"

namespace mailproof::load {

/// What lies in an account.
struct Found {
  std::vector<std::uint32_t> parcels;    ///< indices, once a copy
  std::vector<std::uint32_t> elsewhere;  ///< the same in `VisitWhat::others`, which may show what lies in another one
  std::vector<std::string> bounced;      ///< Message-IDs in reports about messages of this run
  bool reports_unread = false;           ///< there are delivery reports, and what they are about could not be seen
  std::size_t messages = 0, leftovers = 0, foreign = 0;
  std::string wrong;  ///< why it could not be looked at; "" = it was
  std::vector<std::string> opened;
  std::map<std::string, std::string> unopened;  ///< mailboxes that are there and could not be looked into, and why
};

/// One look into an account outside of the measured time: a fresh session lists what lies in its mailboxes, by header
/// alone, and removes what is ours where it is told to.
class MailboxVisit {
 public:
  virtual ~MailboxVisit() = default;
  virtual bool over() const = 0;
  /// Once all is listed: whether ours is to be removed.
  std::function<bool(const Found&)> may_clean;
  /// From the network's loop; it is over() then.
  std::function<void(const Found&)> on_over;
};

struct VisitWhat {
  std::uint32_t account = 0;                     ///< index, or
  const scenario::PoolAccount* other = nullptr;  ///< ... one that is no customer's
  bool trash = false;                            ///< look there, too
  bool remove_trash = false;                     ///< and delete it in the end, if nothing is in it: we made it
  bool reports = false;                          ///< delivery reports may be here
  std::string sent = {};                         ///< look there, too; "" = nowhere
  bool remove_sent = false;                      ///< and delete it in the end, if nothing is in it
  std::vector<std::string> others = {};          ///< look there, too: profiles open them
  bool leftovers = false;                        ///< what is of another playing of mailproof's may go as well
};

/// Over IMAP, or over POP3 where `protocol` says so; that one cannot be told from the account's other mailboxes.
std::unique_ptr<MailboxVisit> visit(Scene& scene, Protocol protocol, VisitWhat what);

}  // namespace mailproof::load
