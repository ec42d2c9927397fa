#include "session/tests/line_dialogue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailproof::session {

using Kind = DialogueStep::Kind;

DialogueStep server(std::string text) { return {Kind::server, std::move(text)}; }
DialogueStep client(std::string text) { return {Kind::client, std::move(text)}; }
DialogueStep tls_up() { return {Kind::tls, {}}; }
DialogueStep act(std::function<void(Peer&)> action) {
  return asks([action = std::move(action)](Peer& p) {
    action(p);
    return CommandId{0};
  });
}
DialogueStep asks(std::function<CommandId(Peer&)> action, std::size_t recipients) {
  return {Kind::act, {}, std::move(action), recipients};
}

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

std::string Playing::drain() {
  std::string words;
  while (true) {
    std::size_t n = 0;
    for (const Output& o : peer().output()) {
      words += o.secret ? std::string("***") : std::string(as_text(o.bytes));
      said += as_text(o.bytes);
      n += o.bytes.size();
    }
    if (n == 0) return words;
    peer().sent(n, now);
  }
}

std::size_t Playing::waiting() {
  std::size_t n = 0;
  for (const Output& o : peer().output()) n += o.bytes.size();
  return n;
}

void Playing::hand(std::size_t octets) {
  std::string words;
  for (const Output& o : peer().output()) words += as_text(o.bytes);
  said += words.substr(0, octets);
  if (octets != 0) peer().sent(octets, now);
}

void Playing::feed(std::string_view text) {
  heard += text;
  peer().feed(as_bytes(text), now);
}

void Playing::step(const DialogueStep& step) {
  now += kStep;
  switch (step.kind) {
    case Kind::act: {
      const CommandId last = step.action(peer());
      for (CommandId id = 1; id < last; ++id) rig().asked.try_emplace(id, 0);
      if (last != 0) rig().asked[last] = step.recipients;
      break;
    }
    case Kind::tls:
      shown += drain();
      EXPECT_EQ(peer().wants(), Wants::start_tls);
      peer().secured({true, "sim", "", "", 0}, now);
      break;
    case Kind::client:
      shown += drain();
      EXPECT_EQ(shown, step.text);
      shown.clear();
      break;
    case Kind::server:
      shown += drain();
      feed(step.text);
      break;
  }
}

DialogueRun play(const MakeRig& make, const std::vector<DialogueStep>& steps) {
  Playing playing(make());
  for (const DialogueStep& step : steps) playing.step(step);
  playing.shown += playing.drain();
  EXPECT_EQ(playing.shown, "") << "said at the end and not expected";
  return {playing.rig().told, playing.said};
}

}  // namespace mailproof::session
