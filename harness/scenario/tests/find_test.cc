#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "scenario/scenario.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Find : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() / ("mailproof-find-" + std::to_string(getpid()) + "-" + test->name());
    fs::create_directories(root_ / "sync");
    write("sync/b.yaml", "sync.bravo");
    write("sync/a.yaml", "sync.alpha");
    write("z.yml", "pop3.zulu");
    std::ofstream(root_ / "notes.txt") << "not a scenario";
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& id) {
    std::ofstream(root_ / name)
        << "id: " << id
        << "\nneeds: [imap]\naccounts: [alice]\ndevices: {phone: {imap: alice}}\nsteps:\n  - phone: sync\n";
  }
  std::string at(const std::string& name) const { return (root_ / name).string(); }
  Loaded loaded(const std::vector<std::string>& paths) const { return load(paths, root_.string()); }
  static std::vector<std::string> ids(const Loaded& all) {
    std::vector<std::string> out;
    for (const auto& one : all.scenarios) out.push_back(one.id);
    return out;
  }
  static std::vector<std::string> messages(const Loaded& all) {
    std::vector<std::string> out;
    for (const auto& one : all.problems) out.push_back(one.message());
    return out;
  }

  fs::path root_;
};

TEST_F(Find, AFolderWithAllBelowItInOrder) {
  const auto all = loaded({root_.string()});
  EXPECT_THAT(messages(all), ElementsAre());
  EXPECT_THAT(ids(all), ElementsAre("sync.alpha", "sync.bravo", "pop3.zulu"));
  EXPECT_EQ(all.scenarios[0].path, at("sync/a.yaml"));
}

TEST_F(Find, WaysAccuseNobodyAndAreReadOnlyWhereTheyAreAskedFor) {
  fs::create_directories(root_ / "behaviour");
  fs::create_directories(root_ / "sync/behaviour");
  write("behaviour/way.yaml", "behaviour.topic");
  write("sync/behaviour/mine.yaml", "sync.mine");  // a folder of somebody else's that is called like it
  EXPECT_THAT(ids(loaded({root_.string()})), ElementsAre("sync.alpha", "sync.bravo", "sync.mine", "pop3.zulu"));
  EXPECT_THAT(ids(loaded({behaviour_folder(root_.string())})), ElementsAre("behaviour.topic"));
  EXPECT_THAT(ids(loaded({"behaviour"})), ElementsAre("behaviour.topic"));
  EXPECT_THAT(ids(loaded({"behaviour.topic"})), ElementsAre("behaviour.topic"));
}

TEST_F(Find, FilesAndIdsInTheOrderAskedForEachOnce) {
  EXPECT_THAT(ids(loaded({"pop3.zulu", at("sync/b.yaml"), at("sync/../z.yml"), at("sync")})),
              ElementsAre("pop3.zulu", "sync.bravo", "sync.alpha"));
}

TEST_F(Find, FirstWordsAndFoldersByTheirName) {
  EXPECT_THAT(ids(loaded({"sync"})), ElementsAre("sync.alpha", "sync.bravo"));
  EXPECT_THAT(ids(loaded({"sync", "sync.bravo", "pop3"})), ElementsAre("sync.alpha", "sync.bravo", "pop3.zulu"));
  fs::create_directories(root_ / "more");
  write("more/c.yaml", "other.charlie");
  EXPECT_THAT(ids(loaded({"more"})), ElementsAre("other.charlie"));
  EXPECT_EQ(messages(loaded({"syn"})).size(), 1U);
}

TEST_F(Find, AnUnknownIdNamesTheNearest) {
  EXPECT_THAT(messages(loaded({"sync.brovo"})),
              ElementsAre(root_.string() + ": 'sync.brovo'; expected the id of a scenario below this folder, the first "
                                           "words of several, or a file; did you mean 'sync.bravo'?"));
}

TEST_F(Find, AFileThatIsNotThere) {
  EXPECT_THAT(messages(loaded({at("sync/c.yaml"), "c.yaml"})),
              ElementsAre(at("sync/c.yaml") + ": '" + at("sync/c.yaml") + "'; expected a file or folder that exists",
                          "c.yaml: 'c.yaml'; expected a file or folder that exists"));
}

TEST_F(Find, AFolderWithoutScenarios) {
  fs::create_directories(root_ / "empty");
  EXPECT_THAT(messages(loaded({at("empty")})),
              ElementsAre(at("empty") + ": '" + at("empty") + "'; expected a folder with scenario files (*.yaml)"));
}

TEST_F(Find, TheSameIdInTwoFilesNamesBoth) {
  write("sync/c.yaml", "sync.alpha");
  EXPECT_THAT(messages(loaded({root_.string()})),
              ElementsAre(at("sync/c.yaml") + ":1:5: 'sync.alpha'; expected an id of its own; " + at("sync/a.yaml") +
                          " has it already"));
  EXPECT_EQ(messages(loaded({"sync.alpha"})).size(), 1U) << "also when it is asked for by id";
}

TEST_F(Find, AnIdIsFoundBesideABadFile) {
  std::ofstream(root_ / "broken.yaml") << "id: [\n";
  EXPECT_THAT(messages(loaded({"sync.alpha"})), ElementsAre());
  EXPECT_EQ(messages(loaded({root_.string()})).size(), 1U);
}

TEST_F(Find, AFileTooLargeIsNotReadWhole) {
  std::ofstream(root_ / "large.yaml") << std::string((1U << 20) + 1, '#');
  EXPECT_THAT(messages(loaded({at("large.yaml")})),
              ElementsAre(at("large.yaml") + ": '" + at("large.yaml") + "'; expected a file of at most 1048576 bytes"));
}

}  // namespace
}  // namespace mailproof::scenario
