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

TEST(WireLog, SaysInWhichLineWhatStandsAtAPlaceIs) {
  WireLog log(1000);
  log.received("* OK ready\r\n", at(1));
  log.sent("a1 NOOP\r\n", false, at(2));
  log.received("* 1 EXISTS\r\n* 1 RECENT\r\na1 OK\r\n", at(3));
  const std::uint64_t third = log.here().offset;
  log.sent("a2 LOGOUT\r\n", false, at(4));
  const WireLog::Printed printed = log.printed();
  EXPECT_EQ(printed.text, log.all());
  ASSERT_EQ(printed.lines.size(), 4U);
  EXPECT_EQ(printed.lines[2], (std::pair<std::uint64_t, std::uint32_t>(third, 3)));
  EXPECT_EQ(printed.lines[3].second, 6U);
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

SecretMask correct_horse() {
  SecretMask mask;
  mask.add("alice", Secret("correct-horse"));
  return mask;
}

/// However the reads cut it: the server's echo of a login is no secret to its network.
TEST(WireLog, WhatTheServerEchoesIsMaskedAtEveryCut) {
  const SecretMask mask = correct_horse();
  const std::string said = "-ERR 'correct-horse' is wrong, as is AGFsaWNlAGNvcnJlY3QtaG9yc2U=\r\n";
  for (std::size_t cut = 1; cut < said.size(); ++cut) {
    WireLog log(100'000, &mask);
    log.received(said.substr(0, cut), at(1));
    log.sent("NOOP\r\n", false, at(2));
    log.received(said.substr(cut), at(3));
    const std::string all = log.all();
    std::string server;
    for (std::size_t i = 0; i < all.size(); i = all.find('\n', i) + 1)
      if (all.substr(i + 6, 1) == "S") server += all.substr(i + 9, all.find('\n', i) - i - 9);
    EXPECT_EQ(server, "-ERR '***' is wrong, as is ***") << cut;
    EXPECT_EQ(log.excerpt(log.here(), 0).find("horse"), std::string::npos) << cut;
    EXPECT_EQ(log.excerpt(log.here(), 0).find("b3JzZ"), std::string::npos) << cut;
  }
}

TEST(WireLog, WhatTheServerEchoesOctetByOctetIsMasked) {
  const SecretMask mask = correct_horse();
  WireLog log(100'000, &mask);
  for (const char c : std::string_view("<correct-horse>")) log.received(std::string(1, c), at(1));
  EXPECT_EQ(log.all(), "0.001 S: <\n0.001 S: ***\n0.001 S: >\n");
}

/// A long chunk keeps head and tail only, and the oldest go: neither leaves a half of one.
TEST(WireLog, NoCutOfOurOwnLeavesAHalf) {
  const SecretMask mask = correct_horse();
  for (std::size_t before = 700; before < 800; ++before) {
    WireLog log(100'000, &mask);
    log.received(std::string(before, 'x') + " correct-horse " + std::string(5000, 'y'), at(1));
    EXPECT_EQ(log.all().find("corr"), std::string::npos) << before;
    EXPECT_EQ(log.all().find("orse"), std::string::npos) << before;
    WireLog end(100'000, &mask);
    end.received(std::string(5000, 'y') + " correct-horse " + std::string(before - 500, 'x'), at(1));
    EXPECT_EQ(end.all().find("corr"), std::string::npos) << before;
    EXPECT_EQ(end.all().find("orse"), std::string::npos) << before;
  }
  for (std::size_t cut = 1; cut < 13; ++cut) {
    WireLog log(300, &mask);
    log.received(std::string(250, 'x') + std::string("correct-horse").substr(0, cut), at(1));
    log.received(std::string("correct-horse").substr(cut) + " " + std::string(250, 'y'), at(2));
    EXPECT_TRUE(log.all().starts_with("(older lines were not kept)\n0.002 S: *** y")) << log.all();
  }
}

TEST(WireLog, NoCiReadsACommandInIt) {
  WireLog log(1000);
  log.received("* OK ##[error]::warning::x\r\n", at(1));
  EXPECT_EQ(log.all(), "0.001 S: * OK #\\x23[error]:\\x3awarning:\\x3ax\n");
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
