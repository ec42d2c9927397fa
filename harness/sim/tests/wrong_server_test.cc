#include "sim/wrong_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/outbox.h"
#include "core/rng.h"

namespace mailproof::sim {
namespace {

using Kind = WrongAction::Kind;
using At = WrongBlock::At;

WrongAction say(const std::string& line) { return {.kind = Kind::say, .text = line + "\r\n"}; }
WrongAction edit(const std::string& pattern, const std::string& text, bool only_first = false) {
  return {.kind = Kind::edit, .text = text, .pattern = pattern, .only_first = only_first};
}
WrongAction drop(const std::string& pattern) { return {.kind = Kind::drop, .pattern = pattern}; }
WrongAction act(Kind kind, const std::string& text = "") { return {.kind = kind, .text = text}; }
WrongAction pass() { return act(Kind::pass); }
WrongAction wait(Duration span) { return {.kind = Kind::wait, .span = span}; }

WrongBlock on(const std::string& line, std::vector<WrongAction> actions) {
  return {.text = line, .actions = std::move(actions)};
}
WrongBlock imap_on(const std::string& line, std::vector<WrongAction> actions) {
  return {.protocol = Protocol::imap, .text = line, .actions = std::move(actions)};
}

/// A client that says everything at once, in the pieces it is given, or each piece when `step` is called.
class Client final : public Peer {
 public:
  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time) override {}
  void feed(Bytes in, Time now) override {
    heard += as_text(in);
    last = now;
  }
  std::span<const Output> output() override { return box_.output(); }
  void sent(std::size_t n, Time) override { box_.sent(n); }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts& facts, Time) override {
    heard += facts.established ? "<tls>\r\n" : "<no tls>\r\n";
    wants_ = Wants::nothing;
  }
  void ended(EndReason reason, std::string_view, Time) override {
    heard += "<" + std::string(name(reason)) + ">\r\n";
    over = true;
  }
  Wants wants() const override { return wants_; }

  void say(std::string_view bytes) {
    box_.text(bytes);
    waker_->wake();
  }
  void start_tls() {
    wants_ = Wants::start_tls;
    waker_->wake();
  }

  std::string heard;
  Time last{};
  bool over = false;

 private:
  Outbox box_;
  Waker* waker_ = nullptr;
  Wants wants_ = Wants::nothing;
};

server::ServerOptions options() {
  server::ServerOptions out;
  out.accounts.push_back({"alice", "alice@example.test", Secret("pass"), std::nullopt});
  return out;
}

struct World {
  explicit World(std::vector<WrongBlock> blocks) : World(std::vector<WrongDialogue>{{std::move(blocks)}}) {}
  explicit World(std::vector<WrongDialogue> dialogues)
      : server(options()), wrong(std::move(dialogues)), network(server, network_options()) {}

  SimNetwork::Options network_options() {
    SimNetwork::Options out;
    out.wrap = [this](Protocol protocol, std::unique_ptr<Peer> peer, const SimNetwork::Reset& reset) {
      return wrong.wrap(protocol, std::move(peer), reset);
    };
    return out;
  }
  std::unique_ptr<Link> open(Client& client, Protocol protocol = Protocol::pop3) {
    return network.open({protocol, "sim", 110, TlsMode::none, false, ""}, client);
  }
  /// Until nothing happens any more within ten seconds.
  void settle(Duration span = std::chrono::seconds(10)) {
    struct Bell final : Alarm {
      bool rang = false;
      void ring(Time) override { rang = true; }
    } bell;
    network.set_alarm(bell, network.now() + span);
    network.run([&] { return bell.rang; });
  }

  server::Server server;
  WrongServer wrong;
  SimNetwork network;
};

/// What a client hears behind the greeting when it says this, each piece in a segment of its own.
std::string talk(std::vector<WrongDialogue> dialogues, const std::vector<std::string>& pieces,
                 Protocol protocol = Protocol::pop3) {
  World world(std::move(dialogues));
  Client client;
  const auto link = world.open(client, protocol);
  world.settle();
  client.heard.erase(0, client.heard.find("\r\n") + 2);
  for (const auto& piece : pieces) {
    client.say(piece);
    world.settle();
  }
  return client.heard;
}
std::string talk(std::vector<WrongBlock> blocks, const std::vector<std::string>& pieces,
                 Protocol protocol = Protocol::pop3) {
  return talk(std::vector<WrongDialogue>{{std::move(blocks)}}, pieces, protocol);
}

const std::string kLogin = "USER alice\r\nPASS pass\r\n";

TEST(WrongServer, AnswersAsTheServerWhereNothingIsSaid) {
  const std::string right = talk(std::vector<WrongDialogue>{}, {kLogin, "CAPA\r\nLIST\r\nSTAT\r\n", "FOO\r\nQUIT\r\n"});
  EXPECT_THAT(right, testing::HasSubstr("+OK 0 0\r\n-ERR unknown command"));
  EXPECT_EQ(talk({on("RETR 1", {say("+OK")})}, {kLogin, "CAPA\r\nLIST\r\nSTAT\r\n", "FOO\r\nQUIT\r\n"}), right);
}

TEST(WrongServer, LinesAreWholeAndWithoutCase) {
  const std::vector<WrongBlock> blocks = {on("NOOP", {say("+OK x")}),
                                          {.at = At::prefix, .text = "LIST", .actions = {say("+OK y")}},
                                          {.at = At::regex, .text = "^del|9$", .actions = {say("+OK z")}}};
  const std::string heard = talk(blocks, {kLogin + "noop\r\nNOOP x\r\nLIST\r\nlist 5\r\nDELE 1\r\nRETR 9\r\nSTAT\r\n"});
  EXPECT_THAT(heard, testing::HasSubstr("+OK x\r\n-ERR no argument expected\r\n+OK 0 messages"));
  EXPECT_THAT(heard, testing::EndsWith(".\r\n+OK y\r\n+OK z\r\n+OK z\r\n+OK 0 0\r\n"));
}

TEST(WrongServer, TheScriptedCommandIsNotHeardByTheServer) {
  EXPECT_THAT(talk({on("PASS pass", {say("+OK in")})}, {kLogin + "STAT\r\n"}),
              testing::EndsWith("+OK in\r\n-ERR not in this state\r\n"));
  EXPECT_THAT(talk({on("PASS pass", {say("-ERR no"), pass()})}, {kLogin + "STAT\r\n"}),
              testing::HasSubstr("-ERR no\r\n+OK"));
}

TEST(WrongServer, TheFirstSecondAndFurtherTimes) {
  EXPECT_THAT(talk({on("NOOP", {say("+OK 1")}), on("STAT", {say("+OK s")}), on("NOOP", {say("+OK 2")}),
                    on("NOOP", {say("+OK 3")})},
                   {"NOOP\r\nNOOP\r\nSTAT\r\nnoop\r\nNOOP\r\n"}),
              testing::StrEq("+OK 1\r\n+OK 2\r\n+OK s\r\n+OK 3\r\n+OK 3\r\n"));
}

TEST(WrongServer, EditsAreLineByLine) {
  const std::string heard = talk(
      {on("CAPA", {edit("^\\.$", "LANG\r\n."), edit("^TOP$", "top $&"), edit("[A-Z]+", "x", true)})}, {"CAPA\r\n"});
  EXPECT_THAT(heard, testing::StartsWith("+x capability list follows\r\ntop TOP\r\nUIDL\r\n"));
  EXPECT_THAT(heard, testing::EndsWith("\r\nLANG\r\n.\r\n"));
}

TEST(WrongServer, LinesCanBeDroppedAndPut) {
  const std::string heard = talk(
      {on("CAPA", {drop("^(TOP|UIDL)$"), say("+OK behind")}), on("NOOP", {act(Kind::silence)})}, {"CAPA\r\nNOOP\r\n"});
  EXPECT_THAT(heard, testing::StartsWith("+OK capability list follows\r\nRESP-CODES\r\n"));
  EXPECT_THAT(heard, testing::EndsWith("\r\n.\r\n+OK behind\r\n"));
}

TEST(WrongServer, AnotherCommandInsteadOrAlso) {
  const std::string heard = talk(
      {on("NOOP", {act(Kind::also, "PASS pass"), pass()}), on("FOO", {act(Kind::instead, "STAT"), edit("0$", "7")})},
      {"USER alice\r\nNOOP\r\nFOO\r\n"});
  EXPECT_THAT(heard, testing::MatchesRegex("\\+OK[^\n]*\n\\+OK[^\n]*\n\\+OK 0 7\r\n"));
}

TEST(WrongServer, WhatIsLeftWaitsInOrder) {
  World world({on("NOOP", {say("+OK a"), wait(2s), say("+OK b")})});
  Client client;
  const auto link = world.open(client);
  world.settle();
  client.heard.clear();
  client.say("NOOP\r\nFOO\r\n");
  const Time asked = world.network.now();
  world.settle(1s);
  EXPECT_EQ(client.heard, "+OK a\r\n");
  world.settle(3s);
  EXPECT_THAT(client.heard, testing::StartsWith("+OK a\r\n+OK b\r\n-ERR unknown"));
  EXPECT_GE(client.last - asked, 2s);
  EXPECT_LT(client.last - asked, 2100ms);
}

TEST(WrongServer, SaysWhatTheClientSaid) {
  WrongBlock block = on("^LIST ([0-9]+)( .*)?$", {say("+OK ${1} of${2}")});
  block.at = WrongBlock::At::regex;
  EXPECT_EQ(talk({block}, {"LIST 7 eight\r\n"}), "+OK 7 of eight\r\n");
  EXPECT_EQ(talk({block}, {"LIST 7\r\n"}), "+OK 7 of\r\n");
  WrongBlock other = on("^HOW MANY ([A-Z]+)$", {{.kind = Kind::instead, .text = "${1}"}});
  other.at = WrongBlock::At::regex;
  EXPECT_THAT(talk({other}, {kLogin + "HOW MANY STAT\r\n"}), testing::EndsWith("+OK 0 0\r\n"));
}

TEST(WrongServer, ClosesAndResets) {
  EXPECT_EQ(talk({on("NOOP", {say("+OK"), act(Kind::close)})}, {"NOOP\r\nNOOP\r\n"}), "+OK\r\n<closed>\r\n");
  EXPECT_EQ(talk({on("NOOP", {act(Kind::close)})}, {"NOOP\r\n"}), "<closed>\r\n");
  EXPECT_EQ(talk({on("NOOP", {say("+OK"), act(Kind::reset)})}, {"NOOP\r\n"}), "+OK\r\n<reset>\r\n");
  EXPECT_EQ(talk({on("NOOP", {act(Kind::reset)})}, {"NOOP\r\n"}), "<reset>\r\n");
}

TEST(WrongServer, AClosedConnectionGivesTheMaildropBack) {
  World world({on("NOOP", {act(Kind::close)})});
  Client first, second;
  const auto one = world.open(first);
  world.settle();
  first.say(kLogin + "NOOP\r\n");
  world.settle();
  EXPECT_TRUE(first.over);
  const auto two = world.open(second);
  world.settle();
  second.say(kLogin + "STAT\r\n");
  world.settle();
  EXPECT_THAT(second.heard, testing::EndsWith("+OK 0 0\r\n"));
}

TEST(WrongServer, TheGreetingAndTls) {
  World world({{.at = At::greeting, .actions = {edit("ready.*", "here")}},
               {.at = At::secured, .actions = {say("+OK now safe")}}});
  Client client;
  const auto link = world.open(client);
  world.settle();
  EXPECT_EQ(client.heard, "+OK mailproof POP3 server here\r\n");
  client.heard.clear();
  client.say("STLS\r\nNOOP\r\n");  // what stands behind STLS is not obeyed
  world.settle(1s);
  client.start_tls();
  world.settle(1s);
  EXPECT_THAT(client.heard, testing::MatchesRegex("\\+OK[^\n]*\n<tls>\r\n\\+OK now safe\r\n"));
  client.heard.clear();
  client.say("CAPA\r\n");
  world.settle(1s);
  EXPECT_THAT(client.heard, testing::HasSubstr("SASL"));
}

TEST(WrongServer, TlsThatIsPromisedAndDoesNotCome) {
  World world({on("STLS", {say("+OK begin")})});
  Client client;
  const auto link = world.open(client);
  world.settle();
  client.say("STLS\r\n");
  world.settle(1s);
  client.start_tls();
  world.settle(30s);
  EXPECT_THAT(client.heard, testing::HasSubstr("+OK begin\r\n<no tls>"));
}

TEST(WrongServer, OnlyTheNthConnectionOfItsProtocol) {
  World world({{.connection = 2, .text = "NOOP", .actions = {say("+OK second")}}});
  Client first, imap, second;
  const auto a = world.open(first);
  const auto b = world.open(imap, Protocol::imap);
  const auto c = world.open(second);
  world.settle();
  for (Client* client : {&first, &second}) client->say("NOOP\r\n");
  imap.say("a NOOP\r\n");
  world.settle();
  EXPECT_THAT(first.heard, testing::EndsWith("-ERR not in this state\r\n"));
  EXPECT_THAT(second.heard, testing::EndsWith("+OK second\r\n"));
  EXPECT_THAT(imap.heard, testing::HasSubstr("a OK"));
}

TEST(WrongServer, ImapTagsAreNoPartOfTheLine) {
  const std::string heard =
      talk({imap_on("NOOP", {say("* 1 EXISTS"), say("${tag} OK fine")}), on("CAPABILITY", {say("no POP3 here")})},
           {"a1 LOGIN alice pass\r\nA2 noop\r\na3 CAPABILITY\r\n"}, Protocol::imap);
  EXPECT_THAT(heard, testing::HasSubstr("* 1 EXISTS\r\nA2 OK fine\r\n* CAPABILITY"));
  EXPECT_THAT(heard, testing::HasSubstr("a3 OK"));
}

TEST(WrongServer, ImapLiteralsAreNoLines) {
  const std::vector<WrongBlock> blocks = {
      imap_on("NOOP", {say("${tag} BAD never")}),
      {.at = At::prefix, .protocol = Protocol::imap, .text = "APPEND", .actions = {edit("OK \\[.*\\]", "OK")}}};
  const std::string login = "a LOGIN alice pass\r\n", message = "b NOOP\r\n\r\nx\r\n";
  const std::string heard =
      talk(blocks, {login, "b APPEND INBOX {13}\r\n", message + "\r\nc STATUS INBOX (MESSAGES)\r\n"}, Protocol::imap);
  EXPECT_THAT(heard, testing::HasSubstr("\r\n+ "));
  EXPECT_THAT(heard, testing::HasSubstr("\r\nb OK "));
  EXPECT_THAT(heard, testing::HasSubstr("(MESSAGES 1)"));
  EXPECT_THAT(heard, testing::Not(testing::HasSubstr("never")));
  EXPECT_THAT(heard, testing::Not(testing::HasSubstr("APPENDUID")));

  const std::string deaf =
      talk({{.at = At::prefix, .protocol = Protocol::imap, .text = "APPEND", .actions = {say("${tag} OK kept")}}},
           {login, "b APPEND INBOX {13}\r\n", message + "\r\nc STATUS INBOX (MESSAGES)\r\n"}, Protocol::imap);
  EXPECT_THAT(deaf, testing::HasSubstr("+ go ahead\r\nb OK kept\r\n"));
  EXPECT_THAT(deaf, testing::HasSubstr("(MESSAGES 0)"));
}

TEST(WrongServer, ALiteralThatIsRefusedDoesNotCome) {
  const std::string heard =
      talk({imap_on("NOOP", {say("${tag} OK fine")})}, {"b LOGIN {999999}\r\n", "c NOOP\r\n"}, Protocol::imap);
  EXPECT_THAT(heard, testing::MatchesRegex("b (BAD|NO) [^\n]*\nc OK fine\r\n"));
}

TEST(WrongServer, ADialogueBuildsOnAnother) {
  const std::vector<WrongDialogue> both = {
      {{on("FOO", {say("+OK right")}), on("CAPA", {edit("^\\.$", "FOO\r\n.")})}},
      {{on("FOO", {edit("right", "wrong")}), on("CAPA", {edit("^FOO$", "FOO bar")})}}};
  const std::string heard = talk(both, {"FOO\r\nCAPA\r\n"});
  EXPECT_THAT(heard, testing::StartsWith("+OK wrong\r\n"));
  EXPECT_THAT(heard, testing::EndsWith("\r\nFOO bar\r\n.\r\n"));
}

/// However the client's bytes are cut into segments.
TEST(WrongServer, TheSameAtEverySplit) {
  const std::vector<WrongBlock> blocks = {on("CAPA", {edit("^TOP$", "BOTTOM")}), on("NOOP", {say("+OK a")}),
                                          on("NOOP", {act(Kind::instead, "STAT")})};
  const std::string said = kLogin + "CAPA\r\nnoop\r\nNOOP\r\nQUIT\r\n";
  const std::string whole = talk(blocks, {said});
  EXPECT_THAT(whole, testing::HasSubstr("BOTTOM\r\n"));
  EXPECT_THAT(whole, testing::HasSubstr("+OK a\r\n+OK 0 0\r\n+OK bye\r\n<closed>"));
  std::vector<std::string> octets;
  for (std::size_t at = 0; at < said.size(); ++at) {
    EXPECT_EQ(talk(blocks, {said.substr(0, at), said.substr(at)}), whole) << "split at " << at;
    octets.push_back(said.substr(at, 1));
  }
  EXPECT_EQ(talk(blocks, octets), whole);
}

WrongBlock smtp_on(const std::string& line, std::vector<WrongAction> actions) {
  return {.protocol = Protocol::smtp, .text = line, .actions = std::move(actions)};
}
const std::string kEnvelope =
    "EHLO a\r\nMAIL FROM:<alice@example.test>\r\nRCPT TO:<alice@example.test>\r\nRSET\r\n"
    "MAIL FROM:<alice@example.test>\r\nRCPT TO:<alice@example.test>\r\n";

TEST(WrongServer, LinesOfMailAreNoCommands) {
  const std::string mail = "Subject: x\r\n\r\nQUIT\r\n..\r\nx\n.\r\n.\r\n";
  const std::string heard = talk({smtp_on("QUIT", {say("221 wrong")}), smtp_on(".", {say("552 wrong")})},
                                 {kEnvelope + "DATA\r\n", mail, "NOOP\r\n"}, Protocol::smtp);
  EXPECT_THAT(heard, testing::EndsWith("354 go on; end with a dot\r\n552 wrong\r\n250 2.0.0 nothing done\r\n"));
  const std::string edited =
      talk({smtp_on(".", {edit("^250", "251")})}, {kEnvelope + "DATA\r\n", mail}, Protocol::smtp);
  EXPECT_THAT(edited, testing::ContainsRegex("354 [^\r\n]*\r\n251 2.0.0 queued"));
}

TEST(WrongServer, MailThatItAsksForItselfTheServerHasNothingOf) {
  const std::string heard = talk({smtp_on("DATA", {say("354 mine")}), smtp_on(".", {say("250 mine")})},
                                 {kEnvelope + "DATA\r\n", "NOOP\r\n.\r\n", "DATA\r\n.\r\nQUIT\r\n"}, Protocol::smtp);
  EXPECT_THAT(
      heard, testing::EndsWith(
                 "354 mine\r\n250 mine\r\n354 mine\r\n250 mine\r\n221 2.0.0 mail.example.test closes\r\n<closed>\r\n"));
}

TEST(WrongServer, AChunkBelongsToItsLine) {
  const WrongBlock chunk{
      .at = At::prefix, .protocol = Protocol::smtp, .text = "BDAT", .actions = {edit("^250", "252")}};
  const std::string heard =
      talk({chunk, smtp_on("NOOP", {say("500 wrong")})}, {kEnvelope, "BDAT 6\r\nNO", "OP\r\nQUIT\r\n"}, Protocol::smtp);
  EXPECT_THAT(heard,
              testing::EndsWith("252 2.0.0 6 octets so far\r\n221 2.0.0 mail.example.test closes\r\n<closed>\r\n"));
}

}  // namespace
}  // namespace mailproof::sim
