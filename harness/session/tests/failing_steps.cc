// A dialogue again and again, each time with one step going wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/bytes.h"
#include "session/tests/line_dialogue.h"

namespace mailproof::session {
namespace {

using Kind = DialogueStep::Kind;

/// How a connection dies; silent: it does not, and nobody says a word any more.
enum class Death { closed, reset, silent };
constexpr Death kDeaths[] = {Death::closed, Death::reset, Death::silent};
std::string_view name(Death death) {
  return death == Death::closed ? "closed" : death == Death::reset ? "reset" : "silent";
}

constexpr Duration kBringUp = 10s, kLongest = 60s;  // the bounds of these clients, until they are ready and then
constexpr std::size_t kFlood = 4U << 20;            // more than they may take, whatever they take it for
constexpr std::size_t kFloodPiece = 8U << 10;       // of one read
constexpr std::size_t kMostToldOfFlood = 10000;     // events

/// "done 4 RETR 1 info [] connection closed" is "done 4 info".
std::vector<std::string> outcomes(const std::vector<std::string>& told) {
  std::vector<std::string> out;
  for (const std::string& line : told) {
    if (!line.starts_with("done ") && !line.starts_with("recipient ")) continue;
    std::size_t first = std::string::npos;
    for (const std::string_view word : {" ok", " fail", " info"}) {
      const std::size_t at = (line + ' ').find(std::string(word) + ' ');
      first = std::min(first, at);
    }
    const std::size_t subject = line.find(' ', line.find(' ') + 1);
    const std::size_t word_end = line.find(' ', first + 1);
    out.push_back(line.substr(0, subject) + line.substr(first, word_end - first));
  }
  return out;
}

/// Whether an "ended ..." has this mark in front of its message.
bool marked(const std::string& ended, std::string_view mark) {
  const std::size_t at = ended.find(fmt::format(" {} ", mark));
  return at < std::min({ended.find(" pop3 "), ended.find(" smtp "), ended.find(" lmtp ")});
}

class FailingStep {
 public:
  FailingStep(const MakeSession& make, const std::vector<DialogueStep>& steps, std::size_t at)
      : make_(make), steps_(steps), at_(at) {}

  void reply(const std::string& refusal);
  void words_of_client();
  void tls();
  void idle();

 private:
  const DialogueStep& step() const { return steps_[at_]; }
  Playing up_to_here() const {
    Playing playing(make_());
    for (std::size_t i = 0; i < at_; ++i) playing.step(steps_[i]);
    playing.now += Playing::kStep;
    EXPECT_FALSE(playing.over()) << "the session was over before its last step";
    return playing;
  }
  std::string where(std::string_view way) const {
    return fmt::format("step {} ({}): {}", at_, printable(step().text, 60), way);
  }
  void cut(std::size_t octets, Death death) const;
  void answer(const std::string& text) const;
  void garbage(const std::string& text) const;
  void trickle() const;
  void flood(const std::string& piece) const;

  static SessionRig& of(Playing& playing) { return static_cast<SessionRig&>(playing.rig()); }
  static void die(Playing& playing, Death death);
  static void settle(Playing& playing);
  static void check_end(Playing& playing, bool with_truth = true);

  const MakeSession& make_;
  const std::vector<DialogueStep>& steps_;
  std::size_t at_;
};

/// Nobody says a word any more: who waits has a bound, and it is the end. LMTP's client asks once more where some
/// replies came and others did not, and waits for that answer as long.
void FailingStep::settle(Playing& p) {
  const Time since = p.now;
  for (int turns = 0; !p.over() && of(p).awaiting(); ++turns) {
    p.drain();
    const auto at = p.peer().deadline();
    ASSERT_TRUE(at) << "no bound on what is awaited";
    ASSERT_LT(turns, 5) << "deadlines without end";
    EXPECT_LE(*at - p.now, kLongest);
    p.now = std::max(p.now, *at);
    p.peer().advance(p.now);
  }
  EXPECT_LE(p.now - since, p.said.ends_with("QUIT\r\n") ? 2 * kLongest : kLongest);
}

void FailingStep::die(Playing& p, Death death) {
  if (death == Death::silent) return settle(p);
  if (!p.over() && of(p).awaiting()) {
    EXPECT_TRUE(p.peer().deadline()) << "no bound on what is awaited";
  }
  p.peer().ended(death == Death::closed ? EndReason::closed : EndReason::reset, "", p.now);
}

void FailingStep::check_end(Playing& p, bool with_truth) {
  if (!p.over()) p.peer().ended(EndReason::closed, "", p.now);
  const auto told = p.rig().told;
  // A dead session hears nothing, says nothing and waits for nothing.
  p.peer().ended(EndReason::reset, "again", p.now);
  p.peer().feed(as_bytes("+OK 250 late words\r\n250 and more\r\n"), p.now);
  p.peer().advance(p.now + 1h);
  EXPECT_EQ(p.rig().told, told) << "told after the end";
  EXPECT_EQ(p.waiting(), 0U);
  EXPECT_FALSE(p.peer().deadline());
  EXPECT_EQ(p.peer().wants(), Wants::close);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(std::count_if(told.begin(), told.end(), [](const auto& line) { return line.starts_with("ended"); }), 1);
  EXPECT_TRUE(told.back().starts_with("ended")) << told.back();
  const auto ready = std::count(told.begin(), told.end(), "ready");
  EXPECT_LE(ready, 1);
  EXPECT_EQ(marked(told.back(), "ready"), ready == 1) << told.back();
  if (with_truth) {
    EXPECT_EQ(outcomes(told), of(p).truth(p.said, p.heard));
  }
  // In a flood nobody knows which word answered what; done is done once all the same.
  for (const auto& [id, recipients] : p.rig().asked) {
    const std::string done = fmt::format("done {} ", id);
    EXPECT_EQ(std::count_if(told.begin(), told.end(), [&](const auto& line) { return line.starts_with(done); }), 1)
        << done;
  }
}

void FailingStep::cut(std::size_t octets, Death death) const {
  SCOPED_TRACE(where(fmt::format("{} after {} octets", name(death), octets)));
  Playing p = up_to_here();
  p.drain();
  p.feed(std::string_view(step().text).substr(0, octets));
  const bool before = p.over();
  const Time since = p.now;
  const bool ready = std::count(p.rig().told.begin(), p.rig().told.end(), "ready") != 0;
  die(p, death);
  if (octets == 0 && death == Death::silent) {
    // From when the command was asked for: a step each for asking, for saying it and for the answer that failed to
    // come.
    EXPECT_GE(p.now - since, (ready ? kLongest : kBringUp) - 3 * Playing::kStep) << "not the whole bound";
  }
  check_end(p);
  if (!before && death != Death::silent) {
    EXPECT_TRUE(p.rig().told.back().starts_with(fmt::format("ended {}", name(death)))) << p.rig().told.back();
    EXPECT_FALSE(marked(p.rig().told.back(), "clean"));
  }
}

/// Something else than what was expected: then the connection dies, or the server has the same answer to everything.
void FailingStep::answer(const std::string& text) const {
  for (const Death death : kDeaths) {
    SCOPED_TRACE(where(fmt::format("answered {}, then {}", printable(text), name(death))));
    Playing p = up_to_here();
    p.drain();
    p.feed(text);
    die(p, death);
    check_end(p);
  }
  SCOPED_TRACE(where(fmt::format("everything is answered {}", printable(text))));
  Playing p = up_to_here();
  for (int turns = 0; turns < 200 && !p.over() && of(p).awaiting() && p.peer().wants() == Wants::nothing; ++turns) {
    p.drain();
    p.feed(text);
  }
  settle(p);
  check_end(p);
}

void FailingStep::garbage(const std::string& text) const {
  SCOPED_TRACE(where(fmt::format("garbage {}", printable(text))));
  Playing p = up_to_here();
  p.drain();
  p.feed(text);
  EXPECT_TRUE(p.over());
  EXPECT_TRUE(marked(p.rig().told.back(), "broken")) << p.rig().told.back();
  check_end(p);
}

/// An octet, each time just before it would be too late, and never the end of a line.
void FailingStep::trickle() const {
  SCOPED_TRACE(where("a trickle"));
  Playing p = up_to_here();
  p.drain();
  if (!of(p).awaiting()) return;
  int turns = 0;
  for (; turns < 10 && !p.over(); ++turns) {
    const auto at = p.peer().deadline();
    ASSERT_TRUE(at);
    p.now = std::max(p.now, *at - 1ms);
    p.feed(step().text.substr(0, 1));
    if (p.peer().deadline() == at) p.peer().advance(p.now = *at);
  }
  EXPECT_TRUE(p.over()) << "a trickle goes on for ever";
  check_end(p);
}

/// As fast as it can, and for ever.
void FailingStep::flood(const std::string& piece) const {
  SCOPED_TRACE(where(fmt::format("a flood of {}", printable(piece, 40))));
  std::string read;
  while (read.size() < kFloodPiece) read += piece;
  Playing p = up_to_here();
  std::size_t poured = 0;
  for (; poured < kFlood && !p.over(); poured += read.size()) {
    p.drain();
    p.peer().feed(as_bytes(read), p.now);
  }
  EXPECT_TRUE(p.over()) << "a flood goes on for ever";
  EXPECT_LT(p.rig().told.size(), kMostToldOfFlood);
  check_end(p, false);
}

void FailingStep::reply(const std::string& refusal) {
  for (const Death death : kDeaths)
    for (std::size_t octets = 0; octets <= step().text.size(); ++octets) cut(octets, death);
  answer(refusal);
  const auto rig = make_();
  for (const std::string& odd : rig->odd_answers()) answer(odd);
  for (const char* text : {"\x16\x03\x01 what?\r\n", "HTTP/1.1 400 Bad Request\r\n", "* OK IMAP4rev1 ready\r\n"})
    garbage(text);
  trickle();
  for (const std::string& piece : rig->floods()) flood(piece);
}

/// The link takes only so much of what the client says, and dies.
void FailingStep::words_of_client() {
  Playing whole = up_to_here();
  const std::size_t size = whole.waiting();
  for (const Death death : {Death::closed, Death::reset})
    for (std::size_t octets = 0; octets <= size; ++octets) {
      SCOPED_TRACE(where(fmt::format("{} after {} octets of the client", name(death), octets)));
      Playing p = up_to_here();
      p.hand(octets);
      die(p, death);
      check_end(p);
    }
}

void FailingStep::tls() {
  for (const Death death : kDeaths) {
    SCOPED_TRACE(where(fmt::format("{} before TLS is up", name(death))));
    Playing p = up_to_here();
    p.drain();
    die(p, death);
    check_end(p);
  }
  Playing p = up_to_here();
  p.drain();
  p.peer().secured({false, "", "", "certificate has expired", 0}, p.now);
  EXPECT_TRUE(p.over());
  check_end(p);
  for (const std::string& piece : make_()->floods()) flood(piece);
}

/// Before the device does what this step says; nothing is awaited where it has nothing under way.
void FailingStep::idle() {
  for (const Death death : {Death::closed, Death::reset}) {
    SCOPED_TRACE(where(fmt::format("{} before the device acts", name(death))));
    Playing p = up_to_here();
    die(p, death);
    check_end(p);
  }
  Playing p = up_to_here();
  if (of(p).awaiting()) return;
  EXPECT_FALSE(p.peer().deadline());
  for (const std::string& piece : make_()->floods()) flood(piece);
}

}  // namespace

void expect_every_step_may_fail(const MakeSession& make, const std::vector<DialogueStep>& steps,
                                const std::string& refusal) {
  for (std::size_t at = 0; at < steps.size(); ++at) {
    FailingStep failing(make, steps, at);
    switch (steps[at].kind) {
      case Kind::server:
        failing.reply(refusal);
        break;
      case Kind::client:
        failing.words_of_client();
        break;
      case Kind::tls:
        failing.tls();
        break;
      case Kind::act:
        failing.idle();
        break;
    }
    // One step that goes wrong says enough; thousands of the same hide it.
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace mailproof::session
