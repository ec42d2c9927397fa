#include <fmt/format.h>

#include "load/report_html.h"
#include "load/watch.h"
#include "report/escape.h"

namespace mailproof::load {

extern const char* const kLiveJs;  // reports/live.js and reports/live.html, put in by CMake
extern const char* const kLiveHtml;

namespace {

constexpr Duration kBounds[] = {
    std::chrono::milliseconds(1),   std::chrono::microseconds(2500), std::chrono::milliseconds(5),
    std::chrono::milliseconds(10),  std::chrono::milliseconds(25),   std::chrono::milliseconds(50),
    std::chrono::milliseconds(100), std::chrono::milliseconds(250),  std::chrono::milliseconds(500),
    std::chrono::seconds(1),        std::chrono::milliseconds(2500), std::chrono::seconds(5),
    std::chrono::seconds(10),       std::chrono::seconds(30),        std::chrono::minutes(1)};

double in_s(Duration d) { return std::chrono::duration<double>(d).count(); }

/// A label's value: backslash, quote and line end are escaped.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : report::one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string prometheus(const Seen& seen) {
  std::string out;
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help) {
    out += fmt::format("# HELP mailproof_{0} {1}\n# TYPE mailproof_{0} {2}\n", name, help, type);
  };
  const stats::Operations& all = seen.totals.operations;
  family("operations_total", "counter", "Operations by how they ended; unserved: due, and never begun.");
  all.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const auto& [outcome, n] : {std::pair("ok", op.ok), std::pair("fail", op.fail), std::pair("info", op.info),
                                     std::pair("unserved", op.unserved())})
      out += fmt::format("mailproof_operations_total{{operation=\"{}\",outcome=\"{}\"}} {}\n", label(name), outcome, n);
  });
  family("response_seconds", "histogram", "From the intended start to the answer.");
  all.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const Duration bound : kBounds)
      out += fmt::format("mailproof_response_seconds_bucket{{operation=\"{}\",le=\"{:g}\"}} {}\n", label(name),
                         in_s(bound), op.response.count_up_to(bound));
    out += fmt::format(
        "mailproof_response_seconds_bucket{{operation=\"{0}\",le=\"+Inf\"}} "
        "{1}\nmailproof_response_seconds_sum{{operation="
        "\"{0}\"}} {2}\nmailproof_response_seconds_count{{operation=\"{0}\"}} {1}\n",
        label(name), op.response.count(), op.response.sum_seconds());
  });
  family("recent_rate", "gauge", "Done a second, in the last five seconds.");
  for (const auto& [name, one] : seen.recent)
    out += fmt::format("mailproof_recent_rate{{operation=\"{}\"}} {:g}\n", label(name), one.rate());
  family("recent_response_seconds", "gauge", "From the intended start to the answer, of what ended in the last five.");
  for (const auto& [name, one] : seen.recent)
    for (const double q : {50.0, 99.0})
      if (!one.response.empty())
        out += fmt::format("mailproof_recent_response_seconds{{operation=\"{}\",quantile=\"{:g}\"}} {:g}\n",
                           label(name), q / 100, in_s(one.response.percentile(q)));
  family("errors_total", "counter", "Operations that were refused or had no answer, by class.");
  all.for_each([&](std::string_view name, const stats::Operation& op) {
    for (const auto& [what, n] : op.errors)
      out += fmt::format("mailproof_errors_total{{operation=\"{}\",error=\"{}\"}} {}\n", label(name), label(what), n);
  });
  family("copies", "gauge", "Copies of all stories.");
  const auto& p = seen.progress;
  for (const auto& [state, n] :
       {std::pair("due", std::size_t{p.due}), std::pair("begun", std::size_t{p.begun}), std::pair("running", p.running),
        std::pair("waiting", p.waiting), std::pair("over", std::size_t{p.over})})
    out += fmt::format("mailproof_copies{{state=\"{}\"}} {}\n", state, n);
  family("connections", "gauge", "Connections of devices that are open.");
  const auto known = all.gauges().find("connections");
  out += fmt::format("mailproof_connections {}\n", known == all.gauges().end() ? 0 : known->second.value());
  std::uint64_t in = 0, sent = 0;
  for (const auto& cell : all.octets().cells()) {
    in += cell.in;
    sent += cell.out;
  }
  family("octets_total", "counter", "Octets of the sessions, inside TLS.");
  out += fmt::format("mailproof_octets_total{{direction=\"in\"}} {}\nmailproof_octets_total{{direction=\"out\"}} {}\n",
                     in, sent);
  family("messages_total", "counter", "Messages that the target accepted, by what became of them.");
  for (const auto& [fate, n] : seen.totals.ledger.fates)
    out += fmt::format("mailproof_messages_total{{fate=\"{}\"}} {}\n", label(fate), n);
  family("messages_unexplained", "gauge", "Accepted, and neither there nor gone for a reason.");
  out += fmt::format("mailproof_messages_unexplained {}\n", seen.totals.ledger.unexplained);
  family("generator_lateness_seconds", "gauge", "How late copies began for our own doing.");
  for (const double q : {50.0, 99.0, 100.0})
    out += fmt::format("mailproof_generator_lateness_seconds{{quantile=\"{:g}\"}} {}\n", q / 100,
                       in_s(seen.generator.lateness.percentile(q)));
  family("seconds", "gauge", "Since time zero of the load.");
  out += fmt::format("mailproof_seconds {}\n", in_s(seen.passed));
  return out;
}

std::string live_json(const Seen& seen, const std::string& title) {
  LoadResult result;
  result.all = seen.totals;
  std::string rows, errors;
  seen.totals.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    const Recent& now = seen.now(name);
    const auto of_now = [&](double percent) {
      return now.response.empty() ? std::string("\"-\"") : fmt::format("{:.2f}", ms(now.response.percentile(percent)));
    };
    rows += fmt::format("{}[{},{:.1f},{},{},{},{},{},{:.2f},{:.2f},{:.2f}]", rows.empty() ? "" : ",",
                        report::page_json(name), now.rate(), of_now(50), of_now(99), op.ok, op.fail, op.info,
                        ms(op.response.percentile(50)), ms(op.response.percentile(99)), ms(op.response.max()));
    for (const auto& [what, n] : op.errors)
      errors +=
          fmt::format("{}[{},{},{}]", errors.empty() ? "" : ",", n, report::page_json(name), report::page_json(what));
  });
  const LedgerTotals& ledger = seen.totals.ledger;
  std::string fates;
  for (const auto& [fate, n] : ledger.fates)
    fates += fmt::format("{}[{},{}]", fates.empty() ? "" : ",", report::page_json(fate), n);
  const auto& p = seen.progress;
  const auto known = seen.totals.operations.gauges().find("connections");
  return fmt::format(
      "{{\"title\":{},\"of_accounts\":{},\"passed\":{:.1f},\"preparing\":{},\"over\":{},\"due\":{},\"begun\":{},"
      "\"running\":{},"
      "\"waiting\":{},"
      "\"ended\":{},\"prepared\":{},\"slots\":{},\"connections\":{},\"limited\":{},\"generator\":{},\"rows\":[{}],"
      "\"errors\":[{}],"
      "\"ledger\":{{\"copies\":{},\"sent\":{},\"accepted\":{},\"refused\":{},\"unknown\":{},\"unexplained\":{},"
      "\"fates\":[{}]}},"
      "\"chart\":{}}}",
      report::page_json(title), seen.of_accounts, in_s(seen.passed), seen.preparing, seen.over, p.due, p.begun,
      p.running, p.waiting, p.over, p.prepared, p.slots,
      known == seen.totals.operations.gauges().end() ? 0 : known->second.value(), seen.generator.limited(),
      report::page_json(seen.generator.text()), rows, errors, ledger.copies, ledger.sent, ledger.accepted,
      ledger.refused, ledger.unknown, ledger.unexplained, fates, chart_data(result));
}

std::string live_page(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>mailproof load: {0}</title>\n"
      "<style>\n{1}</style>\n</head>\n<body>\n{2}{3}<script>\n{4}</script>\n</body>\n</html>\n",
      report::xml(report::one_line(title)), chart_style(), kLiveHtml, chart_scripts(), kLiveJs);
}

}  // namespace mailproof::load
