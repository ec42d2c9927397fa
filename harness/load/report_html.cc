#include "load/report_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "load/run_files.h"
#include "report/escape.h"
#include "report/html_parts.h"

namespace mailproof::load {

// reports/load.css, reports/load.js and reports/uplot/, put in by CMake.
extern const char* const kLoadCss;
extern const char* const kLoadJs;
extern const char* const kUplotCss;
extern const char* const kUplotJs;
extern const char* const kUplotLicence;

namespace {

using report::inline_html;

std::string section(std::string_view id, std::string_view title, const std::string& inside) {
  return inside.empty() ? inside : fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, title, inside);
}

std::string table(std::string_view head, const std::string& rows, std::string_view kind = "") {
  return fmt::format(
      "<div class=\"scroll\"><table{}>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
      kind.empty() ? "" : fmt::format(" class=\"{}\"", kind), head, rows);
}

std::string count(std::uint64_t n, std::string_view bad = "") {
  return fmt::format("<td class=\"n{}\">{}</td>", n == 0 ? " zero" : bad.empty() ? "" : fmt::format(" {}", bad), n);
}

std::string time_cell(Duration d) { return fmt::format("<td class=\"n\">{:.2f}</td>", ms(d)); }

std::string slos_html(const LoadResult& result) {
  std::string rows;
  for (const SloResult& one : result.slos)
    rows +=
        fmt::format("<tr><td>{}</td><td class=\"id\">{}</td><td>{}{}{}</td></tr>\n", report::badge(one.verdict),
                    inline_html(one.text), inline_html(one.measured.empty() ? "nothing of it happened" : one.measured),
                    one.of == 0 || one.few ? "" : fmt::format(", of {}", one.of),
                    one.why.empty() ? "" : fmt::format(" <span class=\"quiet\">({})</span>", inline_html(one.why)));
  if (rows.empty()) return rows;
  const std::string of =
      result.measured.empty()
          ? ""
          : fmt::format(
                "<p class=\"quiet\">Times and rates are of what was due from {} to {}; the rest is of all.</p>\n",
                format_seconds(result.measured.from), format_seconds(result.measured.to));
  return of + table("<th>verdict</th><th>asked for</th><th>measured</th>", rows);
}

std::string charts_html(bool plan) {
  return fmt::format(
      "<noscript><p>The charts need scripts; every figure is in the tables below and in stats.json.</p></noscript>\n"
      "<div id=\"charts\" hidden>\n<p><label>Operation <select id=\"operation\"></select></label></p>\n"
      "<div class=\"charts\">\n<figure><figcaption>Throughput: due, done and failed a second</figcaption><div "
      "id=\"throughput\"></div></figure>\n<figure><figcaption>Response from the intended start: p50 and p99 of each "
      "slice</figcaption><div id=\"latency\"></div></figure>\n<figure><figcaption>All responses in each slice, the "
      "darker the more</figcaption><div id=\"heatmap\"></div></figure>\n<figure><figcaption>Percentiles: response "
      "from the intended start, service from the real one</figcaption><div id=\"curve\"></div></figure>\n"
      "<figure><figcaption>At the same time: {}connections</figcaption><div "
      "id=\"levels\"></div></figure>\n<figure><figcaption>Octets a second, inside TLS</figcaption><div "
      "id=\"octets\"></div></figure>\n</div>\n</div>\n",
      plan ? "" : "copies under way, copies that wait, ");
}

std::string operations_html(const LoadResult& result) {
  std::string rows;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    rows += fmt::format("<tr><td class=\"id\">{}</td>{}<td class=\"n\">{:.1f}</td>{}{}{}{}{}{}{}{}{}{}</tr>\n",
                        inline_html(name), count(op.ok), rate_of(op, result), count(op.fail, "bad"),
                        count(op.info, "odd"), count(op.unserved(), "odd"), time_cell(op.response.percentile(50)),
                        time_cell(op.response.percentile(90)), time_cell(op.response.percentile(99)),
                        time_cell(op.response.percentile(99.9)), time_cell(op.response.max()),
                        time_cell(op.service.percentile(50)), time_cell(op.service.percentile(99)));
  });
  if (rows.empty()) return "<p>Nothing was done.</p>\n";
  return table(
             "<th>operation</th><th class=\"n\">done</th><th class=\"n\">/s</th><th class=\"n\">fail</th><th "
             "class=\"n\">info</th><th class=\"n\">unserved</th><th class=\"n\">p50 ms</th><th class=\"n\">p90</th><th "
             "class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">max</th><th class=\"n\">service "
             "p50</th><th "
             "class=\"n\">service p99</th>",
             rows) +
         "<p class=\"quiet\">p50 to max count from the intended start, and copies that never began are part of them; "
         "service counts from the real one. fail: the server refused it; info: no answer came, so that nobody can say; "
         "what "
         "was waited for in vain counts with as long as was waited. "
         "What the audit asked afterwards is in no row.</p>\n";
}

/// The phase of a plan that its promises are about.
std::string measured_html(const LoadResult& result) {
  const double time = measured_seconds(result);
  if (result.measured.empty() || result.measured.from == Duration{} || time <= 0) return {};
  std::string rows;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    const auto& one = op.measured;
    if (one.response.count() == 0) return;
    rows += fmt::format("<tr><td class=\"id\">{}</td>{}<td class=\"n\">{:.1f}</td>{}{}{}{}{}</tr>\n", inline_html(name),
                        count(one.ok), static_cast<double>(one.done) / time, time_cell(one.response.percentile(50)),
                        time_cell(one.response.percentile(90)), time_cell(one.response.percentile(99)),
                        time_cell(one.response.percentile(99.9)), time_cell(one.response.max()));
  });
  if (rows.empty()) return {};
  return fmt::format("<p>What was due from {} to {}, which the promises are about, and none of what came before:</p>\n",
                     format_seconds(result.measured.from), format_seconds(result.measured.to)) +
         table(
             "<th>operation</th><th class=\"n\">done</th><th class=\"n\">/s</th><th class=\"n\">p50 ms</th><th "
             "class=\"n\">p90</th><th class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">max</th>",
             rows);
}

std::string errors_html(const LoadResult& result) {
  std::string out;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const auto& [what, times] : op.errors) {
      const std::string of = fmt::format("{}: {}", name, what);
      std::string excerpts;
      if (const auto known = result.all.samples.all().find(of); known != result.all.samples.all().end())
        for (const Sample& sample : known->second)
          excerpts += fmt::format("<p class=\"quiet\">{}{:.3f} s</p><pre>{}</pre>\n",
                                  result.plan.name.empty() ? fmt::format("copy {}, ", sample.copy) : "",
                                  std::chrono::duration<double>(sample.at).count(), report::xml(sample.text));
      out += fmt::format("<details{}><summary>{} x {}</summary>\n{}</details>\n", out.empty() ? " open" : "", times,
                         inline_html(of), excerpts.empty() ? "<p class=\"quiet\">no excerpt was kept</p>" : excerpts);
    }
  });
  return out;
}

std::string ledger_html(const LoadResult& result) {
  const LedgerTotals& all = result.all.ledger;
  std::string rows = fmt::format(
      "<tr><td>deliveries attempted</td>{}</tr>\n<tr><td>&nbsp; accepted</td>{}</tr>\n<tr><td>&nbsp; "
      "refused</td>{}</tr>\n<tr><td>&nbsp; without an answer</td>{}</tr>\n",
      count(all.sent), count(all.accepted), count(all.refused), count(all.unknown, "odd"));
  if (all.unsent != 0)
    rows += fmt::format("<tr><td>due, and not handed over to the last octet</td>{}</tr>\n", count(all.unsent, "odd"));
  for (const auto& [fate, n] : all.fates)
    rows += fmt::format("<tr><td>&nbsp; accepted, now {}</td>{}</tr>\n", inline_html(fate),
                        count(n, fate == "lost" || fate == "unknown" ? "bad" : ""));
  rows += fmt::format("<tr><td>unexplained</td>{}</tr>\n", count(all.unexplained, "bad"));
  return table(fmt::format("<th>{} {}</th><th class=\"n\">messages</th>", all.copies,
                           result.plan.name.empty() ? "copies played to their end" : "customers and copies of stories"),
               rows, "sections");
}

std::string circumstances_html(const LoadResult& result) {
  std::string rows;
  const auto row = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", inline_html(name), inline_html(value));
  };
  for (const auto& [name, value] : result.settings) row(name, value);
  row("seed", std::to_string(result.seed));
  row("mailproof", result.version);
  for (const std::string& machine : result.machines) row("generator on", machine);
  row("generator", result.generator.text().substr(std::string_view("generator: ").size()));
  if (result.shard)
    row("shard", fmt::format("{} of {}, ready {:.3f} s after the time agreed on", result.shard->index, result.shard->of,
                             std::chrono::duration<double>(result.shard->late).count()));
  std::string out = table("<th>what</th><th></th>", rows, "sections");
  if (!result.command.empty())
    out += fmt::format("<p>The same again:</p><pre class=\"command\">{}</pre>\n", report::xml(result.command));
  return out;
}

/// What was played, in a line.
std::string facts_html(const LoadResult& result) {
  if (!result.plan.name.empty())
    return fmt::format("plan {}: {} accounts, at most {} connections; {:.1f} s, seed {}", inline_html(result.plan.name),
                       result.plan.accounts, result.plan.most_connections, result.seconds, result.seed);
  if (!result.users.empty())
    return fmt::format(
        "{} copies of {} began, of {} users in a closed loop each, who think {}; {:.1f} s, seed {}", begun(result),
        result.stories.size() == 1 ? inline_html(result.stories.front())
                                   : fmt::format("{} stories", result.stories.size()),
        result.users.front().users, inline_html(result.users.front().think), result.seconds, result.seed);
  return fmt::format("{} cop{} of {} began, {} slots, {:.1f}/s of each story; {:.1f} s, seed {}", begun(result),
                     begun(result) == 1 ? "y" : "ies",
                     result.stories.size() == 1 ? inline_html(result.stories.front())
                                                : fmt::format("{} stories", result.stories.size()),
                     result.slots, result.rate, result.seconds, result.seed);
}

std::string head_html(const LoadResult& result) {
  std::string facts = facts_html(result);
  if (!result.began.empty()) facts += fmt::format("<br>{} to {}", inline_html(result.began), inline_html(result.ended));
  for (const std::string& one : remarks(result)) facts += fmt::format("<br>{}", inline_html(one));
  std::string notes, counts;
  if (result.interrupted) notes += "<li><strong>Interrupted: the rest was not played.</strong></li>";
  for (const std::string& one : warnings(result))
    notes += fmt::format("<li><strong>{}</strong></li>", inline_html(one));
  for (const auto& [verdict, n] : result.all.verdicts)
    counts += fmt::format("<span class=\"badge {0}\">{1} {0}</span>", inline_html(verdict), n);
  return fmt::format("<header>\n<h1>{} {}</h1>\n{}<p class=\"facts\">{}</p>\n<p class=\"counts\">{}</p>\n</header>\n",
                     report::badge(verdict_of(result)), inline_html(result.target),
                     notes.empty() ? "" : fmt::format("<ul class=\"first\">{}</ul>\n", notes), facts, counts);
}

}  // namespace

std::string chart_style() { return fmt::format("{}\n{}\n{}", report::kReportCss, kUplotCss, kLoadCss); }

std::string chart_scripts() {
  return fmt::format("<script>\n/*\n{}*/\n{}\n</script>\n<script>\n{}</script>\n", kUplotLicence, kUplotJs, kLoadJs);
}

std::string report_html(const LoadResult& result) {
  const std::pair<std::string_view, std::string> sections[] = {
      {"Promises", section("slos", "Promises", slos_html(result))},
      {"Over time", section("time", "Over time", charts_html(!result.plan.name.empty()))},
      {"Measured", section("measured", "The measured phase", measured_html(result))},
      {"Operations", section("operations", "Operations", operations_html(result))},
      {"Errors", section("errors", "Errors", errors_html(result))},
      {"Ledger", section("ledger", "Ledger", ledger_html(result))},
      {"Findings", report::findings_html(as_run(result))},
      {"Settings", section("settings", "Machine and settings", circumstances_html(result))}};
  std::string contents, body;
  for (const auto& [name, part] : sections) {
    if (part.empty()) continue;
    const std::size_t from = part.find("id=\"") + 4;
    contents += fmt::format("<a href=\"#{}\">{}</a>", part.substr(from, part.find('"', from) - from), name);
    body += part;
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>mailproof load: {} on "
      "{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}<nav>{}</nav>\n<main>\n{}</main>\n"
      "<script type=\"application/json\" id=\"data\">{}</script>\n{}</body>\n</html>\n",
      judge::name(verdict_of(result)), inline_html(result.target), chart_style(), head_html(result), contents, body,
      chart_data(result), chart_scripts());
}

}  // namespace mailproof::load
