#include "import/observe/imap_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "history/history.h"
#include "wire/imap/cursor.h"
#include "wire/imap/utf7.h"

namespace mailproof::imports {
namespace {

using history::What;

struct Known {
  std::string_view name, uid_name;
  What what;
  bool told = true;
};

constexpr auto kCommands = std::to_array<Known>({
    {"SELECT", "", What::select},
    {"EXAMINE", "", What::examine},
    {"UNSELECT", "", What::unselect},
    {"CLOSE", "", What::close},
    {"NOOP", "", What::noop},
    {"CHECK", "", What::noop},
    {"IDLE", "", What::idle},
    {"ENABLE", "", What::enable},
    {"FETCH", "UID FETCH", What::fetch},
    {"STORE", "UID STORE", What::store},
    {"COPY", "UID COPY", What::copy},
    {"MOVE", "UID MOVE", What::move},
    {"EXPUNGE", "UID EXPUNGE", What::expunge},
    {"SEARCH", "UID SEARCH", What::search},
    {"APPEND", "", What::append},
    {"CREATE", "", What::create},
    {"DELETE", "", What::remove},
    {"RENAME", "", What::rename},
    {"SUBSCRIBE", "", What::subscribe},
    {"UNSUBSCRIBE", "", What::subscribe},
    {"LIST", "", What::list},
    {"LSUB", "", What::list},
    {"STATUS", "", What::status},
    {"GETQUOTAROOT", "", What::get_quota},
    {"LOGOUT", "", What::logout},
    {"LOGIN", "", What::noop, false},
    {"AUTHENTICATE", "", What::noop, false},
    {"STARTTLS", "", What::noop, false},
    {"COMPRESS", "", What::noop, false},
    {"CAPABILITY", "", What::noop, false},
    {"NAMESPACE", "", What::noop, false},
    {"ID", "", What::noop, false},
    {"SORT", "UID SORT", What::noop, false},
    {"THREAD", "UID THREAD", What::noop, false},
    {"UNAUTHENTICATE", "", What::noop, false},
    {"REPLACE", "UID REPLACE", What::store},
    // What these do, removes no message.
    {"LANGUAGE", "", What::noop, false},
    {"COMPARATOR", "", What::noop, false},
    {"NOTIFY", "", What::noop, false},
    {"ESEARCH", "", What::noop, false},
    {"GETQUOTA", "", What::noop, false},
    {"SETQUOTA", "", What::noop, false},
    {"MYRIGHTS", "", What::noop, false},
    {"LISTRIGHTS", "", What::noop, false},
    {"GETACL", "", What::noop, false},
    {"SETACL", "", What::noop, false},
    {"DELETEACL", "", What::noop, false},
    {"GETMETADATA", "", What::noop, false},
    {"SETMETADATA", "", What::noop, false},
    {"GETANNOTATION", "", What::noop, false},
    {"SETANNOTATION", "", What::noop, false},
    {"GENURLAUTH", "", What::noop, false},
    {"RESETKEY", "", What::noop, false},
    {"URLFETCH", "", What::noop, false},
    {"XLIST", "", What::noop, false},
    {"RLIST", "", What::noop, false},
    {"RLSUB", "", What::noop, false},
    {"XAPPLEPUSHSERVICE", "", What::noop, false},
});

/// The UIDs that a set names now; "" where one of them is not known to who only listens.
std::string resolved(const imap::SequenceSet& set, bool by_uid, const session::ImapView& view) {
  constexpr std::uint64_t kMostNamed = 100'000;
  if (by_uid && !set.has_star() && set.named() <= kMostNamed) return set.format();
  std::vector<std::uint32_t> out;
  if (by_uid) {
    // "*" is the highest UID in the mailbox, whatever it is: it must be known. 1:4294967295 is another word for all.
    if (view.uids.size() < view.exists || view.exists == 0 || view.uids.back() == 0) return {};
    for (const std::uint32_t uid : view.uids)
      if (uid != 0 && set.contains(uid, view.uids.back())) out.push_back(uid);
    return history::format_uids(out);
  }
  bool all = true;
  set.for_each(view.exists, [&](std::uint32_t seq) {
    const std::uint32_t uid = seq <= view.uids.size() ? view.uids[seq - 1] : 0;
    all = all && uid != 0;
    out.push_back(uid);
  });
  return all ? history::format_uids(out) : std::string();
}

std::string joined(const imap::FlagList& list) {
  std::vector<std::string> flags;
  list.for_each([&](std::string_view flag) { flags.emplace_back(flag); });
  std::sort(flags.begin(), flags.end());
  return fmt::format("{}", fmt::join(flags, " "));
}

std::string mailbox(imap::Cursor& c) {
  c.sp();
  return mailbox_name(c.astring().text());
}

void read_set(imap::Cursor& c, bool by_uid, const session::ImapView& view, ImapAsked& out) {
  c.sp();
  const auto set = c.sequence_set();
  if (!c.ok()) return;
  out.set = resolved(set, by_uid, view);
  if (out.set.empty() || set.has_star()) out.text = fmt::format("{} {}", by_uid ? "UID" : "number", set.format());
}

// store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
void read_store(imap::Cursor& c, ImapAsked& out) {
  c.sp();
  if (c.peek() == '(') {
    c.skip_value();
    c.sp();
  }
  out.code = upper(c.atom());
  c.sp();
  imap::FlagList flags;
  if (c.peek() == '(') {
    c.flag_list(flags);
  } else {
    do flags.add(c.flag());
    while (c.ok() && c.accept(' '));
  }
  out.flags = joined(flags);
}

// qresync = "(QRESYNC (" uidvalidity SP mod-sequence-value ..."
void read_select_parameters(imap::Cursor& c, ImapAsked& out) {
  if (!c.accept(' ') || !c.accept('(') || !c.accept_word("QRESYNC")) return;
  c.sp();
  if (c.accept('(')) out.uidvalidity = c.nz_number();
}

void read_arguments(imap::Cursor& c, bool by_uid, const session::ImapView& view, ImapAsked& out) {
  switch (out.what) {
    case What::select:
    case What::examine:
      out.mailbox = mailbox(c);
      read_select_parameters(c, out);
      break;
    case What::append:
    case What::create:
    case What::remove:
    case What::subscribe:
    case What::status:
    case What::get_quota:
      out.mailbox = mailbox(c);
      if (out.name == "UNSUBSCRIBE") out.text = "no longer";
      break;
    case What::rename:
      out.mailbox = mailbox(c);
      out.other_mailbox = mailbox(c);
      break;
    case What::fetch:
      read_set(c, by_uid, view, out);
      c.sp();
      out.text = c.rest();
      break;
    case What::store:
      read_set(c, by_uid, view, out);
      if (out.name.ends_with("REPLACE")) {  // RFC 8508 section 3: STORE and UID EXPUNGE are in it
        out.code = "+FLAGS";
        out.flags = "\\Deleted";
        break;
      }
      read_store(c, out);
      break;
    case What::copy:
    case What::move:
      read_set(c, by_uid, view, out);
      out.other_mailbox = mailbox(c);
      break;
    case What::expunge:
      if (by_uid) read_set(c, by_uid, view, out);
      break;
    case What::enable:
    case What::search:
      c.sp();
      out.text = c.rest();
      break;
    case What::list:
      if (out.name == "LSUB") out.text = "subscribed";
      break;
    default:
      break;
  }
}

}  // namespace

std::string mailbox_name(std::string_view wire) {
  if (iequals(wire, "INBOX")) return "INBOX";
  auto decoded = imap::decode_utf7(wire);
  return decoded ? std::move(*decoded) : std::string(wire);
}

ImapAsked read_imap_command(const imap::LogicalLine& line, const session::ImapView& view) {
  ImapAsked out;
  imap::Cursor c(line);
  out.tag = c.tag();
  c.sp();
  std::string word = upper(c.word());
  const bool by_uid = word == "UID";
  if (by_uid) {
    c.sp();
    word = upper(c.word());
  }
  const auto known = std::find_if(kCommands.begin(), kCommands.end(), [&](const Known& k) { return k.name == word; });
  if (!c.ok()) return out;
  if (known == kCommands.end() || (by_uid && known->uid_name.empty())) {
    out.unknown = by_uid ? "UID " + word : word;
    return out;
  }
  out.name = by_uid ? known->uid_name : known->name;
  out.what = known->what;
  out.told = known->told;
  if (out.name == "LOGIN") {
    out.secret = true;
    c.sp();
    out.user = c.astring().text();
    c.sp();
    out.password = c.astring().text();
  } else if (out.name == "AUTHENTICATE") {
    out.secret = true;
    c.sp();
    out.mechanism = c.atom();
    if (c.accept(' ')) out.initial_response = c.rest();
  } else if (out.told) {
    read_arguments(c, by_uid, view, out);
  }
  return out;
}

bool is_imap_command(std::string_view word) {
  return iequals(word, "UID") ||
         std::any_of(kCommands.begin(), kCommands.end(), [&](const Known& k) { return iequals(k.name, word); });
}

std::string imap_command_word(std::string_view line_so_far) {
  imap::Cursor c(line_so_far);
  c.tag();
  c.sp();
  return upper(c.word());
}

}  // namespace mailproof::imports
