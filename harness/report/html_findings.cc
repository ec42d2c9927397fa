#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/groups.h"
#include "report/html_parts.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Verdict;

constexpr std::size_t kMostShown = 200;      ///< causes
constexpr std::size_t kMostOpen = 5;         ///< of these, with the evidence unfolded
constexpr std::size_t kMostElsewhere = 100;  ///< places where one was seen too
constexpr std::size_t kMostInIndex = 160;    ///< octets

std::string block(std::string_view label, const std::vector<std::string>& lines, bool open) {
  if (lines.empty()) return {};
  std::string all;
  for (const std::string& line : lines) all += xml(line) + "\n";
  return fmt::format("<details{}><summary>{}</summary><pre>{}</pre></details>\n", open ? " open" : "", label, all);
}

std::string field(std::string_view label, const std::string& text) {
  return text.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, xml(text));
}

std::string cause_anchor(std::size_t number) { return fmt::format("cause-{}", number + 1); }

/// Links from a scenario's lanes lead to its first finding, in full or in a list.
std::string anchor_of(const Group::Member& member) {
  const bool first = member.finding == member.scenario->findings.data();
  return first ? fmt::format(" id=\"{}\"", finding_anchor(member.index)) : std::string();
}

/// Where else the same was seen, so many of them.
std::string others(const Group& group) {
  if (group.members.size() == 1) return {};
  const auto texts = group.others();
  std::string rows;
  for (std::size_t i = 0; i < texts.size() && i < kMostElsewhere; ++i)
    rows += fmt::format("<li{}>{}</li>\n", anchor_of(group.members[i + 1]), inline_html(texts[i]));
  if (texts.size() > kMostElsewhere)
    rows += fmt::format("<li>{} more, which are in findings.json</li>\n", texts.size() - kMostElsewhere);
  return fmt::format("<details><summary>Also in {}</summary><ul>\n{}</ul></details>\n",
                     fmt::format("{} more", texts.size()), rows);
}

std::string article(const Group& group, std::size_t number, bool open) {
  const Finding& finding = group.simplest();
  const ScenarioResult& scenario = *group.members.front().scenario;
  std::string messages;
  for (std::size_t i = 0; i < finding.messages.size() && i < 20; ++i)
    messages += fmt::format("{}{}", i == 0 ? "" : ", ", finding.messages[i]);
  if (finding.messages.size() > 20) messages += fmt::format(" and {} more", finding.messages.size() - 20);

  std::string out = fmt::format(
      "<article class=\"finding of-{0}\" id=\"{3}\">\n<h3{1}><span class=\"badge {0}\">{0}</span> {2}</h3>\n",
      judge::name(group.severity), anchor_of(group.members.front()), inline_html(group.headline()),
      cause_anchor(number));
  if (!scenario.title.empty()) out += fmt::format("<p class=\"quiet\">{}</p>\n", inline_html(scenario.title));
  out += "<dl>\n";
  if (group.members.size() > 1) out += field("Simplest", finding.id);
  out +=
      field("Requirement", finding.requirement) + field("Expected", finding.expected) + field("Actual", finding.actual);
  out += field("Messages", messages) + field("Accepted", finding.accepted) + field("Since", group.since());
  out += "</dl>\n";
  out += block("Evidence", finding.evidence, open) + block("Life of the message", finding.life, open);
  if (!finding.reproduce.empty())
    out +=
        fmt::format("<p class=\"quiet\">Show it again:</p><pre class=\"command\">{}</pre>\n", xml(finding.reproduce));
  return out + others(group) + "</article>\n";
}

/// What is wrong, a line each, before anything is told in full.
std::string index(const std::vector<Group>& groups, std::size_t counted) {
  if (counted < 2) return {};
  std::string rows;
  for (std::size_t i = 0; i < counted; ++i)
    rows += fmt::format(
        "<tr><td><span class=\"badge {0}\">{0}</span></td><td class=\"id\"><a href=\"#{1}\">{2}</a></td>"
        "<td class=\"n\">{3}</td><td class=\"what\">{4}</td></tr>\n",
        judge::name(groups[i].severity), cause_anchor(i), inline_html(groups[i].name), groups[i].scenarios,
        xml(groups[i].sentence(kMostInIndex)));
  return fmt::format(
      "<div class=\"scroll\"><table class=\"index\">\n<thead><tr><th></th><th>finding</th>"
      "<th class=\"n\">scenarios</th><th>what is broken</th></tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
      rows);
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

/// What stands on the page, the worst first.
std::vector<Group> shown(const RunResult& run) {
  std::vector<Group> groups = groups_of(run);
  if (groups.size() > kMostShown) groups.resize(kMostShown);
  return groups;
}

}  // namespace

std::set<std::size_t> with_findings(const RunResult& run) {
  std::set<std::size_t> out;
  for (const Group& group : shown(run))
    for (std::size_t i = 0; i < group.members.size() && i <= kMostElsewhere; ++i)
      if (!anchor_of(group.members[i]).empty()) out.insert(group.members[i].index);
  return out;
}

std::string findings_html(const RunResult& run) {
  const std::vector<Group> groups = shown(run);
  const auto counted = static_cast<std::size_t>(
      std::count_if(groups.begin(), groups.end(), [](const Group& one) { return one.accepted.empty(); }));
  std::string out = index(groups, counted), accepted;
  for (std::size_t i = 0; i < counted; ++i) out += article(groups[i], i, i < kMostOpen);
  out += unexpected(run);
  std::size_t times = 0;
  for (std::size_t i = counted; i < groups.size(); ++i) {
    accepted += article(groups[i], i, false);
    times += groups[i].members.size();
  }
  if (out.empty())
    out = accepted.empty() ? "<p>None: no promise was seen broken.</p>\n"
                           : "<p>None that counts: what was seen broken is accepted.</p>\n";
  if (!accepted.empty())
    out += fmt::format("<details><summary>{} accepted, and not counted</summary>\n{}</details>\n", times, accepted);
  return fmt::format("<section id=\"findings\">\n<h2>Findings</h2>\n{}</section>\n", out);
}

}  // namespace mailproof::report
