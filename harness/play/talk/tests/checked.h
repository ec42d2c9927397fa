#pragma once
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {

/// What the server sends instead of its own answer when this is said.
inline WrongBlock instead_of(const std::string& line, std::vector<std::string> sent,
                             Protocol protocol = Protocol::pop3) {
  WrongBlock block{.protocol = protocol, .text = line};
  for (std::string& text : sent) block.actions.push_back({.kind = WrongAction::Kind::say, .text = std::move(text)});
  return block;
}
inline constexpr Protocol kImap = Protocol::imap;

/// One check of pop3.1939-5 with three messages in the mailbox.
struct Checked {
  explicit Checked(const std::string& lines, const std::string& more = "",
                   const std::function<void(server::ServerOptions&)>& with = {},
                   std::vector<WrongDialogue> dialogues = {}, std::optional<EarlierEnd> earlier = {})
      : rig(scenario::parse("id: pop3.1939-5\ntitle: t\nneeds: [pop3]\nmailbox: {messages: 3}\nchecks:\n"
                            "  - id: one\n    level: MUST\n    title: it is so\n" +
                                more + "    talk: |\n" + indented(lines),
                            "check.yaml"),
            with, std::move(dialogues)) {
    if (earlier) rig.options.patience = 3;
    rig.options.earlier = std::move(earlier);
    rig.play();
  }
  Checked(const std::string& lines, const std::string& more, std::vector<WrongBlock> wrong)
      : Checked(lines, more, {}, {{std::move(wrong)}}) {}
  static std::string indented(const std::string& lines) {
    std::string out;
    for (std::size_t from = 0; from < lines.size();) {
      const auto end = std::min(lines.find('\n', from), lines.size());
      out += "      " + lines.substr(from, end - from) + "\n";
      from = end + 1;
    }
    return out;
  }
  /// Of the talk what is expected and how it came out, or what it did itself.
  std::vector<history::Event> talked(bool itself = false) const {
    std::vector<history::Event> out;
    for (const auto& e : rig.player->history().events())
      if (e.what == history::What::talk && (e.type == history::Type::obs) == itself) out.push_back(e);
    return out;
  }
  /// What the last line that was played came to: "ok: ..." or "fail: ...".
  std::string end() const {
    const auto e = talked().back();
    return std::string(name(e.type)) + ": " + e.text;
  }
  SimRig rig;
};

}  // namespace mailproof::play
