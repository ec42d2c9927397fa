#include "scenario/check/file_protocol.h"

#include <algorithm>
#include <utility>

namespace mailproof::scenario {
namespace {

/// The first words of the catalogue's ids; an extension is called like its capability, or shorter.
constexpr std::pair<std::string_view, Protocol> kFirstWords[] = {
    {"imap", Protocol::imap},        {"acl", Protocol::imap},       {"appendlimit", Protocol::imap},
    {"binary", Protocol::imap},      {"children", Protocol::imap},  {"compress", Protocol::imap},
    {"condstore", Protocol::imap},   {"enable", Protocol::imap},    {"esearch", Protocol::imap},
    {"esort", Protocol::imap},       {"id", Protocol::imap},        {"idle", Protocol::imap},
    {"inprogress", Protocol::imap},  {"listext", Protocol::imap},   {"liststatus", Protocol::imap},
    {"literalplus", Protocol::imap}, {"metadata", Protocol::imap},  {"move", Protocol::imap},
    {"multiappend", Protocol::imap}, {"namespace", Protocol::imap}, {"notify", Protocol::imap},
    {"objectid", Protocol::imap},    {"partial", Protocol::imap},   {"preview", Protocol::imap},
    {"qresync", Protocol::imap},     {"quota", Protocol::imap},     {"replace", Protocol::imap},
    {"respcodes", Protocol::imap},   {"saslir", Protocol::imap},    {"savedate", Protocol::imap},
    {"searchres", Protocol::imap},   {"sort", Protocol::imap},      {"specialuse", Protocol::imap},
    {"statussize", Protocol::imap},  {"uidonly", Protocol::imap},   {"uidplus", Protocol::imap},
    {"unselect", Protocol::imap},    {"urlauth", Protocol::imap},   {"utf8accept", Protocol::imap},
    {"within", Protocol::imap},      {"behaviour", Protocol::imap},  // what probe --behaviour plays: most is IMAP
    {"smtp", Protocol::smtp},        {"dsn", Protocol::smtp},       {"lmtp", Protocol::lmtp},
};

}  // namespace

Protocol protocol_of_file(std::string_view file_id) {
  const auto word = file_id.substr(0, file_id.find('.'));
  const auto* known = std::ranges::find(kFirstWords, word, &std::pair<std::string_view, Protocol>::first);
  return known == std::end(kFirstWords) ? Protocol::pop3 : known->second;
}

}  // namespace mailproof::scenario
