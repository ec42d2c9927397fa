#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "judge/judge.h"

namespace mailproof::report {

/// Requirement by server: several servers' runs beside each other, made from their run.json.
struct Matrix {
  struct Requirement {
    std::string id;
    std::string title;
    std::string level;  ///< "MUST", "SHOULD", "PRACTICE", "MAY"; "" = a story
    auto operator<=>(const Requirement&) const = default;
  };
  struct Cell {
    judge::Verdict verdict = judge::Verdict::not_applicable;  ///< the worst of its copies
    std::string what;                                         ///< classes of its findings, or why nothing is to be said
    std::size_t number = 0;  ///< its place in that run, from 1: the page has an anchor for it
  };
  struct Server {
    std::string name;                         ///< what its column is called
    std::string folder;                       ///< of the run, as links go from the matrix's own folder
    std::string began;                        ///< by the clock, "2026-11-29T01:30:00Z"; "" = not known
    std::string version;                      ///< of mailproof
    std::map<std::string, std::string> says;  ///< of itself, by endpoint
    bool interrupted = false;
    std::map<std::string, Cell> cells;  ///< by the requirement's id
  };
  std::vector<Server> servers;
  std::map<std::string, Requirement> requirements;  ///< by id

  /// Adds a run as the next column. The error says what is not as in a run.json ("it has ..."), and nothing was added
  /// then. `name`
  /// "": the target that the run names.
  Result<void> add(std::string_view run_json, const std::string& name, const std::string& folder);
};

/// How a row of the matrix separates the servers; smaller comes first.
enum class Spread : std::uint8_t { some_fail, some_odd, all_fail, all_odd, all_pass, nothing_said };

struct MatrixRow {
  const Matrix::Requirement* requirement;  ///< points into the matrix
  Spread spread;
};

/// What separates servers on top; within that the strictest level first, then by RFC and section. A known failure is a
/// failure here: that somebody accepts it says nothing of the server.
std::vector<MatrixRow> rows_of(const Matrix& matrix);

/// One page without script or any other file; its filters (level, and what differs) are the style's. A cell links to
/// the verdict in that run's report.html.
std::string matrix_html(const Matrix& matrix);

/// The same for a merge request: totals a server, and the rows that differ or fail, at most 300.
std::string matrix_markdown(const Matrix& matrix);

}  // namespace mailproof::report
