#include "wire/mime/multipart.h"

#include <optional>

namespace mailproof::mime {
namespace {

enum class Delimiter { none, open, close };

/// delimiter = CRLF "--" boundary; close-delimiter = delimiter "--"; both may carry blanks behind (transport-padding).
Delimiter classify(std::string_view line, std::string_view boundary) {
  if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return Delimiter::none;
  std::string_view rest = line.substr(2 + boundary.size());
  const bool close = rest.starts_with("--");
  if (close) rest.remove_prefix(2);
  if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) return Delimiter::none;
  return close ? Delimiter::close : Delimiter::open;
}

}  // namespace

Multipart split_multipart(std::string_view message, Range where, std::string_view boundary, std::size_t most) {
  Multipart found;
  if (boundary.empty()) return found;
  std::optional<std::size_t> part;
  std::size_t at = where.begin;
  while (at < where.end) {
    const std::size_t lf = message.find('\n', at);
    const std::size_t end = lf == std::string_view::npos || lf >= where.end ? where.end : lf + 1;
    const Delimiter delimiter = classify(message.substr(at, end - at), boundary);
    if (delimiter != Delimiter::none) {
      if (part) {
        std::size_t last = at;
        if (last > *part && message[last - 1] == '\n') --last;
        if (last > *part && message[last - 1] == '\r') --last;
        if (found.parts.size() == most) {
          found.cut = true;
          return found;
        }
        found.parts.push_back({*part, last});
      }
      part = end;
      if (delimiter == Delimiter::close) {
        found.closed = true;
        return found;
      }
    }
    at = end;
  }
  if (part && *part < where.end) {
    if (found.parts.size() == most) {
      found.cut = true;
    } else {
      found.parts.push_back({*part, where.end});
    }
  }
  return found;
}

}  // namespace mailproof::mime
