#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

SimRig searched(const std::string& keys, const std::string& answer) {
  WrongBlock block;
  block.at = WrongBlock::At::prefix;
  block.protocol = Protocol::imap;
  block.text = "UID SEARCH";
  block.actions = {{.kind = WrongAction::Kind::say, .text = answer}};
  SimRig rig(scenario::parse(
                 fmt::format("id: test.search\nneeds: [imap, delivery]\naccounts: [alice]\ndevices: {{mta: {{delivers: "
                             "any}}, pc: {{imap: alice}}}}\nsteps:\n"
                             "  - mta: {{deliver: mail, to: alice}}\n  - pc: {{see: mail}}\n"
                             "  - pc: {{search: {}, finds: mail}}\n",
                             keys),
                 "search.yaml"),
             {}, {{{block}}});
  rig.play();
  return rig;
}

TEST(Search, WhatTheServerRefusesIsSaidAndIsNotNotFound) {
  const auto rig = searched("UNSEEN", "${tag} BAD expected a search key\r\n");
  EXPECT_EQ(rig.last(What::found).type, Type::fail);
  EXPECT_EQ(rig.last(What::found).text, "the server answered BAD expected a search key");
  EXPECT_EQ(rig.last(What::found).code, "refused");
}

TEST(Search, WhatIsOnlyAnExtensionMayBeRefused) {
  const auto rig = searched("YOUNGER 3600", "${tag} BAD expected a search key\r\n");
  EXPECT_EQ(rig.last(What::found).type, Type::info);
  EXPECT_EQ(rig.last(What::found).text, "the server answered BAD expected a search key");
}

TEST(Search, WhatIsNotFoundIsStillNotFound) {
  const auto rig = searched("UNSEEN", "* SEARCH\r\n${tag} OK done\r\n");
  EXPECT_EQ(rig.last(What::found).type, Type::fail);
  EXPECT_EQ(rig.last(What::found).text, "1 not found, 0 found beyond");
}

}  // namespace
}  // namespace mailproof::play
