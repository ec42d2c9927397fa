#include "server/connection.h"

namespace mailproof::server {
namespace {

constexpr std::string_view kStarttls = " STARTTLS\r\n";
constexpr std::string_view kStls = "STLS\r\n";
constexpr std::string_view kMailStarttls = "STARTTLS\r\n";

}  // namespace

void Connection::opened(Time now) {
  now_ = last_heard_ = now;
  opened_ = true;
  on_open();
}

void Connection::feed(Bytes in, Time now) {
  now_ = last_heard_ = now;
  context_.store.at(now);
  if (!open() || unread()) return;
  if (secure_ && !kept_.empty()) return on_bytes(std::exchange(kept_, {}) + std::string(as_text(in)));
  on_bytes(up_to_starttls(as_text(in)));
}

/// With the defect (CERT VU#555316): what came in one piece with STARTTLS is kept for the time after the handshake.
std::string_view Connection::up_to_starttls(std::string_view bytes) {
  for (const auto& [on, command] :
       {std::pair(context_.has(defect("imap.starttls-obeys-clear-text")) ||
                      context_.has(defect("imap.starttls-keeps-clear-text")),
                  kStarttls),
        std::pair(context_.has(defect("delivery.starttls-obeys-clear-text")), kMailStarttls),
        std::pair(
            context_.has(defect("pop3.stls-obeys-clear-text")) || context_.has(defect("pop3.stls-keeps-clear-text")),
            kStls)}) {
    const auto at = on && !secure_ ? bytes.find(command) : std::string_view::npos;
    const bool tagged = at != 0 && at != std::string_view::npos && bytes[at - 1] == ' ';
    if (at == std::string_view::npos || (tagged && command != kStarttls)) continue;
    kept_ = bytes.substr(at + command.size());
    return bytes.substr(0, at + command.size());
  }
  return bytes;
}

bool Connection::unread() {
  if (out_.size() <= kOutputLimit) return false;
  out_.clear();
  close();
  return true;
}

void Connection::wake() {
  unread();
  if (waker_ != nullptr) waker_->wake();
}

void Connection::sent(std::size_t n, Time now) {
  now_ = now;
  out_.sent(n);
}

void Connection::advance(Time now) {
  now_ = now;
  if (!opened_ || !open() || now < last_heard_ + idle_limit()) return;
  on_timeout();
  close();
}

std::optional<Time> Connection::deadline() const {
  if (!opened_ || !open()) return std::nullopt;
  return last_heard_ + idle_limit();
}

void Connection::secured(const TlsFacts& facts, Time now) {
  now_ = now;
  context_.store.at(now);
  wants_ = facts.established ? Wants::nothing : Wants::close;
  secure_ = facts.established;
  if (!facts.established || !opened_) return;
  on_secured();
  const bool later =
      context_.has(defect("imap.starttls-keeps-clear-text")) || context_.has(defect("pop3.stls-keeps-clear-text"));
  if (!kept_.empty() && !later) on_bytes(std::exchange(kept_, {}));
}

void Connection::ended(EndReason, std::string_view, Time now) {
  now_ = now;
  context_.store.at(now);
  if (ended_) return;
  ended_ = true;
  waker_ = nullptr;
  on_end();
}

}  // namespace mailproof::server
