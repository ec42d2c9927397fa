#pragma once
#include <string>

#include "core/result.h"

namespace mailproof::scenario {

/// The whole of a file of at most `most` octets. The error's `why` is worded as an expectation: "a file that can be
/// read (...)".
Result<std::string> read_file(const std::string& path, std::size_t most);
/// `path` as written in `file`: relative names are relative to the file's folder.
std::string beside(const std::string& file, const std::string& path);

}  // namespace mailproof::scenario
