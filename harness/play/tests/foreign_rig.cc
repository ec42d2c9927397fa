#include "play/tests/foreign_rig.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mailproof::play {

std::string ask(server::Server& server, Protocol protocol, const std::vector<std::string>& commands, Time now) {
  const auto peer = server.accept(protocol, true);
  std::string heard;
  const auto hear = [&] {
    std::size_t size = 0;
    for (const Output& piece : peer->output()) {
      heard += as_text(piece.bytes);
      size += piece.bytes.size();
    }
    peer->sent(size, now);
  };
  peer->attach(nullptr);
  peer->opened(now);
  hear();
  std::size_t tag = 0;
  for (const std::string& command : commands) {
    const std::string line = protocol == Protocol::imap ? fmt::format("t{} {}\r\n", ++tag, command) : command + "\r\n";
    peer->feed(as_bytes(line), now);
    hear();
  }
  peer->ended(EndReason::closed, "", now);
  return heard;
}

class ForeignMail::Arrival final : public Alarm {
 public:
  Arrival(ForeignMail& mail, std::string account, std::string text)
      : mail_(mail), account_(std::move(account)), text_(std::move(text)) {}
  ~Arrival() override { mail_.rig_.network->set_alarm(*this, std::nullopt); }
  void ring(Time) override { mail_.put(account_, text_); }

 private:
  ForeignMail& mail_;
  std::string account_, text_;
};

void ForeignMail::put(const std::string& account, std::string text, bool deleted) {
  text = fmt::format("X-Letter: {}\r\n{}", letters_.size(), text);
  const Time now = rig_.network->now();
  put_into(*rig_.server, account + "@example.test", text, now);
  std::vector<std::string> commands = {"LOGIN user-" + account + " pass", "SELECT INBOX", "UID FETCH * (BODY.PEEK[])"};
  if (deleted) commands.insert(commands.end(), {"STORE * +FLAGS.SILENT (\\Deleted)", "UNSELECT"});
  if (ask(*rig_.server, Protocol::imap, commands, now).find(text) == std::string::npos) return;
  letters_.push_back({account, std::move(text), deleted});
}

void ForeignMail::arrive(std::size_t times, std::uint64_t seed) {
  Rng rng(seed);
  mail::MessageSpec ours;
  ours.token = {rng.next(), 1, rng.next(), "alice@example.test"};
  ours.from = ours.to = ours.token.owner;
  ours.set = "mail";
  ours.date = "Thu, 01 Jan 2026 00:00:00 +0000";
  mail::MessageSpec other = ours;
  other.token.run = rng.next();
  std::vector<std::string> texts;
  for (auto& mail : look_alikes(ours, other)) {
    // Made around a playing that nobody plays: what would be ours is a leftover here, and mailproof's own.
    if (mail.text.find(kPrivate) != std::string::npos) texts.push_back(std::move(mail.text));
  }
  for (std::size_t i = 0; i < times; ++i) {
    const auto& account = rig_.scenario.accounts[rng.below(static_cast<std::uint32_t>(rig_.scenario.accounts.size()))];
    const bool early = !rng.one_in(4);
    const Time at = Time{} + Duration(static_cast<std::int64_t>(rng.below(early ? 40'000'000 : 1'500'000'000)));
    arrivals_.push_back(
        std::make_shared<Arrival>(*this, account.name, texts[rng.below(static_cast<std::uint32_t>(texts.size()))]));
    rig_.network->set_alarm(*arrivals_.back(), at);
  }
}

ForeignMail::Harm ForeignMail::harm() const {
  Harm out;
  std::map<std::string, std::string> there;  // account -> its INBOX
  for (std::size_t i = 0; i < letters_.size(); ++i) {
    const Letter& letter = letters_[i];
    if (!there.contains(letter.account))
      there[letter.account] =
          ask(*rig_.server, Protocol::imap,
              {"LOGIN user-" + letter.account + " pass", "EXAMINE INBOX", "FETCH 1:* (FLAGS BODY.PEEK[])"},
              rig_.network->now());
    const std::string& inbox = there[letter.account];
    const auto at = inbox.find(letter.text);
    if (at == std::string::npos) {
      const bool changed = inbox.find(letter.text.substr(0, letter.text.find("\r\n") + 2)) != std::string::npos;
      ++(changed ? out.changed : out.missing);
      out.lines.push_back(fmt::format("letter {} in {}'s INBOX {}:\n{}", i, letter.account,
                                      changed ? "was changed" : "is not there any more", letter.text));
      continue;
    }
    const auto row = inbox.find("FLAGS (", at + letter.text.size());  // behind the body in the row
    const std::string flags = inbox.substr(row, inbox.find(')', row) - row);
    const bool seen = flags.find("\\Seen") != std::string::npos;
    const bool marked = (flags.find("\\Deleted") != std::string::npos) != letter.deleted;
    out.seen += seen ? 1 : 0;
    out.marked += marked ? 1 : 0;
    if (seen || marked) out.lines.push_back(fmt::format("letter {} in {}'s INBOX: {}", i, letter.account, flags));
  }
  return out;
}

std::vector<std::string> ForeignMail::read_by() const {
  std::vector<std::string> out;
  const auto& logs = rig_.player->logs();
  for (std::size_t i = 0; i < logs.size(); ++i)
    if (logs[i]->all().find(kPrivate) != std::string::npos)
      out.push_back(rig_.player->history().session(static_cast<std::uint32_t>(i + 1)).label);
  return out;
}

std::string foreign_letter(const std::string& subject) {
  return "From: Bob <bob@example.org>\r\nTo: alice@example.test\r\nSubject: " + subject +
         "\r\nMessage-ID: <1@example.org>\r\nDate: Wed, 25 Nov 2026 09:12:40 +0000\r\n\r\n" + std::string(kPrivate) +
         "\r\n";
}

WrongBlock wrong_on(Protocol protocol, const std::string& line, std::vector<WrongAction> actions, WrongBlock::At at) {
  WrongBlock block{.at = at, .protocol = protocol, .text = line};
  block.actions = std::move(actions);
  return block;
}

WrongAction wrong_say(std::string text) { return {.kind = WrongAction::Kind::say, .text = std::move(text) + "\r\n"}; }

}  // namespace mailproof::play
