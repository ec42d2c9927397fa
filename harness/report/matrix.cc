#include "report/matrix.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "core/json_text.h"
#include "report/baseline.h"
#include "report/groups.h"
#include "report/json_values.h"
#include "report/section.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;
using judge::Verdict;

/// A text of an object, "" where it has none.
std::string text_in(const Json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string what_in(const Json& scenario, const std::string& id) {
  std::string out;
  if (const auto findings = scenario.find("findings"); findings != scenario.end() && findings->is_array())
    for (const Json& finding : *findings) {
      if (!finding.is_object()) continue;
      const std::string one(class_of(text_in(finding, "id"), id));
      if (!one.empty() && out.find(one) == std::string::npos) out += (out.empty() ? "" : ", ") + one;
    }
  return out.empty() ? text_in(scenario, "note") : out;
}

bool bad(Verdict v) { return v == Verdict::fail || v == Verdict::known_fail; }
bool good(Verdict v) { return v == Verdict::pass || v == Verdict::unexpected_pass; }

Spread spread_of(const Matrix& matrix, const std::string& id) {
  std::size_t bads = 0, odds = 0, goods = 0;
  for (const auto& server : matrix.servers)
    if (const auto at = server.cells.find(id); at != server.cells.end()) {
      bads += bad(at->second.verdict);
      goods += good(at->second.verdict);
      odds += at->second.verdict == Verdict::latitude;
    }
  if (bads != 0) return goods + odds != 0 ? Spread::some_fail : Spread::all_fail;
  if (odds != 0) return goods != 0 ? Spread::some_odd : Spread::all_odd;
  return goods != 0 ? Spread::all_pass : Spread::nothing_said;
}

constexpr std::array kCheckLevels{"MUST", "SHOULD", "PRACTICE", "MAY"};

/// "" for a story, and for whatever else a file says.
std::string level_in(const Json& scenario) {
  const std::string level = text_in(scenario, "level");
  return std::find(kCheckLevels.begin(), kCheckLevels.end(), level) != kCheckLevels.end() ? level : "";
}

std::size_t rank_of(const std::string& level) {
  return static_cast<std::size_t>(std::find(kCheckLevels.begin(), kCheckLevels.end(), level) - kCheckLevels.begin());
}

}  // namespace

Result<void> Matrix::add(std::string_view run_json, const std::string& name, const std::string& folder) {
  Json run;
  try {
    run = read_ordered_json(run_json);
  } catch (const Json::parse_error& error) {
    const auto [line, column] = place_in(run_json, error.byte);
    return Error{"", "it is broken at line " + std::to_string(line) + ", column " + std::to_string(column)};
  } catch (const Json::exception&) {
    return Error{"", "a number in it is out of every range"};
  }
  if (!run.is_object()) return Error{"", "it is no object"};
  const auto scenarios = run.find("scenarios");
  if (scenarios == run.end() || !scenarios->is_array()) return Error{"", "it has no list of scenarios"};
  Server server{.name = name.empty() ? text_in(run, "target") : name,
                .folder = folder,
                .began = text_in(run, "began"),
                .version = text_in(run, "version"),
                .says = {},
                .interrupted = false,
                .cells = {}};
  server.interrupted = run.contains("interrupted") && run["interrupted"] == true;
  if (const auto says = run.find("versions"); says != run.end() && says->is_object())
    for (const auto& [endpoint, text] : says->items())
      if (text.is_string()) server.says[endpoint] = text.get<std::string>();
  std::vector<Requirement> rows;
  std::size_t number = 0;
  for (const Json& scenario : *scenarios) {
    ++number;
    const std::string id = scenario.is_object() ? text_in(scenario, "id") : "";
    const auto verdict = id.empty() ? std::nullopt : verdict_named(text_in(scenario, "verdict"));
    if (!verdict) return Error{"", "its scenario " + std::to_string(number) + " has no id, or a verdict that is none"};
    rows.push_back({id, text_in(scenario, "title"), level_in(scenario)});
    const auto [at, fresh] = server.cells.try_emplace(id, Cell{*verdict, what_in(scenario, id), number});
    if (!fresh && judge::worst(std::array{at->second.verdict, *verdict}) != at->second.verdict)
      at->second = {*verdict, what_in(scenario, id), number};
  }
  for (auto& row : rows) requirements.try_emplace(row.id, row);
  servers.push_back(std::move(server));
  return {};
}

std::vector<MatrixRow> rows_of(const Matrix& matrix) {
  std::vector<MatrixRow> out;
  for (const auto& [id, requirement] : matrix.requirements) out.push_back({&requirement, spread_of(matrix, id)});
  std::stable_sort(out.begin(), out.end(), [](const MatrixRow& a, const MatrixRow& b) {
    return std::tuple(a.spread, rank_of(a.requirement->level), section_of(a.requirement->id)) <
           std::tuple(b.spread, rank_of(b.requirement->level), section_of(b.requirement->id));
  });
  return out;
}

}  // namespace mailproof::report
