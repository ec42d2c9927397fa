#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mailproof {

/// DEFLATE without header and trailer (RFC 1951), as RFC 4978 section 4 wants it: one stream, flushed where the other
/// end is to have all of it.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  /// Bytes of the stream that tell all of `text`.
  std::string compress(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The way back. Bounded memory: what comes out is handed on in pieces of at most 16 KiB.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  /// False: these are no bytes of such a stream, and nothing more can be read of it; what could be was handed on. So is
  /// a stream that ends: RFC 4978 has it last as long as the connection.
  bool inflate(std::string_view bytes, const std::function<void(std::string_view)>& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof
