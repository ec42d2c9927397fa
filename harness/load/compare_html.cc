#include <fmt/format.h>

#include <algorithm>

#include "load/compare.h"
#include "load/report_html.h"
#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::load {
namespace {

using report::inline_html;

bool worse(const Difference& d) { return d.said == (d.metric == Metric::throughput ? Said::less : Said::more); }
bool better(const Difference& d) { return d.said == (d.metric == Metric::throughput ? Said::more : Said::less); }

/// The interval drawn on a scale from -50 to +50 percent; what is beyond ends at its edge.
std::string bar(const Difference& d) {
  if (d.interval_text().empty()) return {};
  const auto place = [](double percent) { return 100 + 2 * std::clamp(percent, -50.0, 50.0); };
  const char* colour = worse(d) ? "var(--bad)" : better(d) ? "var(--good)" : "var(--calm)";
  const double low = place(d.low), high = place(d.high);
  return fmt::format(
      "<svg viewBox=\"0 0 200 12\" width=\"200\" height=\"12\" role=\"img\" aria-label=\"{}\"><path "
      "d=\"M100 "
      "0V12\" stroke=\"var(--line)\"/><rect x=\"{:.1f}\" y=\"4\" width=\"{:.1f}\" height=\"4\" fill=\"{}\" "
      "opacity=\".45\"/><circle cx=\"{:.1f}\" cy=\"6\" r=\"3\" fill=\"{}\"/></svg>",
      d.interval_text(), low, std::max(1.0, high - low), colour, place(d.change), colour);
}

std::string verdict(const Difference& d) {
  if (worse(d)) return "<td class=\"bad\">worse</td>";
  if (better(d)) return "<td class=\"pass\">better</td>";
  return fmt::format("<td{}>{}</td>", d.said == Said::same ? "" : " class=\"odd\"", name(d.said));
}

std::string rows(const Comparison& comparison) {
  std::string out;
  for (const Compared& one : comparison.operations) {
    if (one.differences.empty()) {
      out += fmt::format("<tr><td class=\"id\">{}</td><td colspan=\"6\">is in one of the runs only</td></tr>\n",
                         inline_html(one.operation));
      continue;
    }
    bool first = true;
    for (const Difference& d : one.differences) {
      const bool points = d.metric == Metric::errors;
      if (points && d.before == 0 && d.after == 0) continue;
      out += fmt::format(
          "<tr><td class=\"id\">{}</td><td>{}</td><td class=\"n\">{:.2f}</td><td class=\"n\">{:.2f}</td><td "
          "class=\"n\">{}</td><td>{}</td>{}</tr>\n",
          std::exchange(first, false) ? inline_html(one.operation) : "", name(d.metric), d.before, d.after,
          d.change_text(), bar(d), verdict(d));
    }
  }
  return out;
}

}  // namespace

std::string compare_html(const std::vector<Comparison>& all, const std::vector<Failed>& failed) {
  std::string body, title;
  for (const Comparison& one : all) {
    title += fmt::format("{}{}", title.empty() ? one.before + " and " : ", ", one.after);
    std::string notes;
    for (const std::string& note : one.notes) notes += fmt::format("<li>{}</li>", inline_html(note));
    body += fmt::format(
        "<section>\n<h2>{} against {}</h2>\n<p>{}</p>\n{}<div "
        "class=\"scroll\"><table>\n<thead><tr><th>operation</th><th></th>"
        "<th class=\"n\">before</th><th class=\"n\">after</th><th class=\"n\">change</th><th>interval, -50 to +50 "
        "%</th><th></th></tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n</section>\n",
        inline_html(one.after), inline_html(one.before),
        one.differs() ? "A difference is shown." : "No difference is shown.",
        notes.empty() ? "" : fmt::format("<ul class=\"first\">{}</ul>\n", notes), rows(one));
  }
  std::string asked;
  for (const Failed& one : failed)
    asked += fmt::format("<li>{} {}</li>", report::badge(one.verdict), inline_html(one.why));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>mailproof compare: "
      "{0}</title>\n"
      "<style>\n{1}</style>\n</head>\n<body>\n<header><h1>{0}</h1>\n{2}<p class=\"facts\">p50 and p99 in ms from the "
      "intended start, throughput a second, errors in percent of what ended. The intervals come from drawing blocks of "
      "slices again, and hold all together with 99 %; a difference of less than {3:.0f} % is never "
      "claimed.</p></header>\n"
      "<main>\n{4}</main>\n</body>\n</html>\n",
      inline_html(title), chart_style(), asked.empty() ? "" : fmt::format("<ul>{}</ul>\n", asked), kLeast, body);
}

}  // namespace mailproof::load
