// UTF8=ACCEPT (RFC 6855). Names in UTF-8 are read and written where names are (session_names.cc). Section 4 wants
// headers in UTF-8 refused from who has not enabled it; many clients append such mail, so the extension comes by a
// latitude.
#include <algorithm>

#include "server/imap/session.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

bool eight_bit_header(std::string_view message) {
  const auto header = message.substr(0, mime::header_size(message));
  return std::any_of(header.begin(), header.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// utf8-literal = "UTF8" SP "(" literal8 ")"
bool read_utf8(ImapSession& session, imap::Cursor& c, std::string& message) {
  if (!session.enabled("UTF8=ACCEPT")) {
    session.bad("UTF8 goes with ENABLE UTF8=ACCEPT");
    return false;
  }
  c.sp();
  c.expect('(');
  if (c.peek() != '~') c.fail("a literal8");
  message = session.literal_text(c.string());
  c.expect(')');
  return true;
}

std::string_view refuse_header(const ImapSession& session, std::string_view message) {
  return !session.enabled("UTF8=ACCEPT") && eight_bit_header(message) ? "[CANNOT] 8-bit header without UTF8" : "";
}

}  // namespace

const Extension& utf8_accept_extension() {
  static const Extension extension{.capabilities = "UTF8=ACCEPT",
                                   .only_with = latitude("imap.utf8-accept"),
                                   .enables = {{"UTF8=ACCEPT"}},
                                   .append_data = {{"UTF8", read_utf8}},
                                   .refuses_message = refuse_header};
  return extension;
}

}  // namespace mailproof::server
