#include "session/imap/tests/dialogue.h"

#include <fmt/format.h>

namespace mailproof::session::tests {
namespace {

/// One by one where they are few.
std::string joined(const imap::SequenceSet& numbers) {
  if (numbers.named() > 1000) return numbers.format();
  std::string text;
  numbers.for_each(0xffff'ffffU, [&](std::uint32_t n) { text += fmt::format("{}{}", text.empty() ? "" : ",", n); });
  return text;
}

}  // namespace

void ImapRecorder::on_greeting(std::string_view text, Time) { events.push_back(fmt::format("greeting {}", text)); }
void ImapRecorder::on_secured(const TlsFacts& facts, Time) {
  offers.emplace_back(facts.established ? "secured" : "not secured: " + facts.error);
}
void ImapRecorder::on_capabilities(std::span<const std::string> words, Stage stage, Time) {
  constexpr std::string_view stages[] = {"plaintext", "secured", "authenticated"};
  std::string offer(stages[static_cast<std::size_t>(stage)]);
  for (const std::string& word : words) offer += fmt::format(" {}", word);
  offers.push_back(std::move(offer));
}
void ImapRecorder::on_ready(Time) {
  events.emplace_back("ready");
  when_ready();
}
void ImapRecorder::on_done(const ImapCompletion& done, Time) {
  constexpr std::string_view outcomes[] = {"ok", "fail", "info"};
  std::string event =
      fmt::format("done {} {} {}", done.id, done.command, outcomes[static_cast<std::size_t>(done.outcome)]);
  if (!done.status.empty()) event += fmt::format(" {}", done.status);
  if (!done.code.empty()) event += fmt::format(" [{}]", done.code);
  if (done.uidvalidity != 0)
    event += fmt::format(" {}: {}->{}", done.uidvalidity, joined(done.source_uids), joined(done.destination_uids));
  event += fmt::format(" '{}'", done.text);
  events.push_back(event);
  when_done(done);
}
void ImapRecorder::on_exists(std::uint32_t n, std::uint32_t before, Time) {
  events.push_back(fmt::format("exists {} was {}", n, before));
}
void ImapRecorder::on_recent(std::uint32_t n, Time) { events.push_back(fmt::format("recent {}", n)); }
void ImapRecorder::on_expunge(std::uint32_t seq, std::uint32_t uid, Time) {
  events.push_back(fmt::format("expunge {} uid {}", seq, uid));
}
void ImapRecorder::on_vanished(const imap::SequenceSet& uids, bool earlier, Time) {
  events.push_back(fmt::format("vanished {}{}", earlier ? "earlier " : "", joined(uids)));
}
void ImapRecorder::on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time) {
  events.push_back(fmt::format("content {} [{}] {}", seq, section, size));
  content_.clear();
}
void ImapRecorder::on_content_end() { events.push_back(fmt::format("octets {}", content_)); }
void ImapRecorder::on_fetch(const ImapFetchRow& row, Time) {
  std::string event = fmt::format("fetch {} uid {}", row.seq, row.uid);
  if (row.flags) {
    event += " flags";
    for (const std::string_view flag : *row.flags) event += fmt::format(" {}", flag);
  }
  if (row.size) event += fmt::format(" size {}", *row.size);
  if (row.modseq) event += fmt::format(" modseq {}", *row.modseq);
  if (!row.internaldate.empty()) event += fmt::format(" date {}", row.internaldate);
  if (!row.envelope.empty()) event += fmt::format(" envelope {}", row.envelope);
  if (!row.bodystructure.empty()) event += fmt::format(" structure {}", row.bodystructure);
  if (row.has_content)
    event += fmt::format(" content [{}] {}{}", row.section, row.content_size, row.content_nil ? " nil" : "");
  events.push_back(event);
}
void ImapRecorder::on_list(const ImapListRow& row, Time) {
  std::string event =
      fmt::format("{} {} {}", row.subscribed ? "lsub" : "list", row.name, row.separator == 0 ? '-' : row.separator);
  for (const std::string_view attribute : row.attributes) event += fmt::format(" {}", attribute);
  events.push_back(event);
}
void ImapRecorder::on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time) {
  events.push_back(fmt::format("status {} {} {}", mailbox, item, value));
}
void ImapRecorder::on_search(const imap::SequenceSet& numbers, Time) {
  events.push_back(fmt::format("search {}", joined(numbers)));
}
void ImapRecorder::on_quota_root(std::string_view mailbox, std::string_view root, Time) {
  events.push_back(fmt::format("quotaroot {} '{}'", mailbox, root));
}
void ImapRecorder::on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                            Time) {
  events.push_back(fmt::format("quota '{}' {} {}/{}", root, resource, used, limit));
}
void ImapRecorder::on_deviation(const Deviation& deviation, Time) {
  events.push_back(fmt::format("deviation {}", deviation.code));
}
void ImapRecorder::on_ended(const Ended& ended, Time) {
  ++ends;
  end = ended;
  events.push_back(fmt::format("ended {}{}{}: {}: {}", name(ended.reason), ended.clean ? " clean" : "",
                               ended.broken ? " broken" : "", ended.step, ended.why));
}

ClientConfig ImapDialogue::plain() {
  ClientConfig config;
  config.endpoint.port = 143;
  config.login = {"user0001", Secret("pass word"), "LOGIN"};
  return config;
}

ImapDialogue::ImapDialogue(ClientConfig config, std::size_t piece) : client(std::move(config), sink), piece_(piece) {
  client.attach(this);
}

void ImapDialogue::open() { client.opened(now); }

void ImapDialogue::server(std::string_view bytes) {
  if (piece_ == 0) return client.feed(as_bytes(bytes), now);
  for (std::size_t at = 0; at < bytes.size(); at += piece_) client.feed(as_bytes(bytes.substr(at, piece_)), now);
}

std::string ImapDialogue::said() {
  std::string text;
  std::size_t size = 0;
  for (const Output& piece : client.output()) {
    text += piece.secret ? "***" : as_text(piece.bytes);
    size += piece.bytes.size();
  }
  if (size > 0) client.sent(size, now);
  return text;
}

void ImapDialogue::tells(const std::vector<std::string>& expected) {
  EXPECT_EQ(sink.events, expected);
  sink.events.clear();
}

void ImapDialogue::pass(Duration time) {
  const Time until = now + time;
  for (int turns = 0; turns < 1000; ++turns) {
    const auto due = client.deadline();
    if (!due || *due > until) break;
    now = std::max(now, *due);
    client.advance(now);
  }
  now = until;
}

void ImapDialogue::ready(std::string_view capabilities) {
  open();
  server(fmt::format("* OK [CAPABILITY {}] mail.example.test ready\r\n", capabilities));
  said();
  server(fmt::format("a1 OK [CAPABILITY {}] logged in\r\n", capabilities));
  EXPECT_TRUE(client.ready());
  sink.events.clear();
}

void ImapDialogue::selected(std::uint32_t messages) {
  client.select("INBOX");
  const std::string command = said();
  const std::string tag = command.substr(0, command.find(' '));
  server(
      fmt::format("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* {} EXISTS\r\n* 0 RECENT\r\n"
                  "* OK [UIDVALIDITY 3857529045] UIDs valid\r\n* OK [UIDNEXT 4392] Predicted next UID\r\n"
                  "{} OK [READ-WRITE] SELECT completed\r\n",
                  messages, tag));
  sink.events.clear();
}

}  // namespace mailproof::session::tests
