#include "archive/history_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace mailproof::archive {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostLine =
    8U << 20;  ///< an event with the longest text that anything here writes, many times over

/// The next line, without its end; false where there is none, or it is longer than any line of a history: `too_long`.
/// A killed run's last line may be torn, and is none.
bool next_line(std::istream& in, std::string& line, bool& too_long) {
  char block[16384];
  line.clear();
  for (;;) {
    in.getline(block, sizeof block);
    const auto got = static_cast<std::size_t>(in.gcount());
    if (in.eof() || in.bad()) return false;
    const bool more = in.fail();  // the block is full, and the line goes on
    line.append(block, more ? got : got - 1);
    if (!more) return true;
    if (too_long = line.size() > kMostLine; too_long) return false;
    in.clear();
  }
}

}  // namespace

Result<ReadRun> read_histories(const std::string& directory) {
  JsonlReader reader;
  ReadRun& out = reader.run;
  const auto read = [&](const std::string& path) -> std::optional<Error> {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    const int why = errno;
    if (!in)
      return Error{path, fmt::format("expected a file that can be read ({})", std::generic_category().message(why))};
    std::string line;
    bool too_long = false;
    reader.begin_file(path);
    std::size_t number = 0;
    while (next_line(in, line, too_long)) {
      ++number;
      if (auto wrong = reader.take(line)) return wrong;
    }
    if (too_long)
      return Error{fmt::format("{}:{}", path, number + 1), "this is no line of a history: it is too long for one"};
    if (in.bad())
      return Error{path, fmt::format("expected a file that can be read ({})", std::generic_category().message(errno))};
    return std::nullopt;
  };
  const std::string joined = directory + "/history.jsonl";
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory + "/history", error))
    if (entry.path().extension() == ".jsonl") parts.push_back(entry.path().string());
  std::sort(parts.begin(), parts.end());
  if (fs::is_regular_file(directory, error))
    return Error{directory, "this is a file; expected the directory of a run, which has a history.jsonl"};
  if (!fs::exists(joined, error) && parts.empty())
    return Error{directory, "no history.jsonl in this directory: is it a run directory?"};
  if (fs::exists(joined, error))
    if (auto wrong = read(joined)) return *wrong;
  // They are joined at the end, all at once: whoever was killed while he took the parts away has them twice.
  if (parts.empty() || (out.marked && !out.histories.empty())) return std::move(reader.run);
  out.histories.clear();
  for (const auto& path : parts)
    if (auto wrong = read(path)) return *wrong;
  return std::move(reader.run);
}

}  // namespace mailproof::archive
