#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/hash.h"
#include "wire/mime/header.h"

namespace mailproof::imports {

/// Reads somebody's message, or its header alone, as it comes in pieces, and keeps what it is known by. Bounded memory:
/// a field of the header, at most 16 KiB of it.
class MailScan {
 public:
  void begin() { *this = MailScan(); }
  void add(std::string_view chunk);
  void end();

  const std::string& message_id() const { return message_id_; }  ///< with its angle brackets; "" = it has none
  const std::string& subject() const { return subject_; }        ///< decoded (RFC 2047), cut
  /// Of what stands behind the header, whatever its line ends are, and without those at its end: servers complete the
  /// last line, and put trace fields on top.
  std::uint64_t body_hash() const { return body_.value(); }
  std::uint64_t octets() const { return octets_; }
  std::uint64_t header_octets() const { return header_octets_; }
  std::uint32_t header_fields() const { return fields_; }
  std::uint64_t body_lines() const { return body_lines_; }
  /// Its Message-ID is the last thing that came: of a piece, whose end may be anywhere, there may be more of it.
  bool id_at_end() const { return id_at_end_; }
  bool has_body() const { return header_ended_; }  ///< the empty line behind the header came

 private:
  void field();
  void body(std::string_view text);

  mime::HeaderReader header_;
  ContentHash body_;
  std::string message_id_, subject_;
  std::uint64_t octets_ = 0, header_octets_ = 0, body_lines_ = 0;
  std::uint64_t line_ends_ = 0;  ///< not in the hash yet: they may be the last
  std::uint32_t fields_ = 0;
  bool header_ended_ = false, in_line_ = false, id_at_end_ = false;
};

}  // namespace mailproof::imports
