#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "history/history.h"
#include "import/observe/mail_scan.h"

namespace mailproof::imports {

/// What was seen of a message.
struct Sight {
  std::string message_id, subject;
  bool envelope = false;  ///< the server read it so (RFC 3501 section 7.4.2): it may be other words than the header's
  bool whole = false;     ///< body_hash and the sizes are known
  std::uint64_t body_hash = 0, size = 0, header_octets = 0;
  std::uint32_t header_fields = 0, body_lines = 0;

  /// What tells messages apart in the value of a Message-ID, whoever read it: "<1@x>" without comments and blanks.
  static std::string id_of(std::string_view value);
  static Sight of(const MailScan& scan, bool whole);
};

/// Gives numbers to mail that bears no token. A message is known by its Message-ID; where two with the same one have
/// different bodies, by its body as well; and in a place that has one (a UID, a unique-id), the same Message-ID there
/// is the same message. A server may store another body than it was handed (line ends, a footer), so that a body on its
/// way is that of the message with its Message-ID until somebody reads it where it lies. What cannot be told apart has
/// no number.
class KnownMail {
 public:
  explicit KnownMail(history::History& history) : history_(history) {}

  /// `place` names a place that holds one message for ever; "" = it was seen in none.
  std::uint32_t number(Sight sight, const std::string& place);
  /// What ENVELOPE tells of this place and what the header does are other words: whether it is another message, nobody
  /// can say.
  bool unsure(const Sight& sight, const std::string& place) const;
  std::uint32_t at(const std::string& place) const;  ///< 0 = nobody looked

 private:
  struct Body {
    std::uint64_t hash = 0;
    bool stored = false;  ///< read where it lies; else as it was handed over
  };
  std::uint32_t add(const Sight& sight, bool stored);
  std::uint32_t find(const Sight& sight, bool stored);

  history::History& history_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_id_;
  struct Place {
    std::uint32_t message = 0;
    bool envelope = false;  ///< nobody read its header
  };
  std::unordered_map<std::string, Place> by_place_;
  std::vector<std::optional<Body>> bodies_;  ///< by number - 1, once somebody read it whole
};

}  // namespace mailproof::imports
