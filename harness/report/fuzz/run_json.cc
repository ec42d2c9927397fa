// What a run.json says, printed: no text in it is a command to a terminal or a CI where these print it, and what is
// JSON stays JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "report/escape.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"
#include "report/text.h"

using namespace mailproof;

namespace {

void must_be_harmless(std::string_view text) {
  for (auto at = text.find("::"); at != std::string_view::npos; at = text.find("::", at + 1))
    if (at + 2 < text.size() && text[at + 2] > 'f' && text[at + 2] <= 'z') std::abort();  // else an IPv6 address
  for (const std::string_view command : {"##[", "##vso[", "##teamcity[", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae"})
    if (text.find(command) != std::string_view::npos) std::abort();
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  judge::Finding finding;
  finding.id = "mixed.one/loss/lost";
  finding.requirement = finding.expected = finding.actual = finding.reproduce = text;
  finding.evidence = {text};
  finding.life = {text};
  report::ScenarioResult scenario;
  scenario.id = "mixed.one";
  scenario.verdict = judge::Verdict::fail;
  scenario.note = text;
  scenario.findings.push_back(finding);
  report::RunResult run;
  run.target = text;
  run.notes = {text};
  run.scenarios.push_back(scenario);
  for (const std::string& out : {report::terminal(report::run_text(run)), report::summary_markdown(run),
                                 report::junit_xml(run), report::run_json(run)})
    must_be_harmless(out);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return 0;
  const auto again = nlohmann::json::parse(report::harmless_json(text), nullptr, false);
  if (again.is_discarded() || again != json) std::abort();
  return 0;
}
