#include "archive/jsonl_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "archive/jsonl.h"

namespace mailproof::archive {
namespace {

using history::DeviceKind;
using history::Event;
using history::Type;
using history::What;

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Read {
  ReadRun run;
  std::string wrong;
};

Read read(std::string_view text) {
  JsonlReader reader;
  reader.begin_file("h");
  Read out;
  while (!text.empty() && out.wrong.empty()) {
    const auto end = text.find('\n');
    if (const auto wrong = reader.take(text.substr(0, end))) out.wrong = wrong->message();
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  out.run = std::move(reader.run);
  return out;
}

Event event(int ms, Type type, What what, std::uint32_t session = 0, std::uint32_t command = 0) {
  Event e;
  e.at = Time(std::chrono::milliseconds(ms));
  e.type = type;
  e.what = what;
  e.session = session;
  e.command = command;
  return e;
}

/// An account, a phone, an IMAP and a POP3 session, a message, a command with its answer.
History sample(const std::string& scenario = "mixed.one") {
  History h;
  h.info.scenario = scenario;
  h.info.pop3_delete = Pop3Delete::to_trash;
  h.info.pop3_download = Pop3Download::removes;
  h.info.gives_up_after = std::chrono::minutes(5);
  h.info.customers = {{"acme", 1024}};
  h.info.accounts = {{"alice", "user0001", "user0001@example.test", 1024, 1}};
  h.info.devices = {{"phone", DeviceKind::imap, 1, ""}, {"pc", DeviceKind::pop3, 1, "keep"}};
  h.info.steps = {"phone: {see: mail}"};
  h.add_session({"phone#1", 1, Protocol::imap, 1, 0, "imap 127.0.0.1:143"});
  h.add_session({"pc#1", 2, Protocol::pop3, 1, 0, "pop3 127.0.0.1:110"});
  MessageInfo message;
  message.set = "mail";
  message.index = 1;
  message.sender = 1;
  h.add_message(message);
  h.append(event(1, Type::invoke, What::select, 1));
  Event row = event(2, Type::obs, What::row, 1, 1);
  row.uid = 7;
  row.raw = {12, 3};
  h.append(row);
  h.append(event(3, Type::ok, What::select, 1, 1));
  Event see = event(4, Type::expect, What::see, 1);
  see.set = "1";
  see.step = 1;
  see.facts = history::BoundFacts{std::chrono::seconds(5)};
  h.append(see);
  return h;
}

std::string written(const std::string& scenario = "mixed.one") {
  return write_all(sample(scenario), std::chrono::milliseconds(4));
}

std::string with(std::string text, std::string_view instead_of, std::string_view put) {
  const auto at = text.find(instead_of);
  EXPECT_NE(at, std::string::npos) << instead_of;
  return at == std::string::npos ? text : text.replace(at, instead_of.size(), put);
}

TEST(JsonlReader, ReadsBackWhatWasWritten) {
  const std::string text = written();
  const Read back = read("{\"run\":{\"histories\":1}}\n" + text);
  ASSERT_EQ(back.wrong, "");
  EXPECT_TRUE(back.run.marked);
  EXPECT_EQ(back.run.expected, 1U);
  ASSERT_EQ(back.run.histories.size(), 1U);
  EXPECT_TRUE(back.run.histories[0].whole);
  EXPECT_EQ(back.run.histories[0].broken, "");
  EXPECT_EQ(write_all(*back.run.histories[0].history, std::chrono::milliseconds(4)), text);
}

/// Each of them was, or could have been, an index out of range for whoever reads the history afterwards.
TEST(JsonlReader, EveryReferenceIsOneOfSomethingThatIsThere) {
  const struct {
    const char *instead_of, *put, *says;
  } changes[] = {
      {R"("customer":1)", R"("customer":2)", "'customer' of an account is customer 2, and there are 1"},
      {R"("kind":1)", R"("kind":4)", "'kind' of a device is kind 4, and there are 3"},
      {R"("kind":1,"account":1)", R"("kind":1,"account":2)", "'account' of a device is account 2, and there are 1"},
      {R"("device":1)", R"("device":3)", "'device' of the session is device 3, and there are 2"},
      {R"("protocol":"imap","account":1)", R"("protocol":"imap","account":9)", "'account' of the session is account 9"},
      {R"("protocol":"imap")", R"("protocol":"nntp")", "'protocol' of the session is the unknown word 'nntp'"},
      {R"("sender":1)", R"("sender":2)", "'sender' of the message is account 2, and there are 1"},
      {R"("type":"obs")", R"("type":"seen")", "'type' of the event is the unknown word 'seen'"},
      {R"("what":"row")", R"("what":"rows")", "'what' of the event is the unknown word 'rows'"},
      {R"("what":"row","session":1)", R"("what":"row","session":3)",
       "'session' of the event is session 3, and there are 2"},
      {R"("what":"row","session":1)", R"("what":"row")", "the event is a row of no session"},
      {R"("what":"row","session":1)", R"("what":"row","session":2)",
       "the event is a row of a session that speaks pop3"},
      {R"("what":"row","session":1)", R"("what":"retr","session":1)",
       "the event is a retr of a session that speaks imap"},
      {R"("what":"row","session":1,"command":1)", R"("what":"row","session":1,"command":4000000000)",
       "'command' of the event is event 4000000000, and there are 2"},
      {R"("what":"row","session":1,"command":1)", R"("what":"row","session":1,"command":2)",
       "the event belongs to event 2, which begins no command"},
      {R"("type":"ok","what":"select","session":1,"command":1)",
       R"("type":"ok","what":"select","session":1,"command":2)",
       "the event belongs to event 2, which begins no command"},
      {R"("type":"invoke","what":"select","session":1,"command":1)",
       R"("type":"invoke","what":"select","session":1,"command":0)", ""},
      {R"("uid":7)", R"("uid":-1)", "'uid' of the event is -1, and must be a number from 0 to 4294967295"},
      {R"("uid":7)", R"("uid":4294967303)", "'uid' of the event is 4294967303, and must be a number"},
      {R"("uid":7)", R"("uid":7.5)", "'uid' of the event is 7.5"},
      {R"("uid":7)", R"("uid":"7")", "'uid' of the event is \"7\""},
      {R"("uid":7)", R"("uid":7,"account":2)", "'account' of the event is account 2, and there are 1"},
      {R"("uid":7)", R"("uid":7,"message":2)", "'message' of the event is message 2, and there are 1"},
      {R"("uid":7)", R"("uid":7,"hash":"xyz")",
       "'hash' of the event is \"xyz\", and must be up to 16 hexadecimal digits"},
      {R"("uid":7)", R"("uid":7,"text":["a"])", "'text' of the event is a list, and must be text"},
      {R"("raw":[12,3])", R"("raw":[12])", "'raw' of the event is no place in a byte log"},
      {R"("raw":[12,3])", R"("raw":[12,-3])", "'raw' of the event is no place in a byte log"},
      {R"("set":"1")", R"("set":"1-3")", "'set' of the event names message 2, and there are 1"},
      {R"("size":5000000000)", R"("size":18446744073709551615)", "must be a time in nanoseconds"},
      {R"("t":2000000)", R"("t":9223372036854775807)", "'t' of the event is 9223372036854775807"},
      {R"("settle":0)", R"("settle":-5)", "'settle' of the history is -5"},
      {R"("patience":1)", R"("patience":1e300)", "'patience' of the history is no factor"},
      {R"("steps":[)", R"("steps":[7,)", "a step of the history is no text"},
      {R"("accounts":[)", R"("account":[)", "the history has no list 'accounts'"},
      {R"({"event":{)", R"({"events":{)", "the line is nothing that a history has"},
      {R"({"event":{)", R"([{"event":{)", "this is no line of a history"},
  };
  for (const auto& change : changes) {
    const Read back = read(with(written(), change.instead_of, change.put));
    if (*change.says == '\0') {
      EXPECT_EQ(back.wrong, "") << change.put;
    } else {
      EXPECT_THAT(back.wrong, HasSubstr(change.says)) << change.put;
      EXPECT_THAT(back.wrong, StartsWith("h:")) << "where it stands";
    }
  }
}

std::string line_of(const std::string& text, std::string_view begins) {
  const auto at = text.find(begins);
  return text.substr(at, text.find('\n', at) + 1 - at);
}

/// A disk that was full for a while leaves holes and what stood behind them.
TEST(JsonlReader, LinesThatAreMissingOrThereTwiceEndTheHistory) {
  const std::string text = written();
  const std::string second = line_of(text, R"({"event":{"i":2)"), third = line_of(text, R"({"event":{"i":3)"),
                    end = line_of(text, R"({"end")"), session = line_of(text, R"({"session":{"n":1)"),
                    message = line_of(text, R"({"message")");
  const struct {
    std::string text, says;
    std::size_t events;
  } cases[] = {
      {with(text, second, ""), "h:6: event 3 follows event 1", 1},
      {with(text, second, second + second), "h:7: event 2 follows event 2", 2},
      {with(text, second + third, third + second), "h:6: event 3 follows event 1", 1},
      {with(text, line_of(text, R"({"event":{"i":1)"), ""), "h:5: its first event is 2", 0},
      {with(text, R"("t":3000000)", R"("t":1000000)"), "h:7: event 3 is earlier than event 2", 2},
      {with(text, session, ""), "h:2: session 2 follows 0 of them", 0},
      {with(text, message, message + message), "h:5: message 1 follows 1 of them", 0},
      {with(text, end, end + third), "h:10: something stands behind its end", 4},
      {with(text, line_of(text, R"({"event":{"i":4)"), ""), "h:8: it had 4 events, and 3 are here", 3},
  };
  for (const auto& one : cases) {
    const Read back = read(one.text + written("mixed.two"));
    ASSERT_EQ(back.wrong, "") << one.says;
    ASSERT_EQ(back.run.histories.size(), 2U) << one.says;
    EXPECT_EQ(back.run.histories[0].broken, one.says);
    EXPECT_FALSE(back.run.histories[0].whole) << one.says;
    EXPECT_EQ(back.run.histories[0].history->events().size(), one.events) << one.says;
    EXPECT_TRUE(back.run.histories[1].whole) << "what follows is its own";
  }
}

/// The end of one and the beginning of the next were lost: what is left looks like one.
TEST(JsonlReader, TwoScenariosThatRunIntoEachOtherAreNone) {
  const std::string first = written("mixed.one"), second = written("mixed.two");
  const Read back =
      read(first.substr(0, first.find(R"({"event":{"i":3)")) + second.substr(second.find(R"({"event":{"i":1)")));
  ASSERT_EQ(back.wrong, "");
  ASSERT_EQ(back.run.histories.size(), 1U);
  EXPECT_EQ(back.run.histories[0].broken, "h:7: event 1 follows event 2");
}

TEST(JsonlReader, TheSameHistoryTwiceIsNone) {
  const Read back = read(written() + written());
  ASSERT_EQ(back.run.histories.size(), 2U);
  EXPECT_EQ(back.run.histories[0].broken, "");
  EXPECT_EQ(back.run.histories[1].broken, "h:10: it is there twice");
}

/// What a terminal or a CI would obey stands as escapes, and reads back as it was.
TEST(JsonlReader, WhatServersSayIsNoCommandAndReadsBack) {
  const std::string said =
      "::error file=x::a ##[error]b \x1b[2J \xc2\x85 \xe2\x80\xa8 \xe2\x80\xae \xd8\x9c gr\xc3\xbc\xc3\x9f "
      "\xe2\x82\xac \xf0\x9f\x98\x80";
  History h = sample();
  Event e = event(5, Type::obs, What::deviation, 1);
  e.text = said;
  e.mailbox = "::error::";
  h.append(e);
  const std::string text = write_all(h, {});
  for (const char* command : {"::", "##", "\x1b", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae", "\xd8\x9c"})
    EXPECT_EQ(text.find(command), std::string::npos) << command;
  const Read back = read(text);
  ASSERT_EQ(back.wrong, "");
  EXPECT_EQ(back.run.histories.at(0).history->events().back().text, said);
  EXPECT_EQ(back.run.histories.at(0).history->events().back().mailbox, "::error::");
}

/// Histories that were written before facts had names of their own: the keys mean what they meant, and are written
/// again.
TEST(JsonlReader, OldHistoriesAreReadAndWrittenAsTheyAre) {
  std::size_t events = 0;
  for (const char* name : {"check", "folders", "pop-download", "quota"}) {
    std::ifstream file(fmt::format("harness/archive/fuzz/corpus/history/{}.jsonl", name));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Read back = read(text);
    ASSERT_EQ(back.wrong, "") << name;
    for (const ReadHistory& one : back.run.histories) {
      for (const Event& e : one.history->events()) {
        std::string again;
        write_event(e, again);
        EXPECT_NE(text.find(again + "\n"), std::string::npos) << name << ": " << again;
        ++events;
      }
    }
  }
  EXPECT_GT(events, 100U);
}

/// However it was said, before anybody keeps it.
TEST(History, NoSecretGetsIntoAnEvent) {
  History h = sample();
  h.secrets.add("user0001", Secret("correct-horse"));
  Event e = event(5, Type::fail, What::connect, 1, 1);
  e.text = "LOGIN user0001 correct-horse: AGFsaWNlAGNvcnJlY3QtaG9yc2U=";
  e.code = "X-correct-horse";
  e.mailbox = "correct-horse";
  e.flags = "$correct-horse";
  h.append(e);
  EXPECT_EQ(write_all(h, {}).find("horse"), std::string::npos);
  EXPECT_EQ(h.events().back().text, "LOGIN user0001 ***: ***");
  EXPECT_EQ(h.events().back().code, "X-***");
}

}  // namespace
}  // namespace mailproof::archive
