#include <algorithm>

#include "core/bytes.h"
#include "server/imap/search.h"
#include "server/imap/session.h"
#include "wire/imap/chars.h"
#include "wire/mime/date.h"

namespace mailproof::server {
namespace {

using Kind = SearchKey::Kind;

constexpr unsigned kNesting = 50;
constexpr std::int64_t kDaySeconds = 86400;

struct FlagWord {
  std::string_view name;
  Flag flag;
};
constexpr FlagWord kFlagWords[] = {{"ANSWERED", Flag::answered},
                                   {"DELETED", Flag::deleted},
                                   {"DRAFT", Flag::draft},
                                   {"FLAGGED", Flag::flagged},
                                   {"SEEN", Flag::seen}};

struct DateWord {
  std::string_view name;
  Kind kind;
};
constexpr DateWord kDateWords[] = {{"BEFORE", Kind::before},  {"ON", Kind::on},
                                   {"SINCE", Kind::since},    {"SENTBEFORE", Kind::sent_before},
                                   {"SENTON", Kind::sent_on}, {"SENTSINCE", Kind::sent_since}};

class Reader {
 public:
  Reader(ImapSession& session, imap::Cursor& c, SearchRequest& request) : session_(session), c_(c), request_(request) {}

  // search-key *(SP search-key)
  SearchKey sequence(unsigned depth, bool in_list) {
    SearchKey keys(Kind::all);
    if (in_list) {
      if (c_.open_list()) {
        while (c_.next_item()) keys.children.push_back(key(depth));
      }
      return keys;
    }
    do keys.children.push_back(key(depth));
    while (c_.ok() && c_.accept(' '));
    return keys;
  }

 private:
  SearchKey key(unsigned depth) {
    if (depth >= kNesting) {
      c_.fail("fewer nested search keys");
      return SearchKey(Kind::all);
    }
    if (c_.peek() == '(') return sequence(depth + 1, true);
    if (c_.peek() == '$') return saved_result();
    if (c_.peek() == '*' || (c_.peek() >= '0' && c_.peek() <= '9')) {
      request_.by_number = true;
      if (session_.enabled("UIDONLY")) c_.fail("[UIDREQUIRED] Message numbers are not used with UIDONLY");
      return set_key(Kind::numbers);
    }
    const auto word = upper(c_.atom());
    for (const auto& known : kFlagWords) {
      if (word == known.name) return flag_key(known.flag);
      if (word == "UN" + std::string(known.name)) return negated(flag_key(known.flag));
    }
    for (const auto& known : kDateWords) {
      if (word == known.name) return date_key(known.kind);
    }
    for (const auto* field : {"BCC", "CC", "FROM", "SUBJECT", "TO"}) {
      if (word == field) return text_key(Kind::field, field);
    }
    if (word == "ALL") return SearchKey(Kind::all);
    if (word == "NOT") return c_.sp() ? negated(key(depth + 1)) : SearchKey(Kind::all);
    if (word == "OR") return either(depth);
    if (word == "RECENT") return SearchKey(Kind::recent);
    if (word == "OLD") return negated(SearchKey(Kind::recent));
    if (word == "NEW") return both(SearchKey(Kind::recent), negated(flag_key(Flag::seen)));
    if (word == "UID") return c_.sp() ? set_key(Kind::uids) : SearchKey(Kind::all);
    if (word == "BODY") return text_key(Kind::body, "");
    if (word == "TEXT") return text_key(Kind::text, "");
    if (word == "KEYWORD") return keyword_key();
    if (word == "UNKEYWORD") return negated(keyword_key());
    if (word == "LARGER") return number_key(Kind::larger);
    if (word == "SMALLER") return number_key(Kind::smaller);
    if (word == "MODSEQ") return modseq_key();
    if (word == "HEADER") {
      c_.sp();
      return text_key(Kind::field, c_.astring().text());
    }
    if (const auto* known = session_.extensions().find(&Extension::search_words, word)) {
      SearchKey made(Kind::extended);
      made.word = known;
      if (known->read != nullptr) known->read(session_, c_, made);
      return made;
    }
    c_.fail("a search key");
    return SearchKey(Kind::all);
  }

  SearchKey saved_result() {
    SearchKey made(Kind::uids);
    made.set = session_.read_messages(c_).set;
    if (!made.set.empty()) return made;
    SearchKey none(Kind::negated);  // "$" may mean no message
    none.children.emplace_back(Kind::all);
    return none;
  }

  SearchKey negated(SearchKey child) {
    SearchKey made(Kind::negated);
    made.children.push_back(std::move(child));
    return made;
  }
  SearchKey both(SearchKey first, SearchKey second) {
    SearchKey made(Kind::all);
    made.children.push_back(std::move(first));
    made.children.push_back(std::move(second));
    return made;
  }
  SearchKey either(unsigned depth) {
    SearchKey made(Kind::any);
    c_.sp();
    made.children.push_back(key(depth + 1));
    c_.sp();
    made.children.push_back(key(depth + 1));
    return made;
  }
  SearchKey set_key(Kind kind) {
    SearchKey made(kind);
    made.set = c_.sequence_set();
    return made;
  }
  SearchKey flag_key(Flag flag) {
    SearchKey made(Kind::flag);
    made.wanted = flag;
    return made;
  }
  SearchKey keyword_key() {
    SearchKey made(Kind::keyword);
    c_.sp();
    made.text = c_.flag();
    return made;
  }
  SearchKey text_key(Kind kind, std::string name) {
    SearchKey made(kind);
    made.name = std::move(name);
    c_.sp();
    made.text = c_.astring().text();
    return made;
  }
  SearchKey number_key(Kind kind) {
    SearchKey made(kind);
    c_.sp();
    made.number = c_.number64();
    return made;
  }
  // search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer (RFC 7162 section 7)
  SearchKey modseq_key() {
    if (!session_.keeps_modseqs()) c_.fail("a mailbox that keeps mod-sequences");
    request_.uses_modseq = true;
    c_.sp();
    if (c_.peek() == '"') {
      c_.quoted();
      c_.sp();
      c_.atom();
      c_.sp();
    }
    SearchKey made(Kind::modseq);
    made.number = c_.number64();
    return made;
  }
  SearchKey date_key(Kind kind) {
    SearchKey made(kind);
    c_.sp();
    const auto date = mime::parse_search_date(c_.astring().text());
    if (!date) c_.fail("a date");
    if (date) made.number = static_cast<std::uint64_t>(date->unix_seconds() / kDaySeconds);
    return made;
  }

  ImapSession& session_;
  imap::Cursor& c_;
  SearchRequest& request_;
};

}  // namespace

void read_search_return(ImapSession& session, imap::Cursor& c, SearchRequest& request) {
  if (!c.accept_word("RETURN")) return;
  request.extended = true;
  c.sp();
  if (c.open_list()) {
    while (c.next_item()) {
      const auto option = upper(c.atom());
      const auto* extended = session.extensions().find(&Extension::search_returns, option);
      if (option == "MIN") {
        request.min = true;
      } else if (option == "MAX") {
        request.max = true;
      } else if (option == "ALL") {
        request.all = true;
      } else if (option == "COUNT") {
        request.count = true;
      } else if (extended != nullptr) {
        request.options.push_back(extended);
        if (extended->read != nullptr) extended->read(session, c, request);
      } else {
        c.fail("MIN, MAX, ALL, COUNT or an extension's option");
      }
    }
  }
  const auto alone =
      std::count_if(request.options.begin(), request.options.end(), [](const auto* option) { return option->alone; });
  if (alone > 1 || (alone == 1 && request.all)) c.fail("one of PARTIAL and ALL");
  // "()" asks for ALL (RFC 4731 section 3.1).
  if (!request.min && !request.max && !request.count && request.options.empty()) request.all = true;
  c.sp();
}

void read_search_keys(ImapSession& session, imap::Cursor& c, SearchRequest& request) {
  request.key = Reader(session, c, request).sequence(0, false);
}

void refuse_charset(ImapSession& session, const SearchRequest& request) {
  for (const auto* option : request.options)
    if (option->refused != nullptr) option->refused(session);
  session.no("[BADCHARSET (US-ASCII UTF-8)] Unknown charset");
}

bool known_charset(std::string_view charset) { return iequals(charset, "US-ASCII") || iequals(charset, "UTF-8"); }

SearchRequest read_search_program(ImapSession& session, imap::Cursor& c) {
  SearchRequest request;
  read_search_return(session, c, request);
  // IMAP4rev2 has no SEARCH response (RFC 9051 section 6.4.4).
  if (!request.extended && session.enabled("IMAP4REV2")) request.extended = request.all = true;
  if (session.enabled("UTF8=ACCEPT") && c.rest().starts_with("CHARSET "))
    c.fail("[BADCHARSET] no charset: strings are UTF-8 (RFC 6855 section 3)");
  if (c.accept_word("CHARSET")) {
    c.sp();
    request.bad_charset = !known_charset(c.astring().text());
    c.sp();
  }
  read_search_keys(session, c, request);
  return request;
}

// search = "SEARCH" [search-return-opts] SP search-program
SearchRequest read_search_request(ImapSession& session, imap::Cursor& c) {
  c.sp();
  return read_search_program(session, c);
}

}  // namespace mailproof::server
