#include "load/judging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "archive/jsonl.h"
#include "play/tests/sim_rig.h"

namespace mailproof::load {
namespace {

using play::SimRig;
using testing::ElementsAre;
using testing::SizeIs;

constexpr std::string_view kStory = R"(
accounts: [alice]
devices: {mta: {delivers: any}, phone: {imap: alice, idle: INBOX}, pc: {pop3: alice, after_download: delete}}
steps:
  - mta:   {deliver: mail, to: alice}
  - phone: {see: mail, within: 5s}
  - pc:    {download: new, as: got}
  - pc:    quit
)";

class Kept : public testing::Test {
 protected:
  Kept() {
    std::string name = (std::filesystem::temp_directory_path() / "judging-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto made = archive::RunDirectory::make(folder_ + "/run");
    EXPECT_TRUE(made);
    directory = std::move(*made);
  }
  ~Kept() override { std::filesystem::remove_all(folder_); }

  /// A copy that was played to its end and is retired.
  std::unique_ptr<play::Player> played(std::uint32_t copy = 0) {
    auto options = rig.options;
    options.copy = copy;
    auto player = std::make_unique<play::Player>(rig.scenario, rig.target, rig.leased, *rig.network, options);
    player->start();
    EXPECT_TRUE(rig.network->run([&] { return player->done(); }));
    player->retire();
    return player;
  }
  Judging::Settings settings(Keep keep) {
    Judging::Settings out;
    out.stories = {&rig.scenario};
    out.keep = keep;
    out.directory = directory.get();
    return out;
  }
  std::size_t histories() const {
    std::error_code error;
    std::filesystem::directory_iterator files(directory->file("history"), error);
    return error ? 0 : static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  SimRig rig{kStory};
  std::string folder_;
  std::unique_ptr<archive::RunDirectory> directory;
};

TEST_F(Kept, WhatIsRetiredTellsWhatItToldBefore) {
  play::Player player(rig.scenario, rig.target, rig.leased, *rig.network, rig.options);
  player.start();
  ASSERT_TRUE(rig.network->run([&] { return player.done(); }));
  const std::string before = archive::write_all(player.history(), player.playing_time());
  const auto judged = judge::judge(player.history(), false);
  player.retire();
  EXPECT_EQ(archive::write_all(player.history(), player.playing_time()), before);
  EXPECT_EQ(judge::judge(player.history(), false).verdict, judged.verdict);
}

TEST_F(Kept, CopiesAreJudgedInTheOrderInWhichTheyCame) {
  Judging judging(settings(Keep::findings));
  for (std::uint32_t copy = 0; copy < 5; ++copy) EXPECT_TRUE(judging.take(0, copy, played(copy)));
  judging.finish();
  std::vector<std::uint32_t> copies;
  std::uint64_t accepted = 0;
  for (const auto& one : judging.collect()) {
    copies.push_back(one.copy);
    accepted += one.ledger.accepted;
    EXPECT_EQ(one.verdict, judge::Verdict::pass);
  }
  EXPECT_THAT(copies, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(accepted, 5U);
  EXPECT_THAT(judging.collect(), SizeIs(0));
  EXPECT_EQ(histories(), 0U);  // nothing was found in them
}

TEST_F(Kept, WhatIsKeptDependsOnWhatIsAskedForAndTheVerdictDoesNot) {
  for (const auto& [keep, files] : {std::pair(Keep::none, 0U), std::pair(Keep::full, 3U)}) {
    Judging judging(settings(keep));
    for (std::uint32_t copy = 0; copy < 3; ++copy) judging.take(0, copy, played(copy));
    judging.finish();
    EXPECT_THAT(judging.collect(), SizeIs(3));
    EXPECT_EQ(histories(), files);
  }
  EXPECT_EQ(directory->trouble(), "");
}

TEST_F(Kept, WhatThereIsNoRoomForIsSaid) {
  auto none = settings(Keep::findings);
  none.room = 0;
  Judging judging(std::move(none));
  EXPECT_FALSE(judging.take(0, 0, played()));
  judging.finish();
  EXPECT_THAT(judging.collect(), SizeIs(0));
}

TEST_F(Kept, LinesAreAppended) {
  Judging judging(settings(Keep::none));
  judging.append("progress-0.jsonl", "{}\n");
  judging.append("progress-0.jsonl", "{\"seconds\":5}\n");
  judging.finish();
  std::ifstream in(directory->file("progress-0.jsonl"));
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(all, "{}\n{\"seconds\":5}\n");
}

}  // namespace
}  // namespace mailproof::load
