#include "explore/retell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explore/write.h"
#include "scenario/scenario.h"

namespace mailproof::explore {
namespace {

using history::Event;
using history::Type;
using history::What;
using testing::HasSubstr;
using testing::Not;

/// What was heard of petra@example.org: two IMAP connections of one client, and one of POP3.
class Heard {
 public:
  Heard() {
    history.info.scenario = "import";
    history.info.recorded = true;
    history.info.accounts = {{"petra@example.org", "petra@example.org", "petra@example.org", {}, 0}};
    history.info.devices = {{"petra-imap", history::DeviceKind::imap, 1, ""},
                            {"petra-pop3", history::DeviceKind::pop3, 1, ""},
                            {"lmtp", history::DeviceKind::deliverer, 0, ""}};
    history.add_session({"petra-imap#1", 1, Protocol::imap, 1, 0, ""});
    history.add_session({"petra-imap#2", 1, Protocol::imap, 1, 0, ""});
    history.add_session({"petra-pop3#1", 2, Protocol::pop3, 1, 0, ""});
    history.add_session({"lmtp#1", 3, Protocol::lmtp, 0, 0, ""});
  }

  Event event(Type type, What what, std::uint32_t session) {
    Event e;
    e.at = Time(std::chrono::milliseconds(history.events().size() + 1));
    e.type = type;
    e.what = what;
    e.session = session;
    return e;
  }
  std::uint32_t add(Event e) { return history.append(std::move(e)).index; }
  void done(What what, std::uint32_t session, const std::function<void(Event&)>& asked = {},
            const std::function<void(Event&)>& answer = {}) {
    Event invoke = event(Type::invoke, what, session);
    if (asked) asked(invoke);
    const std::uint32_t index = add(invoke);
    Event ok = event(Type::ok, what, session);
    ok.command = index;
    if (answer) answer(ok);
    add(ok);
  }
  void connect(std::uint32_t session) { done(What::connect, session); }
  void select(std::uint32_t session, const std::string& mailbox) {
    done(
        What::select, session, [&](Event& e) { e.mailbox = mailbox; }, [](Event& e) { e.uidvalidity = 7; });
    open_[session] = mailbox;
  }
  void sees(std::uint32_t session, std::uint32_t uid, std::uint32_t message) {
    Event e = event(Type::obs, What::message, session);
    e.mailbox = open_[session];
    e.uidvalidity = 7;
    e.uid = uid;
    e.message = message;
    e.code = "header";
    add(e);
  }
  void told_gone(std::uint32_t session, std::uint32_t uid) {
    Event e = event(Type::obs, What::expunged, session);
    e.mailbox = open_[session];
    e.uidvalidity = 7;
    e.uid = uid;
    add(e);
  }
  std::uint32_t mail() {
    history::MessageInfo info;
    info.set = "mail";
    info.index = static_cast<std::uint32_t>(history.messages().size() + 1);
    info.subject = "Kündigung";
    info.message_id = "<a@example.org>";
    return history.add_message(info);
  }
  std::string told() {
    const auto out = retell(history, "recorded.test");
    if (!out) return "error: " + out.error().why;
    left_out = out->left_out;
    const std::string text = write(out->story).text;
    for (const auto& problem : scenario::parse(text, "test.yaml").problems) ADD_FAILURE() << problem.message() << text;
    return text;
  }

  history::History history;
  std::vector<std::string> left_out;

 private:
  std::map<std::uint32_t, std::string> open_;
};

TEST(Retell, WhatWasThereWhatCameAndWhoRemovedIt) {
  Heard heard;
  const auto first = heard.mail(), second = heard.mail(), third = heard.mail();
  heard.connect(1);
  heard.select(1, "INBOX");
  heard.sees(1, 4, first);
  heard.sees(1, 5, second);
  heard.done(
      What::deliver, 4, [&](Event& e) { e.message = third; },
      [&](Event& e) {
        e.message = third;
        e.account = 1;
      });
  heard.sees(1, 6, third);
  heard.connect(2);
  heard.select(2, "INBOX");
  heard.sees(2, 4, first);
  heard.done(What::store, 1, [](Event& e) {
    e.set = "4";
    e.code = "+FLAGS";
    e.flags = "\\Deleted";
  });
  heard.done(What::expunge, 1);
  heard.told_gone(2, 4);
  const std::string text = heard.told();
  EXPECT_THAT(text, HasSubstr("- mta:    {deliver: mail, to: alice, count: 2}"));
  EXPECT_THAT(text, HasSubstr("- mta:    {deliver: mail2, to: alice}"));
  EXPECT_THAT(text,
              HasSubstr("- phone:  {delete: mail.1, how: flag}\n  - phone:  expunge\n  - laptop: {lose: mail.1}"));
  EXPECT_THAT(text, HasSubstr("- judge:  {fate: mail.1, is: removed-by-client, by: phone, over: imap}"));
  EXPECT_THAT(text, Not(HasSubstr("petra")));
  EXPECT_THAT(text, Not(HasSubstr("Kündigung")));
  EXPECT_TRUE(heard.left_out.empty());
}

TEST(Retell, WhatAWrongServerShowedIsNotExpected) {
  Heard heard;
  const auto message = heard.mail();
  heard.connect(3);
  heard.done(What::pop_uidl, 3);
  Event row = heard.event(Type::obs, What::pop_uidl, 3);
  row.seq = 1;
  row.text = "u1";
  heard.add(row);
  Event body = heard.event(Type::obs, What::message, 3);
  body.seq = 1;
  body.message = message;
  body.mailbox = "INBOX";
  body.code = "full";
  heard.add(body);
  heard.done(
      What::retr, 3, [](Event& e) { e.seq = 1; }, [](Event& e) { e.seq = 1; });
  heard.done(
      What::dele, 3, [](Event& e) { e.seq = 1; }, [](Event& e) { e.seq = 1; });
  heard.done(What::quit, 3);
  // It is still there, and the phone is told so: a story that expected that would accuse every right server.
  heard.connect(1);
  heard.select(1, "INBOX");
  heard.sees(1, 9, message);
  heard.done(What::noop, 1);
  const std::string text = heard.told();
  EXPECT_THAT(text, HasSubstr("- pc:    {download: mail}\n  - pc:    {delete: mail}\n  - pc:    quit"));
  EXPECT_THAT(text, Not(HasSubstr("see: mail")));
  EXPECT_THAT(text, HasSubstr("over: pop3"));
}

TEST(Retell, MailInOtherMailboxesIsPutThereByADevice) {
  Heard heard;
  const auto message = heard.mail();
  heard.connect(1);
  heard.select(1, "Projekte");
  heard.sees(1, 3, message);
  heard.done(
      What::move, 1,
      [](Event& e) {
        e.set = "3";
        e.other_mailbox = "Alt";
      },
      [](Event& e) {
        e.set = "3";
        e.facts = history::CopyFacts{"1"};
        e.uidvalidity = 8;
      });
  const std::string text = heard.told();
  EXPECT_THAT(text, HasSubstr("{save: mail, to: Projekte}"));
  EXPECT_THAT(text, HasSubstr("{move: mail, to: Alt, in: Projekte}"));
}

TEST(Retell, WhatNobodyKnowsIsLeftOutAndSaid) {
  Heard heard;
  heard.mail();
  heard.connect(1);
  heard.select(1, "INBOX");
  heard.sees(1, 3, 1);
  Event asked = heard.event(Type::invoke, What::store, 1);
  asked.set = "3";
  asked.code = "+FLAGS";
  asked.flags = "\\Deleted";
  Event unknown = heard.event(Type::info, What::store, 1);
  unknown.command = heard.add(asked);
  heard.add(unknown);
  EXPECT_THAT(heard.told(), Not(HasSubstr("delete")));
  EXPECT_THAT(heard.left_out, testing::ElementsAre("a command of which nobody knows what it did"));
  Heard nobody;
  nobody.history.info.accounts.clear();
  EXPECT_THAT(nobody.told(), HasSubstr("error: nobody logged in"));
}

}  // namespace
}  // namespace mailproof::explore
