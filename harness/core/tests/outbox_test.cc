#include "core/outbox.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace mailproof {
namespace {

std::string all(Outbox& box) {
  std::string out;
  for (const Output& piece : box.output()) out += as_text(piece.bytes);
  return out;
}

TEST(Outbox, KeepsOrderAndMarksSecrets) {
  Outbox box;
  box.text("USER bob\r\nPASS ");
  box.secret("hunter2");
  box.text("\r\n");
  const auto output = box.output();
  ASSERT_EQ(output.size(), 3U);
  EXPECT_FALSE(output[0].secret);
  EXPECT_TRUE(output[1].secret);
  EXPECT_EQ(as_text(output[1].bytes), "hunter2");
  EXPECT_FALSE(output[2].secret);
}

TEST(Outbox, ASecretIsNeverMarkedPlainByWhatFollows) {
  Outbox box;
  box.secret("abc");
  box.sent(1);
  box.text("plain");
  ASSERT_EQ(box.output().size(), 2U);
  EXPECT_TRUE(box.output()[0].secret);
  EXPECT_EQ(as_text(box.output()[0].bytes), "bc");
}

TEST(Outbox, BytesStayPutUntilTheyAreSent) {
  Outbox box;
  box.text("first");
  const std::byte* const where = box.output()[0].bytes.data();
  for (int i = 0; i < 1000; ++i) box.text("some more text that makes it grow");
  box.body(std::make_shared<const std::string>(100'000, 'x'));
  EXPECT_EQ(box.output()[0].bytes.data(), where);
}

TEST(Outbox, WhateverIsSentInWhateverPiecesComesOutOnce) {
  Rng rng(7);
  for (int round = 0; round < 50; ++round) {
    Outbox box;
    std::string expected, got;
    for (int i = 0; i < 200; ++i) {
      std::string text(rng.below(3000), static_cast<char>('a' + i % 26));
      switch (rng.below(3)) {
        case 0:
          box.text(text);
          break;
        case 1:
          box.secret(text);
          break;
        default:
          box.body(std::make_shared<const std::string>(text));
          break;
      }
      expected += text;
      const std::string pending = all(box);
      ASSERT_EQ(pending.size(), box.size());
      const std::size_t n = rng.below(static_cast<std::uint32_t>(pending.size() + 1));
      got += pending.substr(0, n);
      box.sent(n);
    }
    got += all(box);
    box.sent(box.size());
    ASSERT_EQ(got, expected);
    ASSERT_TRUE(box.empty());
    ASSERT_TRUE(box.output().empty());
  }
}

}  // namespace
}  // namespace mailproof
