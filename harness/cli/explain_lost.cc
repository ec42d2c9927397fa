#include "cli/explain_lost.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <map>

#include "scenario/yaml/files.h"

namespace mailproof::cli {
namespace {

constexpr std::size_t kMostOfALog = 1U << 20;

/// "message-91" -> 91, "message 91" and "91" too; 0 = it is none.
std::uint32_t number_in(std::string_view word) {
  if (word.starts_with("message")) word.remove_prefix(std::string_view("message").size() + (word.size() > 7 ? 1 : 0));
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc{} && end == word.data() + word.size() ? out : 0;
}

}  // namespace

std::optional<std::string> lost_messages_text(const std::string& directory, const std::string& message) {
  namespace fs = std::filesystem;
  std::map<std::uint32_t, fs::path> logs;
  std::error_code error;
  for (const auto& one : fs::directory_iterator(fs::path(directory) / "lost", error))
    if (const auto number = number_in(one.path().stem().string()); number != 0 && one.path().extension() == ".log")
      logs[number] = one.path();
  const bool all = message.empty() || message == "all";
  std::string out;
  for (const auto& [number, path] : logs) {
    if (!all && number_in(message) != number) continue;
    const auto text = scenario::read_file(path.string(), kMostOfALog);
    if (!text) continue;
    const fs::path story = fs::path(path).replace_extension(".yaml");
    out += fmt::format(
        "{}{}\n  Alone:  mailproof run {} --repeat 500 --until-fail, on the same target: the same with nobody else "
        "there\n",
        out.empty() ? "" : "\n", *text, story.string());
  }
  return out.empty() ? std::nullopt : std::optional(out);
}

}  // namespace mailproof::cli
