#include "scenario/wrong/wrong.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mailproof::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using At = WrongBlock::At;
using Kind = WrongAction::Kind;

std::vector<std::string> messages(const LoadedWrong& loaded) {
  std::vector<std::string> out;
  for (const auto& problem : loaded.problems) out.push_back(problem.message());
  return out;
}

WrongFile good(std::string_view text) {
  auto loaded = parse_wrong(text, "w");
  EXPECT_THAT(messages(loaded), IsEmpty());
  return loaded.files.empty() ? WrongFile{} : loaded.files.front();
}

/// The dialogue of these lines, as the only wrong server of a check.
std::vector<WrongBlock> dialogue(const std::vector<std::string>& lines) {
  std::string text = "wrong: pop3.x\nchecks:\n  a: |\n";
  for (const auto& line : lines) text += "    " + line + "\n";
  const WrongFile file = good(text);
  return file.checks.empty() ? std::vector<WrongBlock>{} : file.checks.front().servers.front().dialogue.blocks;
}

/// What is said of a dialogue that has a mistake.
std::string complaint(const std::vector<std::string>& lines) {
  std::string text = "wrong: pop3.x\nchecks:\n  a: |\n";
  for (const auto& line : lines) text += "    " + line + "\n";
  const auto loaded = parse_wrong(text, "w");
  EXPECT_TRUE(loaded.files.empty());
  std::string out;
  for (const auto& message : messages(loaded)) out += message + "\n";
  return out;
}

TEST(WrongFile, HasServersForChecks) {
  const WrongFile file = good(R"(
wrong: pop3.1939-5
checks:
  list-empty: |
    C: LIST
    S: -ERR no messages
  dele: {defect: pop3.dele-without-quit}
  stat-format: [ {latitude: pop3.a}, "C: STAT\nS: +OK 3" ]
right:
  lang: |
    C: LANG
    S: +OK
    S: .
)");
  EXPECT_EQ(file.file, "pop3.1939-5");
  ASSERT_EQ(file.checks.size(), 3U);
  EXPECT_EQ(file.checks[0].check, "list-empty");
  EXPECT_EQ(file.checks[0].pos.line, 4);
  EXPECT_EQ(file.checks[0].servers.front().told, "C: LIST / S: -ERR no messages");
  EXPECT_EQ(file.checks[1].servers.front().defect, "pop3.dele-without-quit");
  EXPECT_EQ(file.checks[1].servers.front().told, "defect pop3.dele-without-quit");
  ASSERT_EQ(file.checks[2].servers.size(), 2U);
  EXPECT_EQ(file.checks[2].servers[0].latitude, "pop3.a");
  EXPECT_EQ(file.checks[2].servers[1].dialogue.blocks.front().actions.front().text, "+OK 3\r\n");
  ASSERT_EQ(file.right.size(), 1U);
  EXPECT_EQ(file.right.front().check, "lang");
  EXPECT_EQ(file.right.front().dialogue.blocks.front().actions.size(), 2U);
}

TEST(WrongDialogue, BlocksAreOfTheProtocolOfTheirFile) {
  const WrongFile file =
      good("wrong: imap.9051-6.1.2\nchecks:\n  a: \"C: NOOP\\nsilence\\npop3> C: NOOP\\nsilence\"\n");
  const auto& blocks = file.checks.front().servers.front().dialogue.blocks;
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].protocol, Protocol::imap);
  EXPECT_EQ(blocks[1].protocol, Protocol::pop3);
}

TEST(WrongDialogue, PlacesOfBlocks) {
  const auto blocks = dialogue({"# words",
                                "greeting",
                                "pass",
                                "secured",
                                "silence",
                                "C: LIST",
                                "pass",
                                "",
                                "C: RETR *",
                                "pass",
                                "C~: ^(TOP|RETR)",
                                "pass",
                                "C: *",
                                "pass",
                                "2> C: UIDL",
                                "pass",
                                "imap> C: NOOP",
                                "pass",
                                "imap> 3> C: FETCH 1:*",
                                "pass"});
  ASSERT_EQ(blocks.size(), 9U);
  EXPECT_EQ(blocks[0].at, At::greeting);
  EXPECT_EQ(blocks[1].at, At::secured);
  EXPECT_EQ(blocks[2].at, At::line);
  EXPECT_EQ(blocks[2].text, "LIST");
  EXPECT_EQ(blocks[2].protocol, Protocol::pop3);
  EXPECT_EQ(blocks[3].at, At::prefix);
  EXPECT_EQ(blocks[3].text, "RETR");
  EXPECT_EQ(blocks[4].at, At::regex);
  EXPECT_EQ(blocks[4].text, "^(TOP|RETR)");
  EXPECT_EQ(blocks[5].at, At::line) << "a SASL exchange is cancelled with this";
  EXPECT_EQ(blocks[6].connection, 2U);
  EXPECT_EQ(blocks[7].protocol, Protocol::imap);
  EXPECT_EQ(blocks[8].connection, 3U);
  EXPECT_EQ(blocks[8].protocol, Protocol::imap);
  EXPECT_EQ(blocks[8].text, "FETCH 1:*");
}

TEST(WrongDialogue, WhatIsDone) {
  const auto blocks = dialogue({"C: A", "S: +OK  two  ", "S:", "S: ${tag} OK ${fill:3}!", "S!: a\\x00\\r\\n|\\|\\\\",
                                "wait: 2s", "also: DELE 1", "instead: STAT now", "drop: ^2 ",
                                "edit: s/a\\/b\\.(.)/$1\\r\\n\\/$&  /", "edit: s/^x/${fill:2}/1", "compress", "reset"});
  ASSERT_EQ(blocks.size(), 1U);
  const auto& actions = blocks.front().actions;
  ASSERT_EQ(actions.size(), 12U);
  EXPECT_EQ(actions[0].text, "+OK  two  \r\n");
  EXPECT_EQ(actions[1].text, "\r\n");
  EXPECT_EQ(actions[2].text, "${tag} OK AAA!\r\n");
  EXPECT_EQ(actions[3].text, std::string("a\0\r\n||\\", 7));
  EXPECT_EQ(actions[4].kind, Kind::wait);
  EXPECT_EQ(actions[4].span, 2s);
  EXPECT_EQ(actions[5].kind, Kind::also);
  EXPECT_EQ(actions[5].text, "DELE 1");
  EXPECT_EQ(actions[6].kind, Kind::instead);
  EXPECT_EQ(actions[6].text, "STAT now");
  EXPECT_EQ(actions[7].kind, Kind::drop);
  EXPECT_EQ(actions[7].pattern, "^2 ");
  EXPECT_EQ(actions[8].pattern, "a/b\\.(.)");
  EXPECT_EQ(actions[8].text, "$1\r\n/$&  ");
  EXPECT_FALSE(actions[8].only_first);
  EXPECT_EQ(actions[9].text, "AA");
  EXPECT_TRUE(actions[9].only_first);
  EXPECT_EQ(actions[10].kind, Kind::compress);
  EXPECT_EQ(actions[11].kind, Kind::reset);
}

TEST(WrongDialogue, MistakesAreNamedWhereTheyStand) {
  EXPECT_THAT(complaint({"S: +OK"}), HasSubstr("w:4:5: 'S: +OK'; expected first the place"));
  EXPECT_THAT(complaint({"C: A", "C: B", "pass"}), HasSubstr("w:4:5: 'C: A'; expected below it what the server does"));
  EXPECT_THAT(complaint({"C: A", "pass", "C: B"}), HasSubstr("w:6:5: 'C: B'; expected below it"));
  EXPECT_THAT(complaint({"C: A", "", "pss"}), HasSubstr("w:6:5: 'pss'; expected C:, C~:"));
  EXPECT_THAT(complaint({"C: A", "pss"}), HasSubstr("did you mean 'pass'?"));
  EXPECT_THAT(complaint({"C: A", "close", "pass"}), HasSubstr("w:6:5: 'pass'; expected a new block"));
  EXPECT_THAT(complaint({"C: A", "wait: soon"}), HasSubstr("expected a duration"));
  EXPECT_THAT(complaint({"C: A", "S!: \\q"}), HasSubstr("as its only escapes"));
  EXPECT_THAT(complaint({"C: A", "S!: \\x1"}), HasSubstr("as its only escapes"));
  EXPECT_THAT(complaint({"C: A", "S: ${fill:x}"}), HasSubstr("expected ${fill:N}"));
  EXPECT_THAT(complaint({"C: A", "S: ${fill:99999999}"}), HasSubstr("expected ${fill:N}"));
  EXPECT_THAT(complaint({"C: A", "edit: s/a/b"}), HasSubstr("expected s/RE/TEXT/"));
  EXPECT_THAT(complaint({"C: A", "edit: s/a/b/2"}), HasSubstr("expected s/RE/TEXT/"));
  EXPECT_THAT(complaint({"C: A", "edit: s/(/b/"}), HasSubstr("expected a regular expression"));
  EXPECT_THAT(complaint({"C: A", "edit: s/a/\\d/"}), HasSubstr("expected a TEXT with"));
  EXPECT_THAT(complaint({"C: A", "drop:"}), HasSubstr("expected a regular expression"));
  EXPECT_THAT(complaint({"C~: [", "pass"}), HasSubstr("w:4:5: 'C~: ['; expected a regular expression"));
  EXPECT_THAT(complaint({"C: A", "instead:"}), HasSubstr("expected a command behind it"));
  EXPECT_THAT(complaint({"# nothing"}), HasSubstr("expected a block like 'C: LIST'"));
}

TEST(WrongFile, MistakesAreNamedWhereTheyStand) {
  const auto told = [](std::string_view text) {
    const auto loaded = parse_wrong(text, "w");
    EXPECT_TRUE(loaded.files.empty());
    return testing::PrintToString(messages(loaded));
  };
  EXPECT_THAT(told("checks: {a: {defect: x}}\n"), HasSubstr("expected also wrong:"));
  EXPECT_THAT(told("wrong: a\nchecks: [a]\n"), HasSubstr("expected a map: the id of a check"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b: {fault: c}\n"), HasSubstr("w:3:7: 'fault'; expected"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b: {defect: c, latitude: d}\n"), HasSubstr("expected a dialogue"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b: []\n"), HasSubstr("expected a dialogue"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b:\n"), HasSubstr("expected a dialogue"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b: {defect: c}\nrigth: {}\n"), HasSubstr("did you mean 'right'?"));
  EXPECT_THAT(told("wrong: a\nchecks: {b: {defect: c}}\nright: {b: {defect: c}}\n"), HasSubstr("expected a dialogue"));
  EXPECT_THAT(told("wrong: a\nchecks:\n  b: \"C: A\\npss\"\n"), HasSubstr("w:3:6: 'pss'"));
}

TEST(WrongFile, StandsBesideAndIsNoScenario) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("mailproof-wrong-" + std::to_string(getpid()));
  fs::create_directories(root / "deep");
  const std::string text = "wrong: pop3.x\nchecks: {a: {defect: b}}\n";
  std::ofstream(root / "deep/x.wrong.yaml") << text;
  std::ofstream(root / "y.wrong.yaml") << text;
  std::ofstream(root / "y.yaml")
      << "id: pop3.y\nneeds: [imap]\naccounts: [alice]\ndevices: {phone: {imap: alice}}\nsteps:\n  - phone: sync\n";
  const std::string at = root.string();

  EXPECT_EQ(load({at}, at).scenarios.size(), 1U);
  EXPECT_THAT(load({at}, at).problems, IsEmpty());
  std::vector<std::string> found;
  for (const auto& file : load_wrong({at, at + "/y.yaml", at + "/none.yaml"}).files) found.push_back(file.path);
  EXPECT_THAT(found, ElementsAre(at + "/deep/x.wrong.yaml", at + "/y.wrong.yaml"));
  EXPECT_EQ(load_wrong({at + "/y.yaml"}).files.size(), 1U);
  fs::remove_all(root);
}

}  // namespace
}  // namespace mailproof::scenario
