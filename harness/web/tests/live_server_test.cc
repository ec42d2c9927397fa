#include "web/live_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::web {
namespace {

using testing::HasSubstr;

TEST(ParseLive, TakesAnAddressAPortOrBoth) {
  EXPECT_EQ(parse_live("")->host, "127.0.0.1");
  EXPECT_EQ(parse_live("8080")->port, 8080);
  EXPECT_EQ(parse_live(":8080")->port, 8080);
  EXPECT_EQ(parse_live("localhost:8080")->host, "127.0.0.1");
  EXPECT_EQ(parse_live("[::1]:8080")->host, "::1");
  EXPECT_EQ(parse_live("[::1]:8080")->port, 8080);
  EXPECT_EQ(parse_live("127.0.0.2")->host, "127.0.0.2");
}

TEST(ParseLive, RefusesWhatIsNone) {
  for (const char* const text :
       {"mixed.pop-download-empties-the-phone", "127.0.0.1:99999", "127.0.0.1:x", "mail.example.test:80"}) {
    const auto out = parse_live(text);
    ASSERT_FALSE(out) << text;
    EXPECT_THAT(out.error().message(), HasSubstr("expected an address and a port")) << text;
  }
}

/// Loopback alone is let in without a token.
TEST(ParseLive, WhatOthersCanReachGetsAToken) {
  EXPECT_TRUE(parse_live("127.9.9.9:1")->token.empty());
  const auto all = parse_live("0.0.0.0:8080"), other = parse_live("[::]:8080");
  EXPECT_EQ(all->token.size(), 32U);
  EXPECT_EQ(other->token.size(), 32U);
  EXPECT_NE(all->token, other->token);
}

TEST(LiveServer, SaysWhatIsInTheWay) {
  const auto first = LiveServer::start({}, "page");
  ASSERT_TRUE(first);
  const std::string url = (*first)->url();
  LiveOptions same;
  same.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto second = LiveServer::start(same, "page");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("cannot listen there"));
  LiveOptions open_to_all;
  open_to_all.host = "0.0.0.0";
  EXPECT_FALSE(LiveServer::start(open_to_all, "page"));
}

}  // namespace
}  // namespace mailproof::web
