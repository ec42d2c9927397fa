// ESEARCH (RFC 4731). RETURN is read where SEARCH is (search_parse.cc), because other extensions add options to it.
#include "server/imap/extension.h"

namespace mailproof::server {

const Extension& esearch_extension() {
  static const Extension extension{.capabilities = "ESEARCH"};
  return extension;
}

}  // namespace mailproof::server
