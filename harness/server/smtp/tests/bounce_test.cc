#include "server/smtp/bounce.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kBounce = "delivery.bounce-instead-of-refuse";

/// One message that cannot fit, over SMTP, with these parameters of MAIL and RCPT.
std::string send_large(Rig& rig, std::string_view mail, std::string_view rcpt, std::string_view message) {
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  EXPECT_THAT(client.say(fmt::format("MAIL FROM:{}", mail)), StartsWith("250"));
  EXPECT_THAT(client.say(fmt::format("RCPT TO:{}", rcpt)), StartsWith("250"));
  client.say("DATA");
  return client.send(std::string(message) + ".\r\n");
}

std::string large(std::string_view subject = "too large") { return text_message(70'000, subject); }

TEST(Bounce, OneReportSoonAfterTheMessageWasAccepted) {
  auto rig = Rig::with_latitude(kBounce);
  EXPECT_THAT(send_large(rig, "<bob@example.test>", "<small@example.test>", large()), StartsWith("250 2.0.0 "));
  EXPECT_THAT(rig.inbox("bob"), IsEmpty());
  ASSERT_EQ(rig.delivery.deadline(), rig.now + Delivery::kReportDelay);
  rig.delivery.advance(rig.now + Delivery::kReportDelay - 1ns);
  EXPECT_THAT(rig.inbox("bob"), IsEmpty());
  rig.settle();
  EXPECT_THAT(rig.inbox("small"), IsEmpty());
  const auto inbox = rig.inbox("bob");
  ASSERT_THAT(inbox, SizeIs(1));
  const auto& report = inbox.front();
  EXPECT_THAT(report,
              StartsWith("Return-Path: <>\r\nDelivered-To: bob@example.test\r\nReceived: by mail.example.test"));
  for (const auto* line :
       {"Content-Type: multipart/report; report-type=delivery-status;", "Auto-Submitted: auto-replied",
        "Content-Type: message/delivery-status", "Reporting-MTA: dns; mail.example.test", "Action: failed",
        "Status: 5.2.2", "Final-Recipient: rfc822; small@example.test",
        "Diagnostic-Code: smtp; 552 5.2.2 quota exceeded (mailbox is full)", "Content-Type: text/rfc822-headers",
        "Subject: too large"}) {
    EXPECT_THAT(report, HasSubstr(fmt::format("\r\n{}\r\n", line)));
  }
  EXPECT_THAT(report, Not(HasSubstr("figures of this quarter"))) << "only the header comes back unasked";
  EXPECT_FALSE(rig.delivery.deadline());
}

TEST(Bounce, TheQueueTellsItsDriver) {
  struct Counter final : Waker {
    int calls = 0;
    void wake() override { ++calls; }
  } waker;
  auto rig = Rig::with_latitude(kBounce);
  rig.delivery.attach(&waker);
  send_large(rig, "<bob@example.test>", "<small@example.test>", text_message(500));
  EXPECT_EQ(waker.calls, 0);
  send_large(rig, "<bob@example.test>", "<small@example.test>", large());
  EXPECT_EQ(waker.calls, 1);
}

TEST(Bounce, CarriesWhatTheSenderAskedForInDsnParameters) {
  auto rig = Rig::with_latitude(kBounce);
  send_large(rig, "<bob@example.test> RET=FULL ENVID=QQ314159+2B", "<small@example.test> ORCPT=rfc822;Little+40x.test",
             large());
  rig.settle();
  ASSERT_THAT(rig.inbox("bob"), SizeIs(1));
  const auto report = rig.inbox("bob").front();
  EXPECT_THAT(report, HasSubstr("\r\nOriginal-Envelope-Id: QQ314159+\r\n"));
  EXPECT_THAT(report, HasSubstr("\r\nOriginal-Recipient: rfc822; Little@x.test\r\n"));
  EXPECT_THAT(report, HasSubstr("\r\nContent-Type: message/rfc822\r\n\r\n" + large()));
}

TEST(Bounce, IsNotWrittenWhereNobodyWantsIt) {
  auto rig = Rig::with_latitude(kBounce);
  send_large(rig, "<>", "<small@example.test>", large());
  send_large(rig, "<bob@example.test>", "<small@example.test> NOTIFY=NEVER", large());
  send_large(rig, "<bob@example.test>", "<small@example.test> NOTIFY=SUCCESS,DELAY", large());
  send_large(rig, "<someone@elsewhere.test>", "<small@example.test>", large());
  rig.settle();
  EXPECT_THAT(rig.inbox("bob"), IsEmpty());
  send_large(rig, "<bob@example.test>", "<small@example.test> NOTIFY=FAILURE", large());
  rig.settle();
  EXPECT_THAT(rig.inbox("bob"), SizeIs(1));
}

TEST(Bounce, VanishesWhenTheSenderIsFullToo) {
  auto rig = Rig::with_latitude(kBounce);
  rig.append("small", text_message(65'000));
  EXPECT_THAT(send_large(rig, "<small@example.test>", "<small@example.test>", text_message(3'000)), StartsWith("250"));
  rig.settle();
  EXPECT_THAT(rig.inbox("small"), SizeIs(1));
  EXPECT_FALSE(rig.delivery.deadline());
}

TEST(Bounce, MarksEightBitContent) {
  auto rig = Rig::with_latitude(kBounce);
  auto message = large();
  message.insert(message.find("\r\n\r\n") + 2, "X-Name: K\xc3\xb6ln\r\n");
  send_large(rig, "<bob@example.test>", "<small@example.test>", message);
  rig.settle();
  EXPECT_THAT(rig.inbox("bob"), ElementsAre(HasSubstr("Content-Transfer-Encoding: 8bit\r\n\r\nFrom: bob")));
}

/// SMTP has one reply for all: what only some had room for is accepted, and the others are reported together.
TEST(Bounce, SomeRecipientsWithoutRoomAreReportedInOneReport) {
  auto options = rig_options();
  options.accounts.push_back(
      {.login = "tiny", .address = "tiny@example.test", .password = Secret("ynit"), .quota = 1000});
  Rig rig(std::move(options));
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  EXPECT_THAT(
      transact(client, "bob@example.test", {"small@example.test", "alice@example.test", "tiny@example.test"}, large()),
      StartsWith("250 2.0.0"));
  rig.settle();
  EXPECT_THAT(rig.inbox("alice"), SizeIs(1));
  EXPECT_THAT(rig.inbox("small"), IsEmpty());
  ASSERT_THAT(rig.inbox("bob"), SizeIs(1));
  EXPECT_THAT(rig.inbox("bob").front(), HasSubstr("\r\n\r\nFinal-Recipient: rfc822; small@example.test\r\n"));
  EXPECT_THAT(rig.inbox("bob").front(), HasSubstr("\r\n\r\nFinal-Recipient: rfc822; tiny@example.test\r\n"));
}

TEST(Bounce, SuccessIsReportedWhereAskedFor) {
  Rig rig;
  send_large(rig, "<bob@example.test>", "<alice@example.test> NOTIFY=SUCCESS", large());
  rig.settle();
  ASSERT_THAT(rig.inbox("bob"), SizeIs(1));
  EXPECT_THAT(rig.inbox("bob").front(), HasSubstr("\r\nAction: delivered\r\nStatus: 2.0.0\r\n"));
}

TEST(Bounce, LmtpAnswersInsteadOfReporting) {
  auto rig = Rig::with_latitude(kBounce);
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  EXPECT_THAT(transact(client, "bob@example.test", {"small@example.test"}, large()), StartsWith("552 5.2.2"));
  rig.settle();
  EXPECT_THAT(rig.inbox("bob"), IsEmpty());
}

TEST(BounceDefects, Reports) {
  const auto reports = [](std::string_view defect, std::string_view reply) {
    auto rig = Rig::with_defect(defect);
    EXPECT_THAT(send_large(rig, "<bob@example.test>", "<small@example.test>", large()), StartsWith(std::string(reply)));
    rig.settle();
    return rig.inbox("bob");
  };
  EXPECT_THAT(reports("quota.bounce-never-sent", "250"), IsEmpty());
  EXPECT_THAT(reports("quota.two-bounces", "250"), SizeIs(2));
  EXPECT_THAT(reports("quota.bounce-after-refusal", "552"), SizeIs(1));
  EXPECT_THAT(reports("quota.bounce-wrong-status", "250"), ElementsAre(HasSubstr("\r\nStatus: 5.1.1\r\n")));
}

}  // namespace
}  // namespace mailproof::server
