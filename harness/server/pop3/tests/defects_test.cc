#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Each test plays the same steps with and without the defect.
ServerOptions options_with(std::string_view defect) {
  auto options = rig_options();
  if (!defect.empty()) options.defects.emplace(defect);
  return options;
}

/// Three messages for alice.
struct Three : Rig {
  explicit Three(std::string_view defect) : Rig(options_with(defect)) {
    for (const auto* subject : {"one", "two", "three"}) append("alice", mime_message(subject));
  }
};

std::size_t left_after(std::string_view defect, const std::vector<std::string>& lines) {
  Three rig(defect);
  {
    auto client = pop3_login(rig, "alice");
    for (const auto& line : lines) client.say(line);
  }
  return rig.inbox("alice").size();
}

TEST(Pop3Defects, Removal) {
  EXPECT_EQ(left_after("", {"DELE 1"}), 3U);
  EXPECT_EQ(left_after("pop3.dele-without-quit", {"DELE 1"}), 2U);
  EXPECT_EQ(left_after("", {"DELE 1", "QUIT"}), 2U);
  EXPECT_EQ(left_after("pop3.quit-deletes-nothing", {"DELE 1", "QUIT"}), 3U);
  EXPECT_EQ(left_after("pop3.quit-deletes-more", {"DELE 1", "QUIT"}), 0U);
  EXPECT_EQ(left_after("pop3.quit-deletes-more", {"QUIT"}), 3U) << "only together with a DELE";
}

std::string answer(std::string_view defect, std::string_view line, std::string_view before = "NOOP") {
  Three rig(defect);
  auto client = pop3_login(rig, "alice");
  client.say(before);
  return client.say(line);
}

TEST(Pop3Defects, WhatTheSessionShows) {
  EXPECT_THAT(answer("", "RETR 1"), HasSubstr("--=_b1--\r\n.\r\n"));
  EXPECT_THAT(answer("pop3.retr-cut-at-dot-line", "RETR 1"), Not(HasSubstr("--=_b1--\r\n.\r\n")));
  EXPECT_TRUE(answer("pop3.retr-cut-at-dot-line", "RETR 1").ends_with("\xc3\xb6ln\r\n.\r\n"));
  EXPECT_EQ(answer("", "LIST 1"), fmt::format("+OK 1 {}\r\n", mime_message("one").size()));
  EXPECT_NE(answer("pop3.size-counts-lf", "LIST 1"), answer("", "LIST 1"));
  EXPECT_THAT(answer("", "LIST", "DELE 2"), Not(HasSubstr("\r\n2 ")));
  EXPECT_THAT(answer("pop3.list-shows-deleted", "LIST", "DELE 2"), HasSubstr("\r\n2 "));
  EXPECT_THAT(answer("", "STAT"), StartsWith("+OK 3 "));
  EXPECT_THAT(answer("pop3.hides-newest", "STAT"), StartsWith("+OK 2 "));
}

TEST(Pop3Defects, UniqueIds) {
  for (const bool defect : {false, true}) {
    Three rig(defect ? "pop3.uidl-changes" : "");
    const auto first = pop3_login(rig, "alice").say("UIDL");
    EXPECT_EQ(pop3_login(rig, "alice").say("UIDL") != first, defect);
  }
  Three rig("pop3.uidl-twice");
  auto client = pop3_login(rig, "alice");
  EXPECT_EQ(client.say("UIDL 3").substr(6), client.say("UIDL 2").substr(6));
  EXPECT_NE(client.say("UIDL 1").substr(6), client.say("UIDL 2").substr(6));
}

TEST(Pop3Defects, NumbersThatMove) {
  for (const bool defect : {false, true}) {
    Three rig(defect ? "pop3.renumbers-in-session" : "");
    auto client = pop3_login(rig, "alice");
    client.say("DELE 3");
    const Uid gone[] = {1};
    rig.store.expunge(rig.account("alice"), rig.account("alice").inbox(), gone);
    EXPECT_THAT(client.say("RETR 1"), HasSubstr(defect ? "Subject: two" : "Subject: one"));
    EXPECT_THAT(client.say("STAT"), StartsWith(defect ? "+OK 1 " : "+OK 2 "));
    client.say("QUIT");
    EXPECT_EQ(rig.inbox("alice").size(), 1U) << "the marks stay with their messages";
  }
}

TEST(Pop3Defects, ALockThatStays) {
  for (const bool defect : {false, true}) {
    Three rig(defect ? "pop3.lock-kept-after-drop" : "");
    pop3_login(rig, "alice").say("QUIT");
    pop3_login(rig, "alice").drop();
    auto client = pop3(rig);
    client.say("USER alice");
    EXPECT_THAT(client.say("PASS ecila"), StartsWith(defect ? "-ERR [IN-USE]" : "+OK"));
  }
}

}  // namespace
}  // namespace mailproof::server
