#include "report/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::report {
namespace {

using history::Event;
using history::Type;
using history::What;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A phone on IMAP, a PC on POP3 and the audit; events a millisecond apart.
class Story {
 public:
  Story() {
    history.info.accounts = {{"alice", "user0001", "user0001@example.test", {}, 0}};
    history.info.devices = {{"audit", history::DeviceKind::auditor, 1, ""},
                            {"phone", history::DeviceKind::imap, 1, ""},
                            {"pc", history::DeviceKind::pop3, 1, ""}};
    history.add_session({"phone#1", 2, Protocol::imap, 1, 0, "imap sim:143"});
    history.add_session({"pc#1", 3, Protocol::pop3, 1, 0, "pop3 sim:110"});
    history.add_session({"audit#1", 0, Protocol::imap, 1, 1, "imap sim:143"});
    history.add_message({"mail", 1});
  }

  Event& add(Type type, What what, std::uint32_t session, std::string text = "", std::uint32_t command = 0) {
    Event e;
    e.at = Time(std::chrono::milliseconds(++ms_));
    e.type = type;
    e.what = what;
    e.session = session;
    e.text = std::move(text);
    e.command = command != 0 ? command : ms_;
    pending_.push_back(e);
    return pending_.back();
  }

  Lanes drawn(std::size_t most = 100) {
    for (auto& e : pending_) history.append(e);
    pending_.clear();
    return lanes_of(history, most);
  }

  history::History history;

 private:
  std::uint32_t ms_ = 0;
  std::deque<Event> pending_;
};

std::vector<std::string> texts(const Lanes& lanes) {
  std::vector<std::string> out;
  for (const auto& event : lanes.events)
    out.push_back((event.lane == Lanes::kAll ? "*" : lanes.names.at(event.lane)) + ": " + event.text);
  return out;
}

TEST(Lanes, AreTheDevicesAndTheAuditLast) { EXPECT_THAT(Story().drawn().names, ElementsAre("phone", "pc", "audit")); }

TEST(Lanes, AnAnswerStandsBesideWhatWasAsked) {
  Story story;
  Event& asked = story.add(Type::invoke, What::dele, 2);
  asked.seq = 1;
  asked.message = 1;
  story.add(Type::ok, What::dele, 2, "marked", 1);
  const Lanes lanes = story.drawn();
  EXPECT_THAT(texts(lanes), ElementsAre("pc: DELE 1 mail.1 \xe2\x86\x92 ok: marked"));
  EXPECT_EQ(lanes.events[0].kind, Lanes::Kind::ok);
  EXPECT_DOUBLE_EQ(lanes.events[0].at, 0.001);
}

TEST(Lanes, WhatSelectTellsIsOfTheMailbox) {
  Story story;
  story.add(Type::invoke, What::select, 1).mailbox = "INBOX";
  Event& told = story.add(Type::ok, What::select, 1, "[READ-WRITE] done", 1);
  told.mailbox = "INBOX";
  told.facts = history::SelectFacts{2, 17, 0};
  EXPECT_THAT(texts(story.drawn()),
              ElementsAre("phone: SELECT INBOX \xe2\x86\x92 ok EXISTS 2 UIDNEXT 17: [READ-WRITE] done"));
}

TEST(Lanes, TheFinalDotAndACleanEndMakeNoEntriesOfTheirOwn) {
  Story story;
  story.add(Type::invoke, What::deliver, 2, "lmtp").message = 1;
  story.add(Type::obs, What::final_dot, 2, "", 1).message = 1;
  story.add(Type::ok, What::deliver, 2, "saved", 1);
  story.add(Type::obs, What::end, 2, "QUIT").flags = "clean";
  story.add(Type::obs, What::end, 1, "reset by peer").flags = "broken";
  EXPECT_THAT(texts(story.drawn()), ElementsAre("pc: DELIVER mail.1 lmtp, final dot sent \xe2\x86\x92 ok: saved",
                                                "phone: end (broken): reset by peer"));
}

TEST(Lanes, WhatAnotherDoesInBetweenStandsInBetween) {
  Story story;
  story.add(Type::invoke, What::quit, 2);
  story.add(Type::obs, What::vanished, 1).set = "7";
  story.add(Type::fail, What::quit, 2, "-ERR no", 1);
  const Lanes lanes = story.drawn();
  EXPECT_THAT(texts(lanes), ElementsAre("pc: QUIT", "phone: vanished 7", "pc: QUIT \xe2\x86\x92 fail: -ERR no"));
  EXPECT_EQ(lanes.events[0].kind, Lanes::Kind::asked);
  EXPECT_EQ(lanes.events[1].kind, Lanes::Kind::saw);
  EXPECT_EQ(lanes.events[2].kind, Lanes::Kind::refused);
}

TEST(Lanes, RowsOfOneKindAreCounted) {
  Story story;
  for (std::uint32_t uid = 1; uid <= 40; ++uid) story.add(Type::obs, What::row, 1).uid = uid;
  story.add(Type::obs, What::exists, 1).facts = history::ExistsFacts{40, 0};
  EXPECT_THAT(texts(story.drawn()), ElementsAre("phone: 40 \xc3\x97 row; the last: row UID 40", "phone: exists 40"));
}

TEST(Lanes, StepsGoAcrossAndExpectationsSayWhatBecameOfThem) {
  Story story;
  story.add(Type::obs, What::step, 0, "phone: {see: mail, within: 5s}").step = 1;
  story.add(Type::expect, What::see, 1, "phone: {see: mail, within: 5s}");
  story.add(Type::fail, What::see, 1, "", 2).set = "1";
  const Lanes lanes = story.drawn();
  EXPECT_THAT(texts(lanes), ElementsAre("*: step 1: phone: {see: mail, within: 5s}",
                                        "phone: missed: phone: {see: mail, within: 5s}: mail.1"));
  EXPECT_EQ(lanes.events[0].kind, Lanes::Kind::step);
  EXPECT_EQ(lanes.events[1].kind, Lanes::Kind::missed);
}

TEST(Lanes, TheAuditIsNotToldWhileItGetsReady) {
  Story story;
  story.add(Type::invoke, What::connect, 3, "imap sim:143");
  story.add(Type::ok, What::connect, 3, "", 1);
  story.add(Type::invoke, What::examine, 3).mailbox = "INBOX";
  EXPECT_THAT(texts(story.drawn()), ElementsAre("audit: EXAMINE INBOX"));
}

TEST(Lanes, ALongStoryKeepsItsBeginningAndItsEnd) {
  Story story;
  for (int i = 1; i <= 100; ++i) story.add(Type::invoke, What::retr, 2).seq = static_cast<std::uint32_t>(i);
  const Lanes lanes = story.drawn(20);
  ASSERT_EQ(lanes.events.size(), 20U);
  EXPECT_EQ(lanes.left_out, 80U);
  EXPECT_EQ(lanes.gap, 15U);
  EXPECT_EQ(lanes.events[14].text, "RETR 15");
  EXPECT_EQ(lanes.events[15].text, "RETR 96");
  EXPECT_EQ(lanes.events.back().text, "RETR 100");
}

TEST(Lanes, LongAnswersAreShort) {
  Story story;
  story.add(Type::invoke, What::noop, 1);
  story.add(Type::fail, What::noop, 1, std::string(10000, 'x'), 1);
  const Lanes lanes = story.drawn();
  ASSERT_EQ(lanes.events.size(), 1U);
  EXPECT_LT(lanes.events[0].text.size(), 200U);
  EXPECT_THAT(lanes.events[0].text, StartsWith("NOOP"));
  EXPECT_THAT(lanes.events[0].text, HasSubstr("..."));
}

}  // namespace
}  // namespace mailproof::report
