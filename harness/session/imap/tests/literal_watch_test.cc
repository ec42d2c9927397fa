#include "session/imap/literal_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kLine = "* 3 FETCH (UID 3 BODY[] {50}";
const std::string kBody = "Subject: a\r\n\r\n" + std::string(24, 'x') + "\r\n";  // 40 octets

TEST(LiteralWatch, SaysWhichLiteralAndBothLengthsWhereverItIsCut) {
  const std::string came = kBody + ")\r\na7 OK Done\r\n";
  for (std::size_t cut = 0; cut <= came.size(); ++cut) {
    LiteralWatch watch;
    watch.begin(kLine, 50, "a7");
    watch.add(std::string_view(came).substr(0, cut));
    watch.add(std::string_view(came).substr(cut));
    EXPECT_THAT(watch.suspicion(),
                AllOf(HasSubstr("BODY[] {50}"), HasSubstr("announces 50 octets; 40 came"), HasSubstr("the reply a7")))
        << cut;
  }
}

TEST(LiteralWatch, SaysNothingOfALiteralThatIsAsLongAsItSays) {
  LiteralWatch watch;
  watch.begin("* 3 FETCH (BODY[] {40}", kBody.size(), "a7");
  watch.add(kBody);
  EXPECT_EQ(watch.suspicion(), "");
  watch.begin("* LIST () \"/\" {3}", 3, "");  // nothing was asked
  watch.add("a\r\na7 OK");
  EXPECT_EQ(watch.suspicion(), "");
}

TEST(LiteralWatch, AnotherCommandsTagInAMessageIsMail) {
  LiteralWatch watch;
  watch.begin(kLine, 50, "a7");
  watch.add("C: a6 NOOP\r\na6 OK Done\r\na70 OK\r\n");
  EXPECT_EQ(watch.suspicion(), "");
}

}  // namespace
}  // namespace mailproof::session
