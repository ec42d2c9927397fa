#include "archive/asked.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "archive/run_directory.h"
#include "core/json_text.h"
#include "report/json_values.h"
#include "scenario/yaml/files.h"

namespace mailproof::archive {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMost = 256U << 20;

}  // namespace

std::string write_asked(const std::string& directory, const Asked& asked) {
  ordered_json out;
  out["day"] = asked.gate.today;
  out["strict"] = asked.gate.strict;
  out["known"] = ordered_json::array();
  for (const auto& known : asked.gate.known)
    out["known"].push_back({{"id", known.id}, {"why", known.why}, {"until", known.until}});
  out["ids"] = asked.ids;
  if (asked.gate.baseline) out["baseline"] = asked.gate.baseline->name;
  out["began"] = asked.began;
  out["endpoints"] = asked.endpoints;
  out["selection"] = asked.selection;
  out["commands"] = asked.commands;
  out["levels"] = asked.levels;
  // What a shell hands over need not be UTF-8.
  const std::string text = report::print_json(out, 2, report::NotUtf8::replaced) + "\n";
  const std::string wrong = write_file(fmt::format("{}/{}", directory, kAskedFile), text);
  if (!wrong.empty() || !asked.gate.baseline) return wrong;
  return write_file(fmt::format("{}/{}", directory, kBaselineFile), asked.baseline_text);
}

Result<Asked> read_asked(const std::string& directory) {
  const std::string file = fmt::format("{}/{}", directory, kAskedFile);
  const auto text = scenario::read_file(file, kMost);
  if (!text) return Error{file, "expected " + text.error().why};
  Asked out;
  std::string baseline;
  try {
    const auto from = report::read_json(*text);
    out.gate.today = from.at("day").get<std::string>();
    out.gate.strict = from.at("strict").get<bool>();
    for (const auto& known : from.at("known"))
      out.gate.known.push_back({known.at("id").get<std::string>(), known.at("why").get<std::string>(),
                                known.at("until").get<std::string>()});
    out.ids = from.at("ids").get<std::set<std::string>>();
    baseline = from.value("baseline", "");
    out.began = from.value("began", "");  // not of an older mailproof
    out.endpoints = from.value("endpoints", std::vector<std::string>());
    out.selection = from.at("selection").get<std::vector<std::string>>();
    out.commands = from.at("commands").get<std::map<std::string, std::string>>();
    out.levels = from.at("levels").get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::parse_error& wrong) {
    const auto [line, column] = place_in(*text, wrong.byte);
    return Error{fmt::format("{}:{}:{}", file, line, column), "JSON is broken here"};
  } catch (const nlohmann::json::exception&) {
    return Error{file, "it has not what mailproof writes into it"};
  }
  if (baseline.empty()) return out;
  const std::string kept = fmt::format("{}/{}", directory, kBaselineFile);
  const auto before = scenario::read_file(kept, kMost);
  if (!before) return Error{kept, "expected " + before.error().why};
  auto parsed = report::parse_baseline(*before, baseline);
  if (!parsed) return Error{kept, parsed.error().message()};
  out.gate.baseline = std::move(*parsed);
  return out;
}

}  // namespace mailproof::archive
