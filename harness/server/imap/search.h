#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/imap/extension.h"
#include "server/imap/view.h"
#include "wire/imap/cursor.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::server {

/// search-key (RFC 3501 section 9, MODSEQ of RFC 7162) as a tree.
struct SearchKey {
  enum class Kind {
    all,      ///< every child matches; without children always
    any,      ///< one child matches
    negated,  ///< the child does not match
    numbers,
    uids,
    flag,
    keyword,
    recent,
    field,  ///< `text` within a header field `name`; an empty text asks whether the field is there
    body,
    text,
    before,
    on,
    since,
    sent_before,
    sent_on,
    sent_since,
    larger,
    smaller,
    modseq,
    extended,  ///< a key of an extension, which says what matches
  };
  explicit SearchKey(Kind kind_) : kind(kind_) {}

  Kind kind;
  Flag wanted{};
  std::uint64_t number = 0;  ///< octets, MODSEQ, or a day counted from 1970-01-01
  std::string name;
  std::string text;
  imap::SequenceSet set;
  std::vector<SearchKey> children;
  const SearchWord* word = nullptr;  ///< of kind extended
};

/// What is asked for with RETURN (RFC 4731); none of it: the plain SEARCH response.
struct SearchRequest {
  bool extended = false;
  bool min = false;
  bool max = false;
  bool all = false;
  bool count = false;
  std::vector<const SearchReturn*> options;  ///< of extensions, as asked for
  Extras extras;                             ///< what those read
  bool by_number = false;                    ///< the keys name messages by their numbers
  bool uses_modseq = false;
  bool bad_charset = false;
  SearchKey key{SearchKey::Kind::all};
  /// Brings what is found now into the order that is asked for (SORT); null: as the mailbox has it.
  std::function<void(const ImapView&, std::vector<std::size_t>& indexes)> order;
};

/// What was found, in the order in which it is told.
struct SearchResult {
  std::vector<std::size_t> indexes;    ///< in the view
  std::vector<std::uint32_t> numbers;  ///< the same as UIDs or message numbers, as the command wants them
  Modseq highest = 0;                  ///< MODSEQ of all of them
};

/// "RETURN (...)" with a space behind it, if that is what comes next.
void read_search_return(ImapSession& session, imap::Cursor& c, SearchRequest& request);
/// The keys of a search. Check c.ok() afterwards.
void read_search_keys(ImapSession& session, imap::Cursor& c, SearchRequest& request);
/// "[BADCHARSET ...] text" is answered with NO, and the options hear of it.
void refuse_charset(ImapSession& session, const SearchRequest& request);
/// A charset's name as the command gives it: whether it is one we know.
bool known_charset(std::string_view charset);
/// What may stand behind SEARCH and its space.
SearchRequest read_search_program(ImapSession& session, imap::Cursor& c);
/// What follows SEARCH. Check c.ok() afterwards.
SearchRequest read_search_request(ImapSession& session, imap::Cursor& c);

/// `index` within the view. Strings match without regard to ASCII case, in text that is decoded (searched_text.h).
bool matches(const SearchKey& key, const ImapView& view, std::size_t index);

}  // namespace mailproof::server
