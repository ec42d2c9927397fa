#pragma once
#include <string_view>

#include "core/network.h"

namespace mailproof::scenario {

/// What the connections of a file's checks speak unless they say otherwise, by the first word of its id:
/// "imap.9051-6.4.9" and "condstore.7162-3.1" are IMAP's. POP3 for any word that is not known, and for "x".
Protocol protocol_of_file(std::string_view file_id);

}  // namespace mailproof::scenario
