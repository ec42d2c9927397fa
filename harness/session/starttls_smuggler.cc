#include "session/starttls_smuggler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"

namespace mailproof::session {
namespace {

constexpr std::size_t kTold = 200;  ///< octets of an answer that are kept

}  // namespace

StarttlsSmuggler::StarttlsSmuggler(ClientConfig config, std::string command, Duration listen, SmugglerSink& sink)
    : config_(std::move(config)), command_(std::move(command)), listen_(listen), sink_(sink) {}

void StarttlsSmuggler::opened(Time now) {
  phase_ = Phase::greeting;
  due_ = now + config_.greeting_bound;
}

void StarttlsSmuggler::feed(Bytes in, Time now) {
  std::string_view text = as_text(in);
  while (!text.empty() && under_tls()) {
    const auto end = text.find('\n');
    line_ += text.substr(0, std::min({end, text.size(), kTold - line_.size()}));
    if (end == std::string_view::npos) return;
    line_under_tls(now);
    line_.clear();
    text.remove_prefix(end + 1);
  }
  while (!text.empty() && (phase_ == Phase::greeting || phase_ == Phase::asked)) {
    const auto end = text.find('\n');
    line_ += text.substr(0, end);
    if (line_.size() > config_.max_line) return finish(Smuggled::What::unknown, "an endless line", now);
    if (end == std::string_view::npos) return;
    line(std::exchange(line_, {}), now);
    text.remove_prefix(end + 1);
  }
}

/// Untagged data and BYE may come at any time (RFC 9051 sections 7 and 7.1.5): what answers bears the command's tag.
/// POP3 has no tags; what was obeyed there is told by +OK, and -ERR may as well come before the connection is closed.
/// Once something was asked for under TLS, each reply but one is too many.
bool StarttlsSmuggler::answers() const {
  if (config_.endpoint.protocol == Protocol::imap) return line_.starts_with("t2 ");
  const bool ok = istarts_with(line_, "+OK"), reply = ok || istarts_with(line_, "-ERR");
  return phase_ == Phase::listening ? ok : reply && (in_list_ || phase_ == Phase::after);
}

void StarttlsSmuggler::line_under_tls(Time now) {
  if (answers()) return finish(Smuggled::What::answered, told(), now);
  if (phase_ != Phase::asking) return;
  const bool imap = config_.endpoint.protocol == Protocol::imap;
  if (!imap && !in_list_) in_list_ = istarts_with(line_, "+OK");
  const bool over = imap ? line_.starts_with("t3 ") : !in_list_ || line_ == ".\r" || line_ == ".";
  if (!over) return;
  in_list_ = false;
  phase_ = Phase::after;
  due_ = now + listen_;
}

/// What was kept in a buffer is read with what comes next.
void StarttlsSmuggler::ask(Time now) {
  out_.text(config_.endpoint.protocol == Protocol::imap ? "t3 CAPABILITY\r\n" : "CAPA\r\n");
  line_.clear();
  phase_ = Phase::asking;
  due_ = now + config_.greeting_bound;
}

std::string StarttlsSmuggler::told() const {
  std::string_view text = line_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  return printable(text, kTold);
}

void StarttlsSmuggler::line(std::string_view text, Time now) {
  const bool imap = config_.endpoint.protocol == Protocol::imap;
  if (phase_ == Phase::greeting) {
    if (!istarts_with(text, imap ? "* OK" : "+OK"))
      return finish(Smuggled::What::unknown, fmt::format("greeted with {}", printable(text, 200)), now);
    phase_ = Phase::asked;
    due_ = now + config_.greeting_bound;
    out_.text(imap ? "t1 STARTTLS\r\nt2 " : "STLS\r\n");
    out_.text(command_);
    out_.text("\r\n");
    return;
  }
  if (imap && text.starts_with("* ")) return;
  if (!istarts_with(text, imap ? "t1 OK" : "+OK"))
    return finish(Smuggled::What::unknown, fmt::format("TLS is refused: {}", printable(text, 200)), now);
  phase_ = Phase::securing;
  wants_ = Wants::start_tls;
}

void StarttlsSmuggler::sent(std::size_t n, Time) { out_.sent(n); }

void StarttlsSmuggler::secured(const TlsFacts& facts, Time now) {
  if (phase_ != Phase::securing) return;
  wants_ = Wants::nothing;
  // RFC 9051 section 6.2.1, first choice: what was smuggled is taken for the handshake, which fails.
  if (!facts.established) return finish(Smuggled::What::silent, printable(facts.error, 200), now);
  phase_ = Phase::listening;
  due_ = now + listen_;
}

void StarttlsSmuggler::advance(Time now) {
  if (!due_ || now < *due_) return;
  if (under_tls() && answers()) return finish(Smuggled::What::answered, told(), now);
  if (phase_ == Phase::listening) return ask(now);
  if (under_tls()) return finish(Smuggled::What::silent, "no answer came", now);
  finish(Smuggled::What::unknown, fmt::format("nothing came within {}", format_duration(config_.greeting_bound)), now);
}

void StarttlsSmuggler::ended(EndReason reason, std::string_view detail, Time now) {
  const std::string why = detail.empty() ? fmt::format("connection {}", name(reason)) : std::string(detail);
  if (under_tls() && answers()) return finish(Smuggled::What::answered, told(), now);
  const bool tls = phase_ == Phase::securing || under_tls();
  finish(tls ? Smuggled::What::silent : Smuggled::What::unknown, why, now);
}

void StarttlsSmuggler::finish(Smuggled::What what, std::string text, Time now) {
  if (std::exchange(phase_, Phase::over) == Phase::over) return;
  due_.reset();
  out_.clear();
  wants_ = Wants::close;
  sink_.on_smuggled({what, std::move(text)}, now);
}

}  // namespace mailproof::session
