#include "session/tests/line_dialogue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace mailproof::session {
namespace {

using Kind = DialogueStep::Kind;

/// Takes everything the client wants to say, as a link would.
std::string drain(Peer& peer, Time now, std::string& raw) {
  std::string shown;
  while (true) {
    std::size_t n = 0;
    std::string piece;
    for (const Output& o : peer.output()) {
      piece += o.secret ? std::string("***") : std::string(as_text(o.bytes));
      raw += as_text(o.bytes);
      n += o.bytes.size();
    }
    if (n == 0) return shown;
    shown += piece;
    peer.sent(n, now);
  }
}

/// Every "asked ID" has one "done ID", "ended" comes once and last.
void check_events(const std::vector<std::string>& told, const std::string& where) {
  std::map<std::string, int> done;
  int ended = 0;
  for (const std::string& line : told) {
    EXPECT_EQ(ended, 0) << where << ": after the end: " << line;
    if (line.starts_with("ended")) ++ended;
    if (line.starts_with("done ")) ++done[line.substr(0, line.find(' ', 5))];
  }
  EXPECT_EQ(ended, 1) << where;
  for (const auto& [id, times] : done) EXPECT_EQ(times, 1) << where << ": " << id;
}

struct Failing {
  std::size_t step;
  Fault fault;
  std::string refusal;
};

/// Plays until the failing step; returns false once the rest makes no sense.
bool play_step(Rig& rig, const DialogueStep& step, const Failing* failing, Time& now, std::string& raw,
               std::string& unheard) {
  Peer& peer = rig.peer();
  now += 1ms;
  switch (step.kind) {
    case Kind::act:
      step.action(peer);
      return true;
    case Kind::tls:
      unheard += drain(peer, now, raw);
      if (failing == nullptr) {
        EXPECT_EQ(peer.wants(), Wants::start_tls);
      }
      peer.secured({true, "sim", "", "", 0}, now);
      return true;
    case Kind::client:
      unheard += drain(peer, now, raw);
      EXPECT_EQ(unheard, step.text);
      unheard.clear();
      return true;
    case Kind::server:
      break;
  }
  unheard += drain(peer, now, raw);
  if (!failing) {
    peer.feed(as_bytes(step.text), now);
    return true;
  }
  switch (failing->fault) {
    case Fault::closed:
      peer.ended(EndReason::closed, "", now);
      break;
    case Fault::cut_in_the_middle:
      peer.feed(as_bytes(std::string_view(step.text).substr(0, step.text.size() / 2)), now);
      peer.ended(EndReason::reset, "", now);
      break;
    case Fault::timeout: {
      const auto at = peer.deadline();
      EXPECT_TRUE(at) << "no bound on: " << step.text;
      if (!at) return false;
      peer.advance(*at - 1ns);
      EXPECT_NE(peer.wants(), Wants::close) << "too early";
      peer.advance(*at);
      EXPECT_EQ(peer.wants(), Wants::close) << "timeout not noticed";
      break;
    }
    case Fault::garbage:
      peer.feed(as_bytes("\x16\x03\x01 what?\r\n"), now);
      break;
    case Fault::refusal:
      peer.feed(as_bytes(failing->refusal), now);
      break;
  }
  return false;
}

}  // namespace

DialogueStep server(std::string text) { return {Kind::server, std::move(text), {}}; }
DialogueStep client(std::string text) { return {Kind::client, std::move(text), {}}; }
DialogueStep tls_up() { return {Kind::tls, {}, {}}; }
DialogueStep act(std::function<void(Peer&)> action) { return {Kind::act, {}, std::move(action)}; }

void Offers::secured(const TlsFacts& facts) {
  lines.emplace_back(facts.established ? "secured" : "not secured: " + facts.error);
}

void Offers::offered(std::span<const std::string> words, Stage stage) {
  constexpr std::string_view stages[] = {"plaintext:", "secured:", "authenticated:"};
  std::string line(stages[static_cast<std::size_t>(stage)]);
  for (const std::string& word : words) line += fmt::format(" {}", word);
  lines.push_back(std::move(line));
}

std::string describe(Outcome outcome) {
  return outcome == Outcome::ok ? "ok" : outcome == Outcome::fail ? "fail" : "info";
}

std::string describe(const Ended& e) {
  return fmt::format("ended {}{}{}{}{} {}", name(e.reason), e.clean ? " clean" : "", e.ready ? " ready" : "",
                     e.login_refused ? " login-refused" : "", e.broken ? " broken" : "", e.message());
}

DialogueRun play(const std::function<std::unique_ptr<Rig>()>& make, const std::vector<DialogueStep>& steps) {
  const auto rig = make();
  Time now{};
  DialogueRun run;
  std::string unheard;
  rig->peer().opened(now);
  for (const DialogueStep& step : steps) play_step(*rig, step, nullptr, now, run.raw_output, unheard);
  unheard += drain(rig->peer(), now, run.raw_output);
  EXPECT_EQ(unheard, "") << "said at the end and not expected";
  run.told = rig->told;
  return run;
}

void expect_every_step_may_fail(const std::function<std::unique_ptr<Rig>()>& make,
                                const std::vector<DialogueStep>& steps, const std::string& refusal) {
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].kind != Kind::server) continue;
    for (const Fault fault :
         {Fault::closed, Fault::cut_in_the_middle, Fault::timeout, Fault::garbage, Fault::refusal}) {
      const std::string where = fmt::format("step {} ({}), fault {}", at, steps[at].text, static_cast<int>(fault));
      SCOPED_TRACE(where);
      const auto rig = make();
      Time now{};
      std::string raw;
      std::string unheard;
      rig->peer().opened(now);
      for (std::size_t i = 0; i < at; ++i) play_step(*rig, steps[i], nullptr, now, raw, unheard);
      const bool over_before = rig->peer().wants() == Wants::close;
      const Failing failing{at, fault, refusal};
      play_step(*rig, steps[at], &failing, now, raw, unheard);
      EXPECT_FALSE(over_before) << "the session was over before its last step";
      if (fault != Fault::refusal) {
        EXPECT_EQ(rig->peer().wants(), Wants::close);
      }
      rig->peer().ended(EndReason::closed, "", now);
      rig->peer().feed(as_bytes("+OK 250 late words\r\n"), now);
      drain(rig->peer(), now, raw);
      EXPECT_TRUE(rig->peer().output().empty() || rig->peer().output().front().bytes.empty());
      EXPECT_FALSE(rig->peer().deadline());
      check_events(rig->told, where);
    }
  }
}

}  // namespace mailproof::session
