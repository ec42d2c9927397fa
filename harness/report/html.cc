#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "report/escape.h"
#include "report/groups.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

constexpr std::size_t kMostRows = 2000;

constexpr std::array kVerdicts{Verdict::error,        Verdict::fail,          Verdict::unexpected_pass,
                               Verdict::inconclusive, Verdict::latitude,      Verdict::known_fail,
                               Verdict::pass,         Verdict::not_applicable};

std::string head(const RunResult& run) {
  const Verdict verdict = verdict_of(run);
  std::string facts = fmt::format("{} scenario{} in {:.1f} s, seed {}", run.scenarios.size(),
                                  run.scenarios.size() == 1 ? "" : "s", run.seconds, run.seed);
  for (const std::string& one : circumstances(run)) facts += fmt::format("<br>{}", inline_html(one));
  std::map<Verdict, std::size_t> totals;
  for (const ScenarioResult& scenario : run.scenarios) ++totals[scenario.verdict];
  std::string counts;
  for (const Verdict one : kVerdicts)
    if (totals.contains(one))
      counts += fmt::format("<span class=\"badge {0}\">{1} {0}</span>", judge::name(one), totals[one]);
  std::string notes;
  if (run.interrupted) notes += "<li><strong>Interrupted: the rest was not played.</strong></li>";
  for (const std::string& note : run.notes) notes += fmt::format("<li>{}</li>", inline_html(note));
  return fmt::format("<header>\n<h1>{} {}</h1>\n<p class=\"facts\">{}</p>\n<p class=\"counts\">{}</p>\n{}</header>\n",
                     badge(verdict), inline_html(run.target), facts, counts,
                     notes.empty() ? "" : fmt::format("<ul>{}</ul>\n", notes));
}

/// Links to the parts that there are.
std::string contents(const std::array<std::pair<const char*, const std::string*>, 4>& parts) {
  std::string out;
  for (const auto& [name, part] : parts)
    if (!part->empty()) {
      const std::size_t from = part->find("id=\"") + 4;
      out += fmt::format("<a href=\"#{}\">{}</a>", part->substr(from, part->find('"', from) - from), name);
    }
  return fmt::format("<nav>{}</nav>\n", out);
}

/// Its findings, or what else there is to say of it.
std::string what(const ScenarioResult& scenario) {
  std::string out;
  for (const auto& finding : scenario.findings) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", inline_html(class_of(finding.id, scenario.id)));
  }
  if (!scenario.note.empty()) out += fmt::format("{}{}", out.empty() ? "" : "; ", inline_html(scenario.note));
  return out;
}

}  // namespace

std::string inline_html(std::string_view text) { return xml(one_line(text)); }

std::string badge(Verdict verdict) { return fmt::format("<span class=\"badge {0}\">{0}</span>", judge::name(verdict)); }

std::string lanes_anchor(std::size_t index) { return fmt::format("story-{}", index + 1); }

std::string finding_anchor(std::size_t index) { return fmt::format("finding-{}", index + 1); }

std::string verdicts_html(const RunResult& run) {
  std::vector<std::size_t> order(run.scenarios.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return order_of(run.scenarios[a].verdict) < order_of(run.scenarios[b].verdict);
  });
  const std::vector<std::size_t> drawn = with_lanes(run);
  const std::set<std::size_t> told = with_findings(run);
  std::string rows;
  for (std::size_t i = 0; i < order.size() && i < kMostRows; ++i) {
    const ScenarioResult& scenario = run.scenarios[order[i]];
    std::string id = inline_html(scenario.id);
    if (std::find(drawn.begin(), drawn.end(), order[i]) != drawn.end())
      id = fmt::format("<a href=\"#{}\">{}</a>", lanes_anchor(order[i]), id);
    rows += fmt::format(
        "<tr id=\"scenario-{}\"><td>{}</td><td class=\"n\">{:.3f} s</td><td class=\"id\">{}{}</td><td "
        "class=\"what\">{}</td></tr>\n",
        order[i] + 1, badge(scenario.verdict), scenario.seconds, id,
        scenario.title.empty() ? "" : fmt::format("<br><span class=\"why\">{}</span>", inline_html(scenario.title)),
        told.contains(order[i]) ? fmt::format("<a href=\"#{}\">{}</a>", finding_anchor(order[i]), what(scenario))
                                : what(scenario));
  }
  if (order.size() > kMostRows)
    rows += fmt::format("<tr><td></td><td></td><td class=\"id\">{} more, which are in run.json</td><td></td></tr>\n",
                        order.size() - kMostRows);
  return fmt::format(
      "<section id=\"verdicts\">\n<h2>Verdicts</h2>\n<div class=\"scroll\"><table class=\"verdicts\">\n"
      "<thead><tr><th>verdict</th><th class=\"n\">time</th><th>scenario</th><th>what</th></tr></thead>\n"
      "<tbody>\n{}</tbody>\n</table></div>\n</section>\n",
      rows);
}

std::string report_html(const RunResult& run) {
  const std::string findings = findings_html(run), conformance = conformance_html(run), verdicts = verdicts_html(run),
                    lanes = lanes_html(run);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>mailproof: {} on {}</title>\n"
      "<style>\n{}</style>\n</head>\n<body>\n{}{}<main>\n{}{}{}{}</main>\n</body>\n</html>\n",
      judge::name(verdict_of(run)), inline_html(run.target), kReportCss, head(run),
      contents(
          {{{"findings", &findings}, {"conformance", &conformance}, {"verdicts", &verdicts}, {"stories", &lanes}}}),
      findings, conformance, verdicts, lanes);
}

}  // namespace mailproof::report
