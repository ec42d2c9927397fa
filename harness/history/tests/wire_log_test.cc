#include "history/wire_log.h"

#include <gtest/gtest.h>

#include "core/outbox.h"

namespace mailproof::history {
namespace {

Time at(int ms) { return Time(std::chrono::milliseconds(ms)); }

TEST(WireLog, PrintsBothSidesWithTimes) {
  WireLog log(1000);
  log.received("* OK ready\r\n", at(1));
  log.sent("a1 NOOP\r\n", false, at(2));
  EXPECT_EQ(log.all(), "0.001 S: * OK ready\n0.002 C: a1 NOOP\n");
}

TEST(WireLog, SecretsNeverAppear) {
  WireLog log(1000);
  log.sent("hunter2", true, at(1));
  EXPECT_EQ(log.all().find("hunter2"), std::string::npos);
}

TEST(WireLog, IsBoundedAndSaysSo) {
  WireLog log(4096);
  for (int i = 0; i < 10'000; ++i) log.received("* 1 EXISTS of many\r\n", at(i));
  EXPECT_LT(log.all().size(), 16'000U);
  EXPECT_TRUE(log.all().starts_with("(older lines were not kept)\n"));
  log.received(std::string(1U << 20, 'x') + "\r\n", at(10'000));
  EXPECT_NE(log.all().find("octets ...]"), std::string::npos);
  EXPECT_LT(log.all().size(), 16'000U);
}

TEST(WireLog, AnExcerptShowsThePlaceAndWhatCameBefore) {
  WireLog log(100'000);
  WireRef place;
  for (int i = 0; i < 50; ++i) {
    log.received("* " + std::to_string(i) + " EXISTS\r\n", at(i));
    if (i == 20) place = log.here();
  }
  EXPECT_EQ(log.excerpt(place, 2), "0.018 S: * 18 EXISTS\n0.019 S: * 19 EXISTS\n0.020 S: * 20 EXISTS\n");
  EXPECT_EQ(log.excerpt(place, 40, 1), "0.020 S: * 20 EXISTS\n");
}

TEST(WireLog, AnExcerptLeavesOutTheMiddleOfABody) {
  WireLog log(100'000);
  std::string body;
  for (int i = 1; i <= 20; ++i) body += "line " + std::to_string(i) + "\r\n";
  log.sent(body, false, at(1));
  EXPECT_EQ(log.excerpt(log.here()),
            "0.001 C: line 1\n0.001 C: line 2\n0.001 C: [... 16 lines ...]\n0.001 C: line 19\n0.001 C: line 20\n");
  EXPECT_NE(log.all().find("line 10"), std::string::npos);
}

/// A peer that only has output.
class Talker final : public Peer {
 public:
  Outbox box;
  void attach(Waker*) override {}
  void opened(Time) override {}
  void feed(Bytes, Time) override {}
  std::span<const Output> output() override { return box.output(); }
  void sent(std::size_t n, Time) override { box.sent(n); }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts&, Time) override {}
  void ended(EndReason, std::string_view, Time) override {}
  Wants wants() const override { return Wants::nothing; }
};

TEST(RecordedPeer, WritesDownWhatReallyWentOutWithoutTheSecret) {
  Talker talker;
  WireLog log(1000);
  RecordedPeer recorded(talker, log);
  talker.box.text("PASS ");
  talker.box.secret("hunter2");
  talker.box.text("\r\n");
  recorded.sent(8, at(1));  // in the middle of the secret
  recorded.sent(6, at(2));
  EXPECT_TRUE(talker.box.empty());
  EXPECT_NE(log.all().find("PASS"), std::string::npos);
  for (const char* part : {"hun", "ter2", "hunter2"}) EXPECT_EQ(log.all().find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace mailproof::history
