#include "judge/reshapes.h"

#include <algorithm>

#include "core/bytes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// One is the other, or the beginning of it, whatever the separator is.
bool above_or_below(std::string_view one, std::string_view other) {
  const auto alike = [](char a, char b) {
    const auto plain = [](char c) { return c == '.' ? '/' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return plain(a) == plain(b);
  };
  const std::size_t size = std::min(one.size(), other.size());
  return size != 0 && std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(size), other.begin(), alike);
}

}  // namespace

Reshapes::Reshapes(const Case& c) : c_(c) {
  for (const Event& e : c.history.about(What::create))
    if (e.type == Type::fail && e.command != 0) failed_.insert(e.command);
}

bool Reshapes::concerns(const Event& e, std::uint32_t account, std::string_view mailbox) const {
  if (e.what != What::create && e.what != What::remove && e.what != What::rename) return false;
  const Event& asked = c_.invoke(e);
  if (c_.history.account_of(asked) != account || failed_.contains(asked.index)) return false;
  for (const std::string_view name : {std::string_view(asked.mailbox), std::string_view(asked.other_mailbox)}) {
    const bool inbox = iequals(name, "INBOX") || iequals(mailbox, "INBOX");
    if (inbox ? iequals(name, mailbox) : above_or_below(name, mailbox)) return true;
  }
  return false;
}

}  // namespace mailproof::judge
