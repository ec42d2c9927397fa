#include "scenario/yaml/files.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace mailproof::scenario {

Result<std::string> read_file(const std::string& path, std::size_t most) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char block[16384];
  while (in && text.size() <= most) {
    in.read(block, sizeof block);
    text.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (text.size() > most) return Error(path, fmt::format("a file of at most {} bytes", most));
  if (in.bad() || !in.eof())
    return Error(path, fmt::format("a file that can be read ({})", std::generic_category().message(errno)));
  return text;
}

std::string beside(const std::string& file, const std::string& path) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::path(file).parent_path() / path).string();
}

}  // namespace mailproof::scenario
