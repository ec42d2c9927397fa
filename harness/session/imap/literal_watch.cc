#include "session/imap/literal_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"

namespace mailproof::session {

void LiteralWatch::begin(std::string_view line, std::uint64_t size, std::string_view tag) {
  line_.assign(line.substr(0, 120));
  tag_.assign(tag);
  reply_.clear();
  tail_.clear();
  unseen_ = {};
  size_ = size;
  came_ = before_ = 0;
  found_ = false;
}

void LiteralWatch::add(std::string_view octets) {
  look();
  unseen_ = octets;
}

void LiteralWatch::look() {
  if (!unseen_.empty()) search(std::exchange(unseen_, {}));
}

void LiteralWatch::row_over() {
  if (came_ == 0 && unseen_.size() == size_) unseen_ = {};
  look();
}

void LiteralWatch::search(std::string_view octets) {
  if (found_ || tag_.empty()) return;
  if (reply_.empty()) reply_.append("\r\n").append(tag_).append(" ");
  const std::size_t kept = tail_.size();
  // Only the seam between two pieces is copied, and looked through by itself.
  tail_ += octets.substr(0, reply_.size());
  auto at = tail_.find(reply_);
  std::uint64_t before = came_ - kept;
  if (at == std::string::npos) {
    at = octets.find(reply_);
    before = came_;
  }
  if (at != std::string_view::npos) {
    found_ = true;
    before_ = before + at;
    // The parenthesis that ends the row is not the message's.
    const bool ends_row = before == came_ ? at > 0 && octets[at - 1] == ')' : at > 0 && tail_[at - 1] == ')';
    if (ends_row) --before_;
  }
  came_ += octets.size();
  if (octets.size() > reply_.size()) tail_ = octets.substr(octets.size() - reply_.size());
  if (tail_.size() > reply_.size()) tail_.erase(0, tail_.size() - reply_.size());
}

std::string LiteralWatch::suspicion() {
  look();
  if (!found_) return {};
  return fmt::format("the literal of \"{}\" announces {} octets; {} came, and then the reply {}within it",
                     printable(line_, 120), size_, before_, printable(reply_.substr(2), 20));
}

}  // namespace mailproof::session
