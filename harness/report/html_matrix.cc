#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "report/escape.h"
#include "report/html_parts.h"
#include "report/matrix.h"
#include "report/section.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

constexpr std::array kColumns{Verdict::pass,           Verdict::latitude,       Verdict::fail,
                              Verdict::known_fail,     Verdict::inconclusive,   Verdict::error,
                              Verdict::not_applicable, Verdict::unexpected_pass};

constexpr std::array kShownLevels{"MUST", "SHOULD", "PRACTICE", "MAY", "story"};

constexpr std::size_t kMostMarkdown = 300;

std::string level_of(const Matrix::Requirement& row) { return row.level.empty() ? "story" : row.level; }

bool differs(Spread spread) { return spread == Spread::some_fail || spread == Spread::some_odd; }

std::string where(const Matrix::Requirement& row) {
  const Section section = section_of(row.id);
  return row.level.empty() || section.rfc.empty() ? std::string() : section.title();
}

std::map<Verdict, std::size_t> totals_of(const Matrix::Server& server) {
  std::map<Verdict, std::size_t> out;
  for (const auto& [id, cell] : server.cells) ++out[cell.verdict];
  return out;
}

/// Only what the page's reader can follow: a folder's name is the caller's, but it stands in an attribute.
std::string link(const Matrix::Server& server, std::size_t number, const std::string& text) {
  return fmt::format("<a href=\"{}/report.html#scenario-{}\">{}</a>", inline_html(server.folder), number, text);
}

std::string servers_html(const Matrix& matrix) {
  std::string out =
      "<section id=\"servers\">\n<h2>Servers</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>server</th>";
  for (const Verdict one : kColumns) out += fmt::format("<th class=\"n\">{}</th>", judge::name(one));
  out += "<th>what it says of itself</th></tr></thead>\n<tbody>\n";
  for (const auto& server : matrix.servers) {
    const auto totals = totals_of(server);
    out += fmt::format("<tr><td class=\"id\"><a href=\"{}/report.html\">{}</a>{}</td>", inline_html(server.folder),
                       inline_html(server.name), server.interrupted ? "<br>interrupted" : "");
    for (const Verdict one : kColumns)
      out += fmt::format("<td class=\"n{}\">{}</td>", totals.contains(one) ? "" : " zero",
                         totals.contains(one) ? totals.at(one) : 0);
    std::string says;
    for (const auto& [endpoint, text] : server.says)
      says += fmt::format("<li>{}: {}</li>", inline_html(endpoint), inline_html(shortened(text, 120)));
    out += fmt::format("<td class=\"what\"><details><summary>{}{}</summary><ul>{}</ul></details></td></tr>\n",
                       server.began.empty() ? "" : inline_html(server.began) + ", ",
                       server.version.empty() ? "mailproof" : "mailproof " + inline_html(server.version), says);
  }
  return out + "</tbody>\n</table></div>\n</section>\n";
}

/// Boxes whose state the style reads: no script.
std::string filters_html() {
  std::string out = "<fieldset class=\"filters\"><legend>Show</legend>\n";
  for (const char* level : kShownLevels)
    out += fmt::format("<label><input type=\"checkbox\" id=\"f-{0}\" checked> {0}</label>\n", level);
  out += "<label><input type=\"checkbox\" id=\"f-same\"> also where servers do not differ</label>\n</fieldset>\n";
  return out;
}

std::string style() {
  std::string out =
      ".filters { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; border: 1px solid var(--line); border-radius: "
      ".4rem; margin: 1rem 0; }\n"
      "#servers td.id { white-space: nowrap; }\n#servers td.what { min-width: 14rem; }\n#servers details { margin: 0; "
      "}\n"
      // The table scrolls in itself: only so its first row and its first column both stay where they are.
      "#matrix .scroll { max-height: 92vh; overflow: auto; border: 1px solid var(--line); border-radius: .4rem; }\n"
      "table.matrix { border-collapse: separate; border-spacing: 0; }\n"
      "table.matrix thead th { position: sticky; top: 0; background: var(--raised); z-index: 2; }\n"
      "table.matrix th:first-child, table.matrix td:first-child { position: sticky; left: 0; min-width: 16rem; "
      "background: var(--paper); border-right: 1px solid var(--line); z-index: 1; }\n"
      "table.matrix thead th:first-child { background: var(--raised); z-index: 3; }\n"
      "table.matrix .known-fail { color: var(--bad); }\n"
      "td.cell { min-width: 9rem; }\ntd.cell .why { display: block; max-width: 16rem; font-size: .85em; }\n"
      "@media (max-width: 44rem) {\n  table.matrix th:first-child, table.matrix td:first-child { min-width: 11rem; "
      "max-width: 11rem; font-size: .85em; }\n}\n"
      "body:has(#f-same:not(:checked)) tr.same { display: none; }\n";
  for (const char* level : kShownLevels)
    out += fmt::format("body:has(#f-{0}:not(:checked)) tr.of-{0} {{ display: none; }}\n", level);
  return out;
}

std::string cell_html(const Matrix::Server& server, const std::string& id) {
  const auto at = server.cells.find(id);
  if (at == server.cells.end()) return "<td class=\"cell quiet\">not played</td>";
  const auto& cell = at->second;
  const bool quiet = cell.verdict == Verdict::pass || cell.what.empty();
  return fmt::format("<td class=\"cell\">{}{}</td>", link(server, cell.number, badge(cell.verdict)),
                     quiet ? "" : fmt::format("<span class=\"why\">{}</span>", inline_html(shortened(cell.what, 90))));
}

}  // namespace

std::string matrix_html(const Matrix& matrix) {
  const auto rows = rows_of(matrix);
  const auto differing =
      std::count_if(rows.begin(), rows.end(), [](const MatrixRow& row) { return differs(row.spread); });
  std::string table = "<div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\">\n<thead><tr><th>requirement</th>";
  for (const auto& server : matrix.servers) table += fmt::format("<th>{}</th>", inline_html(server.name));
  table += "</tr></thead>\n<tbody>\n";
  for (const MatrixRow& row : rows) {
    const auto& one = *row.requirement;
    table += fmt::format("<tr class=\"of-{}{}\"><td class=\"id\">{}<br><span class=\"why\">{}{}{}: {}</span></td>",
                         level_of(one), differs(row.spread) ? "" : " same", inline_html(one.id), level_of(one),
                         where(one).empty() ? "" : ", ", inline_html(where(one)), inline_html(one.title));
    for (const auto& server : matrix.servers) table += cell_html(server, one.id);
    table += "</tr>\n";
  }
  table += "</tbody>\n</table></div>\n";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>mailproof: {0} servers, {1} requirements</title>\n<style>\n{2}{3}</style>\n</head>\n<body>\n"
      "<header>\n<h1>{0} servers, {1} requirements</h1>\n<p class=\"facts\">{4} of them separate the servers. A known "
      "failure counts as one here. Each verdict leads to its evidence.</p>\n</header>\n<main>\n{5}"
      "<section id=\"matrix\">\n<h2>Requirement by server</h2>\n{6}{7}</section>\n</main>\n</body>\n</html>\n",
      matrix.servers.size(), matrix.requirements.size(), kReportCss, style(), differing, servers_html(matrix),
      filters_html(), table);
}

std::string matrix_markdown(const Matrix& matrix) {
  std::string out =
      fmt::format("# {} servers, {} requirements\n\n| server |", matrix.servers.size(), matrix.requirements.size());
  for (const Verdict one : kColumns) out += fmt::format(" {} |", judge::name(one));
  out += "\n| --- |";
  for (std::size_t i = 0; i < kColumns.size(); ++i) out += " ---: |";
  for (const auto& server : matrix.servers) {
    const auto totals = totals_of(server);
    out += fmt::format("\n| {}{} |", markdown(server.name), server.interrupted ? " (interrupted)" : "");
    for (const Verdict one : kColumns) out += fmt::format(" {} |", totals.contains(one) ? totals.at(one) : 0);
  }
  std::vector<MatrixRow> told;
  for (const MatrixRow& row : rows_of(matrix))
    if (differs(row.spread) || row.spread == Spread::all_fail) told.push_back(row);
  out += fmt::format("\n\n{} requirements are kept by some and not by all, or by none:\n\n| requirement | level |",
                     told.size());
  for (const auto& server : matrix.servers) out += fmt::format(" {} |", markdown(server.name));
  out += "\n| --- | --- |";
  for (std::size_t i = 0; i < matrix.servers.size(); ++i) out += " --- |";
  for (std::size_t i = 0; i < told.size() && i < kMostMarkdown; ++i) {
    const auto& one = *told[i].requirement;
    out += fmt::format("\n| {}: {} | {} |", markdown(one.id), markdown(one.title), level_of(one));
    for (const auto& server : matrix.servers) {
      const auto at = server.cells.find(one.id);
      out +=
          fmt::format(" {} |", at == server.cells.end() ? "not played" : std::string(judge::name(at->second.verdict)));
    }
  }
  if (told.size() > kMostMarkdown) out += fmt::format("\n\n{} more are in matrix.html.", told.size() - kMostMarkdown);
  return out + "\n";
}

}  // namespace mailproof::report
