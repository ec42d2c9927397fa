#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "host/admin.h"
#include "host/temporary_files.h"

namespace mailproof::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A target whose commands write down what was done to it.
class CommandAdminTest : public testing::Test {
 protected:
  CommandAdminTest() {
    files_ = *TemporaryFiles::make({{"did", ""}});
    command("set_quota", "echo quota {login} {octets} >> DID");
    command("restart", "echo restarted >> DID");
    command("kill", "echo killed >> DID");
    command("pause", "trap 'echo thawed >> DID; exit 143' TERM; echo frozen >> DID; sleep 0.3; echo thawed >> DID");
    target.accounts.push_back({.login = "anna", .address = "anna@example.test", .password = Secret("hunter2hunter2")});
  }
  void command(const std::string& verb, std::string script) {
    for (auto at = script.find("DID"); at != std::string::npos; at = script.find("DID"))
      script.replace(at, 3, "'" + files_->path("did") + "'");
    target.admin[verb] = {"/bin/sh", "-c", script};
  }
  void begin() {
    owed = std::make_unique<Owed>(target);
    owed->say = [this](const std::string& line) { said.push_back(line); };
    owed->note_in(note());
    admin = make_command_admin(target, loop, *owed);
  }
  void ask(const AdminRequest& request) {
    admin->perform(request, [this](const AdminReply& reply) { told.push_back(reply.status); });
  }
  void ask(AdminVerb verb) {
    AdminRequest request;
    request.verb = verb;
    ask(request);
  }
  void ask_for_quota() {
    AdminRequest request;
    request.verb = AdminVerb::set_quota;
    request.login = "anna";
    AdminRequest before = request;
    before.octets = 1000;
    request.octets = 5;
    request.undo = std::make_shared<const AdminRequest>(before);
    ask(request);
  }
  void until(const std::string& what) {
    ASSERT_TRUE(loop.run([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      loop.nudge();
      return did().find(what) != std::string::npos;
    }));
  }
  void until_told(std::size_t count) {
    ASSERT_TRUE(loop.run([&] { return told.size() >= count; }));
  }
  std::string did() const { return content(files_->path("did")); }
  std::string note() const { return files_->path("owed.txt"); }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  net::Loop loop;
  scenario::Target target;
  std::unique_ptr<TemporaryFiles> files_;
  std::unique_ptr<Owed> owed;
  std::unique_ptr<Admin> admin;
  std::vector<int> told;
  std::vector<std::string> said;
};

TEST_F(CommandAdminTest, ALimitThatNobodySetBackIsSetBackInTheEnd) {
  begin();
  ask_for_quota();
  until_told(1);
  EXPECT_THAT(content(note()), HasSubstr("quota of anna is to be set back: /bin/sh -c 'echo quota anna 1000"));
  admin.reset();
  EXPECT_EQ(did(), "quota anna 5\nquota anna 1000\n");
  EXPECT_THAT(owed->left(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(note()));
  EXPECT_THAT(said.front(), HasSubstr("(within 30 s)"));
  EXPECT_EQ(said.back(), "all of it is as it was");
}

TEST_F(CommandAdminTest, WhoSetsItBackHimselfOwesNothing) {
  begin();
  ask_for_quota();
  until_told(1);
  AdminRequest back;
  back.verb = AdminVerb::set_quota;
  back.login = "anna";
  back.octets = 1000;
  ask(back);
  until_told(2);
  EXPECT_FALSE(std::filesystem::exists(note()));
  admin.reset();
  EXPECT_EQ(did(), "quota anna 5\nquota anna 1000\n") << "once";
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(CommandAdminTest, AChangeUnderWayComesToItsEndAndIsSetBack) {
  command("set_quota", "sleep 0.2; echo quota {login} {octets} >> DID");
  begin();
  ask_for_quota();
  admin.reset();
  EXPECT_EQ(did(), "quota anna 5\nquota anna 1000\n");
  EXPECT_THAT(told, IsEmpty()) << "who asked is gone";
}

TEST_F(CommandAdminTest, AServerThatWasKilledIsStarted) {
  command("kill", "echo killed >> DID; sleep 0.2");
  begin();
  ask(AdminVerb::kill);
  until("killed");
  admin.reset();
  EXPECT_EQ(did(), "killed\nrestarted\n");
}

TEST_F(CommandAdminTest, ARestartIsNotCutInHalf) {
  command("restart", "echo stopped >> DID; sleep 0.3; echo started >> DID");
  begin();
  ask(AdminVerb::restart);
  until("stopped");
  admin.reset();
  EXPECT_EQ(did(), "stopped\nstarted\n") << "and not twice";
}

TEST_F(CommandAdminTest, APauseComesToItsEnd) {
  begin();
  ask(AdminVerb::pause);
  until("frozen");
  admin.reset();
  EXPECT_EQ(did(), "frozen\nthawed\n");
}

TEST_F(CommandAdminTest, APauseThatFailsIsFollowedByARestart) {
  command("pause", "echo frozen >> DID; exit 1");
  begin();
  ask(AdminVerb::pause);
  until_told(1);
  admin.reset();
  EXPECT_EQ(did(), "frozen\nrestarted\n");
}

TEST_F(CommandAdminTest, WhatNeverRanChangedNothing) {
  target.admin["kill"] = {"mailproof-no-such-program"};
  begin();
  ask(AdminVerb::kill);
  until_told(1);
  admin.reset();
  EXPECT_EQ(did(), "");
  EXPECT_THAT(told, ElementsAre(-1));
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(CommandAdminTest, WhatCannotBeSetBackIsToldAndStaysNotedWithoutPasswords) {
  command("set_quota", ": hunter2hunter2; echo quota {octets} >> DID; test {octets} = 5");
  begin();
  ask_for_quota();
  until_told(1);
  admin.reset();
  EXPECT_EQ(did(), "quota 5\nquota 1000\n") << "tried once";
  EXPECT_THAT(said.back(), HasSubstr("NOT done, to be done by you: the quota of anna is to be set back: /bin/sh -c"));
  EXPECT_THAT(content(note()), HasSubstr("the quota of anna"));
  EXPECT_THAT(content(note()), testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(owed->left().size(), 1U);
}

TEST_F(CommandAdminTest, AServerThatIsKilledWhileAnotherRestartsItIsOwedOneMore) {
  command("restart", "echo stopped >> DID; sleep 0.3; echo started >> DID");
  begin();
  ask(AdminVerb::restart);
  until("stopped");
  command("kill", "echo killed >> DID; exit 1");
  ask(AdminVerb::kill);
  until_told(2);
  EXPECT_EQ(owed->left().size(), 1U);
  admin.reset();
  EXPECT_THAT(did(), testing::EndsWith("started\nstopped\nstarted\n"));
}

}  // namespace
}  // namespace mailproof::host
