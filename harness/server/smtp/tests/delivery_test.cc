#include "server/smtp/delivery.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/delivery_trace.h"
#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(DateTime, IsWrittenAsRfc5322Wants) {
  EXPECT_EQ(date_time({kEpochSeconds, 0}), "Thu, 01 Jan 2026 00:00:00 +0000");
  EXPECT_EQ(date_time({kEpochSeconds + 58 * 86400 + 12 * 3600 + 34 * 60 + 56, -570}),
            "Sat, 28 Feb 2026 03:04:56 -0930");
  EXPECT_EQ(date_time({kEpochSeconds - 1, 60}), "Thu, 01 Jan 2026 00:59:59 +0100");
}

/// Sends `messages` over SMTP (or LMTP) from bob to alice and small.
void send(Rig& rig, const std::vector<std::string>& messages, bool over_lmtp = false) {
  auto client = over_lmtp ? lmtp(rig) : smtp(rig);
  client.say(over_lmtp ? "LHLO client.example.test" : "EHLO client.example.test");
  for (const auto& message : messages) {
    EXPECT_THAT(transact(client, "bob@example.test", {"alice@example.test"}, message), StartsWith("250 2.0.0 "));
  }
}

std::vector<std::string> four() {
  return {mime_message("one"), mime_message("two"), mime_message("three"), mime_message("four")};
}

TEST(DeliveryDefects, AcceptedAndLost) {
  for (const bool over_lmtp : {false, true}) {
    Rig correct;
    send(correct, four(), over_lmtp);
    EXPECT_EQ(correct.inbox("alice").size(), 4U);
    auto rig = Rig::with_defect("delivery.accepts-and-drops");
    send(rig, four(), over_lmtp);
    const auto left = rig.inbox("alice");
    ASSERT_EQ(left.size(), 2U);
    EXPECT_THAT(left[0], HasSubstr("Subject: one"));
    EXPECT_THAT(left[1], HasSubstr("Subject: three"));
  }
}

TEST(DeliveryDefects, OneIn200) {
  auto rig = Rig::with_defect("delivery.drops-one-in-200");
  send(rig, std::vector<std::string>(400, text_message(400)));
  EXPECT_EQ(rig.inbox("alice").size(), 398U);
}

TEST(DeliveryDefects, OneIn5000) {
  auto rig = Rig::with_defect("delivery.drops-one-in-5000");
  send(rig, std::vector<std::string>(5000, "x\r\n"));
  EXPECT_EQ(rig.inbox("alice").size(), 4999U);
}

TEST(DeliveryDefects, SameMessageId) {
  const auto first = mime_message();
  auto second = first;
  second.insert(second.size() - 2, "another body");
  for (const bool defect : {false, true}) {
    auto rig = defect ? Rig::with_defect("delivery.suppresses-same-message-id") : Rig();
    send(rig, {first, second, mime_message("other")});
    EXPECT_EQ(rig.inbox("alice").size(), defect ? 2U : 3U);
  }
}

TEST(DeliveryDefects, Duplicate) {
  auto rig = Rig::with_defect("delivery.duplicate");
  send(rig, {mime_message()});
  const auto both = rig.inbox("alice");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0], both[1]);
}

TEST(DeliveryDefects, Content) {
  auto cut = Rig::with_defect("delivery.loses-last-line");
  send(cut, {mime_message()});
  EXPECT_THAT(cut.inbox("alice").front(), Not(HasSubstr("--=_b1--")));
  EXPECT_TRUE(cut.inbox("alice").front().ends_with("RlY29k\r\n"));
  auto stripped = Rig::with_defect("delivery.strips-eighth-bit");
  send(stripped, {mime_message()});
  EXPECT_THAT(stripped.inbox("alice").front(), HasSubstr("GrC<C\x1f"
                                                         "e aus KC6ln"));
}

TEST(DeliveryDefects, CrossAccountCopy) {
  auto rig = Rig::with_defect("delivery.cross-account-copy");
  send(rig, {mime_message()});
  EXPECT_EQ(rig.inbox("alice").size(), 1U);
  EXPECT_EQ(rig.inbox("bob"), rig.inbox("alice"));
  EXPECT_TRUE(rig.inbox("small").empty());
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  transact(client, "bob@example.test", {"small@example.test"}, text_message(500));
  EXPECT_EQ(rig.inbox("alice").size(), 2U) << "the first account is next to the last";
}

TEST(DeliveryDefects, LmtpReplies) {
  const auto replies = [](std::string_view defect) {
    auto options = rig_options();
    if (!defect.empty()) options.defects.emplace(defect);
    Rig rig(std::move(options));
    auto client = lmtp(rig);
    client.say("LHLO client.example.test");
    return transact(client, "bob@example.test", {"small@example.test", "alice@example.test"}, text_message(66'000));
  };
  EXPECT_THAT(replies(""), ::testing::MatchesRegex("552 [^\r]*\r\n250 [^\r]*\r\n"));
  EXPECT_THAT(replies("delivery.wrong-lmtp-reply-order"), ::testing::MatchesRegex("250 [^\r]*\r\n552 [^\r]*\r\n"));
  EXPECT_THAT(replies("delivery.one-lmtp-reply-for-all"), ::testing::MatchesRegex("552 [^\r]*\r\n"));
}

}  // namespace
}  // namespace mailproof::server
