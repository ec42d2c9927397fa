#pragma once
#include "wire/imap/response.h"

namespace mailproof::imap {

// The untagged responses of RFC 9051 section 7.2 and 7.3 and their extensions, each from behind its keyword. Kind is
// set by the caller.
void read_list(Cursor& c, ListData& into);                           ///< mailbox-list
void read_status(Cursor& c, Response& into);                         ///< mailbox SP "(" [status-att-list] ")"
void read_search(Cursor& c, Response& into);                         ///< [SP "(" "MODSEQ" SP mod-sequence-value ")"]
void read_esearch(Cursor& c, EsearchData& into);                     ///< esearch-response
void read_words(Cursor& c, std::vector<std::string_view>& into);     ///< *(SP capability)
void read_vanished(Cursor& c, Response& into);                       ///< expunged-resp
void read_namespaces(Cursor& c, std::vector<NamespaceEntry>& into);  ///< Namespace-Response
void read_quota(Cursor& c, Response& into);                          ///< quota-response
void read_quota_root(Cursor& c, Response& into);                     ///< quotaroot-response
void read_id(Cursor& c, std::vector<IdField>& into);                 ///< id-response

}  // namespace mailproof::imap
