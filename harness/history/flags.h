#pragma once
#include <string_view>

namespace mailproof::history {

/// Whether Event::flags, which are apart by blanks, has \Deleted, in whatever case (RFC 3501 section 9).
bool has_deleted(std::string_view flags);

/// What a STORE of these flags, as "+FLAGS", "-FLAGS.SILENT" or "FLAGS", is to do to \Deleted (RFC 3501 section 6.4.6).
enum class ToDeleted { nothing, sets, clears };
ToDeleted to_deleted(std::string_view how, std::string_view flags);

/// Whether a FETCH of these items sets \Seen: one of a body without PEEK (RFC 3501 section 6.4.5, RFC 3516
/// section 4.2).
bool sets_seen(std::string_view items);

}  // namespace mailproof::history
