#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace mailproof::mime {

/// Octets [begin, end) of a message.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  std::string_view of(std::string_view message) const { return message.substr(begin, size()); }
  bool operator==(const Range&) const = default;
};

struct Multipart {
  std::vector<Range> parts;  ///< each with its header; the line end before a delimiter belongs to the delimiter
  bool closed = false;       ///< the close-delimiter was there
  bool cut = false;          ///< there were more than `most` parts
};

/// Cuts the body at `where` of `message` at its boundary (RFC 2046 section 5.1.1); preamble and epilogue belong to no
/// part. One pass. An empty boundary cuts nothing.
Multipart split_multipart(std::string_view message, Range where, std::string_view boundary, std::size_t most);

}  // namespace mailproof::mime
