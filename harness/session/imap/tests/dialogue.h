#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "session/imap/client.h"

namespace mailproof::session::tests {

/// Writes down every call, one line each.
class ImapRecorder : public ImapSink {
 public:
  std::vector<std::string> events;
  std::vector<std::string> offers;  ///< what was told of TLS and of capabilities, an event a line
  std::function<void()> when_ready = [] {};
  std::function<void(const ImapCompletion&)> when_done = [](const ImapCompletion&) {};
  int ends = 0;
  Ended end;

  void on_greeting(std::string_view text, Time) override;
  void on_secured(const TlsFacts& facts, Time) override;
  void on_capabilities(std::span<const std::string> words, Stage stage, Time) override;
  void on_ready(Time) override;
  void on_done(const ImapCompletion& done, Time) override;
  void on_idling(Time) override { events.emplace_back("idling"); }
  void on_exists(std::uint32_t n, std::uint32_t before, Time) override;
  void on_recent(std::uint32_t n, Time) override;
  void on_expunge(std::uint32_t seq, std::uint32_t uid, Time) override;
  void on_vanished(const imap::SequenceSet& uids, bool earlier, Time) override;
  void on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time) override;
  void on_content(std::string_view chunk) override { content_ += chunk; }
  void on_content_end() override;
  void on_fetch(const ImapFetchRow& row, Time) override;
  void on_list(const ImapListRow& row, Time) override;
  void on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time) override;
  void on_search(const imap::SequenceSet& numbers, Time) override;
  void on_quota_root(std::string_view mailbox, std::string_view root, Time) override;
  void on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                Time) override;
  void on_deviation(const Deviation& deviation, Time) override;
  void on_ended(const Ended& ended, Time) override;

 private:
  std::string content_;
};

/// A client and the other end of its conversation: say what the server says, expect what the client says and tells.
/// Bytes can be fed in pieces of any size.
class ImapDialogue : public Waker {
 public:
  explicit ImapDialogue(ClientConfig config = plain(), std::size_t piece = 0);
  static ClientConfig plain();  ///< imap 127.0.0.1:143, user0001 / "pass word", no TLS, LOGIN

  ImapRecorder sink;
  ImapClient client;
  Time now{};
  int wakes = 0;

  void open();
  void server(std::string_view bytes);  ///< fed in pieces if asked for at construction
  std::string said();                   ///< what the client wants to send, secrets as ***; taken as sent
  void says(std::string_view expected) { EXPECT_EQ(said(), expected); }
  void tells(const std::vector<std::string>& expected);  ///< the events since the last call
  void pass(Duration time);                              ///< advance() at every deadline on the way
  void ready(
      std::string_view capabilities = "IMAP4rev1 UIDPLUS IDLE LITERAL+ MOVE UNSELECT");  ///< through the bring-up
  void selected(std::uint32_t messages);  ///< SELECT INBOX answered, events taken
  void wake() override { ++wakes; }

 private:
  std::size_t piece_;
};

}  // namespace mailproof::session::tests
