#pragma once
#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "core/outbox.h"
#include "core/peer.h"
#include "server/context.h"

namespace mailproof::server {

/// What IMAP, POP3 and SMTP connections have in common: the output, the autologout, the way to TLS, the end.
/// A protocol implements on_open(), on_bytes(), on_timeout() and idle_limit().
class Connection : public Peer {
 public:
  /// A client that leaves more than this unread and goes on asking, or idling, loses the connection. One answer may be
  /// larger.
  static constexpr std::size_t kOutputLimit = 256U << 20U;

  Connection(ServerContext& context, bool tls) : context_(context), secure_(tls) {}

  /// Nobody logs in here before TLS, whatever the options say.
  void require_tls() { needs_tls_ = true; }

  void attach(Waker* waker) final { waker_ = waker; }
  void opened(Time now) final;
  void feed(Bytes in, Time now) final;
  std::span<const Output> output() final { return out_.output(); }
  void sent(std::size_t n, Time now) final;
  void advance(Time now) final;
  std::optional<Time> deadline() const final;
  void secured(const TlsFacts& facts, Time now) final;
  void ended(EndReason reason, std::string_view detail, Time now) final;
  Wants wants() const final { return wants_; }

 protected:
  virtual void on_open() = 0;                         ///< say the greeting
  virtual void on_bytes(std::string_view bytes) = 0;  ///< stop at once when open() turns false, and drop the rest
  virtual void on_timeout() = 0;  ///< idle_limit() went by in silence: say so; the connection then closes
  virtual Duration idle_limit() const = 0;
  virtual void on_secured() {}  ///< TLS is up: forget what was learnt before (RFC 3207 section 4.2)
  virtual void on_end() {}      ///< gone, whoever did it: release locks, stop watching

  ServerContext& context() { return context_; }
  const ServerContext& context() const { return context_; }
  Time now() const { return now_; }  ///< of the call that is being handled
  bool secure() const { return secure_; }
  bool may_send_password() const { return secure_ || (context_.options.plaintext_login && !needs_tls_); }
  bool open() const { return wants_ == Wants::nothing && !ended_; }  ///< commands may be read

  void write(std::string_view text) { out_.text(text); }
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    scratch_.clear();
    fmt::format_to(std::back_inserter(scratch_), format, std::forward<Args>(args)...);
    out_.text(std::string_view(scratch_.data(), scratch_.size()));
  }
  Outbox& out() { return out_; }

  void start_tls() {
    wants_ = Wants::start_tls;
  }                                        ///< after the reply was written; bytes behind the command are dropped
  void close() { wants_ = Wants::close; }  ///< after the last words were written
  /// Output was written outside of a call from the driver (another session changed something).
  void wake();

 private:
  std::string_view up_to_starttls(std::string_view bytes);
  bool unread();  ///< true: too much is, and the connection is on its way out

  ServerContext& context_;
  Outbox out_;
  fmt::memory_buffer scratch_;
  Waker* waker_ = nullptr;
  Time now_{};
  Time last_heard_{};
  Wants wants_ = Wants::nothing;
  std::string kept_;  ///< only with a defect: what stood behind STARTTLS
  bool secure_;
  bool needs_tls_ = false;
  bool opened_ = false;
  bool ended_ = false;
};

}  // namespace mailproof::server
