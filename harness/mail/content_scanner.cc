#include <algorithm>
#include <cstring>

#include "mail/stamp.h"

namespace mailproof::mail {
namespace {

constexpr std::size_t kLongestHeaderLine = 2048;  // our token line is far shorter; longer lines are not it
constexpr std::size_t kKept = 128 * 1024;
constexpr std::size_t kHeaderKept = 16 * 1024;
constexpr std::size_t kKeptMemory = 4096;  ///< of the memory of what was kept: more is given back

/// Sixteen octets at a time, each place of them counted by itself until its octet is full.
std::size_t newlines(std::string_view text) {
  constexpr std::size_t kWide = 16, kFull = 255 * kWide;
  using Wide [[gnu::vector_size(kWide)]] = std::uint8_t;
  std::size_t out = 0;
  while (text.size() >= kWide) {
    Wide here{};
    const std::size_t size = std::min(kFull, text.size() / kWide * kWide);
    for (std::size_t at = 0; at < size; at += kWide) {
      Wide octets;
      std::memcpy(&octets, text.data() + at, kWide);
      here -= static_cast<Wide>(octets == '\n');  // true is all ones
    }
    for (std::size_t i = 0; i < kWide; ++i) out += here[i];
    text.remove_prefix(size);
  }
  for (const char c : text) out += c == '\n' ? 1U : 0U;
  return out;
}

/// "Received: ..." and the like, or a further line of one.
bool is_of_another_field(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return true;
  for (const std::string_view ours : {kTokenHeader, std::string_view("Message-ID"), std::string_view("Subject")})
    if (istarts_with(line, ours)) return false;
  const auto colon = line.find(':');
  return colon != std::string_view::npos && colon != 0 &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c < 127; });
}

/// "Subject" of "Subject: ..."; nothing: no field begins here.
std::string_view field_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto name = line.substr(0, colon);
  return std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127; }) ? name : std::string_view();
}

/// So many octets are whole lines that begin neither the end of a header nor a token.
std::size_t plain_lines(std::string_view text) {
  std::size_t out = 0;
  while (out < text.size()) {
    const char first = text[out];
    if (first == '\r' || first == '\n') break;
    const std::size_t colon = out + kTokenHeader.size();
    if (to_lower(first) == to_lower(kTokenHeader.front()) && (colon >= text.size() || text[colon] == ':')) break;
    const auto newline = text.find('\n', out);
    if (newline == std::string_view::npos) break;
    out = newline + 1;
  }
  return out;
}

std::string_view take_line(std::string_view& rest) {
  const auto newline = rest.find('\n');
  const auto out = rest.substr(0, newline == std::string_view::npos ? rest.size() : newline + 1);
  rest.remove_prefix(out.size());
  return out;
}

bool has_field(std::string_view header, std::string_view name) {
  while (!header.empty())
    if (iequals(field_name(take_line(header)), name)) return true;
  return false;
}

/// The fields of `came` that stand between the lines of `sent`; nothing: something of it is missing, was changed or
/// moved, or what came has a field twice.
std::optional<std::vector<std::string>> fields_between(std::string_view sent, std::string_view came) {
  std::vector<std::string> out;
  const std::string_view all = sent;
  std::string_view next = take_line(sent);
  for (bool added = false; !came.empty();) {
    const std::string_view line = take_line(came);
    if (line == next) {
      next = take_line(sent);
      added = false;
      continue;
    }
    if (added && (line.starts_with(' ') || line.starts_with('\t'))) continue;
    const std::string_view name = field_name(line);
    // Not in the midst of a field of ours, which would end there and begin again.
    if (name.empty() || has_field(all, name) || next.starts_with(' ') || next.starts_with('\t')) return std::nullopt;
    if (std::ranges::find(out, name) == out.end()) out.emplace_back(name);
    added = true;
  }
  return next.empty() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

void ContentScanner::begin() {
  hash_ = BulkHash();
  header_hash_ = octets_ = canonical_ = 0;
  body_lines_ = 0;
  header_ended_ = stamped_ = line_too_long_ = false;
  others_above_ = true;
  sent_.reset();
  difference_.reset();
  added_.clear();
  line_.clear();
  kept_.clear();
  header_.clear();
}

void ContentScanner::canonical(std::string_view part) {
  constexpr std::size_t kShown = 24;
  hash_.add(part);
  if (sent_ && !difference_) {
    const std::string_view rest = std::string_view(*sent_).substr(std::min<std::uint64_t>(canonical_, sent_->size()));
    const auto same = static_cast<std::size_t>(std::mismatch(part.begin(), part.end(), rest.begin(), rest.end()).first -
                                               part.begin());
    if (same < part.size())
      difference_ = {canonical_ + same, std::string(rest.substr(same, kShown)), std::string(part.substr(same, kShown))};
  } else if (difference_ && difference_->came.size() < kShown) {
    difference_->came += part.substr(0, kShown - difference_->came.size());
  }
  canonical_ += part.size();
}

/// One line of the header. Its octets are counted by who calls.
void ContentScanner::line(std::string_view line) {
  if (!line_too_long_ && line.size() > kTokenHeader.size() && line[kTokenHeader.size()] == ':' &&
      (line.starts_with(kTokenHeader) || istarts_with(line, kTokenHeader)) &&
      Token::parse_into(line.substr(kTokenHeader.size() + 1), token_)) {
    stamped_ = true;
    if (as_sent_) sent_ = as_sent_(token_);
    kept_.clear();
    if (kept_.capacity() > kKeptMemory) kept_.shrink_to_fit();
  } else if (!stamped_ && (line_too_long_ || !is_of_another_field(line))) {
    others_above_ = false;
  }
  if (!line_too_long_ && (line == "\r\n" || line == "\n")) header_ended_ = true;
  line_too_long_ = false;
}

/// Takes whole lines where they lie; what is left of the chunk is the body's. `uncounted`: of the canonical content up
/// to there, what is still to be counted.
std::string_view ContentScanner::header_lines(std::string_view chunk, std::string_view& uncounted) {
  const std::string_view all = chunk;
  const auto count = [&](std::string_view part) {
    uncounted = uncounted.empty() ? part : std::string_view(uncounted.data(), uncounted.size() + part.size());
  };
  while (!chunk.empty() && !header_ended_) {
    if (stamped_ && line_.empty() && !line_too_long_) {
      const auto plain = chunk.substr(0, plain_lines(chunk));
      chunk.remove_prefix(plain.size());
      count(plain);
      if (chunk.empty()) break;
    }
    const auto newline = chunk.find('\n');
    const auto part = chunk.substr(0, newline == std::string_view::npos ? chunk.size() : newline + 1);
    chunk.remove_prefix(part.size());
    if (newline != std::string_view::npos && line_.empty()) {
      line(part);
      if (stamped_) count(part);
      continue;
    }
    line_.append(part);
    if (newline != std::string_view::npos) {
      line(line_);
      if (stamped_) canonical(line_);
      line_.clear();
    } else if (line_.size() > kLongestHeaderLine) {  // hand it over in pieces
      if (stamped_) canonical(std::exchange(uncounted, {}));
      if (stamped_) canonical(line_);
      line_.clear();
      line_too_long_ = true;
    }
  }
  const auto keep = [came = all.substr(0, all.size() - chunk.size())](std::string& into, std::size_t most) {
    if (into.size() < most) into.append(came.substr(0, most - into.size()));
  };
  keep(header_, kHeaderKept);
  if (!stamped_) keep(kept_, kKept);
  if (stamped_ && header_ended_ && !(whole_only_ && sent_ == nullptr)) {
    canonical(std::exchange(uncounted, {}));
    if (difference_) leave_out_added();
    header_hash_ = hash_.value();
  }
  return chunk;
}

/// The header has ended and is another than what was sent.
void ContentScanner::leave_out_added() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = sent_->find(kEnd);
  if (end == std::string::npos || header_.size() >= kHeaderKept || canonical_ > header_.size()) return;
  const auto sent = std::string_view(*sent_).substr(0, end + kEnd.size());
  auto fields = fields_between(sent, std::string_view(header_).substr(header_.size() - canonical_));
  if (!fields) return;
  added_ = *std::move(fields);
  hash_ = BulkHash();
  canonical_ = 0;
  difference_.reset();
  canonical(sent);
}

void ContentScanner::add(std::string_view chunk) {
  octets_ += chunk.size();
  std::string_view canonical_header;
  if (!header_ended_) chunk = header_lines(chunk, canonical_header);
  if (!whole_only_) body_lines_ += static_cast<std::uint32_t>(newlines(chunk));
  if (stamped_) {
    // They lie one behind the other.
    canonical(canonical_header.empty()
                  ? chunk
                  : std::string_view(canonical_header.data(), canonical_header.size() + chunk.size()));
  } else if (kept_.size() < kKept) {
    kept_.append(chunk.substr(0, kKept - kept_.size()));
  }
}

void ContentScanner::end() {
  if (!line_.empty()) {
    line(line_);
    if (stamped_) canonical(line_);
    line_.clear();
  }
  if (sent_ && !difference_ && canonical_ < sent_->size())
    difference_ = {canonical_, sent_->substr(canonical_, 24), ""};
  sent_.reset();
}

}  // namespace mailproof::mail
