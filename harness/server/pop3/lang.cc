// LANG (RFC 6856 section 3): everything here is said in English.
#include "core/bytes.h"
#include "server/pop3/session.h"

namespace mailproof::server {

void Pop3Session::lang(std::string_view argument) {
  if (argument.empty()) return write("+OK languages follow\r\nen English\r\n.\r\n");
  if (argument == "*" || iequals(argument, "en")) return write("+OK en language chosen\r\n");
  write("-ERR no such language\r\n");
}

}  // namespace mailproof::server
