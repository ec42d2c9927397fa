#include "server/connection.h"

namespace mailproof::server {

void Connection::opened(Time now) {
  now_ = last_heard_ = now;
  opened_ = true;
  on_open();
}

void Connection::feed(Bytes in, Time now) {
  now_ = last_heard_ = now;
  if (!open() || unread()) return;
  on_bytes(as_text(in));
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
  wants_ = facts.established ? Wants::nothing : Wants::close;
  secure_ = facts.established;
  if (facts.established && opened_) on_secured();
}

void Connection::ended(EndReason, std::string_view, Time now) {
  now_ = now;
  if (ended_) return;
  ended_ = true;
  waker_ = nullptr;
  on_end();
}

}  // namespace mailproof::server
