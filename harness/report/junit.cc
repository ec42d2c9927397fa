#include "report/junit.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/escape.h"
#include "report/groups.h"
#include "report/section.h"
#include "report/text.h"

namespace mailproof::report {
namespace {

using judge::Verdict;

constexpr std::size_t kMostMessage = 300;  ///< octets: CIs show it in one line

enum class Column { passed, failure, error, skipped };

Column column_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
    case Verdict::latitude:
      return Column::passed;
    case Verdict::fail:
    case Verdict::unexpected_pass:
      return Column::failure;
    case Verdict::error:
    case Verdict::inconclusive:
      return Column::error;
    case Verdict::not_applicable:
    case Verdict::known_fail:
      return Column::skipped;
  }
  return Column::error;
}

std::string attribute(std::string_view text) { return xml(one_line(text)); }

/// The sentence that is broken, of the finding that counts and not of one that is accepted; for what an entry accepts,
/// and for what it should no longer, the note says it.
std::string headline(const ScenarioResult& scenario) {
  const bool noted = scenario.verdict == Verdict::known_fail || scenario.verdict == Verdict::unexpected_pass;
  const auto counts = [](const judge::Finding& finding) { return finding.accepted.empty(); };
  const auto first = std::find_if(scenario.findings.begin(), scenario.findings.end(), counts);
  if (first != scenario.findings.end() && !(noted && !scenario.note.empty())) {
    // Of what is no promise of the server's the sentence says nothing.
    const bool sentence = first->severity == judge::Severity::fail || first->severity == judge::Severity::latitude;
    return fmt::format("{}: {}", class_of(first->id, scenario.id),
                       shortened(sentence ? first->requirement : first->actual, kMostMessage));
  }
  return scenario.note.empty() ? std::string(judge::name(scenario.verdict)) : scenario.note;
}

std::string details(const ScenarioResult& scenario) {
  std::string out;
  for (const judge::Finding& finding : scenario.findings)
    out += fmt::format("{}{}", out.empty() ? "" : "\n", finding_text(finding));
  return out;
}

/// "mixed" of "mixed.pop-download-empties-the-phone", "pop3.1939-5" of "pop3.1939-5.list-empty": what CI systems group
/// by.
std::string_view group(std::string_view id) {
  const auto dot = id.rfind('.');
  return dot == std::string_view::npos ? std::string_view("mailproof") : id.substr(0, dot);
}

/// Properties of a test case come first in it, where pytest writes them and the JUnit readers expect them.
std::string properties(const ScenarioResult& scenario) {
  if (scenario.kind != Kind::check) return {};
  const Section section = section_of(scenario.id);
  std::string out = "      <properties>\n";
  const auto property = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) out += fmt::format("        <property name=\"{}\" value=\"{}\"/>\n", key, attribute(value));
  };
  property("kind", std::string(name(scenario.kind)));
  property("level", scenario.level);
  property("rfc", section.rfc);
  property("section", section.section);
  return out + "      </properties>\n";
}

std::string test_case(const ScenarioResult& scenario) {
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n",
                                attribute(group(scenario.id)), attribute(scenario.id), scenario.seconds);
  out += properties(scenario);
  const std::string_view verdict = judge::name(scenario.verdict);
  switch (column_of(scenario.verdict)) {
    case Column::passed:
      if (!scenario.findings.empty()) out += fmt::format("      <system-out>{}</system-out>\n", xml(details(scenario)));
      break;
    case Column::failure:
      out += fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", verdict,
                         attribute(headline(scenario)), xml(details(scenario)));
      break;
    case Column::error:
      out += fmt::format("      <error type=\"{}\" message=\"{}\">{}</error>\n", verdict, attribute(headline(scenario)),
                         xml(details(scenario)));
      break;
    case Column::skipped:
      out += fmt::format("      <skipped message=\"{}: {}\"/>\n", verdict, attribute(headline(scenario)));
      break;
  }
  return out + "    </testcase>\n";
}

}  // namespace

std::string junit_xml(const RunResult& run) {
  std::size_t failures = 0, errors = 0, skipped = 0;
  std::string cases;
  for (const ScenarioResult& scenario : run.scenarios) {
    const Column column = column_of(scenario.verdict);
    failures += column == Column::failure ? 1U : 0U;
    errors += column == Column::error ? 1U : 0U;
    skipped += column == Column::skipped ? 1U : 0U;
    cases += test_case(scenario);
  }
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"",
                                         run.scenarios.size(), failures, errors, skipped, run.seconds);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mailproof\" {0}>\n"
      "  <testsuite name=\"{1}\" {0}>\n    <properties>\n      <property name=\"seed\" value=\"{2}\"/>\n"
      "      <property name=\"version\" value=\"{3}\"/>\n      <property name=\"verdict\" value=\"{4}\"/>\n"
      "    </properties>\n{5}  </testsuite>\n</testsuites>\n",
      counts, attribute(run.target), run.seed, attribute(run.version), judge::name(verdict_of(run)), cases);
}

}  // namespace mailproof::report
