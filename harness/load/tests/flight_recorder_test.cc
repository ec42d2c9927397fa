#include "load/flight_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/time.h"

namespace mailproof::load {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Time at(Duration d) { return Time(d); }

TEST(FlightRecorder, KeepsWhatWasSaidLineByLine) {
  FlightRecorder recorder;
  EXPECT_TRUE(recorder.empty());
  EXPECT_EQ(recorder.text(), "");
  recorder.opened("imap session 3 opens", at(1s));
  recorder.sent("a1 SELECT INBOX\r\n", false, at(1500ms));
  recorder.received("* 2 EXISTS\r\na1 OK done\r\n", at(1600ms));
  EXPECT_EQ(
      recorder.text(),
      "1.000 s *: imap session 3 opens\n1.500 s C: a1 SELECT INBOX\n1.600 s S: * 2 EXISTS\n1.600 s S: a1 OK done\n");
}

TEST(FlightRecorder, NeverHoldsASecret) {
  FlightRecorder recorder;
  recorder.sent("PASS ", false, at(1s));
  recorder.sent("S3cret-of-the-house", true, at(1s));
  EXPECT_THAT(recorder.text(), HasSubstr("***"));
  EXPECT_THAT(recorder.text(), Not(HasSubstr("S3cret")));
}

TEST(FlightRecorder, OfALongChunkBeginningAndEndAreLeft) {
  FlightRecorder recorder;
  recorder.received("* 1 FETCH " + std::string(5000, 'x') + " the end)\r\n", at(2s));
  EXPECT_THAT(recorder.text(), StartsWith("2.000 s S: * 1 FETCH xxx"));
  EXPECT_THAT(recorder.text(), HasSubstr("[... 4781 octets ...]"));
  EXPECT_THAT(recorder.text(), HasSubstr("the end)"));
}

TEST(FlightRecorder, NothingIsLostWhileItGrows) {
  FlightRecorder recorder;
  std::string expected;
  for (int i = 0; i < 40; ++i) {  // 9 octets each, beside when and who
    recorder.received("line " + std::to_string(10 + i) + "\r\n", at(1s));
    expected += "1.000 s S: line " + std::to_string(10 + i) + "\n";
    ASSERT_EQ(recorder.text(), expected) << i;
  }
}

TEST(FlightRecorder, TheOldestGoesFirstWhereverTheRingTurns) {
  FlightRecorder recorder;
  for (int i = 0; i < 10'000; ++i) {
    recorder.sent("a" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), '.') + "\r\n", false,
                  at(1s));
    const std::string text = recorder.text();
    EXPECT_LE(text.size(), 4 * FlightRecorder::kOctets);
    ASSERT_THAT(text, HasSubstr("C: a" + std::to_string(i))) << i;
  }
  EXPECT_THAT(recorder.text(), Not(HasSubstr("C: a9000")));
}

}  // namespace
}  // namespace mailproof::load
