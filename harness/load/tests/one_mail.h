#pragma once
#include <string_view>

namespace mailproof::load {

/// A story of one mail that the phone sees.
inline constexpr std::string_view kOneMail = R"(
accounts: [alice]
devices: {mta: {delivers: any}, phone: {imap: alice}}
steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {see: mail, within: 5s}
)";

}  // namespace mailproof::load
