#include "wire/text/line_reader.h"

#include <algorithm>

namespace mailproof::text {

std::optional<Line> LineReader::next(std::string_view& in) {
  constexpr std::size_t kKeepCapacity = 16 * 1024;
  if (delivered_) {
    kept_.clear();
    if (kept_.capacity() > kKeepCapacity) kept_.shrink_to_fit();
    delivered_ = false;
  }
  if (in.empty()) return std::nullopt;

  const std::size_t lf = in.find('\n');
  const std::size_t taken = lf == std::string_view::npos ? in.size() : lf + 1;
  const std::string_view piece = in.substr(0, taken);
  in.remove_prefix(taken);
  offset_ += taken;

  if (lf == std::string_view::npos) {
    const std::size_t room = limit_ + 1 - std::min(limit_ + 1, kept_.size());
    kept_.append(piece.substr(0, std::min(room, piece.size())));
    octets_ += taken;
    cr_ = piece.back() == '\r';
    return std::nullopt;
  }

  Line line;
  line.octets = octets_ + taken;
  line.offset = offset_ - line.octets;
  const bool cr = taken > 1 ? piece[taken - 2] == '\r' : cr_;
  line.bare_lf = !cr;
  const std::uint64_t content = line.octets - (cr ? 2 : 1);
  line.cut = content > limit_;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(content, limit_));
  if (octets_ == 0) {
    line.text = piece.substr(0, wanted);
  } else {
    if (kept_.size() < wanted) kept_.append(piece.substr(0, wanted - kept_.size()));
    line.text = std::string_view(kept_).substr(0, wanted);
    delivered_ = true;
  }
  octets_ = 0;
  cr_ = false;
  return line;
}

}  // namespace mailproof::text
