#include "net/fd.h"

#include <cstring>

#include "core/bytes.h"

namespace mailproof::net {

std::string errno_text(int error) {
  std::string text = std::strerror(error);
  if (text.size() > 1 && to_lower(text[1]) == text[1]) text[0] = to_lower(text[0]);
  return text;
}

}  // namespace mailproof::net
