#include "server/store/quota.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// 8 KiB messages to small (64 KiB) until one is not accepted; what that one was answered, and how many were accepted.
struct Filled {
  std::string refusal;
  std::size_t accepted = 0;
};

Filled fill(Rig& rig, bool over_lmtp, std::size_t most = 20) {
  auto client = over_lmtp ? lmtp(rig) : smtp(rig);
  client.say(over_lmtp ? "LHLO client.example.test" : "EHLO client.example.test");
  Filled filled;
  for (; filled.accepted < most; ++filled.accepted) {
    filled.refusal = transact(client, "bob@example.test", {"small@example.test"}, text_message(8192));
    if (!filled.refusal.starts_with("250")) break;
  }
  return filled;
}

std::uint64_t sum(const std::vector<std::string>& messages) {
  std::uint64_t octets = 0;
  for (const auto& message : messages) octets += message.size();
  return octets;
}

TEST(Quota, RefusesWhatDoesNotFitAndTakesMailAgainOnceThereIsRoom) {
  for (const bool over_lmtp : {false, true}) {
    Rig rig;
    const auto filled = fill(rig, over_lmtp);
    EXPECT_EQ(filled.refusal, "552 5.2.2 <small@example.test> quota exceeded (mailbox is full)\r\n");
    EXPECT_EQ(filled.accepted, 7U);
    EXPECT_THAT(rig.inbox("small"), SizeIs(7));
    EXPECT_EQ(rig.account("small").usage(), sum(rig.inbox("small"))) << "trace fields count too";
    auto pop = pop3_login(rig, "small");
    pop.say("DELE 3");
    EXPECT_EQ(fill(rig, over_lmtp).accepted, 0U) << "marked is not yet removed";
    pop.say("QUIT");
    EXPECT_EQ(fill(rig, over_lmtp).accepted, 1U);
    rig.settle();
    EXPECT_THAT(rig.inbox("bob"), IsEmpty()) << "what was refused is not reported as well";
  }
}

TEST(Quota, ExactlyFullIsNotOver) {
  Rig rig;
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  transact(client, "bob@example.test", {"small@example.test"}, text_message(400));
  const auto trace = rig.inbox("small").front().size() - 400;
  const auto room = 65536 - 400 - trace - trace;
  EXPECT_THAT(transact(client, "bob@example.test", {"small@example.test"}, text_message(room + 1)), StartsWith("552"));
  EXPECT_THAT(transact(client, "bob@example.test", {"small@example.test"}, text_message(room)), StartsWith("250"));
  EXPECT_EQ(rig.account("small").usage(), 65536U);
}

TEST(Quota, TheDomainIsTheSecondLevel) {
  auto options = rig_options();
  options.domain_quota = 20'000;
  Rig rig(std::move(options));
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  EXPECT_THAT(transact(client, "bob@example.test", {"alice@example.test"}, text_message(15'000)), StartsWith("250"));
  EXPECT_THAT(transact(client, "bob@example.test", {"small@example.test"}, text_message(8'000)),
              StartsWith("552 5.2.2"));
  auto pop = pop3_login(rig, "alice");
  pop.say("DELE 1");
  pop.say("QUIT");
  EXPECT_THAT(transact(client, "bob@example.test", {"small@example.test"}, text_message(8'000)), StartsWith("250"));
}

TEST(QuotaLatitude, MayPutOffInsteadOfRefuse) {
  for (const bool over_lmtp : {false, true}) {
    auto rig = Rig::with_latitude("delivery.quota-tempfail");
    EXPECT_THAT(fill(rig, over_lmtp).refusal, StartsWith("452 4.2.2 "));
  }
}

TEST(QuotaDefects, WhatIsAccepted) {
  auto dropping = Rig::with_defect("quota.over-accepts-and-drops");
  EXPECT_EQ(fill(dropping, true, 10).accepted, 10U);
  EXPECT_EQ(fill(dropping, false, 10).accepted, 10U);
  dropping.settle();
  EXPECT_THAT(dropping.inbox("small"), SizeIs(7));
  EXPECT_THAT(dropping.inbox("bob"), IsEmpty());
  auto lax = Rig::with_defect("quota.not-enforced");
  EXPECT_EQ(fill(lax, true, 10).accepted, 10U);
  EXPECT_THAT(lax.inbox("small"), SizeIs(10));
  auto strict = Rig::with_defect("quota.refuses-with-room");
  const auto filled = fill(strict, true);
  EXPECT_EQ(filled.accepted, 3U);
  EXPECT_THAT(filled.refusal, StartsWith("552 5.2.2"));
  auto wrong = Rig::with_defect("quota.refuses-as-unknown-user");
  EXPECT_THAT(fill(wrong, true).refusal, StartsWith("550 5.1.1"));
}

TEST(QuotaDefects, NotFreedByExpunge) {
  for (const bool defect : {false, true}) {
    auto rig = defect ? Rig::with_defect("quota.not-freed-by-expunge") : Rig();
    fill(rig, true);
    auto pop = pop3_login(rig, "small");
    for (int i = 1; i <= 7; ++i) pop.say(fmt::format("DELE {}", i));
    pop.say("QUIT");
    EXPECT_THAT(rig.inbox("small"), IsEmpty());
    EXPECT_EQ(fill(rig, true).accepted, defect ? 0U : 7U);
  }
}

}  // namespace
}  // namespace mailproof::server
