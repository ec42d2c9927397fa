#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/mime/address.h"

namespace mailproof::mime {

/// What IMAP's ENVELOPE is made of (RFC 3501 section 7.4.2). Sender and Reply-To that are missing or empty are taken
/// from From. Text is unfolded, otherwise as it stands in the header.
struct Envelope {
  std::optional<std::string> date;
  std::optional<std::string> subject;
  std::vector<Address> from;
  std::vector<Address> sender;
  std::vector<Address> reply_to;
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
  std::optional<std::string> in_reply_to;
  std::optional<std::string> message_id;
};
Envelope read_envelope(std::string_view header);

}  // namespace mailproof::mime
