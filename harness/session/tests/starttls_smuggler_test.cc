#include "session/starttls_smuggler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/tests/line_dialogue.h"

namespace mailproof::session {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kWhat[] = {"silent", "answered", "unknown"};

class SmugglerRig final : public Rig, public SmugglerSink {
 public:
  SmugglerRig(ClientConfig config, std::string command) : peer_(std::move(config), std::move(command), 2s, *this) {}
  Peer& peer() override { return peer_; }
  void on_smuggled(const Smuggled& result, Time now) override {
    told.push_back(fmt::format("ended {}: {}", kWhat[static_cast<std::size_t>(result.what)], result.text));
    at = now;
  }
  Time at{};

 private:
  StarttlsSmuggler peer_;
};

ClientConfig config_of(Protocol protocol) {
  ClientConfig config;
  config.endpoint.protocol = protocol;
  config.endpoint.tls = TlsMode::starttls;
  config.greeting_bound = 5s;
  config.max_line = 1000;
  return config;
}

std::unique_ptr<Rig> imap() { return std::make_unique<SmugglerRig>(config_of(Protocol::imap), "NOOP"); }
std::unique_ptr<Rig> pop3() { return std::make_unique<SmugglerRig>(config_of(Protocol::pop3), "CAPA"); }

DialogueStep pass(Duration span) {
  return act([span](Peer& peer) {
    const auto due = peer.deadline();
    ASSERT_TRUE(due);
    peer.advance(*due + span);
  });
}
DialogueStep no_tls(std::string why) {
  return act([why](Peer& peer) {
    EXPECT_EQ(peer.wants(), Wants::start_tls);
    peer.secured({false, "", "", why, 0}, Time{} + 1s);
  });
}
DialogueStep end(EndReason reason, std::string detail = "") {
  return act([reason, detail](Peer& peer) { peer.ended(reason, detail, Time{} + 1s); });
}

const auto kImapAsk = client("t1 STARTTLS\r\nt2 NOOP\r\n");
const auto kPop3Ask = client("STLS\r\nCAPA\r\n");

const std::vector<DialogueStep> kImapAnswered = {server("* OK IMAP4rev1 mail.example.test ready\r\n"), kImapAsk,
                                                 server("t1 OK begin TLS negotiation now\r\n"), tls_up(),
                                                 server("t2 OK NOOP completed\r\n")};
const std::vector<DialogueStep> kPop3Answered = {server("+OK mail.example.test ready\r\n"), kPop3Ask,
                                                 server("+OK begin TLS\r\n"), tls_up(),
                                                 server("+OK capability list follows\r\n")};

std::vector<DialogueStep> first(const std::vector<DialogueStep>& steps, std::size_t count, DialogueStep then) {
  std::vector<DialogueStep> some(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(count));
  some.push_back(std::move(then));
  return some;
}

std::vector<DialogueStep> then(const std::vector<DialogueStep>& steps, std::size_t count,
                               const std::vector<DialogueStep>& more) {
  std::vector<DialogueStep> some(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(count));
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

const auto kImapNext = client("t3 CAPABILITY\r\n");
const auto kPop3Next = client("CAPA\r\n");

// An event loop that finds the rest of a buffer reads it when the next octets come.
TEST(StarttlsSmuggler, WhatIsAnsweredBesideTheNextCommandWasObeyed) {
  EXPECT_THAT(play(imap, then(kImapAnswered, 4,
                              {pass(0s), kImapNext, server("t2 OK NOOP completed\r\n* CAPABILITY IMAP4rev1\r\n")}))
                  .told,
              ElementsAre("ended answered: t2 OK NOOP completed"));
  for (const char* both : {"+OK list\r\nTOP\r\n.\r\n+OK list\r\nTOP\r\n.\r\n", "-ERR no\r\n-ERR no\r\n",
                           "+OK\r\n+OK list\r\n", "-ERR no\r\n+OK list\r\n"})
    EXPECT_THAT(play(pop3, then(kPop3Answered, 4, {pass(0s), kPop3Next, server(both)})).told,
                ElementsAre(testing::StartsWith("ended answered: ")))
        << both;
}

TEST(StarttlsSmuggler, OneAnswerToTheNextCommandIsItsOwn) {
  EXPECT_THAT(play(imap, then(kImapAnswered, 4,
                              {pass(0s), kImapNext, server("* CAPABILITY IMAP4rev1\r\nt3 OK done\r\n"), pass(0s)}))
                  .told,
              ElementsAre("ended silent: no answer came"));
  for (const char* one : {"+OK list\r\nTOP\r\n.\r\n", "-ERR no\r\n"})
    EXPECT_THAT(play(pop3, then(kPop3Answered, 4, {pass(0s), kPop3Next, server(one), pass(0s)})).told,
                ElementsAre("ended silent: no answer came"))
        << one;
}

TEST(StarttlsSmuggler, WhatIsAnsweredUnderTlsWasObeyed) {
  EXPECT_THAT(play(imap, kImapAnswered).told, ElementsAre("ended answered: t2 OK NOOP completed"));
  EXPECT_THAT(play(pop3, kPop3Answered).told, ElementsAre("ended answered: +OK capability list follows"));
}

TEST(StarttlsSmuggler, NothingWithinTheBoundIsSilence) {
  EXPECT_THAT(play(imap, then(kImapAnswered, 4, {pass(0s), kImapNext, pass(0s)})).told,
              ElementsAre("ended silent: no answer came"));
  EXPECT_THAT(play(pop3, then(kPop3Answered, 4, {pass(0s), kPop3Next, pass(0s)})).told,
              ElementsAre("ended silent: no answer came"));
  EXPECT_THAT(play(imap, first(kImapAnswered, 4, pass(-1ns))).told, ElementsAre()) << "called before it was due";
}

TEST(StarttlsSmuggler, TheBoundCountsFromTheHandshake) {
  SmugglerRig rig(config_of(Protocol::imap), "NOOP");
  rig.peer().opened(Time{});
  rig.peer().feed(as_bytes("* OK ready\r\n"), Time{} + 1s);
  EXPECT_EQ(rig.peer().deadline(), Time{} + 6s);
  rig.peer().feed(as_bytes("t1 OK go ahead\r\n"), Time{} + 2s);
  rig.peer().secured({true, "TLSv1.3", "", "", 0}, Time{} + 3s);
  EXPECT_EQ(rig.peer().deadline(), Time{} + 5s);
  rig.peer().advance(Time{} + 5s);
  EXPECT_EQ(rig.peer().deadline(), Time{} + 10s) << "the next command is answered, or not";
  rig.peer().advance(Time{} + 10s);
  EXPECT_EQ(rig.at, Time{} + 10s);
  EXPECT_EQ(rig.peer().wants(), Wants::close);
}

// RFC 9051 section 6.2.1: a server may also take what came behind STARTTLS for the handshake, and fail.
TEST(StarttlsSmuggler, AHandshakeThatFailsIsSilence) {
  EXPECT_THAT(play(imap, first(kImapAnswered, 3, no_tls("wrong version number"))).told,
              ElementsAre("ended silent: wrong version number"));
  EXPECT_THAT(play(pop3, first(kPop3Answered, 3, no_tls("unexpected eof"))).told,
              ElementsAre("ended silent: unexpected eof"));
}

TEST(StarttlsSmuggler, AConnectionThatTheServerBreaksIsSilenceOnceTlsIsAgreed) {
  for (const std::size_t steps : {3U, 4U}) {
    EXPECT_THAT(play(imap, first(kImapAnswered, steps, end(EndReason::closed))).told,
                ElementsAre("ended silent: connection closed"));
    EXPECT_THAT(play(pop3, first(kPop3Answered, steps, end(EndReason::reset, "connection reset by peer"))).told,
                ElementsAre("ended silent: connection reset by peer"));
  }
}

TEST(StarttlsSmuggler, BeforeThatItSaysNothingAboutTheServer) {
  EXPECT_THAT(play(imap, {end(EndReason::refused, "connection refused")}).told,
              ElementsAre("ended unknown: connection refused"));
  EXPECT_THAT(play(pop3, first(kPop3Answered, 2, end(EndReason::closed))).told,
              ElementsAre("ended unknown: connection closed"));
  EXPECT_THAT(play(imap, first(kImapAnswered, 0, pass(0s))).told, ElementsAre("ended unknown: nothing came within 5s"));
  EXPECT_THAT(play(pop3, first(kPop3Answered, 2, pass(0s))).told, ElementsAre("ended unknown: nothing came within 5s"));
}

TEST(StarttlsSmuggler, AGreetingThatRefusesIsNotAnsweredWithSTARTTLS) {
  EXPECT_THAT(play(imap, {server("* BYE too many connections from 127.0.0.1\r\n")}).told,
              ElementsAre("ended unknown: greeted with * BYE too many connections from 127.0.0.1\\r"));
  EXPECT_THAT(play(imap, {server("* PREAUTH logged in as alice\r\n")}).told,
              ElementsAre("ended unknown: greeted with * PREAUTH logged in as alice\\r"))
      << "RFC 9051 section 6.2.1: STARTTLS is for the not authenticated state";
  EXPECT_THAT(play(pop3, {server("-ERR [SYS/TEMP] come back later\r\n")}).told,
              ElementsAre("ended unknown: greeted with -ERR [SYS/TEMP] come back later\\r"));
}

TEST(StarttlsSmuggler, STARTTLSMayBeRefused) {
  EXPECT_THAT(play(imap, first(kImapAnswered, 2, server("t1 BAD TLS is not offered\r\nt2 OK NOOP completed\r\n"))).told,
              ElementsAre("ended unknown: TLS is refused: t1 BAD TLS is not offered\\r"));
  EXPECT_THAT(play(pop3, first(kPop3Answered, 2, server("-ERR unknown command\r\n+OK\r\nUIDL\r\n.\r\n"))).told,
              ElementsAre("ended unknown: TLS is refused: -ERR unknown command\\r"));
}

TEST(StarttlsSmuggler, UntaggedDataBeforeTheReplyIsPassedOver) {
  auto steps = kImapAnswered;
  steps.insert(steps.begin() + 2, server("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n"));
  EXPECT_THAT(play(imap, steps).told, ElementsAre("ended answered: t2 OK NOOP completed"));
}

// RFC 9051 sections 7 and 7.1.5: the server may speak unasked, and may close. POP3's -ERR is no sign of obedience.
TEST(StarttlsSmuggler, WhatComesUnaskedUnderTlsIsNoAnswer) {
  for (const char* words : {"* BYE commands behind STARTTLS are not welcome\r\n", "* CAPABILITY IMAP4rev1\r\n",
                            "* OK [ALERT] t2 OK\r\n", "t1 OK again\r\n", "* OK "}) {
    EXPECT_THAT(play(imap, then(kImapAnswered, 4, {server(words), pass(0s), kImapNext, pass(0s)})).told,
                ElementsAre("ended silent: no answer came"))
        << words;
    EXPECT_THAT(play(imap, first(first(kImapAnswered, 4, server(words)), 5, end(EndReason::closed))).told,
                ElementsAre("ended silent: connection closed"))
        << words;
  }
  EXPECT_THAT(play(imap, first(kImapAnswered, 4, server("* CAPABILITY IMAP4rev1\r\nt2 OK done\r\n"))).told,
              ElementsAre("ended answered: t2 OK done"));
  EXPECT_THAT(play(imap, first(first(kImapAnswered, 4, server("t2 OK do")), 5, end(EndReason::reset))).told,
              ElementsAre("ended answered: t2 OK do"));
  EXPECT_THAT(
      play(pop3, first(first(kPop3Answered, 4, server("-ERR commands behind STLS\r\n")), 5, end(EndReason::closed)))
          .told,
      ElementsAre("ended silent: connection closed"));
}

TEST(StarttlsSmuggler, AnEndlessLineUnderTlsTakesNoMemory) {
  SmugglerRig rig(config_of(Protocol::imap), "NOOP");
  Peer& peer = rig.peer();
  peer.opened(Time{});
  peer.feed(as_bytes("* OK ready\r\nt1 OK go ahead\r\n"), Time{});
  peer.secured({true, "TLSv1.3", "", "", 0}, Time{});
  for (int i = 0; i < 100; ++i) peer.feed(as_bytes(std::string(5000, 'x')), Time{});
  peer.feed(as_bytes("\r\nt2 OK " + std::string(5000, 'x') + "\r\n"), Time{});
  ASSERT_EQ(rig.told.size(), 1U);
  EXPECT_LT(rig.told[0].size(), 300U);
}

// What stands in clear text behind the reply is the network's to count (TlsFacts::early_bytes), no answer under TLS.
TEST(StarttlsSmuggler, AnAnswerInClearTextIsNotTakenForOneUnderTls) {
  EXPECT_THAT(play(imap, {kImapAnswered[0], kImapAsk, server("t1 OK begin TLS\r\nt2 OK NOOP completed\r\n"),
                          server("* BYE\r\n"), tls_up(), pass(0s), kImapNext, pass(0s)})
                  .told,
              ElementsAre("ended silent: no answer came"));
}

TEST(StarttlsSmuggler, AnEndlessLineEndsIt) {
  const std::string endless(1001, 'x');
  EXPECT_THAT(play(imap, {server("* OK " + endless)}).told, ElementsAre("ended unknown: an endless line"));
  EXPECT_THAT(play(pop3, first(kPop3Answered, 2, server("+OK " + endless))).told,
              ElementsAre("ended unknown: an endless line"));
  EXPECT_THAT(play(pop3, {server("+OK " + std::string(996, 'x') + "\n"), kPop3Ask}).told, ElementsAre())
      << "exactly at the bound";
}

TEST(StarttlsSmuggler, WhatWasNotSentByTheEndStaysUnsent) {
  SmugglerRig rig(config_of(Protocol::imap), "NOOP");
  rig.peer().opened(Time{});
  rig.peer().feed(as_bytes("* OK ready\r\n"), Time{});
  rig.peer().advance(Time{} + 5s);
  EXPECT_TRUE(rig.peer().output().empty());
  EXPECT_THAT(rig.told, ElementsAre("ended unknown: nothing came within 5s"));
}

void feed_split(Peer& peer, std::string_view bytes, std::size_t at, Time now) {
  peer.feed(as_bytes(bytes.substr(0, at)), now);
  if (at < bytes.size()) peer.feed(as_bytes(bytes.substr(at)), now);
}

std::string asked(Peer& peer, Time now) {
  std::string all;
  for (const Output& piece : peer.output()) all += as_text(piece.bytes);
  peer.sent(all.size(), now);
  return all;
}

TEST(StarttlsSmuggler, BytesMayComeInAnyPieces) {
  const struct {
    Protocol protocol;
    std::string command, greeting, agreed, ask, answer;
  } flows[] = {
      {Protocol::imap, "NOOP", "* OK ready\r\n", "* OK [ALERT] hear\r\nt1 OK begin\r\n", kImapAsk.text, "t2 OK\r\n"},
      {Protocol::pop3, "CAPA", "+OK ready\r\n", "+OK begin TLS now\r\n", kPop3Ask.text, "+OK list\r\n"}};
  for (const auto& flow : flows)
    for (std::size_t at = 0; at <= std::max(flow.greeting.size(), flow.agreed.size()); ++at) {
      SCOPED_TRACE(fmt::format("{} split at {}", flow.command, at));
      SmugglerRig rig(config_of(flow.protocol), flow.command);
      const Time now{};
      rig.peer().opened(now);
      feed_split(rig.peer(), flow.greeting, std::min(at, flow.greeting.size()), now);
      EXPECT_EQ(asked(rig.peer(), now), flow.ask) << "all in one write";
      feed_split(rig.peer(), flow.agreed, std::min(at, flow.agreed.size()), now);
      EXPECT_EQ(rig.peer().wants(), Wants::start_tls);
      rig.peer().secured({true, "TLSv1.3", "", "", 0}, now);
      EXPECT_EQ(rig.peer().wants(), Wants::nothing);
      feed_split(rig.peer(), flow.answer, std::min(at, flow.answer.size()), now);
      EXPECT_THAT(rig.told, ElementsAre("ended answered: " + flow.answer.substr(0, flow.answer.size() - 2)));
    }
}

/// The server's words end at every octet, by a connection that is lost or by silence, or are others than expected.
void expect_one_end(const MakeRig& make, const std::vector<DialogueStep>& steps, const std::string& refusal) {
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].kind != DialogueStep::Kind::server) continue;
    std::vector<std::string> words = {refusal, "\x16\x03\x01 what?\r\n"};
    for (std::size_t octets = 0; octets <= steps[at].text.size(); ++octets)
      words.push_back(steps[at].text.substr(0, octets));
    for (const std::string& word : words)
      for (const bool silent : {false, true}) {
        SCOPED_TRACE(fmt::format("step {}: '{}'{}", at, word, silent ? ", then silence" : ""));
        Playing p(make());
        for (std::size_t i = 0; i < at; ++i) p.step(steps[i]);
        p.drain();
        if (!word.empty()) p.feed(word);
        // Under TLS it listens for what was smuggled, and then asks for what may be left in a buffer.
        for (int waits = silent ? 2 : 0; waits > 0 && !p.over(); --waits) {
          ASSERT_TRUE(p.peer().deadline());
          p.peer().advance(*p.peer().deadline());
        }
        if (silent) {
          EXPECT_TRUE(p.over());
        }
        p.peer().ended(EndReason::reset, "", p.now);
        p.peer().feed(as_bytes("t2 OK late words\r\n"), p.now);
        EXPECT_EQ(p.rig().told.size(), 1U);
        EXPECT_TRUE(p.over());
        EXPECT_EQ(p.waiting(), 0U);
        EXPECT_FALSE(p.peer().deadline());
      }
  }
}

TEST(StarttlsSmuggler, EveryStepMayFail) {
  expect_one_end(imap, kImapAnswered, "t1 NO not now\r\n");
  expect_one_end(pop3, kPop3Answered, "-ERR not now\r\n");
}

}  // namespace
}  // namespace mailproof::session
