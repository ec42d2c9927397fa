#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbox.h"
#include "core/secret.h"

namespace mailproof::imap {

/// What the server offers for literals (RFC 7888).
enum class LiteralSupport : std::uint8_t {
  synchronising,  ///< nothing: "{n}", then wait for "+"
  minus,          ///< LITERAL-: "{n+}" up to 4096 octets
  plus,           ///< LITERAL+: "{n+}" always
};

/// Builds one command and hands it to an Outbox, in as many steps as it has synchronising literals. Reusable: begin()
/// starts over, and keeps the memory.
class CommandWriter {
 public:
  void begin(std::string_view tag, std::string_view name, LiteralSupport literals);

  // Each writes SP and then its argument.
  void raw(std::string_view text);  ///< as it is: sequence sets, fetch items, search keys. Must hold no CR, LF or NUL.
  void astring(
      std::string_view value);  ///< as atom, quoted string or literal, whichever is the simplest that can hold it
  void secret_astring(const Secret& value);  ///< the same, hidden from every log
  void secret_raw(const Secret& text);       ///< as it is, hidden: a SASL response
  void utf8_mailbox(std::string_view utf8);  ///< as it is, quoted: RFC 6855 section 3, utf8-quoted
  void mailbox(std::string_view utf8);       ///< modified UTF-7; what is not UTF-8 goes out as it is, in a literal
  void list_mailbox(std::string_view utf8);  ///< a LIST pattern: "%" and "*" may stay bare
  void flag_list(std::span<const std::string> flags);
  void literal(std::shared_ptr<const std::string> octets);  ///< not copied

  void end();  ///< CRLF

  /// Hands over what may be sent now. True when the rest waits for the server's "+": then call it again.
  bool send(Outbox& out);
  bool waiting() const { return !ended_sending_; }
  std::size_t memory() const { return text_.capacity() + parts_.capacity() * sizeof(Part); }  ///< octets held

 private:
  struct Part {
    enum class Kind : std::uint8_t { text, secret, body, wait } kind = Kind::text;
    std::size_t size = 0;  ///< of text_, for text and secret
    std::shared_ptr<const std::string> body;
  };
  void put(std::string_view text, bool secret = false);
  void put_word(std::string_view text);  ///< SP and it
  Part& part(Part::Kind kind);
  void announce(std::size_t size);
  void string(std::string_view value, bool secret, bool pattern);

  std::string text_;  ///< all text and secret parts in a row
  std::vector<Part> parts_;
  std::size_t next_part_ = 0;
  std::size_t next_text_ = 0;
  LiteralSupport literals_ = LiteralSupport::synchronising;
  bool ended_sending_ = true;
};

}  // namespace mailproof::imap
