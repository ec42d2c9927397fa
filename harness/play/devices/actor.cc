#include "play/devices/actor.h"

namespace mailproof::play {

std::uint32_t expect(Context& context, history::What what, const Expectation& expected) {
  auto e = context.event(history::Type::expect, what, expected.session);
  e.set = history::format_numbers(expected.messages);
  e.mailbox = expected.mailbox;
  e.facts = history::BoundFacts{expected.bound};
  e.text = expected.text;
  for (const auto& flag : expected.flags) {
    if (!e.flags.empty()) e.flags += ' ';
    e.flags += flag;
  }
  return context.append(std::move(e));
}

void outcome(Context& context, history::What what, std::uint32_t expectation, history::Type how,
             const std::vector<std::uint32_t>& missing, std::string text, std::uint32_t session, std::string code) {
  auto e = context.event(how, what, session);
  e.command = expectation;
  e.set = history::format_numbers(missing);
  e.text = std::move(text);
  e.code = std::move(code);
  if (session != 0) e.raw = context.logs[session - 1]->here();
  context.append(std::move(e));
}

}  // namespace mailproof::play
