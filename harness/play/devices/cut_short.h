#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "play/context.h"

namespace mailproof::play {

/// Code of an outcome of a delivery: the connection ended, or the server said that it ends it, before the answer.
inline constexpr std::string_view kEnded = "ended";

/// Records that a step was not done for these messages, as nothing was asked, nothing answered, or the server refused
/// it; `why` "" = the device never saw them, `code` = how it was refused. What was to come of it is not owed.
void undone(Context& context, const std::vector<std::uint32_t>& messages, std::uint32_t session, std::string why,
            std::string_view code = {});
/// The server let the connection go, or went silent: neither a goodbye nor a device that hung up.
bool cut_short(const session::Ended& end);
/// "the server ended the session: pop3 127.0.0.1:110: ..."
std::string ended_by_server(const session::Ended& end);

}  // namespace mailproof::play
