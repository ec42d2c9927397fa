#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/wire_log.h"

namespace mailproof::run {

/// What servers say of themselves, by endpoint, from what went over the wire anyway: the greeting, IMPLEMENTATION of
/// POP3's CAPA (RFC 2449 section 6.9), an answer to IMAP's ID (RFC 2971). Any thread.
class ServersSaid {
 public:
  void look(const history::History& history, const std::vector<std::unique_ptr<history::WireLog>>& logs);
  /// "imap 127.0.0.1:143" -> "* OK Dovecot ready."
  std::map<std::string, std::string> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>> said_;  ///< by endpoint, then by what it is
  std::map<std::string, std::size_t> looked_;                       ///< sessions, by endpoint
};

}  // namespace mailproof::run
