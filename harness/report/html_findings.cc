#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Verdict;

constexpr std::size_t kMostShown = 200;  ///< findings with their evidence
constexpr std::size_t kMostOpen = 20;    ///< of these, with the evidence unfolded

struct Placed {
  const Finding* finding = nullptr;
  std::size_t scenario = 0;  ///< index in the run
  bool first = false;        ///< of its scenario: links lead here
};

std::string block(std::string_view label, const std::vector<std::string>& lines, bool open) {
  if (lines.empty()) return {};
  std::string all;
  for (const std::string& line : lines) all += xml(line) + "\n";
  return fmt::format("<details{}><summary>{}</summary><pre>{}</pre></details>\n", open ? " open" : "", label, all);
}

std::string field(std::string_view label, const std::string& text) {
  return text.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, xml(text));
}

std::string article(const RunResult& run, const Placed& placed, bool open) {
  const Finding& finding = *placed.finding;
  const ScenarioResult& scenario = run.scenarios[placed.scenario];
  std::string messages;
  for (std::size_t i = 0; i < finding.messages.size() && i < 20; ++i)
    messages += fmt::format("{}{}", i == 0 ? "" : ", ", finding.messages[i]);
  if (finding.messages.size() > 20) messages += fmt::format(" and {} more", finding.messages.size() - 20);

  const std::string_view severity = judge::name(finding.severity);
  const std::string anchor = placed.first ? fmt::format(" id=\"{}\"", finding_anchor(placed.scenario)) : std::string();
  std::string out =
      fmt::format("<article class=\"finding of-{0}\"{1}>\n<h3><span class=\"badge {0}\">{0}</span> {2}</h3>\n",
                  severity, anchor, inline_html(finding.id));
  if (!scenario.title.empty()) out += fmt::format("<p class=\"quiet\">{}</p>\n", inline_html(scenario.title));
  out += "<dl>\n";
  out +=
      field("Requirement", finding.requirement) + field("Expected", finding.expected) + field("Actual", finding.actual);
  out += field("Messages", messages) + field("Accepted", finding.accepted);
  out += "</dl>\n";
  out += block("Evidence", finding.evidence, open) + block("Life of the message", finding.life, open);
  if (!finding.reproduce.empty())
    out +=
        fmt::format("<p class=\"quiet\">Show it again:</p><pre class=\"command\">{}</pre>\n", xml(finding.reproduce));
  return out + "</article>\n";
}

/// Entries that are not needed any more have no finding.
std::string unexpected(const RunResult& run) {
  std::string out;
  for (const ScenarioResult& scenario : run.scenarios)
    if (scenario.verdict == Verdict::unexpected_pass)
      out += fmt::format("<article class=\"finding of-fail\">\n<h3>{} {}</h3>\n<p>{}</p>\n</article>\n",
                         badge(scenario.verdict), inline_html(scenario.id), inline_html(scenario.note));
  return out;
}

/// What stands on the page, the worst first, and how many do not.
struct All {
  std::vector<Placed> counted, accepted;
  std::size_t more_counted = 0, more_accepted = 0;
};
All all_of(const RunResult& run) {
  All all;
  for (std::size_t i = 0; i < run.scenarios.size(); ++i)
    for (const Finding& finding : run.scenarios[i].findings)
      (finding.accepted.empty() ? all.counted : all.accepted)
          .push_back({&finding, i, &finding == run.scenarios[i].findings.data()});
  std::stable_sort(all.counted.begin(), all.counted.end(), [](const Placed& a, const Placed& b) {
    return order_of(a.finding->severity) < order_of(b.finding->severity);
  });
  for (auto [placed, more] : {std::pair(&all.counted, &all.more_counted), std::pair(&all.accepted, &all.more_accepted)})
    if (placed->size() > kMostShown) {
      *more = placed->size() - kMostShown;
      placed->resize(kMostShown);
    }
  return all;
}

}  // namespace

std::set<std::size_t> with_findings(const RunResult& run) {
  std::set<std::size_t> out;
  const All all = all_of(run);
  for (const auto& placed : {all.counted, all.accepted})
    for (const Placed& one : placed)
      if (one.first) out.insert(one.scenario);
  return out;
}

std::string findings_html(const RunResult& run) {
  const auto [counted, accepted, more_counted, more_accepted] = all_of(run);
  std::string out;
  for (std::size_t i = 0; i < counted.size(); ++i) out += article(run, counted[i], i < kMostOpen);
  if (more_counted != 0) out += fmt::format("<p>{} more findings are in findings.json.</p>\n", more_counted);
  out += unexpected(run);
  if (out.empty())
    out = accepted.empty() ? "<p>None: no promise was seen broken.</p>\n"
                           : "<p>None that counts: what was seen broken is accepted.</p>\n";
  if (!accepted.empty()) {
    out += fmt::format("<details><summary>{} accepted, and not counted</summary>\n", accepted.size() + more_accepted);
    for (const Placed& one : accepted) out += article(run, one, false);
    if (more_accepted != 0) out += fmt::format("<p>{} more are in findings.json.</p>\n", more_accepted);
    out += "</details>\n";
  }
  return fmt::format("<section id=\"findings\">\n<h2>Findings</h2>\n{}</section>\n", out);
}

}  // namespace mailproof::report
