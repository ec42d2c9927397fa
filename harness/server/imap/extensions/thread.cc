// THREAD (RFC 5256): ORDEREDSUBJECT and REFERENCES (threads.cc).
#include "server/imap/session.h"
#include "server/imap/sort_fields.h"

namespace mailproof::server {
namespace {

// thread = ["UID" SP] "THREAD" SP thread-alg SP charset 1*(SP search-key)
void thread(ImapSession& session, imap::Cursor& c) {
  SearchRequest request;
  c.sp();
  const auto algorithm = c.atom();
  const bool references = iequals(algorithm, "REFERENCES");
  if (c.ok() && !references && !iequals(algorithm, "ORDEREDSUBJECT")) return session.bad("No such algorithm");
  c.sp();
  request.bad_charset = !known_charset(c.astring().text());
  c.sp();
  read_search_keys(session, c, request);
  if (!c.end()) return session.bad(c);
  if (request.bad_charset) return refuse_charset(session, request);
  if (request.uses_modseq) session.enable_condstore();
  const auto found = session.find(request);
  std::vector<ThreadMessage> messages;
  for (std::size_t i = 0; i < found.indexes.size(); ++i)
    messages.push_back(thread_message(*session.view()->entries()[found.indexes[i]].message, found.numbers[i]));
  const auto threads = references ? threads_by_references(messages) : threads_by_subject(messages);
  session.print("* THREAD{}{}\r\n", threads.empty() ? "" : " ", threads);
  session.ok("Done");
}

}  // namespace

const Extension& thread_extension() {
  static const Extension extension{.capabilities = "THREAD=ORDEREDSUBJECT THREAD=REFERENCES",
                                   .commands = {{"THREAD", kSelected, thread, false}},
                                   .uid_commands = {{"THREAD", kSelected, thread}}};
  return extension;
}

}  // namespace mailproof::server
