#include "host/temporary_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mailproof::host {
namespace fs = std::filesystem;

Result<std::unique_ptr<TemporaryFiles>> TemporaryFiles::make(const std::map<std::string, std::string>& texts) {
  std::error_code error;
  const fs::path base = fs::temp_directory_path(error);
  std::string name = ((error ? fs::path("/tmp") : base) / "mailproof-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return Error(name, "cannot make a temporary folder");
  std::unique_ptr<TemporaryFiles> made(new TemporaryFiles(name));
  for (const auto& [file, text] : texts)
    if (!(std::ofstream(made->path(file), std::ios::binary) << text << std::flush))
      return Error(made->path(file), "cannot be written");
  return made;
}

TemporaryFiles::~TemporaryFiles() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace mailproof::host
