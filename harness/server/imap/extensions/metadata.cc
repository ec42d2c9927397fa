// METADATA and METADATA-SERVER (RFC 5464). Entries are /shared/comment, /private/comment and what vendors have; of the
// server only private ones may be set, as shared ones are its administrator's.
#include <fmt/format.h>

#include "server/imap/list.h"
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

constexpr std::size_t kLargestValue = 32 * 1024;
constexpr std::size_t kMostEntries = 100;

/// By entry name in lower case; private ones have the login before it, which no entry name can begin with.
struct Metadata {
  std::map<std::string, std::string, std::less<>> values;
};

/// Where the entries of a command are: a mailbox, or the server.
struct Where {
  std::shared_ptr<Mailbox> mailbox;
  std::string wire_name = "\"\"";
  Metadata& metadata(ImapSession& session) const {
    return mailbox ? mailbox->extras().get<Metadata>() : session.account().extras.get<Metadata>();
  }
};

bool is_private(std::string_view entry) { return entry.starts_with("/private/") || entry == "/private"; }

std::string key(ImapSession& session, std::string_view entry) {
  return is_private(entry) ? session.account().config().login + std::string(entry) : std::string(entry);
}

// entry = astring ; slash-separated, no "*" and no "%", not two slashes in a row, none at the end (section 3.2)
std::string read_entry(imap::Cursor& c) {
  auto entry = lower(c.astring().text());
  const bool formed = entry.starts_with('/') && !entry.ends_with('/') && entry.find("//") == std::string::npos &&
                      entry.find_first_of("*%") == std::string::npos &&
                      std::none_of(entry.begin(), entry.end(), [](char ch) { return ch <= 0x19; });
  const bool scoped = entry == "/private" || entry == "/shared" || is_private(entry) || entry.starts_with("/shared/");
  if (c.ok() && !(formed && scoped)) c.fail("an entry below /private or /shared");
  return entry;
}

bool may_be_set(std::string_view entry) {
  const auto below = entry.substr(entry.find('/', 1));
  return below == "/comment" || below.starts_with("/vendor/");
}

/// Nothing: it was answered.
std::optional<Where> read_where(ImapSession& session, std::string_view name, char right) {
  if (name.empty()) return Where{};
  auto mailbox = session.existing(name, "[NONEXISTENT]", right);
  if (!mailbox) return std::nullopt;
  return Where{mailbox, session.wire_name(session.name_of(*mailbox))};
}

// entry-values = "(" entry-value *(SP entry-value) ")"; entry-value = entry SP value; value = nstring / literal8
void set_metadata(ImapSession& session, imap::Cursor& c) {
  struct Change {
    std::string entry;
    std::optional<std::string> value;
  };
  std::vector<Change> changes;
  bool shared = false;
  c.sp();
  const auto name = session.read_mailbox_name(c);
  c.sp();
  if (c.open_list()) {
    while (c.next_item()) {
      Change change{read_entry(c), std::nullopt};
      c.sp();
      const auto value = c.nstring();
      if (!value.is_nil()) change.value = value.text();
      shared = shared || !is_private(change.entry);
      changes.push_back(std::move(change));
    }
  }
  if (c.ok() && changes.empty()) c.fail("entries");
  if (!c.end()) return session.bad(c);
  const auto where = read_where(session, name, shared ? 'w' : 'r');
  if (!where) return;
  if (shared && !where->mailbox) return session.no("[NOPERM] What all see of the server is its administrator's");
  // All are set, or none.
  auto values = where->metadata(session).values;
  for (const auto& change : changes) {
    if (change.entry == "/private" || change.entry == "/shared" || !may_be_set(change.entry))
      return session.no("[CANNOT] There is no such entry");
    if (change.value && change.value->size() > kLargestValue)
      return session.no(fmt::format("[METADATA MAXSIZE {}] The value is too large", kLargestValue));
    if (change.value) {
      values[key(session, change.entry)] = *change.value;
    } else {
      values.erase(key(session, change.entry));
    }
  }
  if (values.size() > kMostEntries) return session.no("[METADATA TOOMANY] Too many entries");
  where->metadata(session).values = std::move(values);
  session.ok("Done");
}

struct Options {
  std::optional<std::uint64_t> max_size;
  enum class Depth { entry, children, all } depth = Depth::entry;
};

// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
Options read_options(imap::Cursor& c) {
  Options options;
  if (!c.open_list()) return options;
  while (c.next_item()) {
    if (c.accept_word("MAXSIZE")) {
      c.sp();
      options.max_size = c.number64();
    } else if (c.accept_word("DEPTH")) {
      c.sp();
      const auto depth = c.atom();
      if (iequals(depth, "infinity")) {
        options.depth = Options::Depth::all;
      } else if (depth == "1") {
        options.depth = Options::Depth::children;
      } else if (depth != "0") {
        c.fail("0, 1 or infinity");
      }
    } else {
      c.fail("MAXSIZE or DEPTH");
    }
  }
  return options;
}

// entries = entry / "(" entry *(SP entry) ")"
std::vector<std::string> read_entries(imap::Cursor& c) {
  std::vector<std::string> entries;
  if (c.peek() != '(') {
    entries.push_back(read_entry(c));
  } else if (c.open_list()) {
    while (c.next_item()) entries.push_back(read_entry(c));
    if (entries.empty()) c.fail("an entry");
  }
  return entries;
}

bool below(std::string_view entry, std::string_view root, Options::Depth depth) {
  if (entry == root) return true;
  if (depth == Options::Depth::entry || !entry.starts_with(root) || entry[root.size()] != '/') return false;
  return depth == Options::Depth::all || entry.find('/', root.size() + 1) == std::string_view::npos;
}

/// Writes a METADATA response, if there is anything; the size of the largest value that was left out.
std::size_t tell(ImapSession& session, const Where& where, const std::vector<std::string>& entries,
                 const Options& options) {
  const auto& login = session.account().config().login;
  std::string told;
  std::size_t left_out = 0;
  for (const auto& [kept_as, value] : where.metadata(session).values) {
    std::string_view entry = kept_as;
    if (!entry.starts_with('/')) {
      if (!entry.starts_with(login) || entry[login.size()] != '/') continue;  // somebody else's
      entry.remove_prefix(login.size());
    }
    const bool asked = std::any_of(entries.begin(), entries.end(),
                                   [&](const auto& root) { return below(entry, root, options.depth); });
    if (!asked) continue;
    if (options.max_size && value.size() > *options.max_size) {
      left_out = std::max(left_out, value.size());
      continue;
    }
    told += fmt::format("{}{} {}", told.empty() ? "" : " ", entry, imap_string(value));
  }
  if (!told.empty()) session.print("* METADATA {} ({})\r\n", where.wire_name, told);
  return left_out;
}

// getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries. The examples have the options behind the
// mailbox; that is taken, too.
void get_metadata(ImapSession& session, imap::Cursor& c) {
  Options options;
  c.sp();
  const bool before = c.peek() == '(';
  if (before) {
    options = read_options(c);
    c.sp();
  }
  const auto name = session.read_mailbox_name(c);
  c.sp();
  const auto rest = c.rest();
  if (!before && (istarts_with(rest, "(MAXSIZE ") || istarts_with(rest, "(DEPTH "))) {
    options = read_options(c);
    c.sp();
  }
  const auto entries = read_entries(c);
  if (!c.end()) return session.bad(c);
  const auto where = read_where(session, name, 'r');
  if (!where) return;
  const auto left_out = tell(session, *where, entries, options);
  session.ok(left_out > 0 ? fmt::format("[METADATA LONGENTRIES {}] Done", left_out) : "Done");
}

// LIST-METADATA (RFC 9590): "METADATA" SP "(" entry *(SP entry) ")"
struct Entries {
  std::vector<std::string> names;
};

void read_list_option(ImapSession&, imap::Cursor& c, ListRequest& request) {
  c.sp();
  request.asked.get<Entries>().names = read_entries(c);
}

void follow_list(ImapSession& session, const Listed& listed, const ListRequest& request) {
  const auto* entries = request.asked.find<Entries>();
  if (!listed.mailbox || entries == nullptr || !session.permits(*listed.mailbox, 'r')) return;
  tell(session, {listed.mailbox, session.wire_name(listed.name)}, entries->names, {});
}

}  // namespace

const Extension& metadata_extension() {
  static const Extension extension{
      .capabilities = "METADATA METADATA-SERVER LIST-METADATA",
      .commands = {{"SETMETADATA", kLoggedIn, set_metadata}, {"GETMETADATA", kLoggedIn, get_metadata}},
      .list_returns = {{.name = "METADATA", .read = read_list_option, .follow = follow_list}}};
  return extension;
}

}  // namespace mailproof::server
