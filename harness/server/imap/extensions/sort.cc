// SORT (RFC 5256), SORT=DISPLAY (RFC 5957) and ESORT (RFC 5267 section 3).
#include <algorithm>
#include <map>

#include "core/bytes.h"
#include "server/imap/session.h"
#include "server/imap/sort_fields.h"

namespace mailproof::server {
namespace {

/// Less than, equal or greater.
using Compare = int (*)(const SortFields&, const SortFields&);

template <auto Member>
int compare(const SortFields& a, const SortFields& b) {
  return a.*Member < b.*Member ? -1 : b.*Member < a.*Member ? 1 : 0;
}

struct SortWord {
  std::string_view name;
  Compare compare;
};
constexpr SortWord kSortWords[] = {
    {"ARRIVAL", compare<&SortFields::arrival>},
    {"CC", compare<&SortFields::cc>},
    {"DATE", compare<&SortFields::sent>},
    {"FROM", compare<&SortFields::from>},
    {"SIZE", compare<&SortFields::size>},
    {"SUBJECT", compare<&SortFields::subject>},
    {"TO", compare<&SortFields::to>},
    {"DISPLAYFROM", compare<&SortFields::display_from>},
    {"DISPLAYTO", compare<&SortFields::display_to>},
};

struct Criterion {
  Compare compare;
  bool reverse;
};

// sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"; sort-criterion = ["REVERSE" SP] sort-key
std::vector<Criterion> read_criteria(imap::Cursor& c) {
  std::vector<Criterion> criteria;
  bool reverse = false;
  if (!c.open_list()) return criteria;
  while (c.next_item()) {
    const auto word = upper(c.atom());
    if (word == "REVERSE" && !reverse) {
      reverse = true;
      continue;
    }
    const auto* known = std::find_if(std::begin(kSortWords), std::end(kSortWords),
                                     [&](const SortWord& one) { return one.name == word; });
    if (known == std::end(kSortWords)) {
      c.fail("a sort key");
      break;
    }
    criteria.push_back({known->compare, std::exchange(reverse, false)});
  }
  if (criteria.empty() || reverse) c.fail("a sort key");
  return criteria;
}

/// Equal ones stay in the order of the mailbox (section 3).
void put_in_order(const std::vector<Criterion>& criteria, const ImapView& view, std::vector<std::size_t>& indexes) {
  std::map<std::size_t, SortFields> fields;
  for (const auto index : indexes) fields.emplace(index, sort_fields(*view.entries()[index].message));
  std::stable_sort(indexes.begin(), indexes.end(), [&](std::size_t a, std::size_t b) {
    for (const auto& [compare, reverse] : criteria)
      if (const int order = compare(fields.at(a), fields.at(b)); order != 0) return (order < 0) != reverse;
    return false;
  });
}

// sort = ["UID" SP] "SORT" [SP search-return-opts] SP sort-criteria SP charset 1*(SP search-key)
void sort(ImapSession& session, imap::Cursor& c) {
  SearchRequest request;
  c.sp();
  read_search_return(session, c, request);
  auto criteria = read_criteria(c);
  c.sp();
  request.bad_charset = !known_charset(c.astring().text());
  c.sp();
  read_search_keys(session, c, request);
  if (!c.end()) return session.bad(c);
  if (request.bad_charset) return refuse_charset(session, request);
  if (request.uses_modseq) session.enable_condstore();
  request.order = [criteria = std::move(criteria)](const ImapView& view, std::vector<std::size_t>& indexes) {
    put_in_order(criteria, view, indexes);
  };
  const auto found = session.find(request);
  if (request.extended) {
    session.tell_search(request, found);
    return session.ok("Done");
  }
  session.write("* SORT");
  for (const auto number : found.numbers) session.print(" {}", number);
  if (request.uses_modseq && !found.numbers.empty()) session.print(" (MODSEQ {})", found.highest);
  session.write("\r\n");
  session.ok("Done");
}

}  // namespace

const Extension& sort_extension() {
  static const Extension extension{.capabilities = "SORT SORT=DISPLAY ESORT",
                                   .commands = {{"SORT", kSelected, sort, false}},
                                   .uid_commands = {{"SORT", kSelected, sort}}};
  return extension;
}

}  // namespace mailproof::server
