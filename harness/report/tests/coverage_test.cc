#include "report/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kCatalogue =
    "id\trfc\tsection\tlevel\tprotocol\ttitle\n"
    "pop3.1939-5.list-empty\t1939\t5\tMUST\tpop3\tLIST on an empty maildrop\n"
    "pop3.1939-5.stat-format\t1939\t5\tMUST\tpop3\tSTAT has a number and a size\n"
    "pop3.1939-7.top-zero\t1939\t7\tSHOULD\tpop3\tTOP 1 0\n"
    "x.uidl-stable\t-\t-\tPRACTICE\tpop3+imap\tFlags leave unique-ids alone\n"
    "imap.9051-6.4.9.uid\t9051,3501\t6.4.9,6.4.8\tMUST\timap4rev1,imap4rev2\tUID FETCH has the UID\n";

std::vector<Requirement> catalogue() { return parse_catalogue(kCatalogue, "catalogue.tsv").value(); }

TEST(Coverage, CountsChecksByLevelAndNamesEveryMustWithoutOne) {
  const std::vector<CheckLevel> checks = {{"pop3.1939-5.list-empty", "MUST"}, {"pop3.1939-5.more", "SHOULD"}};
  const std::string text = coverage_text(catalogue(), checks, "");
  EXPECT_THAT(text, HasSubstr("section          checks  MUST  SHOULD  PRACTICE  MAY  missing\n"));
  EXPECT_THAT(text, HasSubstr("pop3.1939-5           2     1       1         0    0        1\n"));
  EXPECT_THAT(text, HasSubstr("pop3.1939-7           0     0       0         0    0        1\n"));
  EXPECT_THAT(text, HasSubstr("total                 2     1       1         0    0        4\n"));
  EXPECT_THAT(text, HasSubstr("\n2 MUST rows of the catalogue without a check:\n"
                              "  pop3.1939-5.stat-format  STAT has a number and a size\n"
                              "  imap.9051-6.4.9.uid  UID FETCH has the UID\n"));
}

TEST(Coverage, OfOneProtocol) {
  const std::vector<CheckLevel> checks = {{"x.uidl-stable", "PRACTICE"}, {"imap.9051-6.4.9.uid", "MUST"}};
  const std::string text = coverage_text(catalogue(), checks, "pop3");
  EXPECT_THAT(text, AllOf(HasSubstr("\nx "), HasSubstr("2 MUST rows"), Not(HasSubstr("imap.9051"))));
  EXPECT_THAT(text, HasSubstr("total             1"));
  EXPECT_THAT(coverage_text(catalogue(), checks, "pop"), HasSubstr("total         0"));
}

TEST(Coverage, KnowsTheProtocolsThereAre) {
  const auto all = protocols_of(catalogue(), std::vector<CheckLevel>{{"tls.8314-3.cert", "MUST"}});
  EXPECT_TRUE(all.contains("pop3") && all.contains("imap") && all.contains("x") && all.contains("tls"));
  EXPECT_FALSE(all.contains("pop") || all.contains(""));
}

TEST(Coverage, WholeIsSaid) {
  const std::vector<CheckLevel> checks = {
      {"pop3.1939-5.list-empty", "MUST"}, {"pop3.1939-5.stat-format", "MUST"}, {"imap.9051-6.4.9.uid", "MUST"}};
  EXPECT_THAT(coverage_text(catalogue(), checks, ""), HasSubstr("Every MUST of the catalogue has a check."));
}

TEST(Coverage, NamesTheLevelsThatAreOthersAndWhy) {
  const std::vector<CheckLevel> checks = {{"pop3.1939-5.list-empty", "MUST"},
                                          {"pop3.1939-5.stat-format", "SHOULD", "No sentence has a MUST."},
                                          {"imap.9051-6.4.9.uid", "MAY"},
                                          {"pop3.1939-5.not-a-row", "MAY"}};
  EXPECT_EQ(levels_text(catalogue(), checks, ""),
            "pop3.1939-5.stat-format  SHOULD instead of MUST\n    No sentence has a MUST.\n"
            "imap.9051-6.4.9.uid  MAY instead of MUST\n    no note says why\n"
            "\n2 of 3 checks that the catalogue has are of another level than there\n");
  EXPECT_EQ(levels_text(catalogue(), {checks.data(), 1}, "pop3"),
            "0 of 1 checks that the catalogue has are of another level than there\n");
}

TEST(Coverage, ABadCatalogueIsNamedWithItsLine) {
  EXPECT_EQ(parse_catalogue("id\trfc\n", "c.tsv").error().message(),
            "c.tsv:1: the first line must name a column 'section'");
  EXPECT_EQ(parse_catalogue(std::string(kCatalogue) + "pop3.a\t1\n", "c.tsv").error().message(),
            "c.tsv:7: 2 fields, where the first line names 6");
}

}  // namespace
}  // namespace mailproof::report
