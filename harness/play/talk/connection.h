#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/deflate_peer.h"
#include "core/outbox.h"
#include "play/context.h"
#include "play/talk/takes.h"
#include "wire/imap/line_scan.h"

namespace mailproof::play {

/// One reply as it came. POP3: a status line, with the lines of its block when there is one. IMAP: a logical line,
/// literals in it. SMTP and LMTP: all lines of it.
struct TalkReply {
  std::string line;                ///< without its line end; SMTP, LMTP: the last one
  std::string command;             ///< POP3, SMTP: what it answers; "" = the greeting, or part of a SASL exchange
  bool multi = false;              ///< POP3: a block followed
  std::vector<std::string> block;  ///< unstuffed, without line ends; SMTP, LMTP: each line, a blank behind its code
  std::string body;                ///< the same with the line ends as they came; SMTP, LMTP: as they came, LF between
  bool one_code = true;            ///< SMTP, LMTP: on all of its lines (RFC 5321 section 4.2.1: it MUST be the same)
  history::WireRef at;
};

/// A command of POP3 that may be the end of a login.
bool pop3_logs_in(std::string_view command);
/// Three digits, and behind them nothing, a blank or a hyphen (RFC 5321 section 4.2).
bool is_mail_reply(std::string_view line);
/// A server's "+", or a pattern for one.
inline bool is_continuation(std::string_view line) { return line == "+" || line.starts_with("+ "); }

/// A connection on which nothing is understood but where a reply ends: what is sent and what must come is a talk's
/// affair. Tells `changed` whenever something came, TLS is up or it is over; the receiver must not destroy it then.
class TalkConnection final : public Peer {
 public:
  /// What goes out, piece by piece.
  struct Piece {
    std::string text;
    bool secret = false;
    bool block = false;  ///< POP3: +OK to the command that ends here is followed by a block, whatever command it is
  };
  /// Memory for what a server sends, octets and what each line costs beside them; more ends the connection.
  static constexpr std::size_t kMostKept = 16U << 20;

  TalkConnection(Context& context, std::uint32_t session, Protocol protocol);
  ~TalkConnection() override;
  void open(const Endpoint& endpoint);

  void send(const std::vector<Piece>& pieces);
  void start_tls();
  /// What is sent and received from here on is deflated (RFC 4978); the log has it as clear text.
  void start_deflate();
  void misbehave(const LinkFaults& faults);
  void drop(bool with_reset);
  /// Nobody looks at it any more: ends it, and forgets what came.
  void leave();

  std::deque<TalkReply> replies;  ///< complete ones that nobody took yet
  std::function<void()> changed;

  std::uint32_t session() const { return session_; }
  bool over() const { return over_; }
  EndReason end() const { return end_; }
  const std::string& end_detail() const { return end_detail_; }
  bool beyond_bounds() const { return kept_ > kMostKept; }  ///< ended by us: it sent more than is kept
  /// It was left because what came behind start_deflate() cannot be read.
  bool garbled() const { return garbled_; }
  /// It is over, and no server closed it.
  bool given_up() const { return over_ && (garbled_ || beyond_bounds() || end_ == EndReason::timeout); }
  const std::optional<TlsFacts>& tls() const { return tls_; }  ///< of the newest handshake
  std::uint64_t octets() const { return octets_; }             ///< received so far
  /// What came of a reply that is not complete.
  std::string unfinished() const;
  const std::string& line_begun() const { return buffer_; }  ///< of a line whose end has not come
  /// POP3: a status line came, and the end of its block is awaited.
  bool in_block() const { return in_block_; }
  const std::string& status() const { return building_.line; }               ///< ... this one
  const std::vector<std::string>& block() const { return building_.block; }  ///< ... and what there is of it
  /// SMTP: messages that were taken, and may be on their way still.
  std::size_t taken() const { return taken_; }
  /// POP3, SMTP, LMTP: the commands that were sent and have no reply yet, the oldest first.
  std::size_t unanswered() const { return commands_.size(); }
  std::string oldest_unanswered() const { return commands_.empty() ? "" : commands_.front().text; }
  /// POP3: a login was answered with +OK.
  bool let_in() const { return let_in_; }
  const std::string& begun() const { return said_; }  ///< of a command line that is being said
  /// The beginning of what came and nobody took: a complete reply, or what there is of one.
  std::string untaken() const { return replies.empty() ? unfinished() : replies.front().line; }
  const std::string& greeting() const { return greeting_; }
  const OpenMailbox& open_mailbox() const { return open_mailbox_; }  ///< IMAP
  history::WireRef here() const { return context_.logs[session_ - 1]->here(); }

  // Peer
  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override { return out_.output(); }
  void sent(std::size_t n, Time now) override;
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override { return wants_; }

 private:
  struct Command {
    std::string text;
    bool block = false;
  };
  void said(const Piece& piece);
  void take(std::string_view bytes);
  void line(std::string_view text, std::string_view raw);
  void pop3_line();
  void imap_line();
  void mail_line();
  void mail_said(const std::string& line);
  void mail_sent();
  void mail_answered(const TalkReply& reply);
  void put(TalkReply reply);

  Context& context_;
  std::uint32_t session_;
  Protocol protocol_;
  history::RecordedPeer recorded_;
  DeflatePeer deflated_;
  std::unique_ptr<Link> link_;
  Outbox out_;
  Waker* waker_ = nullptr;
  Wants wants_ = Wants::nothing;
  bool over_ = false, garbled_ = false;
  EndReason end_ = EndReason::none;
  std::string end_detail_;
  std::optional<TlsFacts> tls_;
  std::uint64_t octets_ = 0;
  std::uint64_t kept_ = 0;

  /// IMAP: COMPRESS was said, so what follows its tagged reply may be deflated: it is held until that is known.
  bool compressing_ = false, holding_ = false;
  std::string held_;

  std::string buffer_;            ///< an unfinished line
  std::string said_;              ///< an unfinished command line
  std::deque<Command> commands_;  ///< POP3: without a reply yet
  bool let_in_ = false;
  bool answering_ = false;  ///< a SASL exchange: the next line is a response, no command
  bool in_block_ = false;
  bool crlf_ = true;  ///< the newest status line ended so
  TalkReply building_;
  // SMTP, LMTP
  bool content_ = false;     ///< DATA was answered with 354: what is sent is mail, up to its final dot
  bool line_begins_ = true;  ///< ... behind CRLF
  std::uint64_t chunk_ = 0;  ///< octets of a BDAT chunk that are still to be sent
  std::size_t taken_ = 0;
  std::size_t recipients_ = 0;  ///< LMTP: RCPTs that were taken, each of which has a reply behind the mail
  // IMAP
  OpenMailbox open_mailbox_;
  imap::LineScan scan_;            ///< of what stands in buffer_
  std::uint64_t literal_ = 0;      ///< octets of a literal still to come
  std::size_t physical_line_ = 0;  ///< where in buffer_ what follows the latest literal begins
  bool greeted_ = false;
  std::string greeting_;
};

}  // namespace mailproof::play
