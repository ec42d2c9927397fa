#pragma once
#include <string>

#include "core/result.h"

namespace mailproof::net {

/// A key and a certificate for it, as PEM.
struct SelfSigned {
  std::string certificate, key;
};

/// For the built-in server on loopback: EC P-256, for "localhost", 127.0.0.1 and ::1, valid from an hour ago for a day,
/// signed by itself so that it is its own CA file.
Result<SelfSigned> make_self_signed();

}  // namespace mailproof::net
