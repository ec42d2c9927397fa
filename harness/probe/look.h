#pragma once
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/loop.h"
#include "session/imap/client.h"
#include "session/pop3/client.h"
#include "session/smtp/client.h"

namespace mailproof::probe {

/// What a session told on its way, whatever its protocol.
struct Seen {
  Time began{};
  std::optional<Time> greeted;
  std::string greeting;
  std::optional<TlsFacts> tls;
  std::optional<std::vector<std::string>> before_tls, after_tls, after_login;
  bool ready = false;
  std::optional<session::Ended> ended;

  bool settled() const { return ready || ended; }
  void offered(std::span<const std::string> words, session::Stage stage);
};

/// The end of a command.
struct Answer {
  session::Outcome outcome = session::Outcome::info;
  Duration round_trip{};
  std::string text;  ///< of a command that failed: itself, and what the server said
};

/// One session of a probe, from its connection to its end. A look asks one command and waits for its end; the session's
/// own bounds end every wait.
class Look {
 public:
  virtual ~Look() = default;
  const Seen& seen() const { return seen_; }
  void await_ready();        ///< ready, or over
  virtual void leave() = 0;  ///< LOGOUT or QUIT, and the end

 protected:
  explicit Look(net::Loop& loop) : loop_(loop) {}
  void begin(const Endpoint& endpoint, Peer& peer);
  void ended(const session::Ended& end) { seen_.ended = end; }
  void greeted(std::string_view text, Time now);
  Answer await_answer(session::CommandId id);
  void answered(session::CommandId id, Answer answer);
  void await_end();

  net::Loop& loop_;
  Seen seen_;
  std::unique_ptr<Link> link_;

 private:
  session::CommandId asked_ = 0;
  std::optional<Answer> answer_;
};

class ImapLook final : public Look, private session::ImapSink {
 public:
  ImapLook(net::Loop& loop, const session::ClientConfig& config);
  ~ImapLook() override { link_.reset(); }

  struct Quota {
    std::string root, resource;
    std::uint64_t used = 0, limit = 0;
  };
  Answer noop();
  std::vector<std::string> mailboxes();  ///< that can be selected; the INBOX always
  Result<std::uint64_t> messages(const std::string& mailbox);
  std::optional<std::uint64_t> ours(
      const std::string& mailbox);             ///< messages that an earlier run sent, or reports of them
  std::optional<std::vector<Quota>> quotas();  ///< of the INBOX; nothing where QUOTA is not offered
  void leave() override;

 private:
  void on_greeting(std::string_view text, Time now) override { greeted(text, now); }
  void on_secured(const TlsFacts& facts, Time) override { seen_.tls = facts; }
  void on_capabilities(std::span<const std::string> words, session::Stage stage, Time) override {
    seen_.offered(words, stage);
  }
  void on_ready(Time) override { seen_.ready = true; }
  void on_done(const session::ImapCompletion& done, Time now) override {
    answered(done.id, {done.outcome, now - done.sent, fmt::format("{}: {} {}", done.command, done.status, done.text)});
  }
  void on_exists(std::uint32_t, std::uint32_t, Time) override {}
  void on_expunge(std::uint32_t, std::uint32_t, Time) override {}
  void on_fetch(const session::ImapFetchRow&, Time) override {}
  void on_list(const session::ImapListRow& row, Time) override;
  void on_status(std::string_view, std::string_view item, std::uint64_t value, Time) override;
  void on_search(const imap::SequenceSet& numbers, Time) override { found_ += numbers.named(); }
  void on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                Time) override;
  void on_ended(const session::Ended& end, Time) override { ended(end); }

  session::ImapClient client_;
  std::vector<std::string> mailboxes_;
  std::optional<std::uint64_t> messages_;
  std::uint64_t found_ = 0;
  std::vector<Quota> quotas_;
};

class Pop3Look final : public Look, private session::Pop3Sink {
 public:
  Pop3Look(net::Loop& loop, const session::ClientConfig& config);
  ~Pop3Look() override { link_.reset(); }

  Answer noop() { return await_answer(client_.noop()); }
  Result<std::uint32_t> messages();
  void leave() override;

 private:
  void on_greeting(std::string_view text, Time now) override { greeted(text, now); }
  void on_secured(const TlsFacts& facts, Time) override { seen_.tls = facts; }
  void on_capabilities(std::span<const std::string> lines, session::Stage stage, Time) override {
    seen_.offered(lines, stage);
  }
  void on_ready(Time) override { seen_.ready = true; }
  void on_done(const session::Pop3Completion& done, Time now) override {
    answered(done.id, {done.outcome, now - done.sent, fmt::format("{}: -ERR {}", done.command, done.text)});
  }
  void on_stat(std::uint32_t messages, std::uint64_t, Time) override { messages_ = messages; }
  void on_list(std::uint32_t, std::uint64_t, Time) override {}
  void on_uidl(std::uint32_t, std::string_view, Time) override {}
  void on_content_begin(std::uint32_t, bool, Time) override {}
  void on_content(std::string_view) override {}
  void on_content_end(std::uint64_t, Time) override {}
  void on_ended(const session::Ended& end, Time) override { ended(end); }

  session::Pop3Client client_;
  std::optional<std::uint32_t> messages_;
};

class SmtpLook final : public Look, private session::SmtpSink {
 public:
  SmtpLook(net::Loop& loop, const session::ClientConfig& config);
  ~SmtpLook() override { link_.reset(); }
  void leave() override;

 private:
  void on_greeting(const session::SmtpReply& reply, Time now) override;
  void on_secured(const TlsFacts& facts, Time) override { seen_.tls = facts; }
  void on_extensions(std::span<const std::string> lines, session::Stage stage, Time) override {
    seen_.offered(lines, stage);
  }
  void on_ready(Time) override { seen_.ready = true; }
  void on_reply(std::string_view, const session::SmtpReply&, Time) override {}
  void on_recipient(session::CommandId, const session::RecipientResult&, Time) override {}
  void on_done(session::CommandId, session::Outcome, Time, Time) override {}
  void on_ended(const session::Ended& end, Time) override { ended(end); }

  session::SmtpClient client_;
};

/// A session of the endpoint's protocol that is on its way.
std::unique_ptr<Look> look_at(net::Loop& loop, const session::ClientConfig& config);

}  // namespace mailproof::probe
