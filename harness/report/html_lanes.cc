#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

constexpr std::size_t kMostOther = 60;   ///< drawings of what did not pass
constexpr std::size_t kMostPassed = 40;  ///< drawings of stories that did
constexpr std::size_t kMostOpen = 3;     ///< unfolded from the start

bool fine(const ScenarioResult& scenario) { return scenario.verdict == Verdict::pass; }

std::string_view class_of(Lanes::Kind kind) {
  switch (kind) {
    case Lanes::Kind::step:
      return "step";
    case Lanes::Kind::play:
      return "play";
    case Lanes::Kind::asked:
      return "l-asked";
    case Lanes::Kind::ok:
      return "l-ok";
    case Lanes::Kind::refused:
      return "l-refused";
    case Lanes::Kind::unknown:
      return "l-unknown";
    case Lanes::Kind::saw:
      return "l-saw";
    case Lanes::Kind::met:
      return "l-met";
    case Lanes::Kind::missed:
      return "l-missed";
  }
  return "play";
}

std::string row(const Lanes& lanes, const Lanes::Event& event) {
  const std::string time = fmt::format("<th scope=\"row\">{:.3f} s</th>", event.at);
  if (event.lane >= lanes.names.size())
    return fmt::format("<tr class=\"{}\">{}<td colspan=\"{}\">{}</td></tr>\n", class_of(event.kind), time,
                       std::max<std::size_t>(1, lanes.names.size()), inline_html(event.text));
  std::string cells;
  for (std::size_t lane = 0; lane < lanes.names.size(); ++lane)
    cells += lane != event.lane ? std::string("<td></td>")
                                : fmt::format("<td class=\"{}\" data-lane=\"{}\">{}</td>", class_of(event.kind),
                                              inline_html(lanes.names[lane]), inline_html(event.text));
  return fmt::format("<tr>{}{}</tr>\n", time, cells);
}

std::string table(const Lanes& lanes) {
  std::string out = "<div class=\"scroll\"><table class=\"lanes\">\n<thead><tr><th>time</th>";
  for (const std::string& name : lanes.names) out += fmt::format("<th>{}</th>", inline_html(name));
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < lanes.events.size(); ++i) {
    if (lanes.left_out != 0 && i == lanes.gap)
      out += fmt::format(
          "<tr class=\"gap\"><th></th><td colspan=\"{}\">{} events are left out here; history.jsonl has "
          "them</td></tr>\n",
          std::max<std::size_t>(1, lanes.names.size()), lanes.left_out);
    out += row(lanes, lanes.events[i]);
  }
  return out + "</tbody>\n</table></div>\n";
}

std::string story(const RunResult& run, std::size_t index, bool open, bool found) {
  const ScenarioResult& scenario = run.scenarios[index];
  return fmt::format(
      "<details class=\"story\" id=\"{}\"{}><summary>{} {}</summary>\n{}{}{}</details>\n", lanes_anchor(index),
      open ? " open" : "", badge(scenario.verdict), inline_html(scenario.id),
      scenario.title.empty() ? "" : fmt::format("<p class=\"quiet\">{}</p>\n", inline_html(scenario.title)),
      found ? fmt::format("<p><a href=\"#{}\">what was found</a></p>\n", finding_anchor(index)) : "",
      table(scenario.lanes));
}

}  // namespace

std::vector<std::size_t> with_lanes(const RunResult& run) {
  std::vector<std::size_t> other, passed;
  for (std::size_t i = 0; i < run.scenarios.size(); ++i) {
    if (run.scenarios[i].lanes.events.empty()) continue;
    (fine(run.scenarios[i]) ? passed : other).push_back(i);
  }
  std::stable_sort(other.begin(), other.end(), [&](std::size_t a, std::size_t b) {
    return order_of(run.scenarios[a].verdict) < order_of(run.scenarios[b].verdict);
  });
  if (other.size() > kMostOther) other.resize(kMostOther);
  if (passed.size() > kMostPassed) passed.resize(kMostPassed);
  other.insert(other.end(), passed.begin(), passed.end());
  return other;
}

std::string lanes_html(const RunResult& run) {
  const auto drawn = with_lanes(run);
  if (drawn.empty()) return {};
  const auto found = with_findings(run);
  std::string out;
  std::size_t opened = 0;
  for (const std::size_t index : drawn) {
    const bool open = !fine(run.scenarios[index]) && opened < kMostOpen;
    opened += open ? 1U : 0U;
    out += story(run, index, open, found.contains(index));
  }
  const auto all =
      static_cast<std::size_t>(std::count_if(run.scenarios.begin(), run.scenarios.end(), [](const ScenarioResult& one) {
        return one.verdict != Verdict::not_applicable;
      }));
  if (all > drawn.size())
    out += fmt::format("<p class=\"quiet\">{} more that were played are not drawn here.</p>\n", all - drawn.size());
  return fmt::format(
      "<section id=\"stories\">\n<h2>How it went, lane by lane</h2>\n<p class=\"quiet\">Time flows down. What did not "
      "pass "
      "comes first.</p>\n{}</section>\n",
      out);
}

}  // namespace mailproof::report
