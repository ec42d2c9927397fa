#include "core/deflate.h"

#include <gtest/gtest.h>

#include "core/deflate_peer.h"

namespace mailproof {
namespace {

std::string inflated(Inflater& inflater, std::string_view bytes, bool* whole = nullptr) {
  std::string out;
  const bool good = inflater.inflate(bytes, [&](std::string_view text) { out += text; });
  if (whole != nullptr) *whole = good;
  return out;
}

TEST(Deflate, WhatIsFlushedComesOutWholeHoweverItIsCut) {
  Deflater deflater;
  Inflater inflater;
  const std::string one = deflater.compress("a1 NOOP\r\n"), two = deflater.compress(std::string(100000, 'x') + "\r\n");
  EXPECT_LT(two.size(), 1000u);
  EXPECT_EQ(inflated(inflater, one), "a1 NOOP\r\n");
  std::string rest;
  for (const char c : two) rest += inflated(inflater, std::string_view(&c, 1));
  EXPECT_EQ(rest, std::string(100000, 'x') + "\r\n");
}

TEST(Deflate, WhatIsNoStreamIsSaidToBeNone) {
  Inflater inflater;
  bool whole = true;
  EXPECT_EQ(inflated(inflater, "\xff\xff\xff\xff", &whole), "");
  EXPECT_FALSE(whole);
}

/// Says what it hears, in angle brackets.
class Echo final : public Peer {
 public:
  void attach(Waker*) override {}
  void opened(Time) override { out.text("hello\r\n"); }
  void feed(Bytes in, Time) override {
    heard += as_text(in);
    out.text("<" + std::string(as_text(in)) + ">");
  }
  std::span<const Output> output() override { return out.output(); }
  void sent(std::size_t n, Time) override { out.sent(n); }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return {}; }
  void secured(const TlsFacts&, Time) override {}
  void ended(EndReason, std::string_view, Time) override {}
  Wants wants() const override { return Wants::nothing; }
  Outbox out;
  std::string heard;
};

std::string taken(Peer& peer, std::size_t most = std::string::npos) {
  std::string out;
  for (const Output& piece : peer.output()) out += as_text(piece.bytes);
  out.resize(std::min(most, out.size()));
  peer.sent(out.size(), {});
  return out;
}

TEST(DeflatePeer, WhatWasSaidBeforeGoesOutInClearTextAndAllElseDeflated) {
  Echo echo;
  DeflatePeer peer(echo);
  peer.opened({});
  peer.start();
  EXPECT_EQ(taken(peer, 3), "hel");
  Deflater client;
  peer.feed(as_bytes(client.compress("NOOP")), {});
  EXPECT_EQ(echo.heard, "NOOP");
  EXPECT_EQ(taken(peer), "lo\r\n");
  Inflater inflater;
  EXPECT_EQ(inflated(inflater, taken(peer)), "<NOOP>");
  EXPECT_EQ(taken(peer), "");
}

TEST(DeflatePeer, ClearTextWhereDeflatedIsDueIsToldOnceAndHeardByNobody) {
  Echo echo;
  DeflatePeer peer(echo);
  int told = 0;
  peer.on_garbage = [&] { ++told; };
  peer.start();
  peer.feed(as_bytes("* 1 EXISTS\r\n"), {});
  peer.feed(as_bytes("* 2 EXISTS\r\n"), {});
  EXPECT_EQ(told, 1);
  EXPECT_EQ(echo.heard, "");
}

}  // namespace
}  // namespace mailproof
