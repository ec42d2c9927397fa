#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "net/loop.h"

namespace mailproof::net {

/// scripts/make-certs run once, into a folder of this process.
inline const std::filesystem::path& certs() {
  static const struct Made {
    Made() : dir(std::filesystem::temp_directory_path() / ("mailproof-certs-" + std::to_string(getpid()))) {
      const std::string command = "scripts/make-certs '" + dir.string() + "'";
      if (std::system(command.c_str()) != 0) ADD_FAILURE() << command << " failed";
    }
    ~Made() { std::filesystem::remove_all(dir); }
    std::filesystem::path dir;
  } made;
  return made.dir;
}

/// A client's, who trusts who signed them.
inline LoopOptions trusting(bool insecure = false) {
  LoopOptions options;
  options.tls.ca_file = certs() / "ca.pem";
  options.tls.insecure = insecure;
  return options;
}

}  // namespace mailproof::net
