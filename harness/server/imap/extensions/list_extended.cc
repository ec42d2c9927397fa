// LIST-EXTENDED (RFC 5258): several patterns, selection and return options, CHILDINFO. Other extensions add options.
#include <fmt/format.h>

#include <algorithm>

#include "server/imap/list.h"
#include "server/imap/session.h"

namespace mailproof::server {

bool ListRequest::selects(std::string_view name) const {
  return std::any_of(selections.begin(), selections.end(), [&](const auto* option) { return option->name == name; });
}

namespace {

// list-select-opts = "(" [ (*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)) / ... ] ")"
void read_selections(ImapSession& session, imap::Cursor& c, ListRequest& request) {
  if (!c.open_list()) return;
  while (c.next_item()) {
    const auto* option = session.extensions().find(&Extension::list_selections, c.atom());
    if (option == nullptr) {
      c.fail("a selection option");
      return;
    }
    request.selections.push_back(option);
    // SUBSCRIBED and SPECIAL-USE imply that they are returned (RFC 5258 section 3.1, RFC 6154 section 2).
    if (const auto* returned = session.extensions().find(&Extension::list_returns, option->name))
      request.returns.push_back(returned);
  }
  const bool base = std::any_of(request.selections.begin(), request.selections.end(),
                                [](const auto* option) { return option->selects != nullptr; });
  if (!base && request.selects("RECURSIVEMATCH")) c.fail("RECURSIVEMATCH beside an option that selects");
}

// mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"
void read_patterns(imap::Cursor& c, ListRequest& request) {
  if (c.peek() != '(') {
    request.patterns.push_back(c.list_mailbox().text());
    return;
  }
  if (!c.open_list()) return;
  while (c.next_item()) request.patterns.push_back(c.list_mailbox().text());
  if (request.patterns.empty()) c.fail("a pattern");
}

void read_returns(ImapSession& session, imap::Cursor& c, ListRequest& request) {
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item()) {
    const auto* option = session.extensions().find(&Extension::list_returns, c.atom());
    if (option == nullptr) {
      c.fail("a return option");
      return;
    }
    request.returns.push_back(option);
    if (option->read != nullptr) option->read(session, c, request);
  }
}

class Listing {
 public:
  Listing(ImapSession& session, const ListRequest& request)
      : session_(session), request_(request), visible_(session.visible_mailboxes()) {
    std::vector<std::string> mailboxes;
    for (const auto& [name, mailbox] : visible_) mailboxes.push_back(name);
    existing_ = with_superiors(mailboxes);
    auto& subscribed = session.account().subscriptions();
    // What is subscribed to need not be there (RFC 5258 section 3.1); RECURSIVEMATCH looks at superiors of it too.
    if (request.selects("SUBSCRIBED")) mailboxes.insert(mailboxes.end(), subscribed.begin(), subscribed.end());
    names_ = with_superiors(mailboxes);
  }

  void write() {
    for (const auto& name : names_)
      if (wanted(name)) write(name);
  }

 private:
  Listed listed(const std::string& name) const {
    const auto at = visible_.find(name);
    return {.name = name,
            .mailbox = at == visible_.end() ? nullptr : at->second,
            .subscribed = session_.account().subscriptions().contains(name)};
  }

  bool wanted(const std::string& name) const {
    return std::any_of(request_.patterns.begin(), request_.patterns.end(), [&](const auto& pattern) {
      return !pattern.empty() && session_.listed_by(name, request_.reference, pattern);
    });
  }

  bool selected(const Listed& one) const {
    return std::all_of(request_.selections.begin(), request_.selections.end(), [&](const auto* option) {
      return option->selects == nullptr || option->selects(session_, one);
    });
  }

  /// `unlisted`: only what no LIST response of its own tells.
  bool selected_below(const std::string& name, bool unlisted) const {
    const auto prefix = name + kHierarchyDelimiter;
    for (auto at = names_.lower_bound(prefix); at != names_.end() && at->starts_with(prefix); ++at)
      if (selected(listed(*at)) && !(unlisted && wanted(*at))) return true;
    return false;
  }

  void write(const std::string& name) {
    const auto one = listed(name);
    // What does not match itself comes for a child's sake only where the child does not come (section 3.5).
    const bool matches = selected(one);
    const bool childinfo = request_.selects("RECURSIVEMATCH") && selected_below(name, !matches);
    if (!matches && !childinfo) return;
    std::string attributes = one.mailbox ? "" : "\\NonExistent";
    for (const auto* option : request_.returns) {
      const auto added = option->attributes != nullptr ? option->attributes(session_, one) : std::string();
      if (!added.empty() && attributes.find(added) == std::string::npos)
        attributes += (attributes.empty() ? "" : " ") + added;
    }
    std::string criteria;
    for (const auto* option : request_.selections)
      if (option->selects != nullptr) criteria += fmt::format("{}\"{}\"", criteria.empty() ? "" : " ", option->name);
    session_.write_list(one, has_children(existing_, name), attributes,
                        childinfo ? fmt::format(" (\"CHILDINFO\" ({}))", criteria) : std::string());
    for (const auto* option : request_.returns)
      if (option->follow != nullptr) option->follow(session_, one, request_);
  }

  ImapSession& session_;
  const ListRequest& request_;
  std::map<std::string, std::shared_ptr<Mailbox>, std::less<>> visible_;
  std::set<std::string> existing_;
  std::set<std::string> names_;
};

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
void list(ImapSession& session, imap::Cursor& c) {
  imap::Cursor begin = c;
  ListRequest request;
  c.sp();
  bool extended = c.peek() == '(';
  if (extended) {
    read_selections(session, c, request);
    c.sp();
  }
  request.reference = c.astring().text();
  c.sp();
  extended = extended || c.peek() == '(';
  read_patterns(c, request);
  if (c.ok() && c.accept(' ')) {
    extended = true;
    if (!c.accept_word("RETURN")) c.fail("RETURN");
    read_returns(session, c, request);
  }
  if (c.ok() && !extended) return session.list(begin);
  if (!c.end()) return session.bad(c);
  Listing(session, request).write();
  session.ok("Done");
}

std::string subscribed(ImapSession&, const Listed& one) { return one.subscribed ? "\\Subscribed" : ""; }

}  // namespace

const Extension& list_extended_extension() {
  static const Extension extension{
      .capabilities = "LIST-EXTENDED",
      .commands = {{"LIST", kLoggedIn, list}},
      .list_selections = {{"SUBSCRIBED", [](ImapSession&, const Listed& one) { return one.subscribed; }},
                          {"REMOTE"},
                          {"RECURSIVEMATCH"}},
      .list_returns = {{.name = "SUBSCRIBED", .attributes = subscribed}, {.name = "CHILDREN"}}};
  return extension;
}

}  // namespace mailproof::server
