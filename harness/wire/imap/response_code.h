#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "wire/imap/cursor.h"
#include "wire/imap/flags.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::imap {

/// resp-text-code (RFC 9051 section 7.1, RFC 5530, 4315, 7162, 9208). Every code keeps its name and raw arguments;
/// those that carry something are read as well, and what does not fit its grammar leaves the members empty and a
/// deviation.
struct ResponseCode {
  std::string_view name;                ///< as sent, "" = no code
  std::string_view arguments;           ///< as sent, without the space in front
  std::uint32_t number = 0;             ///< UIDNEXT, UIDVALIDITY, UNSEEN
  std::uint32_t uidvalidity = 0;        ///< APPENDUID, COPYUID: of the destination
  SequenceSet source;                   ///< COPYUID; MODIFIED: the messages not stored
  SequenceSet destination;              ///< COPYUID, APPENDUID
  std::optional<std::uint64_t> modseq;  ///< HIGHESTMODSEQ
  FlagList flags;                       ///< PERMANENTFLAGS
  std::vector<std::string_view> words;  ///< CAPABILITY

  bool is(std::string_view code) const { return iequals(name, code); }
  explicit operator bool() const { return !name.empty(); }
  void clear();
};

/// "[" resp-text-code "]", cursor on the "[". False, and nothing was taken, where that is no code: then it is text.
bool read_response_code(Cursor& c, ResponseCode& into);

}  // namespace mailproof::imap
