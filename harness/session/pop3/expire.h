#pragma once
#include <optional>
#include <span>
#include <string>

#include "core/pop3_download.h"
#include "core/time.h"

namespace mailproof::session {

/// What the lines of CAPA announce of a message that was downloaded (RFC 2449 section 6.7, EXPIRE); nothing: they say
/// nothing of it.
std::optional<Pop3Download> announced_download(std::span<const std::string> capabilities);
/// ... of the days after which a message may go that somebody acted upon, by TOP as well; nothing: they say nothing of
/// it, or NEVER.
std::optional<std::uint64_t> announced_expiry_days(std::span<const std::string> capabilities);
/// ... of the time between two logins of an account (RFC 2449 section 6.5, LOGIN-DELAY); nothing: they say nothing of
/// it.
std::optional<Duration> announced_login_delay(std::span<const std::string> capabilities);

}  // namespace mailproof::session
