#include "report/section.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mailproof::report {
namespace {

TEST(Section, StandsInTheIdOfACheck) {
  EXPECT_EQ(section_of("pop3.1939-5.list-empty"), (Section{"pop3.1939-5", "1939", "5"}));
  EXPECT_EQ(section_of("pop3.2449-8.1.2.x"), (Section{"pop3.2449-8.1.2", "2449", "8.1.2"}));
  EXPECT_EQ(section_of("imap.9051-6.4.9.uid-fetch-always-uid"), (Section{"imap.9051-6.4.9", "9051", "6.4.9"}));
  EXPECT_EQ(section_of("imap.9051-appA.rev2-no-utf8"), (Section{"imap.9051-appA", "9051", "Appendix A"}));
  EXPECT_EQ(section_of("x.uidl-stable-over-flags"), (Section{"x", "", ""}));
}

TEST(Section, StoriesHaveNone) {
  for (const char* id : {"mixed.pop-download-empties-the-phone", "pop3.two-devices-compete", "pop3", "", ".1939-5.a",
                         "pop3.1939.a", "pop3.1939-x.a", "pop3.-5.a"})
    EXPECT_EQ(section_of(id), Section{}) << id;
}

TEST(Section, ComeInTheOrderOfTheRfcs) {
  const std::vector<std::string> ordered = {
      "imap.9051-6.a", "pop3.1939-3.a",   "pop3.1939-5.a",     "pop3.1939-10.a", "pop3.2449-5.a",
      "pop3.2449-8.a", "pop3.2449-8.1.a", "pop3.2449-8.1.2.a", "pop3.10000-1.a", "x.a"};
  std::vector<Section> sections;
  for (const auto& id : ordered) sections.push_back(section_of(id));
  EXPECT_TRUE(std::is_sorted(sections.begin(), sections.end()));
  std::reverse(sections.begin(), sections.end());
  std::sort(sections.begin(), sections.end());
  for (std::size_t i = 0; i < ordered.size(); ++i) EXPECT_EQ(sections[i], section_of(ordered[i])) << i;
}

TEST(Section, IsNamedForPeople) {
  EXPECT_EQ(section_of("pop3.2449-8.1.2.x").title(), "RFC 2449 section 8.1.2");
  EXPECT_EQ(section_of("imap.9051-appA.x").title(), "RFC 9051 Appendix A");
  EXPECT_EQ(section_of("x.a").title(), "mixed");
}

}  // namespace
}  // namespace mailproof::report
