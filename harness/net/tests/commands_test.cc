#include "net/commands.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "net/fd.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A folder of the test's own, so that programs can leave something behind to look at.
class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "mailproof-commands-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder for the test: " << errno_text(errno);
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether a process is there and not only waiting to be buried.
bool lives(pid_t pid) {
  const std::string stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

class CommandsTest : public World {
 protected:
  CommandResult run(std::vector<std::string> arguments, const std::string& input = "", Duration bound = 15s) {
    std::optional<CommandResult> result;
    commands->run(std::move(arguments), input.empty() ? nullptr : std::make_shared<const std::string>(input), bound,
                  [&](const CommandResult& got) {
                    EXPECT_FALSE(result) << "told twice";
                    result = got;
                  });
    EXPECT_FALSE(result) << "told before the loop ran";
    EXPECT_TRUE(play_until([&] { return result.has_value(); }));
    return result.value_or(CommandResult{-99, "no end"});
  }
  CommandResult shell(const std::string& script, const std::string& input = "", Duration bound = 15s) {
    return run({"/bin/sh", "-c", script}, input, bound);
  }
  /// What the program wrote into that file: a pid and a line's end.
  pid_t pid_in(const std::string& path) {
    EXPECT_TRUE(play_until([&] {
      loop.nudge();
      return content_of(path).ends_with("\n");
    }));
    return static_cast<pid_t>(std::atol(content_of(path).c_str()));
  }
  bool dies(pid_t pid) {
    return play_until([&] {
      loop.nudge();
      return !lives(pid);
    });
  }

  Scratch scratch;
  std::unique_ptr<Commands> commands = std::make_unique<Commands>(loop);
};

TEST_F(CommandsTest, TellsTheExitStatusAndBothOutputs) {
  const auto good = shell("echo 'quota set'");
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.output, "quota set\n");
  const auto refused = shell("echo 'user0001: over quota' >&2; exit 77");
  EXPECT_EQ(refused.status, 77);
  EXPECT_EQ(refused.output, "user0001: over quota\n");
  EXPECT_EQ(shell("exit 255").status, 255);
  EXPECT_EQ(shell("kill -TERM $$").status, 128 + SIGTERM);
}

TEST_F(CommandsTest, ArgumentsGoAsTheyAreThroughNoShell) {
  const auto result = run({"printf", "%s|", "two words", "$HOME", "*", ""});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "two words|$HOME|*||");
}

TEST_F(CommandsTest, AProgramThatIsNotThereIsAFailureWithItsName) {
  const auto result = run({"mailproof-no-such-program", "user0001"});
  EXPECT_EQ(result.status, -1);
  EXPECT_EQ(result.output, "mailproof-no-such-program: no such file or directory");
}

TEST_F(CommandsTest, TheInputComesWholeWhenItIsLargerThanAPipe) {
  std::string message = "From: Anna <anna@example.test>\r\nSubject: minutes\r\nMIME-Version: 1.0\r\n\r\n";
  while (message.size() < 1'000'000) message += "The minutes of the meeting follow on the next page.\r\n";
  const std::string file = scratch / "fed";
  const auto result = shell("cat > '" + file + "'; echo done", message);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "done\n");
  EXPECT_TRUE(content_of(file) == message) << "fed " << content_of(file).size() << " of " << message.size();
}

TEST_F(CommandsTest, WithoutInputTheStandardInputIsAtItsEnd) {
  const auto result = run({"wc", "-c"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "0\n");
}

TEST_F(CommandsTest, AProgramThatDoesNotReadItsInputIsNoHindrance) {
  const auto result = shell("exec <&-; echo refused; exit 67", std::string(1'000'000, 'x'));
  EXPECT_EQ(result.status, 67);
  EXPECT_EQ(result.output, "refused\n");
}

TEST_F(CommandsTest, OfALongOutputTheEndIsKept) {
  const auto result = shell("yes 'a line of a talkative program' | head -c 1000000; echo; echo 'the reason'; exit 3");
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.output.size(), kCommandOutput);
  EXPECT_THAT(result.output, EndsWith("the reason\n"));
}

TEST_F(CommandsTest, AfterTheBoundItIsKilledWithWhatItStarted) {
  const std::string file = scratch / "pid";
  const auto result = shell("echo starting; sleep 600 & echo $! > '" + file + "'; wait", "", 300ms);
  EXPECT_EQ(result.status, -1);
  EXPECT_EQ(result.output, "starting\nkilled: it did not end in time");
  EXPECT_TRUE(dies(pid_in(file))) << "the process that the program started still runs";
}

TEST_F(CommandsTest, ADaemonLeftBehindThatKeepsTheOutputsOpenIsNotWaitedFor) {
  const std::string file = scratch / "pid";
  const auto result = shell("setsid sleep 600 & echo $! > '" + file + "'; echo started", "", 600s);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, "started\n");
  const pid_t daemon = pid_in(file);
  EXPECT_TRUE(lives(daemon)) << "what a restart started belongs to the server";
  kill(daemon, SIGKILL);
}

TEST_F(CommandsTest, NeitherPasswordsNorDescriptorsAreInherited) {
  ASSERT_EQ(setenv("MAILPROOF_TEST_SECRET", "hunter22", 1), 0);
  ASSERT_EQ(setenv("MAILPROOF_TEST_PLAIN", "kept", 1), 0);
  const std::string file = scratch / "open";
  // As the standard library opens files: nothing closes it on exec.
  const std::ofstream open(file);
  commands = std::make_unique<Commands>(loop, std::vector<std::string>{"MAILPROOF_TEST_SECRET"});
  const auto environment = run({"env"});
  EXPECT_EQ(environment.status, 0);
  EXPECT_THAT(environment.output, ::testing::Not(HasSubstr("hunter22")));
  EXPECT_THAT(environment.output, ::testing::Not(HasSubstr("MAILPROOF_TEST_SECRET")));
  EXPECT_THAT(environment.output, HasSubstr("MAILPROOF_TEST_PLAIN=kept\n"));
  // The fourth is the listing's own.
  const auto descriptors = run({"ls", "/proc/self/fd"});
  EXPECT_EQ(descriptors.output, "0\n1\n2\n3\n");
  unsetenv("MAILPROOF_TEST_SECRET");
  unsetenv("MAILPROOF_TEST_PLAIN");
}

TEST_F(CommandsTest, NoneOfOurDescriptorsGoesToThem) {
  open();  // a connection that a restarted server would hold open
  greet();
  EXPECT_EQ(run({"ls", "/proc/self/fd"}).output, "0\n1\n2\n3\n") << "3 is what ls reads the folder by";
}

TEST_F(CommandsTest, SeveralRunBesideEachOther) {
  const std::string fifo = scratch / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::vector<std::string> ended;
  // Each waits for the other: one after the other they would never end.
  commands->run({"/bin/sh", "-c", "read line < '" + fifo + "'; echo $line"}, nullptr, 15s,
                [&](const CommandResult& got) { ended.push_back("reader " + got.output); });
  commands->run({"/bin/sh", "-c", "echo news > '" + fifo + "'"}, nullptr, 15s,
                [&](const CommandResult& got) { ended.push_back("writer " + std::to_string(got.status)); });
  ASSERT_TRUE(play_until([&] { return ended.size() == 2; }));
  EXPECT_THAT(ended, ::testing::UnorderedElementsAre("reader news\n", "writer 0"));
}

TEST_F(CommandsTest, TheNextMayBeStartedFromWhereTheLastIsTold) {
  std::string said;
  commands->run({"echo", "pause"}, nullptr, 15s, [&](const CommandResult& first) {
    said += first.output;
    commands->run({"echo", "go on"}, nullptr, 15s, [&](const CommandResult& second) { said += second.output; });
  });
  ASSERT_TRUE(play_until([&] { return said == "pause\ngo on\n"; })) << said;
}

TEST_F(CommandsTest, DestroyedWhileSomethingRunsItKillsItAndTellsNobody) {
  const std::string file = scratch / "pid";
  bool told = false;
  commands->run({"/bin/sh", "-c", "echo $$ > '" + file + "'; exec sleep 600"}, nullptr, 600s,
                [&](const CommandResult&) { told = true; });
  const pid_t pid = pid_in(file);
  EXPECT_TRUE(lives(pid));
  commands.reset();
  EXPECT_FALSE(lives(pid));
  ASSERT_TRUE(play_until([&, turns = 0]() mutable {
    loop.nudge();
    return ++turns > 3;
  }));
  EXPECT_FALSE(told);
}

TEST_F(CommandsTest, TheLoopHasSomethingToWaitForOnlyWhileAProgramRuns) {
  bool told = false;
  commands->run({"sleep", "1.2"}, nullptr, 15s, [&](const CommandResult&) { told = true; });
  EXPECT_TRUE(loop.run([&] { return told; })) << "the loop gave up while a program ran";
  EXPECT_FALSE(loop.run([] { return false; })) << "nothing runs, and yet the loop was told to wait";
}

}  // namespace
}  // namespace mailproof::net
