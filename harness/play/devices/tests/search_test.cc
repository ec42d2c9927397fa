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

/// Mail for both, and three devices of alice's; a SEARCH is answered after three seconds, with nothing. What the phone
/// does begins with it.
SimRig searched_beside(const std::string& keys, const std::string& phone) {
  WrongBlock block;
  block.at = WrongBlock::At::prefix;
  block.protocol = Protocol::imap;
  block.text = "UID SEARCH";
  block.actions = {{.kind = WrongAction::Kind::wait, .span = std::chrono::seconds(3)},
                   {.kind = WrongAction::Kind::say, .text = "* SEARCH\r\n${tag} OK done\r\n"}};
  SimRig rig(
      scenario::parse(fmt::format("id: test.search\nneeds: [imap, delivery, lmtp]\naccounts: [alice, bob]\n"
                                  "devices: {{mta: {{delivers: lmtp}}, pc: {{imap: alice}}, phone: {{imap: alice}}, "
                                  "other: {{imap: bob}}}}\nsteps:\n"
                                  "  - mta: {{deliver: mail, to: alice}}\n  - pc: {{see: mail}}\n"
                                  "  - mta: {{deliver: note, to: bob}}\n  - other: {{see: note}}\n"
                                  "  - together:\n      - pc: {{search: {}, finds: mail}}\n      - {}\n",
                                  keys, phone),
                      "search.yaml"),
      {}, {{{block}}});
  rig.play();
  return rig;
}

TEST(Search, WhatOthersDeliverToOthersExplainsNothing) {
  for (const char* beside : {"other: {see: note}", "mta: {deliver: more, to: bob}"}) {
    const auto rig = searched_beside("UNSEEN", beside);
    EXPECT_EQ(rig.problem(), "");
    EXPECT_EQ(rig.last(What::found).type, Type::fail) << beside;
    EXPECT_EQ(rig.last(What::found).text, "1 not found, 0 found beyond") << beside;
  }
}

TEST(Search, WhoLooksWithoutReadingExplainsNothing) {
  const auto rig = searched_beside("UNSEEN", "phone: {see: mail}");
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::found).type, Type::fail) << rig.last(What::found).text;
}

TEST(Search, WhoReadsExplainsWhatGoesByThat) {
  const auto unseen = searched_beside("UNSEEN", "phone: {read: mail}");
  EXPECT_EQ(unseen.last(What::found).type, Type::info) << unseen.last(What::found).text;
  const auto all = searched_beside("ALL", "phone: {read: mail}");
  EXPECT_EQ(all.last(What::found).type, Type::fail) << all.last(What::found).text;
}

TEST(Search, WhatIsDeliveredMeanwhileExplains) {
  const auto rig = searched_beside("UNSEEN", "mta: {deliver: more, to: alice}");
  EXPECT_EQ(rig.last(What::found).type, Type::info) << rig.last(What::found).text;
}

}  // namespace
}  // namespace mailproof::play
