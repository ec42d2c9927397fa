#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/imap/extension.h"

namespace mailproof::server {

/// What an extended LIST asks for (RFC 5258).
struct ListRequest {
  std::string reference;
  std::vector<std::string> patterns;
  std::vector<const ListSelection*> selections;
  std::vector<const ListReturn*> returns;
  Extras asked;  ///< what the return options read
  bool selects(std::string_view name) const;
};

/// The names and all their superiors, which LIST shows although there may be no mailbox (RFC 3501 section 7.2.2).
std::set<std::string> with_superiors(const std::vector<std::string>& names);
bool has_children(const std::set<std::string>& names, std::string_view name);

}  // namespace mailproof::server
