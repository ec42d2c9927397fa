#include "wire/imap/response_data.h"

#include "core/bytes.h"

namespace mailproof::imap {
namespace {

// DQUOTE QUOTED-CHAR DQUOTE / nil
char separator(Cursor& c) {
  const Text text = c.nstring();
  if (text.is_nil()) return 0;
  const std::string_view raw = text.raw();
  if (raw.size() == 1) return raw[0];
  if (raw.size() == 2 && raw[0] == '\\') return raw[1];
  c.fail("a hierarchy separator of one character or NIL");
  return 0;
}

// mbox-list-extended = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"; OLDNAME's value is a mailbox in
// parentheses (RFC 9051 section 6.3.9.7). What is not understood is passed over.
std::optional<Text> old_name(std::string_view extended) {
  Cursor c(extended);
  if (!c.open_list()) return std::nullopt;
  while (c.next_item()) {
    const std::string tag = c.astring().text();
    c.sp();
    if (!c.ok()) break;
    if (!iequals(tag, "OLDNAME") || c.peek() != '(') {
      c.skip_value();
      continue;
    }
    if (!c.open_list() || !c.next_item()) break;
    const Text name = c.astring();
    if (!c.ok()) break;
    return name;
  }
  return std::nullopt;
}

}  // namespace

// mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
void read_list(Cursor& c, ListData& into) {
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item()) into.attributes.push_back(c.flag());
  c.sp();
  into.separator = separator(c);
  c.sp();
  into.mailbox = c.astring();
  if (c.accept(' ')) into.old_name = old_name(c.skip_value());
}

// "STATUS" SP mailbox SP "(" [status-att-list] ")" ; status-att-val = "MESSAGES" SP number / ...
void read_status(Cursor& c, Response& into) {
  c.sp();
  into.mailbox = c.astring();
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item()) {
    StatusItem item;
    item.name = c.atom();
    c.sp();
    item.raw = c.skip_value();
    Cursor value(item.raw);
    const std::uint64_t number = value.number64();
    item.is_number = value.end();
    if (item.is_number) item.value = number;
    // status-att-val: numbers all; what has none for an item says so by NIL in APPENDLIMIT (RFC 7889) alone, and
    // MAILBOXID is an objectid in parentheses (RFC 8474).
    const bool other = iequals(item.name, "APPENDLIMIT") || item.raw.starts_with('(');
    if (c.ok() && !item.is_number && !other) c.note(DeviationCode::syntax);
    if (c.ok()) into.items.push_back(item);
  }
}

// search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")" (RFC 7162)
void read_search(Cursor& c, Response& into) {
  if (c.at_end()) return;
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item()) {
    const bool modseq = c.accept_word("MODSEQ");
    if (!modseq) {
      c.skip_value();
      continue;
    }
    c.sp();
    into.modseq = c.number64();
  }
}

// esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
void read_esearch(Cursor& c, EsearchData& into) {
  while (c.ok() && !c.at_end()) {
    c.sp();
    if (c.at_end()) return c.note(DeviationCode::space_extra);
    if (c.peek() == '(') {
      // search-correlator = SP "(" one-correlator *(SP one-correlator) ")" (RFC 7377 section 3)
      c.expect('(');
      do {
        if (c.accept_word("MAILBOX")) {
          c.sp();
          c.astring();
        } else if (c.accept_word("UIDVALIDITY")) {
          c.sp();
          c.nz_number();
        } else {
          if (!c.accept_word("TAG")) c.fail("TAG, MAILBOX or UIDVALIDITY");
          c.sp();
          into.tag = c.astring();
        }
      } while (c.ok() && c.accept(' '));
      c.expect(')');
      continue;
    }
    const std::string_view item = c.word();
    if (iequals(item, "UID")) {
      into.uid = true;
      continue;
    }
    c.sp();
    if (iequals(item, "MIN")) {
      into.min = c.nz_number();
    } else if (iequals(item, "MAX")) {
      into.max = c.nz_number();
    } else if (iequals(item, "COUNT")) {
      into.count = c.number();
    } else if (iequals(item, "MODSEQ")) {
      into.modseq = c.number64();
    } else if (iequals(item, "ALL")) {
      into.all = c.sequence_set(1'000'000);
      into.has_all = c.ok();
    } else {
      c.skip_value();
    }
  }
}

void read_words(Cursor& c, std::vector<std::string_view>& into) {
  while (c.ok() && !c.at_end()) {
    c.sp();
    if (c.at_end()) {
      c.note(DeviationCode::space_extra);
      return;
    }
    into.push_back(c.atom());
  }
}

// expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids (RFC 7162)
void read_vanished(Cursor& c, Response& into) {
  c.sp();
  if (c.peek() == '(') {
    c.expect('(');
    into.earlier = c.accept_word("EARLIER");
    if (!into.earlier) c.fail("EARLIER");
    c.expect(')');
    c.sp();
  }
  into.set = c.sequence_set(1'000'000);
}

// Namespace = nil / "(" 1*Namespace-Descr ")" ; Namespace-Descr = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) ...
void read_namespaces(Cursor& c, std::vector<NamespaceEntry>& into) {
  for (const auto of :
       {NamespaceEntry::Class::personal, NamespaceEntry::Class::other_users, NamespaceEntry::Class::shared}) {
    c.sp();
    if (c.accept_word("NIL")) continue;
    if (!c.open_list()) return;
    while (c.next_item()) {
      NamespaceEntry entry;
      entry.of = of;
      if (!c.open_list()) return;
      if (!c.next_item()) continue;
      entry.prefix = c.string();
      c.sp();
      entry.separator = separator(c);
      while (c.next_item()) c.skip_value();
      if (c.ok()) into.push_back(entry);
    }
  }
}

// quota-response = "QUOTA" SP quota-root-name SP quota-list ; quota-root-name = astring
// Cyrus sends the name NIL bare; as an astring that is the atom "NIL".
void read_quota(Cursor& c, Response& into) {
  c.sp();
  into.quota_roots.push_back(c.astring());
  c.sp();
  if (!c.open_list()) return;
  while (c.next_item()) {
    QuotaResource resource;
    resource.name = c.atom();
    c.sp();
    resource.usage = c.number64();
    c.sp();
    resource.limit = c.number64();
    if (c.ok()) into.quota.push_back(resource);
  }
}

// quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
void read_quota_root(Cursor& c, Response& into) {
  c.sp();
  into.mailbox = c.astring();
  while (c.ok() && !c.at_end()) {
    c.sp();
    if (c.at_end()) return c.note(DeviationCode::space_extra);
    into.quota_roots.push_back(c.astring());
  }
}

// id-response = "ID" SP id-params-list ; id-params-list = "(" *(string SP nstring) ")" / nil (RFC 2971)
void read_id(Cursor& c, std::vector<IdField>& into) {
  c.sp();
  if (c.accept_word("NIL")) return;
  if (!c.open_list()) return;
  while (c.next_item()) {
    IdField field;
    field.name = c.string();
    c.sp();
    field.value = c.nstring();
    if (c.ok()) into.push_back(field);
  }
}

}  // namespace mailproof::imap
