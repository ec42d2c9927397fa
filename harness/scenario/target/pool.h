#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "scenario/target/target.h"
#include "scenario/yaml/complaints.h"

namespace mailproof::scenario {

inline constexpr std::int64_t kMostAccounts = 1'000'000;  ///< of a target, and of a plan

using Environment = std::function<const char*(const std::string&)>;

/// Reads `accounts:` of a target file: a list of classes and files, or {file: accounts.csv}. Everything is expanded, in
/// file order. Problems inside an accounts file go to `elsewhere`, because they are at places of that file.
void read_pool(const Node& node, const Environment& environment, Complaints& complaints, std::vector<PoolAccount>& out,
               std::vector<Problem>& elsewhere);

/// Reads accounts from the text of a CSV file (RFC 4180): login, address, password, quota; a header line and # comments
/// may be there.
void read_accounts_csv(std::string_view text, Complaints& complaints, std::vector<PoolAccount>& out);

}  // namespace mailproof::scenario
