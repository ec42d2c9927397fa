#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "wire/imap/deviation.h"
#include "wire/imap/line.h"
#include "wire/mime/envelope.h"

namespace mailproof::imap {

/// Reads what FetchData::envelope points to. `line` is the one it was decoded from, still valid.
/// Error: where = "column n".
Result<mime::Envelope> decode_envelope(const LogicalLine& line, std::string_view envelope);

/// body (RFC 9051 section 9), with whatever extension data was sent.
struct BodyStructure {
  std::string type;                                             ///< lower-case: "text", "multipart"
  std::string subtype;                                          ///< lower-case
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names lower-case
  std::optional<std::string> id;
  std::optional<std::string> description;
  std::string encoding;  ///< as sent; "" for a multipart
  std::uint64_t octets = 0;
  std::optional<std::uint64_t> lines;  ///< text and message/rfc822
  std::optional<std::string> md5;
  std::string disposition;  ///< lower-case, "" = none
  std::vector<std::pair<std::string, std::string>> disposition_parameters;
  std::vector<std::string> languages;
  std::optional<std::string> location;
  std::optional<mime::Envelope> envelope;  ///< message/rfc822
  std::vector<BodyStructure> parts;        ///< multipart: its parts; message/rfc822: the enclosed body
};

/// Reads what FetchData::bodystructure points to. Nested at most Cursor::max_depth deep.
Result<BodyStructure> decode_body(const LogicalLine& line, std::string_view body);

/// Notes where it strays from the grammar, which the readers above let pass: once, at the first place.
void check_envelope(const LogicalLine& line, std::string_view envelope, Deviations& into);
void check_body(const LogicalLine& line, std::string_view body, Deviations& into);

}  // namespace mailproof::imap
