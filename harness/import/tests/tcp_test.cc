#include "import/read/tcp.h"

#include <gtest/gtest.h>

namespace mailproof::imports {
namespace {

TEST(TcpDirection, PutsSegmentsInOrderWhateverTheirOrder) {
  TcpDirection way;
  way.begin(999);
  EXPECT_EQ(way.segment(1000, "ab"), "ab");
  EXPECT_EQ(way.segment(1004, "ef"), "");
  EXPECT_FALSE(way.has_all_before(1006));
  EXPECT_EQ(way.segment(1002, "cd"), "cdef");
  EXPECT_TRUE(way.has_all_before(1006));
}

TEST(TcpDirection, WhatComesAgainIsReadOnce) {
  TcpDirection way;
  way.begin(0);
  EXPECT_EQ(way.segment(1, "abc"), "abc");
  EXPECT_EQ(way.segment(1, "abc"), "");
  EXPECT_EQ(way.segment(2, "bcde"), "de");  // put together anew by the sender
  EXPECT_EQ(way.segment(0, "x"), "");       // keep-alive
}

TEST(TcpDirection, NumbersGoRound) {
  TcpDirection way;
  way.begin(0xfffffffdU);
  EXPECT_EQ(way.segment(0xfffffffeU, "abcd"), "abcd");
  EXPECT_EQ(way.segment(2, "ef"), "ef");
  EXPECT_TRUE(way.has_all_before(4));
  EXPECT_FALSE(way.has_all_before(5));
}

TEST(TcpDirection, WithoutTheBeginningTheFirstSegmentIsIt) {
  TcpDirection way;
  EXPECT_TRUE(way.has_all_before(7));
  EXPECT_EQ(way.segment(500, "cd"), "cd");
  EXPECT_EQ(way.segment(498, "ab"), "");
  EXPECT_EQ(way.segment(502, "ef"), "ef");
}

}  // namespace
}  // namespace mailproof::imports
