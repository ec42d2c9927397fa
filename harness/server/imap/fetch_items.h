#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/imap/extension.h"
#include "wire/imap/cursor.h"
#include "wire/mime/structure.h"

namespace mailproof::server {

/// section = "[" [section-spec] "]" (RFC 3501 section 9)
struct Section {
  enum class What { all, header, fields, fields_not, text, mime };
  What what = What::all;
  std::vector<std::uint32_t> part;
  std::vector<std::string> names;  ///< of fields and fields_not
  bool needs_parts() const { return !part.empty(); }
};

struct FetchItem {
  enum class Kind { uid, flags, internaldate, size, envelope, body, bodystructure, modseq, section, extended };
  explicit FetchItem(Kind kind_, std::string_view label_ = {}) : kind(kind_), label(label_) {}
  Kind kind;
  Section section;
  std::string label;  ///< what names the section in the answer: "BODY[HEADER.FIELDS (FROM)]<0>", "RFC822.TEXT"
  std::optional<std::pair<std::uint32_t, std::uint32_t>> partial;  ///< origin and count
  bool sets_seen = false;
  const FetchWord* word = nullptr;  ///< of kind extended: an extension's
};

struct FetchRequest {
  std::vector<FetchItem> items;
  std::optional<std::uint64_t> changed_since;
  bool vanished = false;
  /// An extension's modifier takes out of the messages that are asked for; null: none does.
  std::function<void(const ImapSession&, std::vector<std::size_t>& indexes)> narrow;
  bool has(FetchItem::Kind kind) const;
};

/// What follows the set in a FETCH: items, a macro or a list, and the modifiers. Check c.ok() afterwards.
FetchRequest read_fetch_request(ImapSession& session, imap::Cursor& c);
/// section-spec behind "[", up to "]"; `label` gets how the answer spells it.
Section read_section(imap::Cursor& c, std::string& label);

/// The octets a section names. `structure` may be null unless needs_parts(). Nothing: there is no such part (NIL).
std::optional<std::string> section_text(const Section& section, std::string_view message, const mime::Part* structure);

}  // namespace mailproof::server
