#include "play/talk/own_mailboxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/talk/tests/checked.h"
#include "play/tests/foreign_rig.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAuthenticated = "    needs: [imap]\n";

/// What the talk's own connections sent.
std::string sent(const Checked& check) {
  std::string out;
  for (const auto& log : check.rig.player->logs()) out += log->all();
  return out;
}

/// The connection that asks how mailboxes are named: those before it look at what is there.
constexpr unsigned kNaming = 3;

/// A server that tells this of its names and delimiters.
std::vector<WrongBlock> answering(const std::string& line) {
  WrongBlock block = instead_of("NAMESPACE", {line + "\r\n"}, kImap);
  block.connection = kNaming;
  return {std::move(block)};
}
std::vector<WrongBlock> telling(const std::string& personal) {
  return answering("* NAMESPACE " + personal + " NIL NIL\r\n${tag} OK Done");
}

std::string own_name(const Checked& check) {
  const std::string name = "mailproof-0000000000000000";
  for (const auto& log : check.rig.player->logs()) {
    const std::string all = log->all();
    if (const auto at = all.find("mailproof-"); at != std::string::npos) return all.substr(at, name.size());
  }
  return {};
}

TEST(OwnMailboxes, AreMadeAndFoundByTheirNames) {
  const Checked check(
      "connect: imap authenticated\nC: CREATE ${box}\nS: OK\nC: CREATE ${box2/a/b}\nS: OK\nC: LIST \"\" "
      "\"*${token}*\"\n"
      "S: * LIST ${_} ${sep} ${box}\nS: * LIST ${_} ${sep} ${box2/a/b}\nS: OK\nC: DELETE \"${box2}${sep}a${sep}b\"\nS: "
      "OK",
      kAuthenticated);
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
  const std::string name = own_name(check);
  EXPECT_TRUE(named_as_ours(name)) << name;
  EXPECT_THAT(sent(check), HasSubstr("CREATE " + name + "\n"));
  EXPECT_THAT(sent(check), HasSubstr("CREATE " + name + "-2/a/b\n"));
}

TEST(OwnMailboxes, PrefixAndDelimiterAreTheServers) {
  const std::string talk = "connect: imap authenticated\nC: CREATE ${box/a}\nS: OK\nC: LIST \"\" \"${box/a}\"\nS: OK";
  const Checked courier(talk, kAuthenticated, telling("((\"INBOX.\" \".\"))"));
  EXPECT_THAT(sent(courier), HasSubstr("CREATE INBOX." + own_name(courier) + ".a\n"));
  const Checked odd(talk, kAuthenticated, telling("((\"My \\\"mail\\\"\\\\\" \"\\\\\") (\"x\" \"/\"))"));
  EXPECT_THAT(sent(odd), HasSubstr("CREATE \"My \\\"mail\\\"\\\\" + own_name(odd) + "\\\\a\"\n"));
  EXPECT_THAT(sent(odd), HasSubstr("LIST \"\" \"My \\\"mail\\\"\\\\" + own_name(odd) + "\\\\a\"\n"));
  const Checked none(talk, kAuthenticated, telling("NIL"));
  EXPECT_THAT(sent(none), HasSubstr("CREATE " + own_name(none) + "/a\n")) << "asked by LIST then";
  const Checked refused(talk, kAuthenticated, answering("${tag} BAD What?"));
  EXPECT_THAT(sent(refused), HasSubstr("CREATE " + own_name(refused) + "/a\n"));
}

TEST(OwnMailboxes, ARunAsksOnceAnAccount) {
  Learnt learnt;
  const auto play = [&](std::vector<WrongBlock> wrong) {
    SimRig rig(
        scenario::parse("id: imap.3501-6.3.3\ntitle: t\nchecks:\n  - id: one\n    level: MUST\n    title: it is so\n" +
                            std::string(kAuthenticated) + "    talk: |\n" +
                            Checked::indented("connect: imap authenticated\nC: CREATE ${box/a}\nS: OK"),
                        "check.yaml"),
        {}, {{std::move(wrong)}});
    rig.options.learnt = &learnt;
    rig.play();
    std::string all;
    for (const auto& log : rig.player->logs()) all += log->all();
    return all;
  };
  auto courier = telling("((\"INBOX.\" \".\"))");
  courier.front().connection = 2;
  const std::string first = play(std::move(courier)), second = play({});
  EXPECT_THAT(first, HasSubstr("own0 NAMESPACE"));
  EXPECT_THAT(first, HasSubstr("CREATE INBOX.mailproof-"));
  EXPECT_THAT(second, Not(HasSubstr("own0 NAMESPACE")));
  EXPECT_THAT(second, HasSubstr("CREATE INBOX.mailproof-"));
}

TEST(OwnMailboxes, WithoutHierarchyThereIsNothingBelow) {
  const std::string talk = "connect: imap authenticated\nC: CREATE ${box/a}\nS: OK";
  auto blocks = telling("((\"\" NIL))");
  blocks.push_back(instead_of("LIST \"\" \"\"", {"* LIST (\\Noselect) NIL \"\"\r\n${tag} OK Done\r\n"}, kImap));
  const Checked below(talk, kAuthenticated, std::move(blocks));
  EXPECT_EQ(below.rig.last(What::not_applicable).text, "the server has no hierarchy of mailboxes");
  EXPECT_THAT(below.talked(), IsEmpty());
  const Checked flat("connect: imap authenticated\nC: CREATE ${box}\nS: OK", kAuthenticated, telling("((\"\" NIL))"));
  EXPECT_THAT(flat.end(), HasSubstr("ok: "));
  const Checked mistaken(talk, kAuthenticated, telling("((\"\" NIL))"));
  EXPECT_THAT(sent(mistaken), HasSubstr("CREATE " + own_name(mistaken) + "/a\n")) << "LIST shows a delimiter";
}

TEST(OwnMailboxes, WhatIsNotToldIsAnErrorOfItsOwn) {
  auto blocks = telling("NIL");
  blocks.push_back(instead_of("LIST \"\" \"\"", {"${tag} OK Done\r\n"}, kImap));
  const Checked check("connect: imap authenticated\nC: CREATE ${box}\nS: OK", kAuthenticated, std::move(blocks));
  EXPECT_THAT(check.rig.problem(), HasSubstr("does not tell its hierarchy delimiter"));
  EXPECT_THAT(check.talked(), IsEmpty());
}

TEST(OwnMailboxes, WhatWasAppendedIsComparedWithWhatWasSent) {
  const std::string talk =
      "connect: imap authenticated\nC: CREATE ${box}\nS: OK\nC: APPEND ${box} {mail.2}\nS: OK\nC: EXAMINE ${box}\nS: "
      "OK\n"
      "C: FETCH 1 (BODY.PEEK[])\nS: * 1 FETCH (BODY[] ${text:literal})\nS: OK\nsame: ${text} {mail.";
  EXPECT_THAT(Checked(talk + "2}", kAuthenticated).end(), HasSubstr("ok: "));
  EXPECT_THAT(Checked(talk + "1}", kAuthenticated).end(), HasSubstr("fail: ${text} is "));
}

TEST(Talk, TheEndOfAMailboxKeepsItsPlaceBeforeWhatIsToldOfTheNext) {
  const auto select = [](const std::string& sent) {
    return Checked("connect: imap authenticated\nC: SELECT INBOX\nS: * OK [CLOSED]\nS: * 3 EXISTS\nS: OK",
                   kAuthenticated, {instead_of("SELECT INBOX", {sent + "${tag} OK Done\r\n"}, kImap)})
        .end();
  };
  EXPECT_THAT(select("* 9 EXISTS\r\n* OK [CLOSED] Bye\r\n* 3 EXISTS\r\n"), HasSubstr("ok: "));
  EXPECT_THAT(select("* 3 EXISTS\r\n* OK [CLOSED] Bye\r\n"), HasSubstr("fail: "));
}

/// As on a real server: what the check made is removed, and nothing else.
TEST(OwnMailboxes, GoWhenTheTalkIsOver) {
  SimRig rig(
      scenario::parse("id: imap.3501-6.3\ntitle: t\nneeds: [imap]\nstate: authenticated\nchecks:\n"
                      "  - id: one\n    level: MUST\n    title: it is so\n    talk: |\n" +
                          Checked::indented("C: CREATE ${box}\nS: OK\nC: CREATE ${box/a/b}\nS: OK\n"
                                            "C: SUBSCRIBE ${box/a}\nS: OK\nC: DELETE ${box/a}\nS: OK\n"
                                            "C: RENAME ${box/a/b} ${box3}\nS: OK\nC: NOOP\nS: BAD"),
                      "check.yaml"));
  rig.options.load = true;  // the simulation is cleaned only then
  const auto names = [&rig] {
    return ask(*rig.server, Protocol::imap, {"LOGIN user-user pass", "LIST \"\" *", "LSUB \"\" *", "LOGOUT"},
               rig.network->now());
  };
  const std::string made = ask(*rig.server, Protocol::imap,
                               {"LOGIN user-user pass", "CREATE mailproof-notes", "CREATE Work/2026",
                                "SUBSCRIBE Work/2026", "CREATE mailproof-00000000000000ff/a", "LOGOUT"},
                               rig.network->now());
  EXPECT_THAT(made, HasSubstr("t5 OK"));
  const std::string before = names();
  EXPECT_THAT(before, HasSubstr("mailproof-00000000000000ff")) << "of a run that was cut off";
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  const std::string after = names();
  EXPECT_THAT(after, Not(HasSubstr("mailproof-0000")));
  for (const char* kept : {"INBOX", "mailproof-notes", "\"/\" \"Work/2026\"", "LSUB () \"/\" \"Work/2026\""})
    EXPECT_THAT(after, HasSubstr(kept));
  for (const char c : {'1', '2', '9', 'a', 'b', 'c', 'd', 'e', 'f'})
    EXPECT_THAT(after, Not(HasSubstr(std::string("mailproof-") + c))) << after;
}

}  // namespace
}  // namespace mailproof::play
