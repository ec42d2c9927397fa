// UTF8 (RFC 6856 section 2).
#include <algorithm>

#include "server/pop3/session.h"
#include "wire/imap/utf7.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

bool all_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

void Pop3Session::utf8(std::string_view argument) {
  if (refuse_argument(argument)) return;
  utf8_ = true;
  write("+OK messages come as they are\r\n");
}

/// Section 2.2: names and passwords that are no UTF-8 MUST be refused. True: -ERR was said.
bool Pop3Session::refuse_malformed(std::string_view name_or_password) {
  if (all_ascii(name_or_password) || imap::encode_utf7(name_or_password)) return false;
  write("-ERR that is no UTF-8\r\n");
  return true;
}

/// Section 2.1: a header in UTF-8 goes out in UTF-8 mode only. True: -ERR was said.
bool Pop3Session::refuse_without_utf8(std::string_view message) {
  if (utf8_ || all_ascii(message.substr(0, mime::header_size(message)))) return false;
  write("-ERR [UTF8] the header of this message is in UTF-8\r\n");
  return true;
}

}  // namespace mailproof::server
