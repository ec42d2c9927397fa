#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"

namespace mailproof::mail {

/// What identifies one of our messages for ever. It stands in its first header, X-Mailproof; the body can be made again
/// from it.
struct Token {
  std::uint64_t run = 0;           ///< of this playing of the scenario; other runs' messages are "foreign"
  std::uint32_t number = 0;        ///< in the history, from 1
  std::uint64_t seed = 0;          ///< of the body
  std::string owner;               ///< address it was first sent to: elsewhere it proves itself a leak
  std::string text() const;        ///< the header's value
  std::string message_id() const;  ///< of the message it stands in, with its angle brackets
  static std::optional<Token> parse(std::string_view value);
  // The same without memory of their own, for who reads many messages.
  static bool parse_into(std::string_view value, Token& into);  ///< false: it is none, and `into` is as it was
  bool is_said_by(std::string_view value) const;                ///< parse() would give this one
  bool has_message_id(std::string_view id) const;               ///< message_id() would give this one
};

inline constexpr std::string_view kTokenHeader = "X-Mailproof";

/// What kind of mail to make. All but plain and office have something that an MTA may refuse or change: LMTP and APPEND
/// only.
enum class Look : std::uint8_t {
  plain,
  office,
  dot_lines,
  long_lines,
  eight_bit,
  header_only,       ///< ends with the blank line
  no_final_newline,  ///< the last line does not end
  bare_lf,           ///< LF.LF and CR.CR within
  dots,              ///< `size` lines (500) that begin with a dot
  lone_dot,          ///< a line that is one dot, in the middle and as the last
  edge,  ///< eight times `size` octets of short lines of many lengths that begin with a dot: the boundaries of a buffer
         ///< of that size fall everywhere within them, whatever a server puts on top, stuffed or not
  line,  ///< one line of `size` octets
  utf8_header,  ///< names and subject in raw UTF-8 (RFC 6532): a server need not take it
};

/// A message of somebody's own, which is stamped as it is: its header fields but for those that the stamp makes
/// (Message-ID and Subject), and its body.
struct OwnText {
  std::shared_ptr<const std::string> fields, body;
};

struct MessageSpec {
  Token token;
  Look look = Look::plain;
  /// Octets wanted; 0 = natural. At least the header and one line are made. Some Looks take it for another measure.
  std::uint64_t size = 0;
  std::string from, to;  ///< addresses for the headers
  std::string set;       ///< named in the subject
  std::string subject;   ///< instead of it, as a header writes it (RFC 2047); may be folded
  OwnText letter;        ///< null: made from the seed
  std::string date;      ///< RFC 5322 date-time
  /// In place of what `look` and `size` make: header, blank line, body. The token and its Message-ID come on top; its
  /// Subject (made where it has none) gets the end that subject_fits() knows. It has no Message-ID of its own.
  std::string mime = {};
};

/// A stamped message: CRLF line ends, the token header first, the last line complete.
struct Stamped {
  std::shared_ptr<const std::string> text;
  std::uint64_t hash = 0;           ///< of the whole
  std::uint64_t header_octets = 0;  ///< with the blank line
  std::uint64_t header_hash = 0;
  std::uint32_t header_lines = 0, body_lines = 0;
};
Stamped make_message(const MessageSpec& spec);

/// Whether this Subject, unfolded, is one that make_message() gives to a message with this token: its end follows from
/// the seed.
bool subject_fits(const Token& token, std::string_view subject);

/// Reads a message as a server gives it, in pieces, in bounded memory. What stands above our token header (trace
/// headers that servers put on top: Return-Path, Received) is not ours and is left out: the canonical content begins
/// with the token header. So are header fields that a site adds further below (a filter's "X-Spam-Status"), where all
/// that was sent of the header is there, line by line and in its order: they are told by added(). Both only where it is
/// known what was sent.
class ContentScanner {
 public:
  /// Where what came begins to be another than what was sent.
  struct Difference {
    std::uint64_t offset = 0;  ///< in the canonical content, from 0
    std::string sent, came;    ///< from there on, a few octets; empty = it ended there
  };
  using AsSent = std::function<std::shared_ptr<const std::string>(const Token&)>;

  /// Asked for the text of each message whose token is seen, which is compared as it comes; null = not known any more.
  void compare_with(AsSent as_sent) { as_sent_ = std::move(as_sent); }
  void whole_only() { whole_only_ = true; }  ///< neither body_lines() nor header_hash() is asked for
  void begin();                              ///< forget everything, start a new message
  void add(std::string_view chunk);
  void end();

  const Token* token() const { return stamped_ ? &token_ : nullptr; }  ///< null: it has none
  /// Of the canonical content; where there is no token, that of no octets.
  std::uint64_t hash() const { return hash_.value(); }
  /// Of the canonical header with its blank line; 0 if it never ended.
  std::uint64_t header_hash() const { return header_hash_; }
  std::uint64_t octets() const { return octets_; }  ///< everything
  std::uint64_t canonical_octets() const { return canonical_; }
  std::uint32_t body_lines() const { return body_lines_; }  ///< lines after the blank line
  bool header_ended() const { return header_ended_; }
  /// Above our token header stand header fields only, none of them one by which our messages are known.
  bool others_above() const { return others_above_; }
  /// The header as it came, with what a server put on top: its first 16 KiB.
  const std::string& header() const { return header_; }
  /// What was kept of a message that is not stamped itself (it may be a report about one of ours): its first 128 KiB.
  const std::string& kept() const { return kept_; }
  /// Of a message that was read to its end; none where it is as it was sent, or what was sent is not known.
  const std::optional<Difference>& difference() const { return difference_; }
  /// Names of fields that were not sent and stand below the token header, each once; left out of the canonical content.
  const std::vector<std::string>& added() const { return added_; }

 private:
  void line(std::string_view line);
  std::string_view header_lines(std::string_view chunk, std::string_view& uncounted);
  void canonical(std::string_view part);
  void leave_out_added();
  AsSent as_sent_;
  std::shared_ptr<const std::string> sent_;
  std::optional<Difference> difference_;
  Token token_;  ///< where it is not stamped, of a message before: for its memory
  BulkHash hash_;
  std::uint64_t header_hash_ = 0, octets_ = 0, canonical_ = 0;
  std::uint32_t body_lines_ = 0;
  bool header_ended_ = false, stamped_ = false, line_too_long_ = false, others_above_ = true;
  bool whole_only_ = false;
  std::string line_, kept_, header_;
  std::vector<std::string> added_;
};

}  // namespace mailproof::mail
