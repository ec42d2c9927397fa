// What a talk logs in with, on a server that takes no password as it is.
#include "play/talk/way_in.h"

#include <gmock/gmock.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(WayIn, IsAnotherMechanismOnlyWhereNoneOfThoseOfferedSendsThePassword) {
  using enum sasl::Mechanism;
  const auto of = [](const std::vector<std::string>& offered) { return instead_of_password(offered); };
  EXPECT_EQ(of({"USER", "SASL CRAM-MD5 SCRAM-SHA-256", "UIDL"}), scram_sha_256);
  EXPECT_EQ(of({"*", "CAPABILITY", "IMAP4rev1", "AUTH=CRAM-MD5"}), cram_md5);
  EXPECT_EQ(of({"node.test", "AUTH CRAM-MD5 GSSAPI", "8BITMIME"}), cram_md5);
  EXPECT_EQ(of({"SASL PLAIN SCRAM-SHA-256"}), std::nullopt);
  EXPECT_EQ(of({"AUTH=LOGIN", "AUTH=SCRAM-SHA-256"}), std::nullopt);
  EXPECT_EQ(of({"SASL GSSAPI"}), std::nullopt) << "not spoken here: the password may do";
  EXPECT_EQ(of({}), std::nullopt);
}

std::vector<WrongBlock> without_passwords() {
  return {instead_of("CAPA", {"+OK\r\nSASL SCRAM-SHA-256 CRAM-MD5\r\nUSER\r\nTOP\r\nUIDL\r\n.\r\n"}),
          instead_of("PASS pass", {"-ERR [AUTH] unsupported mechanism\r\n"}),
          instead_of("CAPABILITY", {"* CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256\r\n", "${tag} OK done\r\n"}, kImap)};
}

/// A check whose run learns.
struct Learning {
  Learning(const std::string& lines, const std::string& more = "")
      : rig(scenario::parse("id: pop3.1939-5\ntitle: t\nneeds: [pop3]\nchecks:\n  - id: one\n    level: MUST\n"
                            "    title: it is so\n" +
                                more + "    talk: |\n" + Checked::indented(lines),
                            "check.yaml"),
            {}, {{without_passwords()}}) {
    rig.options.learnt = &learnt;
    rig.play();
  }
  Learnt learnt;
  SimRig rig;
};

TEST(WayIn, ATalkLogsInByIt) {
  for (const char* lines : {"C: STAT\nS: +OK", "connect: imap selected\nC: NOOP\nS: OK"}) {
    const Learning check(lines);
    EXPECT_EQ(check.rig.problem(), "");
    EXPECT_THAT(check.rig.told(history::What::talk), testing::Each(testing::Not(HasSubstr("fail"))));
    std::string said;
    for (const auto& log : check.rig.player->logs()) said += log->all();
    EXPECT_THAT(said, HasSubstr("SCRAM-SHA-256"));
  }
}

TEST(WayIn, WhatUserIsAboutIsNotForThoseWhomItDoesNotLetIn) {
  const Learning check("C: USER ${user}\nS: +OK\nC: PASS ${pass}\nS: +OK",
                       "    when: USER\n    state: authorization\n");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.rig.told(history::What::not_applicable), ElementsAre(HasSubstr("RFC 2449 section 6.2")));
}

}  // namespace
}  // namespace mailproof::play
