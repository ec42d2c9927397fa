#include "archive/wire_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "archive/run_directory.h"
#include "report/json_values.h"
#include "scenario/yaml/files.h"

namespace mailproof::archive {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kPlacesFile = "places.json";
constexpr std::size_t kMostPlaces = 64U << 20;

/// The folders that may hold a scenario's logs: "wire/000012-<id>".
std::vector<std::string> folders_of(const std::string& directory, const std::string& scenario) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory + "/wire", error)) {
    const std::string name = entry.path().filename().string();
    const auto dash = name.find('-');
    if (dash != std::string::npos && name.substr(dash + 1) == scenario) out.push_back("wire/" + name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Believes nothing of a file that somebody may have changed: what is not as it is written here is not there.
std::optional<WirePlaces::Lines> lines_of(const nlohmann::json& log) {
  WirePlaces::Lines out;
  const auto lines = log.find("lines");
  if (lines == log.end() || !lines->is_array()) return std::nullopt;
  for (const auto& one : *lines) {
    if (!one.is_array() || one.size() != 2 || !one[0].is_number_unsigned() || !one[1].is_number_unsigned())
      return std::nullopt;
    const auto line = one[1].get<std::uint64_t>();
    if (line > 0xffffffffU || (!out.empty() && one[0].get<std::uint64_t>() < out.back().first)) return std::nullopt;
    out.emplace_back(one[0].get<std::uint64_t>(), static_cast<std::uint32_t>(line));
  }
  return out;
}

}  // namespace

void WirePlaces::add(std::string file, Lines lines) { logs_.push_back({std::move(file), std::move(lines)}); }

std::string WirePlaces::write(const std::string& folder, const history::HistoryInfo& info) const {
  ordered_json out;
  out["scenario"] = info.scenario;
  out["copy"] = info.copy;
  out["logs"] = ordered_json::array();
  for (const Log& log : logs_) out["logs"].push_back({{"file", log.file}, {"lines", log.lines}});
  return write_file(fmt::format("{}/{}", folder, kPlacesFile),
                    report::print_json(out, -1, report::NotUtf8::replaced) + "\n");
}

WirePlaces WirePlaces::read(const std::string& directory, const history::HistoryInfo& info) {
  for (const std::string& folder : folders_of(directory, info.scenario)) {
    const auto text = scenario::read_file(fmt::format("{}/{}/{}", directory, folder, kPlacesFile), kMostPlaces);
    const auto told = text ? report::json_or_discarded(*text) : nlohmann::json();
    if (!told.is_object() || told.value("copy", nlohmann::json()) != info.copy) continue;
    const auto logs = told.find("logs");
    if (logs == told.end() || !logs->is_array()) continue;
    WirePlaces out;
    out.folder_ = folder;
    for (const auto& log : *logs) {
      const auto file = log.is_object() ? log.find("file") : log.end();
      auto lines = log.is_object() ? lines_of(log) : std::nullopt;
      const bool named = log.is_object() && file != log.end() && file->is_string();
      out.add(named ? file->get<std::string>() : std::string(), lines.value_or(Lines{}));
    }
    return out;
  }
  return {};
}

std::optional<WirePlaces::Place> WirePlaces::find(std::uint32_t session, history::WireRef at) const {
  if (session == 0 || session > logs_.size() || at.length == 0) return std::nullopt;
  const Log& log = logs_[session - 1];
  const auto next = std::upper_bound(log.lines.begin(), log.lines.end(), at.offset,
                                     [](std::uint64_t offset, const auto& line) { return offset < line.first; });
  if (next == log.lines.begin()) return std::nullopt;
  const auto here = next - 1;
  Place out{folder_ + "/" + log.file, here->second, here->second};
  if (next != log.lines.end() && next->second > here->second) out.last = next->second - 1;
  return out;
}

}  // namespace mailproof::archive
