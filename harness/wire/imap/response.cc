#include "wire/imap/response.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/bytes.h"
#include "wire/imap/chars.h"
#include "wire/imap/response_data.h"
#include "wire/imap/structure.h"

namespace mailproof::imap {
namespace {

using Kind = Response::Kind;

constexpr std::array<std::string_view, 5> status_names{"OK", "NO", "BAD", "BYE", "PREAUTH"};

std::optional<Status> status_of(std::string_view word) {
  for (std::size_t i = 0; i < status_names.size(); ++i)
    if (is_word(word, status_names[i])) return static_cast<Status>(i);
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, Kind>, 15> data_names{{
    {"LIST", Kind::list},
    {"LSUB", Kind::lsub},
    {"STATUS", Kind::mailbox_status},
    {"SEARCH", Kind::search},
    {"SORT", Kind::sort},
    {"ESEARCH", Kind::esearch},
    {"FLAGS", Kind::flags},
    {"CAPABILITY", Kind::capability},
    {"ENABLED", Kind::enabled},
    {"VANISHED", Kind::vanished},
    {"NAMESPACE", Kind::namespaces},
    {"QUOTA", Kind::quota},
    {"QUOTAROOT", Kind::quota_root},
    {"ID", Kind::id},
    {"XLIST", Kind::list},
}};

/// Of extensions that are not read here: THREAD (RFC 5256), ACL, LISTRIGHTS and MYRIGHTS (RFC 4314), METADATA (RFC
/// 5464), LANGUAGE and COMPARATOR (RFC 5255), GENURLAUTH and URLFETCH (RFC 4467), CONVERSION and CONVERTED (RFC 5259).
constexpr std::string_view unread_names[] = {"THREAD",   "ACL",        "LISTRIGHTS", "MYRIGHTS",
                                             "METADATA", "LANGUAGE",   "COMPARATOR", "GENURLAUTH",
                                             "URLFETCH", "CONVERSION", "CONVERTED"};

// resp-text = ["[" resp-text-code "]" SP] [text]
void read_resp_text(Cursor& c, Response& into) {
  if (c.at_end()) {
    c.note(DeviationCode::text_missing);
    return;
  }
  // One SP: what follows is text, and TEXT-CHAR has spaces and "[" in it.
  if (!c.accept(' ')) c.fail("a space");
  if (c.peek() == '[' && read_response_code(c, into.code)) {
    // The grammar has SP behind "]", but the RFCs' own examples leave it out with the text (RFC 9051 section 6.2.1).
    if (c.at_end()) return;
    if (!c.accept(' ')) c.note(DeviationCode::space_missing);
  }
  into.text = c.text();
}

// message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att)) ; mailbox-data =/ number SP ("EXISTS" / "RECENT")
void read_message_data(Cursor& c, Response& into) {
  into.number = c.number();
  c.sp();
  into.name = c.word();
  if (is_word(into.name, "FETCH")) {
    into.kind = Kind::fetch;
    c.sp();
    read_fetch_data(c, into.fetch);
  } else if (is_word(into.name, "EXISTS")) {
    into.kind = Kind::exists;
  } else if (is_word(into.name, "RECENT")) {
    into.kind = Kind::recent;
  } else if (is_word(into.name, "EXPUNGE")) {
    into.kind = Kind::expunge;
  } else {
    into.kind = Kind::other;
    into.text = c.text();
    if (!is_word(into.name, "UIDFETCH")) c.note(DeviationCode::unknown_response);  // RFC 9586 section 3.3
    return;
  }
  if (into.number == 0 && (into.kind == Kind::fetch || into.kind == Kind::expunge)) {
    c.note(DeviationCode::number_zero);
    c.fail("a message number greater than 0");
  }
  c.end();
}

void read_data(Cursor& c, Response& into) {
  for (const auto& [keyword, kind] : data_names)
    if (is_word(into.name, keyword)) into.kind = kind;
  switch (into.kind) {
    case Kind::list:
    case Kind::lsub:
      read_list(c, into.list);
      break;
    case Kind::mailbox_status:
      read_status(c, into);
      break;
    case Kind::search:
    case Kind::sort:
      read_search(c, into);
      break;
    case Kind::esearch:
      read_esearch(c, into.esearch);
      break;
    case Kind::flags:
      c.sp();
      c.flag_list(into.flags);
      break;
    case Kind::capability:
    case Kind::enabled:
      read_words(c, into.words);
      if (c.ok() && into.kind == Kind::capability && into.words.empty()) c.note(DeviationCode::syntax);
      break;
    case Kind::vanished:
      read_vanished(c, into);
      break;
    case Kind::namespaces:
      read_namespaces(c, into.namespaces);
      break;
    case Kind::quota:
      read_quota(c, into);
      break;
    case Kind::quota_root:
      read_quota_root(c, into);
      break;
    case Kind::id:
      read_id(c, into.id);
      break;
    default:
      into.kind = Kind::other;
      c.accept(' ');
      into.text = c.text();
      if (std::ranges::none_of(unread_names, [&](std::string_view name) { return iequals(name, into.name); }))
        c.note(DeviationCode::unknown_response);
      return;
  }
  c.end();
}

void read_response(Cursor& c, Response& into) {
  // continue-req = "+" SP (resp-text / base64) CRLF
  if (c.accept('+')) {
    into.kind = Kind::continuation;
    if (!c.accept(' ')) c.note(DeviationCode::text_missing);
    into.text = c.text();
    return;
  }
  const bool untagged = c.accept('*');
  if (!untagged) into.tag = c.tag();
  c.sp();
  if (untagged && is(digit_char, c.peek())) return read_message_data(c, into);
  into.name = c.word();
  const auto status = status_of(into.name);
  if (!status) return untagged ? read_data(c, into) : void(c.fail("OK, NO or BAD"));
  into.status = *status;
  into.kind = untagged ? Kind::status : Kind::tagged;
  if (!untagged && (*status == Status::bye || *status == Status::preauth)) c.fail("OK, NO or BAD");
  read_resp_text(c, into);
}

}  // namespace

std::string_view name(Status status) { return status_names[static_cast<std::size_t>(status)]; }

void Response::clear() {
  // A response of these kinds has not touched what the others hold.
  const bool small = kind == Kind::tagged || kind == Kind::status || kind == Kind::continuation ||
                     kind == Kind::exists || kind == Kind::recent || kind == Kind::expunge;
  kind = Kind::unreadable;
  tag = {};
  status = Status::ok;
  code.clear();
  text = {};
  name = {};
  number = 0;
  problem.clear();
  beyond_bounds = false;
  if (small) return;
  earlier = false;
  set.clear();
  flags.clear();
  fetch.clear();
  list.attributes.clear();
  list.separator = 0;
  list.mailbox = {};
  list.old_name.reset();
  esearch.tag = {};
  esearch.uid = false;
  esearch.min.reset();
  esearch.max.reset();
  esearch.count.reset();
  esearch.modseq.reset();
  esearch.has_all = false;
  esearch.all.clear();
  mailbox = {};
  modseq.reset();
  words.clear();
  items.clear();
  quota_roots.clear();
  quota.clear();
  namespaces.clear();
  id.clear();
}

bool is_unreadable_row(const LogicalLine& line, const Response& decoded) {
  return decoded.kind == Kind::unreadable && !decoded.beyond_bounds && line.text.starts_with("* ") &&
         iequals(decoded.name, "FETCH");
}

void decode_response(const LogicalLine& line, Response& into, Deviations* deviations) {
  into.clear();
  // Of a line that was cut the grammar says nothing.
  if (line.truncated) deviations = nullptr;
  Cursor c(line, deviations);
  read_response(c, into);
  if (c.ok() && line.truncated && into.kind != Kind::status && into.kind != Kind::tagged) {
    into.kind = Kind::unreadable;
    into.problem = "the line was longer than the limit";
    into.beyond_bounds = true;
  }
  if (c.ok()) {
    if (deviations != nullptr) {
      if (!into.fetch.envelope.empty()) check_envelope(line, into.fetch.envelope, *deviations);
      if (!into.fetch.bodystructure.empty()) check_body(line, into.fetch.bodystructure, *deviations);
    }
    return;
  }
  into.beyond_bounds = line.truncated || c.too_deep();
  into.kind = Kind::unreadable;
  into.problem = c.error().message();
}

}  // namespace mailproof::imap
