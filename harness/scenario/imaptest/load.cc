#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "scenario/imaptest/imaptest.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostScript = 1U << 20, kMostMbox = 16U << 20;

bool is_script(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && path.filename().string().find('.') == std::string::npos;
}

}  // namespace

std::vector<std::string> messages_of_mbox(std::string_view mbox) {
  std::vector<std::string> out;
  bool at_blank = true;
  while (!mbox.empty()) {
    const auto end = std::min(mbox.find('\n'), mbox.size());
    std::string_view line = mbox.substr(0, end);
    mbox.remove_prefix(std::min(end + 1, mbox.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (at_blank && line.starts_with("From ")) {
      out.emplace_back();
      at_blank = false;
      continue;
    }
    if (out.empty()) continue;
    out.back().append(line).append("\r\n");
    at_blank = line.empty();
  }
  return out;
}

Loaded load_imaptest(const std::string& path, const std::function<bool(const std::string&)>& has_environment) {
  Loaded out;
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (const auto& entry : fs::directory_iterator(path, error))
      if (is_script(entry.path())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else if (is_script(path)) {
    files.emplace_back(path);
  }
  if (files.empty()) out.problems.push_back({path, {}, path, "a script of ImapTest, or a folder of them", ""});
  for (const fs::path& file : files) {
    ImapTestScript script{file.filename().string(), file.string(), "", ""};
    const fs::path own = file.string() + ".mbox";
    const fs::path mbox = fs::exists(own, error) ? own : file.parent_path() / "default.mbox";
    auto text = read_file(file.string(), kMostScript);
    auto messages = fs::exists(mbox, error) ? read_file(mbox.string(), kMostMbox) : Result<std::string>(std::string());
    if (!text || !messages) {
      const auto& why = !text ? text.error() : messages.error();
      out.problems.push_back({(!text ? file : mbox).string(), {}, script.name, why.why, ""});
      continue;
    }
    script.text = std::move(*text);
    script.mbox = std::move(*messages);
    Complaints complaints(script.path);
    Scenario scenario = read_imaptest(script, has_environment, complaints);
    const auto problems = complaints.take();
    out.problems.insert(out.problems.end(), problems.begin(), problems.end());
    if (problems.empty()) out.scenarios.push_back(std::move(scenario));
  }
  return out;
}

}  // namespace mailproof::scenario
