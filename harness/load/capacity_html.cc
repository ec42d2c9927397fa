#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/capacity_report.h"
#include "load/report_html.h"
#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::load {
namespace {

using report::inline_html;

constexpr double kWide = 720, kHigh = 320, kLeft = 56, kBottom = 40, kTop = 16, kRight = 16;
constexpr double kMostPart = 4;  // of a limit: what is further beyond is drawn there
constexpr std::size_t kMostLines = 8;
constexpr const char* kColours[kMostLines] = {"#1f6feb", "#d29922", "#2da44e", "#cf222e",
                                              "#8250df", "#0a7ea4", "#bf3989", "#57606a"};

/// How near each line is to its limit, by accounts; the dashed line is the limit, the upright one the answer.
std::string knee_svg(const Capacity& capacity) {
  std::vector<const Trial*> played;
  for (const Trial* one : by_height(capacity))
    if (!one->lines.empty()) played.push_back(one);
  if (played.size() < 2) return {};
  const double most = played.back()->step.accounts;
  double top = 1.25;
  for (const Trial* one : played)
    for (const auto& line : one->lines) top = std::max(top, std::min(kMostPart, line.part * 1.05));
  const auto x = [&](double accounts) { return kLeft + (kWide - kLeft - kRight) * accounts / most; };
  const auto y = [&](double part) { return kHigh - kBottom - (kHigh - kBottom - kTop) * std::min(part, top) / top; };
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"How near each promise is to its limit, by accounts\" "
      "style=\"width:100%;max-width:{}px;height:auto\" fill=\"none\" font-size=\"12\">\n",
      kWide, kHigh + 18 * static_cast<double>(std::min(played.front()->lines.size(), kMostLines)), kWide);
  out += fmt::format("<path d=\"M{0} {1}V{2}H{3}\" stroke=\"currentColor\"/>\n", kLeft, kTop, kHigh - kBottom,
                     kWide - kRight);
  for (const double part : {0.0, 0.5, 1.0, 2.0, 3.0, 4.0})
    if (part <= top)
      out += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"currentColor\">{:g}</text>\n",
                         kLeft - 6, y(part) + 4, part);
  out += fmt::format("<path d=\"M{} {:.1f}H{}\" stroke=\"currentColor\" stroke-dasharray=\"5 4\"/>\n", kLeft, y(1),
                     kWide - kRight);
  double last = -100;
  for (const Trial* one : played) {
    const double at = x(one->step.accounts);
    if (at - last < 48) continue;
    last = at;
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" fill=\"currentColor\">{}</text>\n", at,
                       kHigh - kBottom + 18, one->step.accounts);
  }
  if (capacity.answer != 0)
    out += fmt::format("<path d=\"M{:.1f} {}V{}\" stroke=\"#2da44e\" stroke-width=\"2\"/>\n", x(capacity.answer), kTop,
                       kHigh - kBottom);
  for (std::size_t n = 0; n < std::min(played.front()->lines.size(), kMostLines); ++n) {
    std::string points;
    for (const Trial* one : played) {
      if (n >= one->lines.size()) continue;
      points += fmt::format("{:.1f},{:.1f} ", x(one->step.accounts), y(one->lines[n].part));
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x(one->step.accounts),
                         y(one->lines[n].part), kColours[n]);
    }
    const double key = kHigh + 18 * static_cast<double>(n);
    out += fmt::format(
        "<polyline points=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>\n<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n",
        points, kColours[n], kLeft, key, kColours[n], inline_html(played.front()->lines[n].text));
  }
  return out +
         "</svg>\n<p class=\"quiet\">Upwards: what was measured as a part of the line's limit, which is the dashed "
         "line. To the right: accounts. The upright line is the answer.</p>\n";
}

std::string loads_html(const Capacity& capacity) {
  std::string rows;
  for (const Trial& one : capacity.trials) {
    const judge::Verdict verdict = one.came == Came::met      ? judge::Verdict::pass
                                   : one.came == Came::missed ? judge::Verdict::fail
                                                              : judge::Verdict::inconclusive;
    std::string lines;
    for (const auto& line : one.lines)
      lines += fmt::format("{}{}: {}", lines.empty() ? "" : "<br>", inline_html(line.text),
                           inline_html(line.measured.empty() ? "nothing of it happened" : line.measured));
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{:.1f}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{:.0f}</td><td class=\"n\">{:.1f}</td><td class=\"n\">{:.0f}</td><td>{}{}</td><td>{}</td></tr>\n",
        report::badge(verdict), one.step.accounts, one.step.percent == 0 ? "" : fmt::format("{} %", one.step.percent),
        one.deliveries, one.connections, one.operations, one.cpu * 100, ms(one.late_most), lines,
        one.came == Came::met ? "" : fmt::format("<br><strong>{}</strong>", inline_html(one.why)),
        one.directory.empty() ? "" : fmt::format("<a href=\"{0}/report.html\">{0}</a>", inline_html(one.directory)));
  }
  return fmt::format(
      "<div class=\"scroll\"><table>\n<thead><tr><th></th><th class=\"n\">accounts</th><th>of the answer</th><th "
      "class=\"n\">deliveries/s</th><th class=\"n\">connections</th><th class=\"n\">operations/s</th><th "
      "class=\"n\">core %</th><th class=\"n\">late ms</th><th>promises</th><th>its report</th></tr></thead>\n<tbody>\n"
      "{}</tbody>\n</table></div>\n",
      rows);
}

}  // namespace

std::string capacity_html(const Capacity& capacity) {
  std::string says, settings;
  for (const std::string& one : sentences(capacity))
    says += fmt::format("<li><strong>{}</strong></li>", inline_html(one));
  for (const auto& [name, value] : capacity.settings)
    settings += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", inline_html(name), inline_html(value));
  for (const std::string& machine : capacity.machines)
    settings += fmt::format("<tr><td>generator on</td><td>{}</td></tr>\n", inline_html(machine));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>mailproof capacity: {} on {}</title>\n"
      "<style>\n{}</style>\n</head>\n<body>\n<header>\n<h1>{} {} on {}</h1>\n<ul class=\"first\">{}</ul>\n"
      "<p class=\"facts\">{} loads; mailproof {}, seed {}; {} to {}</p>\n</header>\n<main>\n"
      "<section id=\"knee\">\n<h2>The knee</h2>\n{}</section>\n<section id=\"loads\">\n<h2>Loads</h2>\n{}</section>\n"
      "<section id=\"settings\">\n<h2>Machine and settings</h2>\n<div class=\"scroll\"><table>\n<tbody>\n{}</tbody>\n"
      "</table></div>\n<p>The same again:</p><pre class=\"command\">{}</pre>\n</section>\n</main>\n</body>\n</html>\n",
      inline_html(capacity.plan), inline_html(capacity.target), report::kReportCss, report::badge(verdict_of(capacity)),
      inline_html(capacity.plan), inline_html(capacity.target), says, capacity.trials.size(),
      inline_html(capacity.version), capacity.seed, inline_html(capacity.began), inline_html(capacity.ended),
      knee_svg(capacity), loads_html(capacity), settings, report::xml(capacity.command));
}

}  // namespace mailproof::load
