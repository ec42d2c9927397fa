#include "archive/wire_places.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mailproof::archive {
namespace {

namespace fs = std::filesystem;

class Places : public testing::Test {
 protected:
  Places() {
    info.scenario = "test.story";
    folder =
        fs::path(testing::TempDir()) / "wire-places" / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    fs::create_directories(folder / "wire/000007-test.story");
    fs::create_directories(folder / "wire/000008-test.story");
  }
  void write(const std::string& place, std::uint32_t copy) {
    history::HistoryInfo of = info;
    of.copy = copy;
    WirePlaces places;
    places.add("001-phone#1-imap.log", {{0, 1}, {20, 2}, {50, 6}});
    places.add("002-pc#1-pop3.log", {{100, 2}});
    EXPECT_EQ(places.write((folder / place).string(), of), "");
  }
  history::HistoryInfo info;
  fs::path folder;
};

TEST_F(Places, AreFoundAgainByCopySessionAndOffset) {
  write("wire/000007-test.story", 0);
  write("wire/000008-test.story", 1);
  info.copy = 1;
  const WirePlaces read = WirePlaces::read(folder.string(), info);
  const auto first = read.find(1, {20, 30});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->file, "wire/000008-test.story/001-phone#1-imap.log");
  EXPECT_EQ(first->first, 2U);
  EXPECT_EQ(first->last, 5U);
  EXPECT_EQ(read.find(1, {49, 1})->first, 2U) << "within a chunk";
  EXPECT_EQ(read.find(1, {50, 1})->last, 6U);
  EXPECT_EQ(read.find(2, {100, 1})->first, 2U);
}

TEST_F(Places, OfWhatIsNotHeldAnyMoreThereIsNone) {
  write("wire/000007-test.story", 0);
  const WirePlaces read = WirePlaces::read(folder.string(), info);
  EXPECT_FALSE(read.find(2, {99, 1}));
  EXPECT_FALSE(read.find(3, {0, 1})) << "no such session";
  EXPECT_FALSE(read.find(1, {0, 0})) << "an event without bytes";
  info.copy = 9;
  EXPECT_FALSE(WirePlaces::read(folder.string(), info).find(1, {0, 1}));
  EXPECT_FALSE(WirePlaces::read((folder / "nowhere").string(), info).find(1, {0, 1}));
}

TEST_F(Places, AFileThatSomebodyChangedIsNotBelieved) {
  const fs::path file = folder / "wire/000007-test.story/places.json";
  for (const char* text : {"", "[]", R"({"copy":0})", R"({"copy":0,"logs":[1]})", R"({"copy":0,"logs":[{"file":1}]})",
                           R"({"copy":0,"logs":[{"file":"a","lines":[[5,1],[2,2]]}]})",
                           R"({"copy":0,"logs":[{"file":"a","lines":[[-5,1]]}]})"}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(WirePlaces::read(folder.string(), info).find(1, {5, 1})) << text;
  }
}

}  // namespace
}  // namespace mailproof::archive
