// The page of an explanation: time flows down, a lane for each session, and the message's way through them as one line.
#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/explain.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using history::Sure;

constexpr std::size_t kRow = 26, kLane = 30, kLeft = 96, kHead = 112;  ///< pixels
constexpr std::size_t kMostLane = 24, kMostText = 110;                 ///< octets

std::size_t lane_x(std::size_t lane) { return kLeft + lane * kLane; }
std::size_t row_y(std::size_t row) { return kHead + row * kRow + kRow / 2; }

std::string place(const Explanation& one, const Explanation::Line& line) {
  std::string out = line.session == 0 ? "the scenario" : one.sessions[line.session - 1].label;
  if (line.wire) {
    out += fmt::format(", {} line {}", line.wire->file, line.wire->first);
    if (line.wire->last > line.wire->first) out += fmt::format(" to {}", line.wire->last);
  } else {
    out += fmt::format(", event {}", line.event);
  }
  return fmt::format("{} ({})", out, history::name(line.sure));
}

/// Lane 0 is the scenario's own: what it expects, and what it does beside the sessions.
std::string lanes(const Explanation& one, std::size_t height) {
  std::string out;
  for (std::size_t lane = 0; lane <= one.sessions.size(); ++lane) {
    const std::size_t x = lane_x(lane);
    const std::string name = lane == 0 ? "scenario" : one.sessions[lane - 1].label;
    const std::string about =
        lane == 0 ? "" : fmt::format(" <title>{}</title>", inline_html(one.sessions[lane - 1].endpoint));
    out += fmt::format(
        "<line class=\"lane\" x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\"/>"
        "<text class=\"head\" transform=\"translate({3},{4}) rotate(-60)\">{5}{6}</text>\n",
        x, kHead - 6, height, x + 4, kHead - 12, inline_html(shortened(name, kMostLane)), about);
  }
  return out;
}

/// Down in its lane, then across to where the next thing happens.
std::string way(const Explanation& one) {
  std::string path;
  for (std::size_t row = 0; row < one.lines.size(); ++row) {
    const std::size_t x = lane_x(one.lines[row].session), y = row_y(row);
    path += row == 0 ? fmt::format("M{} {}", x, y) : fmt::format(" V{} H{} V{}", y - kRow / 2, x, y);
  }
  return path.empty() ? path : fmt::format("<path class=\"way\" d=\"{}\"/>\n", path);
}

std::string row_of(const Explanation& one, std::size_t row) {
  const Explanation::Line& line = one.lines[row];
  const std::size_t y = row_y(row);
  return fmt::format(
      "<g><title>{}</title><text class=\"time\" x=\"{}\" y=\"{}\">{:.3f} s</text>"
      "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"6\"/>"
      "<text x=\"{}\" y=\"{}\"><tspan class=\"word\">{}</tspan> {}</text></g>\n",
      inline_html(place(one, line)), kLeft - 20, y + 4, line.at, history::name(line.sure), lane_x(line.session), y,
      lane_x(one.sessions.size()) + 24, y + 4, inline_html(line.word), inline_html(shortened(line.text, kMostText)));
}

std::string picture(const Explanation& one) {
  const std::size_t height = kHead + one.lines.size() * kRow + 8;
  const std::size_t width = lane_x(one.sessions.size()) + 24 + 780;
  std::string out = fmt::format(
      "<div class=\"scroll\"><svg class=\"life\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "aria-label=\"the way of {2}\">\n",
      width, height, inline_html(one.message));
  out += lanes(one, height) + way(one);
  for (std::size_t row = 0; row < one.lines.size(); ++row) out += row_of(one, row);
  return out + "</svg></div>\n";
}

std::string entry(std::string_view label, std::string_view text) {
  return text.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, xml(text));
}

std::string article(const Explanation& one) {
  std::string out =
      fmt::format("<section>\n<h2><span class=\"badge {}\">{}</span> {}</h2>\n<p class=\"quiet\">{}{}</p>\n",
                  one.found.empty() ? "pass" : "fail", inline_html(one.verdict()), inline_html(one.message),
                  inline_html(one.scenario), one.copy == 0 ? "" : fmt::format(", copy {}", one.copy));
  out += "<dl>\n";
  for (const auto& end : one.ends) {
    std::string text = end.asked;
    for (const auto& at : end.places) text += (text.empty() ? "" : "\n") + at;
    for (const auto& said : end.logs) text += (text.empty() ? "" : "\n") + said;
    out += entry(inline_html(end.account), text);
  }
  std::string local, found, not_known;
  for (const auto& copy : one.local) local += (local.empty() ? "" : "\n") + copy;
  for (const auto& what : one.found) found += fmt::format("{}{}: {}", found.empty() ? "" : "\n", what.id, what.actual);
  for (const auto& what : one.not_known) not_known += (not_known.empty() ? "" : "\n") + what;
  out += entry("local copy", local) + entry("found", found) + entry("not known", not_known) + "</dl>\n" + picture(one);
  if (!one.command.empty())
    out += fmt::format("<p class=\"quiet\">Show it again:</p><pre class=\"command\">{}</pre>\n", xml(one.command));
  return out + "</section>\n";
}

constexpr const char* kStyle = R"css(
svg.life { font: 13px/1 system-ui, sans-serif; fill: var(--ink); max-width: none; }
.life .lane { stroke: var(--line); stroke-width: 1; }
.life .way { fill: none; stroke: var(--link); stroke-width: 2.5; stroke-linejoin: round; opacity: .75; }
.life .time { text-anchor: end; fill: var(--faint); font-variant-numeric: tabular-nums; }
.life .head { fill: var(--faint); font-size: 12px; }
.life .word { font-weight: 600; }
.life circle { stroke-width: 2.5; stroke: var(--link); fill: var(--link); }
.life circle.inferred { fill: var(--paper); }
.life circle.unknown { stroke: var(--odd); fill: var(--paper); stroke-dasharray: 3 2; }
)css";

}  // namespace

std::string explanations_html(const Explanations& explanations) {
  std::string all;
  for (const Explanation& one : explanations.all) all += article(one);
  if (explanations.left_out != 0)
    all += fmt::format("<p class=\"quiet\">{} more are not told here.</p>\n", explanations.left_out);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>mailproof: what became of "
      "{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<header>\n<h1>What became of {}</h1>\n<p class=\"facts\">{}"
      "<br>A full dot: a server said so. An empty one: it follows from what was said. A broken one: no answer "
      "came.</p>\n</header>\n<main>\n{}</main>\n</body>\n</html>\n",
      explanations.all.size() == 1 ? inline_html(explanations.all.front().message) : "messages", kReportCss, kStyle,
      explanations.all.size() == 1 ? inline_html(explanations.all.front().message)
                                   : fmt::format("{} messages", explanations.all.size()),
      inline_html(explanations.directory), all);
}

}  // namespace mailproof::report
