#include "report/matrix.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mailproof;
using report::Matrix;
using report::Spread;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

std::string scenario(const std::string& id, const std::string& verdict, const std::string& level = "MUST",
                     const std::string& finding = "") {
  return fmt::format(
      R"({{"id":"{0}","title":"title of {0}","kind":"check","level":"{2}","verdict":"{1}","findings":[{3}]}})", id,
      verdict, level, finding.empty() ? "" : fmt::format(R"({{"id":"{}/{}"}})", id, finding));
}

std::string run(const std::string& target, const std::vector<std::string>& scenarios) {
  return fmt::format(R"({{"target":"{}","version":"0.1.0","scenarios":[{}]}})", target, fmt::join(scenarios, ","));
}

std::string ids(const Matrix& matrix) {
  std::string out;
  for (const auto& row : rows_of(matrix)) out += (out.empty() ? "" : " ") + row.requirement->id;
  return out;
}

Matrix two() {
  Matrix matrix;
  EXPECT_TRUE(
      matrix.add(run("a", {scenario("imap.9051-6.a", "pass"), scenario("imap.9051-6.b", "pass"),
                           scenario("imap.9051-10.c", "known-fail", "MUST", "conformance/broken"),
                           scenario("imap.9051-2.c", "pass", "SHOULD"), scenario("imap.9051-2.d", "not-applicable")}),
                 "", "runs/a"));
  EXPECT_TRUE(
      matrix.add(run("b", {scenario("imap.9051-6.a", "pass"), scenario("imap.9051-6.b", "fail", "MUST", "loss/lost"),
                           scenario("imap.9051-10.c", "pass"), scenario("imap.9051-2.c", "latitude", "SHOULD")}),
                 "second", "runs/b"));
  return matrix;
}

}  // namespace

TEST(Matrix, WhatSeparatesServersIsOnTop) {
  const Matrix matrix = two();
  EXPECT_EQ(ids(matrix), "imap.9051-6.b imap.9051-10.c imap.9051-2.c imap.9051-6.a imap.9051-2.d");
  EXPECT_EQ(rows_of(matrix)[1].spread, Spread::some_fail) << "a known failure is one";
  EXPECT_EQ(rows_of(matrix)[2].spread, Spread::some_odd);
  EXPECT_EQ(rows_of(matrix)[4].spread, Spread::nothing_said);
}

TEST(Matrix, TheWorstOfCopiesCounts) {
  Matrix matrix;
  ASSERT_TRUE(matrix.add(run("a", {scenario("x", "pass"), scenario("x", "fail"), scenario("x", "pass")}), "", "r"));
  EXPECT_EQ(matrix.servers[0].cells.at("x").verdict, judge::Verdict::fail);
  EXPECT_EQ(matrix.servers[0].cells.at("x").number, 2U);
}

TEST(Matrix, AVerdictLeadsToItsEvidence) {
  const std::string page = matrix_html(two());
  EXPECT_THAT(page, HasSubstr("<a href=\"runs/b/report.html#scenario-2\"><span class=\"badge fail\">fail</span></a>"
                              "<span class=\"why\">loss/lost</span>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"cell quiet\">not played</td>"));
  EXPECT_THAT(page, HasSubstr("3 of them separate the servers"));
  EXPECT_THAT(page, HasSubstr("<tr class=\"of-MUST same\"><td class=\"id\">imap.9051-6.a"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(Matrix, InMarkdownStandsWhatDiffersOrFails) {
  const std::string text = matrix_markdown(two());
  EXPECT_THAT(text, HasSubstr("| second | 2 | 1 | 1 | 0 |"));
  EXPECT_THAT(text, HasSubstr("title of imap.9051-6.b | MUST | pass | fail |"));
  EXPECT_THAT(text, Not(HasSubstr("imap.9051-6.a")));
}

TEST(Matrix, TextFromOutsideIsOnlyText) {
  Matrix matrix;
  ASSERT_TRUE(matrix.add(run("<b>|::error::", {scenario("<i>", "fail", "<u>", "<s>")}), "", "r\\\"><script>"));
  const std::string page = matrix_html(matrix), text = matrix_markdown(matrix);
  for (const char* bad : {"<b>", "<i>", "<u>", "<s>", "<script", "::error::"}) {
    EXPECT_THAT(page, Not(HasSubstr(bad)));
    EXPECT_THAT(text, Not(HasSubstr(bad)));
  }
}

TEST(Matrix, WhatIsNoRunIsSaidAndNotAdded) {
  Matrix matrix;
  for (const char* text : {"", "[]", "{}", R"({"scenarios":[7]})", R"({"scenarios":[{"id":"x","verdict":"good"}]})",
                           R"({"scenarios":[{"id":"x","verdict":"pass"},{"verdict":"pass"}]})"}) {
    const auto added = matrix.add(text, "", "runs/x");
    ASSERT_FALSE(added) << text;
    EXPECT_THAT(added.error().why, StartsWith("it")) << text;
    EXPECT_THAT(added.error().why, Not(HasSubstr("json.exception"))) << text;
  }
  EXPECT_EQ(matrix.add("{\n  \"target\": x", "", "runs/x").error().why, "it is broken at line 2, column 13");
  EXPECT_TRUE(matrix.servers.empty());
  EXPECT_TRUE(matrix.requirements.empty());
}
