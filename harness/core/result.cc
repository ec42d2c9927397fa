#include "core/result.h"

#include <stdexcept>

namespace mailproof {

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message());
}

}  // namespace mailproof
