#pragma once
#include <gtest/gtest.h>

#include <vector>

#include "history/ledger/tests/ledger_story.h"

namespace mailproof::history {

inline const Cell& cell_of(const Story& story, std::uint32_t message, std::uint32_t account,
                           const char* mailbox = "INBOX") {
  static const Cell kNone;
  const Cell* cell = story.ledger.find(message, account, mailbox);
  EXPECT_NE(cell, nullptr) << "no cell for message " << message << " in " << mailbox;
  return cell == nullptr ? kNone : *cell;
}

/// alice's phone, INBOX selected, `count` delivered messages with UIDs from 1.
struct Mailbox : Story {
  explicit Mailbox(int count) : mail(messages(count)) {
    const std::uint32_t out = lmtp();
    for (const std::uint32_t m : mail) deliver(out, m, alice);
    hand = imap(phone);
    select(hand, "INBOX", static_cast<std::uint32_t>(count));
    for (std::uint32_t i = 0; i < mail.size(); ++i) content(hand, mail[i], i + 1, i + 1, "header");
  }
  std::vector<std::uint32_t> mail;
  std::uint32_t hand = 0;
};

}  // namespace mailproof::history
