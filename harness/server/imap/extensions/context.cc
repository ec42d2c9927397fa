// CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267 section 4): searches that are kept up to date.
#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {
namespace {

constexpr std::size_t kMostContexts = 32;

struct Context {
  std::string tag;
  bool by_uid;
  SearchRequest request;
  std::vector<MessagePtr> members;  ///< in the order they were told
};

struct Contexts {
  std::vector<Context> kept;
  std::vector<std::string> refused;  ///< tags that are to be told so
};

std::uint32_t number(const ImapView& view, const MessagePtr& message, bool by_uid) {
  if (by_uid) return message->uid;
  const auto& entries = view.entries();
  const auto at = std::find_if(entries.begin(), entries.end(), [&](const auto& one) { return one.message == message; });
  return static_cast<std::uint32_t>(at - entries.begin() + 1);
}

bool among(const std::vector<MessagePtr>& messages, const MessagePtr& one) {
  return std::find(messages.begin(), messages.end(), one) != messages.end();
}

/// `positions` fit the numbers; of a SEARCH they are 0, and one set says it all (section 4.3.2).
void tell(ImapSession& session, const Context& context, std::string_view what,
          const std::vector<std::pair<std::size_t, std::uint32_t>>& changes) {
  if (changes.empty()) return;
  session.print("* ESEARCH (TAG \"{}\"){} {} (", context.tag, context.by_uid ? " UID" : "", what);
  if (context.request.order) {
    for (std::size_t i = 0; i < changes.size(); ++i)
      session.print("{}{} {}", i == 0 ? "" : " ", changes[i].first, changes[i].second);
  } else {
    imap::SequenceSet set;
    for (const auto& [position, one] : changes) set.add(one);
    set.normalise();
    session.print("0 {}", set.format());
  }
  session.write(")\r\n");
}

/// Takes out of what was told whatever `goes`, the last first, so that positions hold.
template <class Goes>
void remove(ImapSession& session, Context& context, Goes&& goes) {
  std::vector<std::pair<std::size_t, std::uint32_t>> changes;
  for (std::size_t i = context.members.size(); i-- > 0;) {
    if (!goes(context.members[i])) continue;
    changes.emplace_back(i + 1, number(*session.view(), context.members[i], context.by_uid));
    context.members.erase(context.members.begin() + static_cast<std::ptrdiff_t>(i));
  }
  tell(session, context, "REMOVEFROM", changes);
}

/// A message's number holds until its EXPUNGE was told (section 4.3.4).
void before_changes(ImapSession& session, bool expunges) {
  if (!expunges) return;
  for (auto& context : session.own<Contexts>().kept)
    remove(session, context, [](const MessagePtr& message) { return message->expunged; });
}

void after_changes(ImapSession& session) {
  auto& contexts = session.own<Contexts>();
  for (const auto& tag : std::exchange(contexts.refused, {}))
    session.print("* NO [NOUPDATE \"{}\"] That search is not kept up to date\r\n", tag);
  if (session.view() == nullptr) return;
  for (auto& context : contexts.kept) {
    std::vector<MessagePtr> now;
    for (const auto index : session.find(context.request).indexes)
      now.push_back(session.view()->entries()[index].message);
    remove(session, context, [&](const MessagePtr& message) { return !message->expunged && !among(now, message); });
    std::vector<std::pair<std::size_t, std::uint32_t>> added;
    for (std::size_t i = 0; i < now.size(); ++i)
      if (!among(context.members, now[i])) added.emplace_back(i + 1, number(*session.view(), now[i], context.by_uid));
    tell(session, context, "ADDTO", added);
    // An expunged one whose EXPUNGE could not be told yet is still in the client's list.
    if (!added.empty()) {
      for (const auto& message : context.members)
        if (message->expunged) now.push_back(message);
      context.members = std::move(now);
    }
  }
}

void keep(ImapSession& session, const SearchRequest& request, const SearchResult& found) {
  auto& contexts = session.own<Contexts>();
  std::erase_if(contexts.kept, [&](const Context& one) { return one.tag == session.tag(); });
  // Message numbers among the keys would mean others after an EXPUNGE.
  if (request.by_number || contexts.kept.size() >= kMostContexts) {
    contexts.refused.push_back(session.tag());
    return;
  }
  Context context{session.tag(), session.by_uid(), request, {}};
  for (const auto index : found.indexes) context.members.push_back(session.view()->entries()[index].message);
  contexts.kept.push_back(std::move(context));
}

// cancelupdate = "CANCELUPDATE" 1*(SP quoted)
void cancel_update(ImapSession& session, imap::Cursor& c) {
  std::vector<std::string> tags;
  do {
    c.sp();
    tags.push_back(c.quoted().text());
  } while (c.ok() && !c.at_end());
  if (!c.end()) return session.bad(c);
  std::erase_if(session.own<Contexts>().kept,
                [&](const Context& one) { return std::find(tags.begin(), tags.end(), one.tag) != tags.end(); });
  session.ok("Done");
}

void forget_contexts(ImapSession& session) { session.own<Contexts>().kept.clear(); }

}  // namespace

const Extension& context_extension() {
  static const Extension extension{
      .capabilities = "CONTEXT=SEARCH CONTEXT=SORT",
      .commands = {{"CANCELUPDATE", kSelected, cancel_update}},
      .search_returns = {{.name = "UPDATE", .write = keep, .silent = true}, {.name = "CONTEXT", .silent = true}},
      .deselected = forget_contexts,
      .telling = before_changes,
      .told = after_changes};
  return extension;
}

}  // namespace mailproof::server
