#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/imap/cursor.h"
#include "wire/imap/flags.h"
#include "wire/imap/framer.h"

namespace mailproof::imap {

/// One "BODY[...]<n> nstring" of a FETCH response, or its old and binary relatives.
struct FetchSection {
  std::string_view item;                ///< "BODY", "BINARY", "RFC822", "RFC822.HEADER", "RFC822.TEXT"
  std::string_view section;             ///< between the brackets: "", "HEADER", "1.2.MIME", "HEADER.FIELDS (DATE)"
  std::optional<std::uint32_t> origin;  ///< of a partial fetch
  Text content;                         ///< NIL, in the line, or streamed
};

/// msg-att (RFC 9051 section 7.5.2). Absent items are empty.
struct FetchData {
  std::uint32_t uid = 0;  ///< 0 = absent
  bool has_flags = false;
  FlagList flags;
  std::optional<std::uint64_t> size;  ///< RFC822.SIZE
  std::optional<std::uint64_t> modseq;
  Text internaldate;
  std::string_view envelope;       ///< raw; decode_envelope() reads it
  std::string_view bodystructure;  ///< raw, of BODYSTRUCTURE or BODY; decode_body() reads it
  std::vector<FetchSection> sections;

  void clear();
};

/// "(" msg-att ")"; items of unknown names are skipped.
void read_fetch_data(Cursor& c, FetchData& into);

/// What a literal of a response belongs to, known before its octets come.
struct ContentLiteral {
  std::uint32_t message = 0;  ///< sequence number
  std::string_view item;
  std::string_view section;
  std::optional<std::uint32_t> origin;
};
/// Nothing when it is no message content but a string within ENVELOPE, LIST and so on.
std::optional<ContentLiteral> content_literal(std::string_view line_so_far);

}  // namespace mailproof::imap
