#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/imap/cursor.h"
#include "wire/imap/fetch_data.h"
#include "wire/imap/flags.h"
#include "wire/imap/line.h"
#include "wire/imap/response_code.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::imap {

/// resp-cond-state, resp-cond-bye, resp-cond-auth
enum class Status : std::uint8_t { ok, no, bad, bye, preauth };
std::string_view name(Status status);  ///< "OK"

/// mailbox-list (RFC 9051 section 9)
struct ListData {
  std::vector<std::string_view> attributes;  ///< "\Noselect", "\HasChildren"
  char separator = 0;                        ///< 0 = NIL
  Text mailbox;                              ///< modified UTF-7, or UTF-8 once enabled
  std::optional<Text> old_name;              ///< OLDNAME (RFC 9051 section 6.3.9.7): what was asked for
};

struct StatusItem {
  std::string_view name;  ///< "MESSAGES"
  std::uint64_t value = 0;
  bool is_number = false;
  std::string_view raw;  ///< as sent
};

/// quota_resource (RFC 9208): STORAGE in units of 1024 octets.
struct QuotaResource {
  std::string_view name;
  std::uint64_t usage = 0;
  std::uint64_t limit = 0;
};

/// esearch-response (RFC 4731)
struct EsearchData {
  Text tag;  ///< of the command it answers, when told
  bool uid = false;
  std::optional<std::uint32_t> min;
  std::optional<std::uint32_t> max;
  std::optional<std::uint32_t> count;
  std::optional<std::uint64_t> modseq;
  bool has_all = false;
  SequenceSet all;
};

struct NamespaceEntry {
  enum class Class : std::uint8_t { personal, other_users, shared };
  Class of = Class::personal;
  Text prefix;
  char separator = 0;
};

struct IdField {
  Text name;
  Text value;  ///< may be NIL
};

/// One response, decoded. Which members count depends on `kind`; the others keep nothing of earlier responses but their
/// memory, so that a reused Response allocates nothing in steady state. Views point into the LogicalLine it was made
/// from.
struct Response {
  enum class Kind : std::uint8_t {
    unreadable,      ///< does not follow the grammar, or was truncated; `problem` says where and why
    continuation,    ///< "+ text": text
    tagged,          ///< tag, status, code, text
    status,          ///< untagged OK, NO, BAD, BYE, PREAUTH: status, code, text
    exists,          ///< number
    recent,          ///< number
    expunge,         ///< number
    fetch,           ///< number, fetch
    vanished,        ///< set, earlier
    list,            ///< list
    lsub,            ///< list
    mailbox_status,  ///< mailbox, items
    search,          ///< modseq; the numbers went to FramerSink::on_number before
    sort,            ///< likewise
    esearch,         ///< esearch
    flags,           ///< flags
    capability,      ///< words
    enabled,         ///< words
    namespaces,      ///< namespaces
    quota,           ///< quota_roots[0], quota
    quota_root,      ///< mailbox, quota_roots
    id,              ///< id
    other,           ///< an untagged response of a name we do not know: name, text
  };
  Kind kind = Kind::unreadable;
  std::string_view tag;
  Status status = Status::ok;
  ResponseCode code;
  std::string_view text;
  std::string_view name;  ///< the keyword as sent: "FETCH"
  std::uint32_t number = 0;
  bool earlier = false;
  SequenceSet set;
  FlagList flags;
  FetchData fetch;
  ListData list;
  EsearchData esearch;
  Text mailbox;
  std::optional<std::uint64_t> modseq;
  std::vector<std::string_view> words;
  std::vector<StatusItem> items;
  std::vector<Text> quota_roots;
  std::vector<QuotaResource> quota;
  std::vector<NamespaceEntry> namespaces;
  std::vector<IdField> id;
  std::string problem;
  bool beyond_bounds = false;  ///< unreadable for a bound of ours, of which the grammar knows nothing

  void clear();
};

/// Decodes one complete line. Never fails as a whole: what cannot be read becomes Kind::unreadable. A status response
/// whose code alone is wrong stays readable. Deviations go to the ring when one is given.
void decode_response(const LogicalLine& line, Response& into, Deviations* deviations = nullptr);

/// A FETCH response of which nothing could be read for a fault of the server's: who needs that message does not get it.
bool is_unreadable_row(const LogicalLine& line, const Response& decoded);

}  // namespace mailproof::imap
