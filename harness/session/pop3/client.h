#pragma once
#include <memory>
#include <span>

#include "session/client.h"

namespace mailproof::session {

struct Pop3Completion {
  CommandId id = 0;
  std::string_view command;    ///< "RETR"
  std::uint32_t argument = 0;  ///< message number, 0 = none
  Outcome outcome = Outcome::info;
  std::string_view code;             ///< "IN-USE", "SYS/TEMP"; "" = none
  std::string_view text;             ///< after +OK/-ERR and the code, or why the outcome is unknown
  Time sent;                         ///< when its last byte was handed to the link
  EndReason lost = EndReason::none;  ///< how the session ended, where that is why there is no answer
};

/// Where a Pop3Client tells what happens; same rules as ImapSink.
class Pop3Sink {
 public:
  virtual ~Pop3Sink() = default;
  virtual void on_greeting(std::string_view text, Time) { (void)text; }
  virtual void on_secured(const TlsFacts&, Time) {}  ///< TLS is up, or failed
  virtual void on_capabilities(std::span<const std::string> lines, Stage, Time) {
    (void)lines;
  }                                 ///< of each CAPA of the bring-up that was answered
  virtual void on_ready(Time) = 0;  ///< TRANSACTION state
  virtual void on_done(const Pop3Completion&, Time) = 0;
  virtual void on_stat(std::uint32_t messages, std::uint64_t octets, Time) = 0;
  virtual void on_list(std::uint32_t number, std::uint64_t octets, Time) = 0;
  virtual void on_uidl(std::uint32_t number, std::string_view id, Time) = 0;
  virtual void on_content_begin(std::uint32_t number, bool top, Time) = 0;  ///< RETR or TOP said +OK
  virtual void on_content(std::string_view chunk) = 0;                      ///< unstuffed, CRLF kept
  virtual void on_content_end(std::uint64_t octets, Time) = 0;  ///< unstuffed octets, terminator not counted
  virtual void on_deviation(const Deviation&, Time) {}
  virtual void on_ended(const Ended&, Time) = 0;
};

/// A POP3 client session (RFC 1939, 2449, 2595, 5034): greeting, CAPA, STLS if the endpoint says so, login, CAPA, then
/// commands. A server without CAPA (-ERR) is taken as offering USER, and TOP and UIDL are tried when asked for.
/// Commands are queued; with pipelining(true) and PIPELINING offered they go out without waiting.
class Pop3Client final : public Peer {
 public:
  Pop3Client(ClientConfig config, Pop3Sink& sink);
  ~Pop3Client() override;

  CommandId stat();
  CommandId list();
  CommandId list(std::uint32_t number);
  CommandId uidl();
  CommandId uidl(std::uint32_t number);
  CommandId retr(std::uint32_t number);
  CommandId top(std::uint32_t number, std::uint32_t lines);
  CommandId dele(std::uint32_t number);
  CommandId rset();
  CommandId noop();
  CommandId last();  ///< RFC 1460 section 4; few servers still have it
  CommandId capa();
  CommandId quit();
  void pipelining(bool on);
  void give_up(std::string_view why);

  bool ready() const;
  bool busy() const;
  bool has(std::string_view capability) const;  ///< "TOP", "UIDL"; true for TOP and UIDL where CAPA is not known
  const std::vector<std::string>& capabilities() const;  ///< whole lines: "SASL PLAIN LOGIN"
  std::uint64_t received() const;

  // Peer
  void attach(Waker* waker) override;
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override;
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override;
  std::optional<Time> deadline() const override;
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof::session
