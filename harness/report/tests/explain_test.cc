#include "report/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace mailproof::report {
namespace {

using history::Event;
using history::Type;
using history::What;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A message to alice that a phone sees, and that nobody finds any more.
class Story {
 public:
  Story() : ledger(history) {
    history.listen([this](const Event& e) { ledger.apply(e); });
    history.info.scenario = "test.story";
    history.info.accounts = {{"alice", "user0001", "user0001@example.test", {}, 0}};
    history.info.devices = {{"mta", history::DeviceKind::deliverer, 0, ""},
                            {"phone", history::DeviceKind::imap, 1, ""}};
    history.add_session({"mta#1", 1, Protocol::lmtp, 0, 0, "lmtp sim:24"});
    history.add_session({"phone#1", 2, Protocol::imap, 1, 0, "imap sim:143"});
    history.add_message({"mail", 1});
    history.add_message({"mail", 2, 0, 0, 0, 0, 0, 0, 0, 0, "<b>Rechnung</b>"});
    deliver(1);
    deliver(2);
    add(Type::invoke, What::select, 2).mailbox = "INBOX";
    Event opened = next(Type::ok, What::select, 2);
    opened.command = last();
    opened.mailbox = "INBOX";
    opened.uidvalidity = 1;
    append(opened);
    Event seen = next(Type::obs, What::message, 2);
    seen.message = 1;
    seen.mailbox = "INBOX";
    seen.uidvalidity = 1;
    seen.uid = 7;
    seen.code = "header";
    seen.raw = {40, 10};
    append(seen);
  }

  Explanation explained(std::uint32_t message, std::vector<judge::Finding> findings = {}) const {
    return explain(history, ledger, message, findings, [](const Event& e) -> std::optional<WirePlace> {
      if (e.raw.length == 0) return std::nullopt;
      return WirePlace{"wire/1/phone.log", 3, 5};
    });
  }
  judge::Finding finding(const std::string& finding_class, judge::Severity severity = judge::Severity::fail) const {
    judge::Finding out;
    out.id = "test.story/" + finding_class;
    out.severity = severity;
    out.actual = "what was seen";
    out.messages = {"mail.1"};
    out.reproduce = "mailproof run test.story --sim";
    return out;
  }

  history::History history;
  history::Ledger ledger;

 private:
  Event next(Type type, What what, std::uint32_t session) {
    Event e;
    e.at = Time(std::chrono::milliseconds(history.events().size() + 1));
    e.type = type;
    e.what = what;
    e.session = session;
    return e;
  }
  Event& add(Type type, What what, std::uint32_t session) {
    return const_cast<Event&>(history.append(next(type, what, session)));
  }
  void append(Event e) { history.append(std::move(e)); }
  std::uint32_t last() const { return static_cast<std::uint32_t>(history.events().size()); }
  void deliver(std::uint32_t message) {
    Event asked = next(Type::invoke, What::deliver, 1);
    asked.message = message;
    append(asked);
    Event answer = next(Type::ok, What::deliver, 1);
    answer.command = last();
    answer.message = message;
    answer.account = 1;
    answer.code = "2.0.0";
    answer.facts = history::ReplyFacts{250};
    append(answer);
  }
};

TEST(Explain, TellsEachLineWithItsSessionAndItsPlace) {
  const Explanation one = Story().explained(1);
  ASSERT_EQ(one.lines.size(), 2U);
  EXPECT_EQ(one.lines[0].word, "accepted");
  EXPECT_EQ(one.sessions.at(one.lines[0].session - 1).label, "mta#1");
  EXPECT_FALSE(one.lines[0].wire);
  EXPECT_EQ(one.lines[1].word, "visible");
  EXPECT_EQ(one.lines[1].wire->first, 3U);
  EXPECT_EQ(one.sessions.at(one.lines[1].session - 1).log, "wire/1/phone.log");
  const std::string text = explanations_text({"runs/x", {one}, 0});
  EXPECT_THAT(text, HasSubstr("mail.1 of test.story: still there\n"));
  EXPECT_THAT(text, HasSubstr("0.002 s  certain   accepted    mta#1     LMTP 250 2.0.0 for alice  [event 2]\n"));
  EXPECT_THAT(text, HasSubstr("certain   visible     phone#1   INBOX UID 7  [lines 3-5]\n"));
  EXPECT_THAT(text, HasSubstr("    phone#1  imap sim:143  runs/x/wire/1/phone.log\n"));
  EXPECT_THAT(text, HasSubstr("    mta#1    lmtp sim:24   its bytes were not kept\n"));
}

TEST(Explain, NamesWhatARecordingLeavesOpen) {
  Story story;
  EXPECT_TRUE(story.explained(1).not_known.empty()) << "it was played";
  story.history.info.recorded = true;
  EXPECT_THAT(story.explained(1).not_known, ElementsAre(HasSubstr("sessions did that were not heard")));
  story.history.info.all_clients = true;
  EXPECT_TRUE(story.explained(1).not_known.empty()) << "it was handed over, seen, and nobody else was there";
  Event end;
  end.at = Time(std::chrono::seconds(1));
  end.what = What::end;
  end.session = 2;
  end.code = "blind";
  end.text = "a packet is missing";
  story.history.append(end);
  const Explanation one = story.explained(1);
  EXPECT_THAT(one.not_known, ElementsAre("what phone#1 did after 1.000 s: a packet is missing"));
  EXPECT_THAT(explanations_text({"runs/x", {one}, 0}), HasSubstr("  Not known:   what phone#1 did after 1.000 s"));
  EXPECT_THAT(explanations_html({"runs/x", {one}, 0}), HasSubstr("a packet is missing"));
}

/// Lines as Dovecot 2.3 and Postfix 3.7 have written them, with what Recording::witness() makes of them.
struct Logged {
  const char *code, *mailbox;
  std::uint32_t uid;
  const char* text;
};
constexpr Logged kSent = {"delivered", "", 0,
                          "postfix/lmtp[812]: 4f6a: to=<user0001@example.test>, relay=mail, dsn=2.0.0, status=sent "
                          "(250 2.0.0 <user0001> Saved)"};
constexpr Logged kSaved = {"delivered", "INBOX", 0,
                           "lmtp(user0001)<813><YB+s>: Info: msgid=<1@x>: saved mail to INBOX"};
constexpr Logged kSavedToo = {"saved", "INBOX", 7,
                              "lmtp(user0001)<813><YB+s>: Info: save: box=INBOX, uid=7, msgid=<1@x>, size=812"};
constexpr Logged kCopied = {
    "copied", "Archive", 3,
    "imap(user0001)<820><qEb>: Info: copy from INBOX: box=Archive, uid=3, msgid=<1@x>, size=812"};
constexpr Logged kExpunged = {"expunged", "INBOX", 7,
                              "pop3(user0001)<822><q0Fc>: Info: expunge: box=INBOX, uid=7, msgid=<1@x>, size=812"};
constexpr Logged kByItself = {"expunged", "INBOX", 7,
                              "lmtp(user0001)<813><YB+s>: Info: expunge: box=INBOX, uid=7, msgid=<1@x>, size=812"};
constexpr Logged kDeferred = {
    "deferred", "", 0,
    "postfix/lmtp[812]: 4f6a: to=<user0001@example.test>, relay=mail, dsn=4.2.2, status=deferred (452 4.2.2 full)"};
constexpr Logged kBounced = {
    "bounced", "", 0,
    "postfix/lmtp[812]: 4f6a: to=<user0001@example.test>, relay=mail, dsn=5.2.2, status=bounced (552 5.2.2 full)"};

TEST(Explain, WhatNobodyHeardALogTells) {
  const auto of = [](std::uint32_t message, const std::vector<Logged>& lines) {
    Story story;
    for (const Logged& line : lines) {
      Event e;
      e.at = Time(std::chrono::seconds(10 + story.history.events().size()));
      e.type = Type::obs;
      e.what = What::observed;
      e.account = 1;
      e.message = message;
      e.code = line.code;
      e.mailbox = line.mailbox;
      e.uid = line.uid;
      e.text = line.text;
      story.history.append(std::move(e));
    }
    return story.explained(message);
  };
  const Explanation taken = of(2, {kSent, kSaved, kSavedToo, kExpunged});
  EXPECT_EQ(taken.verdict(), "removed by a client (inferred from a log)");
  EXPECT_THAT(
      taken.ends.at(0).logs,
      ElementsAre(HasSubstr("Postfix's log: delivered to alice at 1"), HasSubstr("Dovecot's log: saved in INBOX at"),
                  HasSubstr("by lmtp session YB+s"), HasSubstr("Dovecot's log: expunged from INBOX at")));
  EXPECT_THAT(taken.ends.at(0).logs.at(0), HasSubstr("(250 2.0.0 <user0001> Saved)"));
  EXPECT_THAT(taken.ends.at(0).logs.at(3), HasSubstr("by pop3 session q0Fc"));
  EXPECT_THAT(explanations_text({"runs/x", {taken}, 0}),
              HasSubstr("  Logged:      Dovecot's log: expunged from INBOX"));

  EXPECT_EQ(of(2, {kSent, kSaved}).verdict(), "unknown") << "nobody says what became of it then";
  EXPECT_EQ(of(2, {kSaved, kCopied, kExpunged}).verdict(), "unknown") << "the copy is somewhere";
  EXPECT_EQ(of(2, {kExpunged, kSaved}).verdict(), "unknown") << "it came again";
  EXPECT_EQ(of(2, {kSaved, kByItself}).verdict(), "unknown") << "no client's session did it";
  EXPECT_EQ(of(2, {kDeferred}).verdict(), "perhaps queued (inferred from a log)");
  EXPECT_EQ(of(2, {kDeferred, kBounced}).verdict(), "bounced (inferred from a log)");
  EXPECT_EQ(of(2, {kDeferred, kSent}).verdict(), "unknown");
  const Explanation seen = of(1, {kExpunged});
  EXPECT_EQ(seen.verdict(), "still there") << "what was heard comes before what was logged";
  EXPECT_THAT(seen.ends.at(0).logs, ElementsAre(HasSubstr("expunged from INBOX")));
}

TEST(Explain, EndsInWordsOfAFixedList) {
  std::set<std::string_view> all(endings().begin(), endings().end());
  EXPECT_EQ(all.size(), 11U);
  EXPECT_TRUE(all.contains(ending(Fate::lost)) && all.contains(ending(Fate::unknown)));
  Story story;
  EXPECT_EQ(story.explained(1).verdict(), "still there");
  EXPECT_EQ(story.explained(2).verdict(), "unknown") << "accepted, and nobody looked";
  const std::vector<std::pair<const char*, const char*>> marks_of = {
      {"content/altered", "altered"},
      {"duplicates/duplicated", "doubled"},
      {"duplicates/resurrected", "came back"},
      {"isolation/leak", "seen by somebody else"},
      {"removal/quit-ok-but-there", "not removed though asked for"},
      {"removal/more-than-marked", "taken though nobody asked"},
      {"removal/unasked", "taken though nobody asked"},
      {"expectation/delta-differs", "told wrongly"},
      {"view/exists-fell", "told wrongly"}};
  for (const auto& [finding_class, mark] : marks_of) {
    const Explanation one = story.explained(1, {story.finding(finding_class)});
    EXPECT_THAT(one.marks, ElementsAre(mark)) << finding_class;
    EXPECT_EQ(one.verdict(), std::string("still there, ") + mark);
    EXPECT_NE(std::find(marks().begin(), marks().end(), std::string_view(mark)), marks().end());
  }
  EXPECT_TRUE(story.explained(1, {story.finding("expectation/late", judge::Severity::latitude)}).marks.empty());
  EXPECT_TRUE(story.explained(1, {story.finding("content/altered", judge::Severity::inconclusive)}).marks.empty());
  EXPECT_TRUE(story.explained(2, {story.finding("content/altered")}).marks.empty()) << "it is about another message";
}

TEST(Explain, WhatDidNotEndAsExpectedIsNamedByAFinding) {
  Story story;
  EXPECT_TRUE(unexpected(story.history, story.ledger, {}).empty());
  const judge::Finding late = story.finding("expectation/late", judge::Severity::latitude);
  EXPECT_TRUE(unexpected(story.history, story.ledger, std::vector{late}).empty());
  EXPECT_THAT(unexpected(story.history, story.ledger, std::vector{story.finding("loss/lost")}), ElementsAre(1));
}

TEST(Explain, WhatWasFoundAndTheCommandStandInAllForms) {
  Story story;
  const Explanations all{"runs/x", {story.explained(1, {story.finding("content/altered")})}, 3};
  for (const std::string& text : {explanations_text(all), explanations_json(all), explanations_html(all)}) {
    EXPECT_THAT(text, HasSubstr("test.story/content/altered"));
    EXPECT_THAT(text, HasSubstr("mailproof run test.story --sim"));
  }
  EXPECT_THAT(explanations_text(all), HasSubstr("3 more are not told here"));
  const auto json = nlohmann::json::parse(explanations_json(all));
  EXPECT_EQ(json["messages"][0]["verdict"], "still there, altered");
  EXPECT_EQ(json["messages"][0]["life"][1]["wire"]["first"], 3);
  EXPECT_EQ(json["messages"][0]["life"][1]["sure"], "certain");
  EXPECT_EQ(json["left_out"], 3);
}

TEST(Explain, OfWhatWasSeenOfSeveralMessagesItTellsOnlyItsOwn) {
  Story story;
  judge::Finding both = story.finding("loss/lost");
  both.actual = "mail.12 is gone\nmail.1 is gone, too\nmail.1";
  EXPECT_EQ(story.explained(1, {both}).found.at(0).actual, "mail.1 is gone, too\nmail.1");
  both.actual = "nobody knows";
  EXPECT_EQ(story.explained(1, {both}).found.at(0).actual, "nobody knows");
}

TEST(Explain, ThePageDrawsALaneForEachSessionAndNothingThatAServerSaidIsObeyed) {
  Story story;
  const std::string page = explanations_html({"runs/x", {story.explained(1), story.explained(2)}, 0});
  for (const char* lane : {">scenario</text>", ">mta#1 <title>", ">phone#1 <title>"})
    EXPECT_THAT(page, HasSubstr(lane));
  EXPECT_THAT(page, HasSubstr("<path class=\"way\" d=\"M126 125 V138 H156 V151\"/>"));
  EXPECT_THAT(page, HasSubstr("<circle class=\"certain\""));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;Rechnung&lt;/b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  for (const char* outside : {"http://", "https://", "src=", "<script"}) EXPECT_THAT(page, Not(HasSubstr(outside)));
}

}  // namespace
}  // namespace mailproof::report
