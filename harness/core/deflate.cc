#include "core/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace mailproof {
namespace {

constexpr std::size_t kPiece = 16 * 1024;
constexpr int kRaw = -15;  ///< RFC 4978 section 4: between -8 and -15
constexpr int kMemory = 8;

Bytef* bytes_of(char* text) { return reinterpret_cast<Bytef*>(text); }

/// zlib counts in 32 bits and takes what it reads without const.
void give(z_stream& stream, std::string_view text) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(text.size(), std::numeric_limits<uInt>::max()));
}

}  // namespace

struct Deflater::Impl {
  z_stream stream{};
};

Deflater::Deflater() : impl_(std::make_unique<Impl>()) {
  if (deflateInit2(&impl_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRaw, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

Deflater::~Deflater() { deflateEnd(&impl_->stream); }

std::string Deflater::compress(std::string_view text) {
  z_stream& stream = impl_->stream;
  std::string out;
  char piece[kPiece];
  do {
    give(stream, text);
    text.remove_prefix(stream.avail_in);
    do {
      stream.next_out = bytes_of(piece);
      stream.avail_out = kPiece;
      deflate(&stream, text.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      out.append(piece, kPiece - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!text.empty());
  return out;
}

struct Inflater::Impl {
  z_stream stream{};
  bool dead = false;
};

Inflater::Inflater() : impl_(std::make_unique<Impl>()) {
  if (inflateInit2(&impl_->stream, kRaw) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(&impl_->stream); }

bool Inflater::inflate(std::string_view bytes, const std::function<void(std::string_view)>& out) {
  z_stream& stream = impl_->stream;
  char piece[kPiece];
  while (!bytes.empty() && !impl_->dead) {
    give(stream, bytes);
    bytes.remove_prefix(stream.avail_in);
    int came = Z_OK;
    do {
      stream.next_out = bytes_of(piece);
      stream.avail_out = kPiece;
      came = ::inflate(&stream, Z_SYNC_FLUSH);
      if (stream.avail_out != kPiece) out({piece, kPiece - stream.avail_out});
    } while (came == Z_OK && (stream.avail_in != 0 || stream.avail_out == 0));
    // Z_BUF_ERROR: all was taken, and more is needed.
    impl_->dead = came != Z_OK && came != Z_BUF_ERROR;
  }
  return !impl_->dead;
}

}  // namespace mailproof
