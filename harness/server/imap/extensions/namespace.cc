// NAMESPACE (RFC 2342).
#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

void name_spaces(ImapSession& session, imap::Cursor& c) {
  if (!c.end()) return session.bad(c);
  const auto& extensions = session.extensions();
  const bool shared =
      std::any_of(extensions.begin(), extensions.end(), [](const auto* e) { return e->shares != nullptr; });
  session.print("* NAMESPACE ((\"\" \"{}\")) ", session.delimiter());
  if (shared) session.print("((\"{}\" \"{}\"))", session.separated(std::string(kOthersPrefix)), session.delimiter());
  session.write(shared ? " NIL\r\n" : "NIL NIL\r\n");
  session.ok("Done");
}

}  // namespace

const Extension& namespace_extension() {
  static const Extension extension{.capabilities = "NAMESPACE", .commands = {{"NAMESPACE", kLoggedIn, name_spaces}}};
  return extension;
}

}  // namespace mailproof::server
