#pragma once
#include <string>
#include <string_view>

namespace mailproof {

/// Text in which no CI reads a command, wherever in a line it looks for one: GitHub's ::error:: becomes
/// :\x3aerror:\x3a, Azure's ##[section] and ##vso[ and TeamCity's ##teamcity[ become #\x23... An IPv6 address
/// stays.
std::string without_commands(std::string_view text);

}  // namespace mailproof
