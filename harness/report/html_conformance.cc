#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/conformance.h"
#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

std::string_view colour_of(Verdict column) {
  return column == Verdict::fail ? " bad" : column == Verdict::latitude ? " odd" : "";
}

std::string cell(Verdict column, std::size_t n) {
  return fmt::format("<td class=\"n{}\">{}</td>", n == 0 ? " zero" : colour_of(column), n);
}

/// "2 known-fail, 1 error": however narrow the page is, it breaks between the two only.
std::string unbroken(const std::string& counts) {
  std::string out;
  for (std::size_t from = 0; from < counts.size();) {
    const std::size_t end = std::min(counts.find(", ", from), counts.size());
    const bool last = end == counts.size();
    out += fmt::format("<span class=\"whole\">{}{}</span>", counts.substr(from, end - from), last ? "" : ",");
    from = last ? end : end + 2;
    if (!last) out += ' ';
  }
  return out;
}

std::string row(const SectionResult& one) {
  const std::string name = one.section.rfc.empty() ? "several protocols" : "section " + one.section.section;
  std::string out =
      fmt::format("<tr><td>{}</td>", inline_html(one.section.section.starts_with("App") ? one.section.section : name));
  for (const Verdict column : kSectionColumns) out += cell(column, one.count(column));
  return out + fmt::format("<td>{}</td></tr>\n", unbroken(one.others()));
}

std::string check_row(const ScenarioResult& check) {
  std::string what;
  for (const auto& finding : check.findings) what += fmt::format("{}{}", what.empty() ? "" : "; ", finding.actual);
  if (what.empty()) what = check.note;
  return fmt::format(
      "<tr><td>{}</td><td class=\"id\">{}<br><span class=\"why\">{}</span></td><td class=\"what\">{}</td></tr>\n",
      badge(check.verdict), inline_html(check.id), inline_html(check.title), xml(shortened(what, 300)));
}

/// The checks of one RFC, the strictest level first.
std::string by_level(const std::vector<SectionResult>& sections) {
  std::string out;
  std::size_t all = 0;
  for (const char* level : {"MUST", "SHOULD", "PRACTICE", "MAY", ""}) {
    std::string rows;
    std::size_t n = 0;
    for (const SectionResult& one : sections)
      for (const ScenarioResult* check : one.checks)
        if (check->level == level) {
          rows += check_row(*check);
          ++n;
        }
    if (n == 0) continue;
    all += n;
    out += fmt::format(
        "<h4>{} ({})</h4>\n<div class=\"scroll\"><table class=\"verdicts\"><tbody>\n{}</tbody></table></div>\n",
        *level == '\0' ? "no level" : level, n, rows);
  }
  return fmt::format("<details><summary>{} check{} by level</summary>\n{}</details>\n", all, all == 1 ? "" : "s", out);
}

std::string of_rfc(const std::vector<SectionResult>& sections) {
  const Section& first = sections.front().section;
  std::string out =
      fmt::format("<h3>{}</h3>\n<div class=\"scroll\"><table class=\"sections\">\n<thead><tr><th></th>",
                  first.rfc.empty() ? "Several protocols" : fmt::format("RFC {}", inline_html(first.rfc)));
  for (const Verdict column : kSectionColumns) {
    const auto name = judge::name(column);
    out += fmt::format("<th class=\"n\">{}</th>", column == Verdict::not_applicable ? "n/a" : name);
  }
  out += "<th></th></tr></thead>\n<tbody>\n";
  for (const SectionResult& one : sections) out += row(one);
  return out + "</tbody>\n</table></div>\n" + by_level(sections);
}

}  // namespace

std::string conformance_html(const RunResult& run) {
  const auto sections = by_section(run);
  if (sections.empty()) return {};
  std::string out;
  for (auto from = sections.begin(); from != sections.end();) {
    const auto to = std::find_if(from, sections.end(),
                                 [&](const SectionResult& one) { return one.section.rfc != from->section.rfc; });
    out += of_rfc({from, to});
    from = to;
  }
  return fmt::format("<section id=\"conformance\">\n<h2>Conformance by RFC section</h2>\n{}</section>\n", out);
}

}  // namespace mailproof::report
