#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report/escape.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/summary.h"
#include "report/text.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Severity;
using judge::Verdict;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A story that failed, one that was late, one that passed, one that could not be played.
RunResult sample() {
  RunResult run;
  run.seed = 77;
  run.target = "node-7";
  run.version = "0.1.0";
  run.versions["imap"] = "Dovecot ready.";
  run.seconds = 6.25;

  Finding loss;
  loss.id = "mixed.pop-download-empties-the-phone/removal/without-quit";
  loss.severity = Severity::fail;
  loss.requirement = "RFC 1939 section 6: a session that ends without QUIT must not remove any messages (I29)";
  loss.expected = "mail.2 still in alice's INBOX: the session ended without QUIT";
  loss.actual = "it is gone since the session of pc over POP3 ended at 0.190 s";
  loss.messages = {"mail.2"};
  loss.evidence = {"pc#2, 0.150 s: dele ok 2\nC: DELE 2\nS: +OK", "pc#2, 0.190 s: end obs dropped"};
  loss.life = {"mail.2 for alice: lost", "    0.120 s  accepted   mta      LMTP 250 2.0.0 for alice"};
  loss.events = {14, 17};
  loss.reproduce = "mailproof run mixed.pop-download-empties-the-phone --sim --seed 77 --defect pop3.dele-without-quit";

  Finding late;
  late.id = "sync.read-on-phone-read-everywhere/expectation/late";
  late.severity = Severity::latitude;
  late.requirement = "The scenario gives a time within which this must be so";
  late.expected = "mail.1 seen within 5.000 s";
  late.actual =
      "step 3 (laptop: {see: mail, flags: [seen], within: 5s}): mail.1 not seen; a fresh session has it right";

  run.scenarios = {
      {"sync.read-on-phone-read-everywhere",
       "Read on the phone, read everywhere",
       "",
       Verdict::latitude,
       5.201,
       {late},
       "",
       0x1234},
      {"pop3.delete-on-download", "A POP client empties the maildrop", "", Verdict::pass, 0.044, {}, "", 0},
      {"mixed.pop-download-empties-the-phone",
       "A POP client takes the mail from the phone",
       "The commonest \"missing mail\" ticket",
       Verdict::fail,
       1.0,
       {loss},
       "",
       0},
      {"quota.full-mailbox-refuses-or-bounces", "", "", Verdict::not_applicable, 0, {}, "the target has no quota", 0},
  };
  return run;
}

/// Every byte there is, markup of every format, terminal sequences, broken UTF-8, endless backticks.
std::string hostile() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all +
         "]]> --> <script>alert(1)</script> &amp; \x1b[31mred\x1b]0;title\a ```` | **x** \xe2\x80\xae \xef\xbf\xbf " +
         "\xed\xa0\x80 \xf5\x80\x80\x80 \xc0\xaf ok: K\xc3\xb6ln \xe2\x82\xac\r\nsecond line\ttab";
}

RunResult hostile_run() {
  RunResult run = sample();
  run.target = run.version = hostile();
  run.versions[hostile()] = hostile();
  ScenarioResult& scenario = run.scenarios[2];
  scenario.id = scenario.title = scenario.why = scenario.note = hostile();
  Finding& finding = scenario.findings[0];
  finding.id = finding.requirement = finding.expected = finding.actual = finding.reproduce = hostile();
  finding.evidence = finding.life = finding.messages = {hostile(), hostile()};
  run.scenarios[3].note = hostile();
  return run;
}

ScenarioResult check(const std::string& id, const std::string& level, Verdict verdict, const std::string& note = "") {
  ScenarioResult out;
  out.id = id;
  out.title = "What " + id + " asks";
  out.kind = Kind::check;
  out.level = level;
  out.verdict = verdict;
  out.note = note;
  return out;
}

/// Checks of three sections and one of no RFC beside the stories; one story is drawn.
RunResult checked(const std::string& said = "+OK") {
  RunResult run = sample();
  run.scenarios.push_back(check("pop3.1939-5.list-empty", "MUST", Verdict::pass));
  run.scenarios.push_back(check("pop3.1939-5.stat-format", "MUST", Verdict::fail));
  Finding finding;
  finding.id = "pop3.1939-5.stat-format/conformance/mismatch";
  finding.requirement = "RFC 1939 section 5: STAT has a number and a size";
  finding.expected = "S: +OK ${n} ${octets}";
  finding.actual = said;
  run.scenarios.back().findings = {finding};
  run.scenarios.push_back(check("pop3.2449-8.1.2.login-delay", "SHOULD", Verdict::not_applicable, "no LOGIN-DELAY"));
  run.scenarios.push_back(check("pop3.2449-8.1.2.sys", "MAY", Verdict::not_applicable, "no LOGIN-DELAY"));
  run.scenarios.push_back(check("x.uidl-stable", "PRACTICE", Verdict::known_fail, "known: fixed in 4.2"));
  finding.id = "x.uidl-stable/conformance/mismatch";
  finding.accepted = "known: fixed in 4.2";
  run.scenarios.back().findings = {finding};
  run.notes = {"no longer found: pop3.1939-9.a/conformance/mismatch"};
  run.selection = {"scenarios/"};
  run.scenarios[2].lanes.names = {"mta", "pc", "audit"};
  run.scenarios[2].lanes.events = {{0.01, Lanes::kAll, Lanes::Kind::step, "step 1: mta: {deliver: mail}"},
                                   {0.02, 0, Lanes::Kind::ok, "DELIVER mail.1 ok: " + said},
                                   {5.5, 1, Lanes::Kind::missed, "missed: see mail"}};
  run.scenarios[2].lanes.left_out = 7;
  run.scenarios[2].lanes.gap = 2;
  return run;
}

RunResult hostile_checks() {
  RunResult run = checked(hostile());
  run.notes = {hostile()};
  for (auto& scenario : run.scenarios) {
    scenario.title = scenario.note = hostile();
    scenario.lanes = run.scenarios[2].lanes;
    scenario.lanes.names[0] = hostile();
  }
  return run;
}

bool has_control_bytes(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
  });
}

TEST(Plain, KeepsWhatPeopleWriteAndShowsTheRest) {
  EXPECT_EQ(plain("Gr\xc3\xbc\xc3\x9f"
                  "e \xe2\x82\xac \xf0\x9f\x93\xac"),
            "Gr\xc3\xbc\xc3\x9f"
            "e \xe2\x82\xac \xf0\x9f\x93\xac");
  EXPECT_EQ(plain("a\r\nb\tc"), "a\nb\tc");
  EXPECT_EQ(plain("a\rb"), "a\\x0db");
  EXPECT_EQ(plain(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(plain("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(plain("\x7f\xc2\x85"), "\\x7f\\xc2\\x85");                    // DEL and a C1 control
  EXPECT_EQ(plain("\xe2\x80\xae"), "\\xe2\\x80\\xae");                    // right-to-left override
  EXPECT_EQ(plain("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");  // overlong, surrogate
  EXPECT_EQ(plain("\xe2\x82"), "\\xe2\\x82");                             // cut short
  EXPECT_EQ(one_line("a\r\nb"), "a / b");
  EXPECT_EQ(xml("<a b='c'>&\"</a>"), "&lt;a b=&apos;c&apos;&gt;&amp;&quot;&lt;/a&gt;");
  EXPECT_EQ(markdown("a|b*c\n<d>"), "a\\|b\\*c / &lt;d&gt;");
}

TEST(Text, AScenarioIsALine) {
  const RunResult run = sample();
  EXPECT_EQ(scenario_line(run.scenarios[1]), "pass                0.044 s  pop3.delete-on-download\n");
  EXPECT_EQ(scenario_line(run.scenarios[2]),
            "fail                1.000 s  mixed.pop-download-empties-the-phone  removal/without-quit\n");
  EXPECT_EQ(scenario_line(run.scenarios[3]),
            "not-applicable      0.000 s  quota.full-mailbox-refuses-or-bounces  the target has no quota\n");
  EXPECT_EQ(scenario_line(run.scenarios[1], {true}),
            "\x1b[32mpass           \x1b[0m     0.044 s  pop3.delete-on-download\n");
}

TEST(Text, AFindingIsToldInFull) {
  EXPECT_EQ(finding_text(sample().scenarios[2].findings[0]),
            "fail mixed.pop-download-empties-the-phone/removal/without-quit\n"
            "  Requirement: RFC 1939 section 6: a session that ends without QUIT must not remove any messages (I29)\n"
            "  Expected:    mail.2 still in alice's INBOX: the session ended without QUIT\n"
            "  Actual:      it is gone since the session of pc over POP3 ended at 0.190 s\n"
            "  Messages:    mail.2\n"
            "  Evidence:\n"
            "    | pc#2, 0.150 s: dele ok 2\n"
            "    | C: DELE 2\n"
            "    | S: +OK\n"
            "    | pc#2, 0.190 s: end obs dropped\n"
            "  Life:\n"
            "    mail.2 for alice: lost\n"
            "        0.120 s  accepted   mta      LMTP 250 2.0.0 for alice\n"
            "  Reproduce:   mailproof run mixed.pop-download-empties-the-phone --sim --seed 77 --defect "
            "pop3.dele-without-quit\n");
}

TEST(Text, TheEndHasTheWorstFirstAndTheTotals) {
  const std::string text = run_text(sample());
  EXPECT_LT(text.find("removal/without-quit"), text.find("expectation/late"));
  EXPECT_TRUE(
      text.ends_with("\nfail: 4 scenarios on node-7 in 6.2 s, seed 77: 1 fail, 1 latitude, 1 pass, 1 "
                     "not-applicable\n"))
      << text;
  RunResult run = sample();
  run.interrupted = true;
  EXPECT_THAT(run_text(run), HasSubstr("; interrupted: the rest was not played\n"));
}

TEST(Text, ColourOnlyWhenTold) {
  EXPECT_THAT(run_text(sample()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_text(sample(), {true}), HasSubstr("\x1b[1;31mfail\x1b[0m"));
}

TEST(Text, NoServerReachesTheTerminal) {
  const RunResult run = hostile_run();
  EXPECT_FALSE(has_control_bytes(run_text(run)));
  for (const ScenarioResult& scenario : run.scenarios) EXPECT_FALSE(has_control_bytes(scenario_line(scenario)));
  EXPECT_FALSE(has_control_bytes(progress_line({1, 2, 0, hostile(), 1.0}, 5000)));
}

TEST(ProgressLine, SaysHowFarAndHowLong) {
  EXPECT_EQ(progress_line({0, 80, 0, "", 0}), "   0 of 80 played, 00:00 gone");
  EXPECT_EQ(progress_line({12, 72, 1, "sync.read-on-phone", 14}),
            "  12 of 72 played, 1 failed, 00:14 gone, about 01:10 to go: sync.read-on-phone");
  EXPECT_EQ(progress_line({12, 72, 1, "sync.read-on-phone", 14}, 70),
            "  12 of 72 played, 1 failed, 00:14 gone, about 01:10 to go: sync.re...");
  EXPECT_EQ(progress_line({80, 80, 0, "", 3661}), "  80 of 80 played, 61:01 gone");
  EXPECT_EQ(progress_line({1, 2, 0, "x", 1}, 10).size(), 10U);
  EXPECT_EQ(progress_line({1, 2, 0, "x", 1}, 0).size(), 3U);
}

TEST(RunVerdict, IsTheWorstAndInterruptionIsNeverAPass) {
  RunResult run = sample();
  EXPECT_EQ(verdict_of(run), Verdict::fail);
  run.scenarios.resize(2);
  EXPECT_EQ(verdict_of(run), Verdict::latitude);
  run.interrupted = true;
  EXPECT_EQ(verdict_of(run), Verdict::inconclusive);
  run.scenarios.clear();
  EXPECT_EQ(verdict_of(run), Verdict::inconclusive);
}

TEST(Json, HasTheFieldsThatWerePromised) {
  const auto run = nlohmann::json::parse(run_json(sample()));
  EXPECT_EQ(run["verdict"], "fail");
  EXPECT_EQ(run["seed"], 77);
  EXPECT_EQ(run["target"], "node-7");
  ASSERT_EQ(run["scenarios"].size(), 4U);
  const auto& scenario = run["scenarios"][2];
  EXPECT_EQ(scenario["id"], "mixed.pop-download-empties-the-phone");
  EXPECT_EQ(scenario["verdict"], "fail");
  EXPECT_EQ(scenario["seconds"], 1.0);
  const auto& finding = scenario["findings"][0];
  for (const char* field :
       {"id", "severity", "requirement", "expected", "actual", "evidence", "reproduce", "life", "messages"})
    EXPECT_TRUE(finding.contains(field)) << field;
  EXPECT_EQ(finding["severity"], "fail");
  EXPECT_EQ(finding["evidence"][0], "pc#2, 0.150 s: dele ok 2\nC: DELE 2\nS: +OK");
  EXPECT_EQ(run["scenarios"][0]["hash"], "0000000000001234");
  EXPECT_TRUE(run["scenarios"][1]["findings"].empty());
}

TEST(Json, FindingsStandAloneWithTheirScenario) {
  const auto findings = nlohmann::json::parse(findings_json(sample()))["findings"];
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[1]["scenario"], "mixed.pop-download-empties-the-phone");
}

TEST(Json, NamesAThousandMessagesAndCountsTheRest) {
  RunResult run = sample();
  auto& messages = run.scenarios[2].findings[0].messages;
  messages.assign(1000, "mail.1");
  auto finding = nlohmann::json::parse(run_json(run))["scenarios"][2]["findings"][0];
  EXPECT_EQ(finding["messages"].size(), 1000U);
  EXPECT_FALSE(finding.contains("more_messages"));
  messages.resize(100'000, "mail.2");
  finding = nlohmann::json::parse(run_json(run))["scenarios"][2]["findings"][0];
  EXPECT_EQ(finding["messages"].size(), 1000U);
  EXPECT_EQ(finding["more_messages"], 99'000);
}

TEST(Json, TakesWhateverAServerSaid) {
  const auto run = nlohmann::json::parse(run_json(hostile_run()));
  EXPECT_THAT(run["scenarios"][2]["findings"][0]["actual"].get<std::string>(), HasSubstr("K\xc3\xb6ln"));
  EXPECT_TRUE(nlohmann::json::accept(findings_json(hostile_run())));
}

TEST(Junit, PutsVerdictsIntoTheColumnsThatCiSystemsKnow) {
  RunResult run = sample();
  run.scenarios.push_back({"a.b", "", "", Verdict::error, 0, {}, "the target could not be reached", 0});
  run.scenarios.push_back({"c", "", "", Verdict::inconclusive, 0, {}, "interrupted", 0});
  run.scenarios.push_back({"d.e", "", "", Verdict::unexpected_pass, 0, {}, "", 0});
  run.scenarios.push_back({"f.g", "", "", Verdict::known_fail, 0, {}, "fixed in 4.2", 0});
  const std::string xml_text = junit_xml(run);
  EXPECT_THAT(xml_text, HasSubstr("tests=\"8\" failures=\"2\" errors=\"2\" skipped=\"2\" time=\"6.250\""));
  EXPECT_THAT(
      xml_text,
      HasSubstr("<testcase classname=\"mixed\" name=\"mixed.pop-download-empties-the-phone\" "
                "time=\"1.000\">\n      <failure type=\"fail\" message=\"removal/without-quit: RFC 1939 section 6: a "
                "session that ends without QUIT must not remove any messages (I29)\">"));
  EXPECT_THAT(xml_text, HasSubstr("<skipped message=\"not-applicable: the target has no quota\"/>"));
  EXPECT_THAT(xml_text, HasSubstr("<error type=\"error\" message=\"the target could not be reached\">"));
  EXPECT_THAT(xml_text, HasSubstr("<error type=\"inconclusive\" message=\"interrupted\">"));
  EXPECT_THAT(xml_text, HasSubstr("<testcase classname=\"mailproof\" name=\"c\""));
  EXPECT_THAT(xml_text, HasSubstr("<system-out>latitude sync.read"));
}

TEST(Summary, ListsWhatDidNotPassAndEscapesTheRest) {
  const std::string text = summary_markdown(sample());
  EXPECT_THAT(text, StartsWith("# mailproof: fail\n"));
  EXPECT_THAT(text, HasSubstr("| mixed.pop-download-empties-the-phone | fail | removal/without-quit | 1.000 |"));
  EXPECT_THAT(text, HasSubstr("| pass | 1 |"));
  EXPECT_THAT(text, Not(HasSubstr("| pop3.delete-on-download |")));
  EXPECT_THAT(text, HasSubstr("```text\nmail.2 for alice: lost\n"));
  const std::string bad = summary_markdown(hostile_run());
  EXPECT_THAT(bad, Not(HasSubstr("<script>alert(1)</script> &amp; \\x1b[31mred\\x1b]0;title\\x07 ```` |\n")));
  EXPECT_THAT(bad, HasSubstr("\n`````text\n"));  // the fence is longer than any that a server sends
  EXPECT_FALSE(has_control_bytes(bad));
}

TEST(Summary, CountsChecksBySectionAndShowsWhatFailsAgain) {
  RunResult run = checked();
  run.scenarios[2].findings[0].reproduce = "mailproof run scenarios/mixed --seed 77";
  const std::string text = summary_markdown(run);
  EXPECT_THAT(text, HasSubstr("| RFC 1939 section 5 | 1 | 1 | 0 | 0 |  |\n"));
  EXPECT_THAT(text, HasSubstr("| RFC 2449 section 8.1.2 | 0 | 0 | 0 | 2 |  |\n"));
  EXPECT_THAT(text, HasSubstr("| mixed | 0 | 0 | 0 | 0 | 1 known-fail |\n"));
  EXPECT_THAT(text, HasSubstr("- 2 checks: no LOGIN-DELAY\n"));
  EXPECT_THAT(text, Not(HasSubstr("| pop3.2449-8.1.2.sys |")));
  EXPECT_THAT(text, HasSubstr("- no longer found: pop3.1939-9.a/conformance/mismatch\n"));
  EXPECT_THAT(text, HasSubstr("| <code>mailproof run scenarios/mixed --seed 77</code> |\n"));
  EXPECT_THAT(text, HasSubstr("conformance/mismatch (accepted)"));
  EXPECT_THAT(text, Not(HasSubstr("### x.uidl-stable")));
}

TEST(Summary, IsNeverLongerThanPeopleRead) {
  RunResult run = sample();
  const ScenarioResult bad = run.scenarios[2];
  for (int i = 0; i < 2000; ++i) {
    run.scenarios.push_back(bad);
    run.scenarios.back().findings[0].id += fmt::format("-{}", i);
    run.scenarios.push_back(
        check(fmt::format("pop3.{}-5.a", i + 1), "MUST", Verdict::not_applicable, fmt::format("no {}", i)));
    run.notes.push_back(hostile() + hostile() + hostile());
  }
  const std::string text = summary_markdown(run);
  EXPECT_LE(text.size(), 64U << 10);
  EXPECT_GT(text.size(), 48U << 10);
  EXPECT_THAT(text, HasSubstr(" more are in report.html.\n"));
  for (ScenarioResult& scenario : run.scenarios) scenario.id = scenario.note = hostile() + hostile();
  EXPECT_LE(summary_markdown(run).size(), 64U << 10);
}

TEST(Text, ChecksAreATableOfSections) {
  const std::string text = run_text(checked());
  EXPECT_THAT(text, HasSubstr("by RFC section   pass  fail  latitude  not-applicable\n"
                              "pop3.1939-5         1     1         0               0\n"
                              "pop3.2449-8.1.2     0     0         0               2\n"
                              "x                   0     0         0               0  1 known-fail\n"));
  EXPECT_THAT(text, HasSubstr("not applicable:\n     2 x  no LOGIN-DELAY\n"));
  EXPECT_GT(text.find("by RFC section"), text.find("Requirement:"));
  EXPECT_THAT(text,
              HasSubstr("accepted, and not counted:\n  x.uidl-stable/conformance/mismatch  (known: fixed in 4.2)\n"));
  EXPECT_THAT(run_text(sample()), Not(HasSubstr("by RFC section")));
}

TEST(Text, OfVeryManyFindingsTheWorstAreToldInFull) {
  RunResult run = sample();
  for (int i = 0; i < 100; ++i) {
    run.scenarios.push_back(run.scenarios[2]);
    run.scenarios.back().findings[0].id += fmt::format("-{}", i);
  }
  const std::string text = run_text(run);
  std::size_t full = 0;
  for (std::size_t at = 0; (at = text.find("\n  Requirement:", at)) != std::string::npos; ++at) ++full;
  EXPECT_EQ(full, 6U);
  EXPECT_THAT(text, HasSubstr("\n96 more are in full in the run's reports\n"));
}

TEST(Shortened, IsNeverCutInsideACharacter) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("a\r\nb", 20), "a / b");
  for (std::size_t most = 3; most < 12; ++most) {
    const std::string text = shortened("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", most);
    EXPECT_LE(text.size(), most);
    EXPECT_EQ(plain(text), text) << most;
  }
}

TEST(Json, SaysOfAChecksLevelAndSection) {
  const auto run = nlohmann::json::parse(run_json(checked()));
  EXPECT_EQ(run["selection"], nlohmann::json({"scenarios/"}));
  EXPECT_EQ(run["scenarios"][0]["kind"], "story");
  EXPECT_FALSE(run["scenarios"][0].contains("level"));
  const auto& delay = run["scenarios"][6];
  EXPECT_EQ(delay["kind"], "check");
  EXPECT_EQ(delay["level"], "SHOULD");
  EXPECT_EQ(delay["rfc"], "2449");
  EXPECT_EQ(delay["section"], "8.1.2");
  const auto& mixed = run["scenarios"][8];
  EXPECT_FALSE(mixed.contains("rfc"));
  EXPECT_EQ(mixed["findings"][0]["accepted"], "known: fixed in 4.2");
  EXPECT_FALSE(run["scenarios"][5]["findings"][0].contains("accepted"));
}

TEST(Html, HasTheWorstFindingFirst) {
  const std::string page = report_html(checked());
  EXPECT_LT(page.find("removal/without-quit"), page.find("expectation/late"));
  EXPECT_LT(page.find("id=\"findings\""), page.find("id=\"conformance\""));
  EXPECT_LT(page.find("id=\"conformance\""), page.find("id=\"verdicts\""));
  EXPECT_LT(page.find("id=\"verdicts\""), page.find("id=\"stories\""));
  EXPECT_THAT(page, HasSubstr("7 events are left out here"));
  EXPECT_THAT(report_html(RunResult{}), HasSubstr("None: no promise was seen broken."));
}

TEST(Html, DoesNotDenyWhatIsAccepted) {
  RunResult run = sample();
  for (auto& scenario : run.scenarios)
    for (auto& finding : scenario.findings) finding.accepted = "known: fixed in 4.2";
  EXPECT_THAT(report_html(run), AllOf(Not(HasSubstr("no promise was seen broken")),
                                      HasSubstr("None that counts: what was seen broken is accepted."),
                                      HasSubstr("2 accepted, and not counted")));
}

TEST(Html, DoesNotGrowWithoutEnd) {
  RunResult run = checked();
  const auto drawn = run.scenarios[2];
  for (int i = 0; i < 20000; ++i) run.scenarios.push_back(drawn);
  EXPECT_LT(report_html(run).size(), 3U << 20);
}

/// Written out for scripts/tests/test_reports.py, which reads them back with parsers that are not ours.
TEST(Files, ForIndependentParsers) {
  const char* wanted = std::getenv("MAILPROOF_REPORTS_OUT");
  const std::string directory = wanted != nullptr ? std::string(wanted) : testing::TempDir();
  const std::vector<std::pair<const char*, RunResult>> runs = {
      {"sample", sample()}, {"hostile", hostile_run()}, {"checks", checked()}, {"hostile-checks", hostile_checks()}};
  for (const auto& [name, run] : runs) {
    const std::string base = directory + "/mailproof-" + name + ".";
    std::ofstream(base + "junit.xml", std::ios::binary) << junit_xml(run);
    std::ofstream(base + "run.json", std::ios::binary) << run_json(run);
    std::ofstream(base + "findings.json", std::ios::binary) << findings_json(run);
    std::ofstream(base + "summary.md", std::ios::binary) << summary_markdown(run);
    std::ofstream(base + "report.html", std::ios::binary) << report_html(run);
    EXPECT_TRUE(std::ifstream(base + "junit.xml").good()) << base;
  }
}

}  // namespace
}  // namespace mailproof::report
