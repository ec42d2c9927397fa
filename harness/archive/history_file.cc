#include "archive/history_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace mailproof::archive {
namespace fs = std::filesystem;

Result<ReadRun> read_histories(const std::string& directory) {
  JsonlReader reader;
  ReadRun& out = reader.run;
  const auto read = [&](const std::string& path) -> std::optional<Error> {
    std::ifstream in(path);
    std::string line;
    reader.begin_file(path);
    while (std::getline(in, line)) {
      if (in.eof()) break;  // a killed run's last line may be torn
      if (auto wrong = reader.take(line)) return wrong;
    }
    return std::nullopt;
  };
  const std::string joined = directory + "/history.jsonl";
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory + "/history", error))
    if (entry.path().extension() == ".jsonl") parts.push_back(entry.path().string());
  std::sort(parts.begin(), parts.end());
  if (!fs::exists(joined, error) && parts.empty())
    return Error{directory, "no history.jsonl in this directory: is it a run directory?"};
  if (auto wrong = read(joined)) return *wrong;
  // They are joined at the end, all at once: whoever was killed while he took the parts away has them twice.
  if (parts.empty() || (out.marked && !out.histories.empty())) return std::move(reader.run);
  out.histories.clear();
  for (const auto& path : parts)
    if (auto wrong = read(path)) return *wrong;
  return std::move(reader.run);
}

}  // namespace mailproof::archive
