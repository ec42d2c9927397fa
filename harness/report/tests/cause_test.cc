#include "report/cause.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/gate.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/text.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ScenarioResult erred(const std::string& actual, const std::string& requirement = "The target must be reachable") {
  static int number = 0;
  ScenarioResult out;
  out.id = fmt::format("pop3.story-{}", ++number);
  out.verdict = Verdict::error;
  judge::Finding finding;
  finding.id = out.id + "/session/unreachable";
  finding.severity = Severity::error;
  finding.requirement = requirement;
  finding.expected = "a session that is ready for commands";
  finding.actual = actual;
  out.findings = {finding};
  return out;
}

ScenarioResult of(Verdict verdict) {
  ScenarioResult out;
  out.id = "pop3.other";
  out.verdict = verdict;
  return out;
}

TEST(Cause, IsSaidOnceInWhateverWordsItCame) {
  RunResult run;
  run.scenarios = {
      of(Verdict::not_applicable), erred("imap 127.0.0.1:9: connect: connection refused"),
      erred("audit: imap 127.0.0.1:9: connect: connection refused (last seen: \"\")"),
      erred("pop3 [::1]:110: connect: connection refused"),
      erred("not tried any more, as none of the first 3 could begin; the last one: audit: imap 127.0.0.1:9: connect: "
            "connection refused")};
  EXPECT_EQ(
      common_cause(run),
      "4 of 4 scenarios ended in the same error, which says nothing of what the server promises: imap 127.0.0.1:9, "
      "pop3 [::1]:110: connect: connection refused; what stands in the way is seen by: mailproof probe --target "
      "FILE");
  close({}, {}, run);
  EXPECT_THAT(run.notes, ElementsAre(common_cause(run)));
  for (const std::string& text : {run_text(run), summary_markdown(run), report_html(run)})
    EXPECT_THAT(text, HasSubstr("4 of 4 scenarios ended in the same error"));
  const std::string page = report_html(run);
  EXPECT_LT(page.find("4 of 4 scenarios"), page.find("id=\"findings\""));
}

TEST(Cause, IsTheSameForEveryLogin) {
  RunResult run;
  for (const char* login : {"user0001", "user0002", "anna@example.test"})
    run.scenarios.push_back(
        erred(fmt::format("imap 127.0.0.1:143: AUTHENTICATE: the server refused the login of {}: NO wrong", login)));
  EXPECT_THAT(common_cause(run), HasSubstr("3 of 3 scenarios"));
}

TEST(Cause, IsNoneWhereSomethingWasPlayed) {
  const std::string down = "imap 127.0.0.1:9: connect: connection refused";
  RunResult run;
  EXPECT_THAT(common_cause(run), IsEmpty());
  run.scenarios = {erred(down)};
  EXPECT_THAT(common_cause(run), IsEmpty());
  for (int i = 0; i < 8; ++i) run.scenarios.push_back(erred(down));
  run.scenarios.push_back(of(Verdict::pass));
  EXPECT_THAT(common_cause(run), HasSubstr("9 of 10 scenarios"));
  run.scenarios.push_back(of(Verdict::fail));
  EXPECT_THAT(common_cause(run), IsEmpty());
  run.scenarios = {erred("imap a:1: connect: timeout"), erred("imap a:1: TLS: no common version")};
  EXPECT_THAT(common_cause(run), IsEmpty());
}

TEST(Text, SaysOnceWhatManyScenariosFoundInTheSameWords) {
  RunResult run;
  for (int i = 0; i < 194; ++i) run.scenarios.push_back(erred("imap 127.0.0.1:9: connect: connection refused"));
  run.scenarios.push_back(erred("imap 127.0.0.1:9: connect: connection refused", "A check must come as far"));
  const std::string text = run_text(run);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = text.find("connection refused", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 1U);
  EXPECT_THAT(text, AllOf(HasSubstr(fmt::format("  Also in:     {}, ", run.scenarios[1].id)),
                          HasSubstr(fmt::format("{} and 182 more\n", run.scenarios[12].id)),
                          Not(HasSubstr("in full in the run's reports"))));
}

}  // namespace
}  // namespace mailproof::report
