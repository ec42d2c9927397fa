#include "judge/strangers.h"

#include <gtest/gtest.h>

#include "history/ledger/tests/ledger_story.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

/// A look before the first step, the step, a look after it: what each of them shows that is not ours, by its UID.
struct Beside : history::Story {
  void look(const std::vector<std::uint32_t>& uids, std::uint32_t uidvalidity = 7) {
    const std::uint32_t session = audit(Protocol::imap, alice, 0);
    for (const std::uint32_t uid : uids)
      obs(history::What::message, session, [&](history::Event& e) {
        e.mailbox = "INBOX";
        e.uidvalidity = uidvalidity;
        e.uid = e.seq = uid;
        e.code = "header";
      });
  }
};

TEST(Strangers, WhatLayThereBeforeDidNotComeInAndIsCountedAllTheSame) {
  const struct {
    std::vector<std::uint32_t> before, after;
    std::uint32_t uidvalidity;
    bool in, came;
  } looks[] = {{{}, {}, 7, false, false},
               {{1}, {1}, 7, true, false},
               {{1}, {1, 2}, 7, true, true},
               {{}, {1}, 7, true, true},
               {{1}, {1}, 8, true, true}};
  for (const auto& look : looks) {
    Beside s;
    s.look(look.before);
    s.step("mta: {deliver: mail}");
    s.look(look.after, look.uidvalidity);
    std::vector<Finding> found;
    const Case c(s.history, s.ledger, "conformance", found);
    const Strangers strangers(c);
    EXPECT_EQ(strangers.in(s.alice) != nullptr, look.in);
    EXPECT_EQ(strangers.came() != nullptr, look.came);
  }
}

}  // namespace
}  // namespace mailproof::judge
