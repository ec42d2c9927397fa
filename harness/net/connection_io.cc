// How an open connection moves bytes, and what LinkFaults do to them.
#include <algorithm>
#include <limits>
#include <utility>

#include "net/connection.h"

namespace mailproof::net {
namespace {

// One connection may not starve the others of its thread.
constexpr int kReadsATurn = 4;
constexpr int kWritesATurn = 64;
constexpr int kLastReads = 64;

}  // namespace

void Connection::read(Time now) {
  for (int turn = 0; turn < kReadsATurn; ++turn) {
    if (deaf() || waits_for_tls()) return;
    auto room = reactor_.scratch();
    if (plan_) room = room.first(std::min(room.size(), plan_->read_limit()));
    if (room.empty()) return;
    const IoResult result = stream_.read(room);
    if (result.status != Io::ok) return reading_stopped(result, now);
    peer_->feed(room.first(result.n), now);
    if (!is_open()) return;
    if (plan_) plan_->received(result.n);
    if (result.drained) return;
  }
  if (stream_.pending()) reactor_.make_ready(*this);
}

void Connection::reading_stopped(const IoResult& result, Time now) {
  switch (result.status) {
    case Io::ok:
    case Io::wait_read:
      return;
    case Io::wait_write:
      want_write_ = true;
      return;
    case Io::eof:
      if (relaying_ != nullptr) {
        read_all_ = true;
        return relaying_->finished(now);
      }
      // A client may shut down its sending side and still wait for its answers.
      if (owner_ != nullptr && !to_send().empty()) {
        state_ = State::flushing;
        return;
      }
      return end(EndReason::closed, result.why, now, Closing::orderly);
    case Io::reset:
      return end(EndReason::reset, result.why, now);
    case Io::failed:
      return end(EndReason::reset, (stream_.secure() ? "TLS: " : "") + result.why, now);
  }
}

void Connection::settle(Time now) {
  const bool all_sent = write(now);
  if (!is_open()) return;
  if (plan_ && plan_->cut_due()) {
    const bool reset = plan_->faults().cut_with_reset;
    return end(EndReason::dropped, reset ? "cut by us with a reset" : "cut by us", now,
               reset ? Closing::reset : Closing::orderly);
  }
  if (!all_sent) return;
  if (plan_ && plan_->faults().half_close && !plan_->half_closed) {
    plan_->half_closed = true;
    stream_.end_sending();
  }
  if (relaying_ != nullptr && relaying_->finishes() && !std::exchange(sent_all_, true)) stream_.end_sending();
  if (read_all_ && sent_all_) return end(EndReason::closed, "closed by the other end", now, Closing::orderly);
  if (waits_for_tls()) {
    early_bytes_ = stream_.drop_early_bytes(owner_ != nullptr);
    start_tls(now);
  } else if (peer_->wants() == Wants::close) {
    end(EndReason::dropped, "closed by us", now, Closing::orderly);
  } else if (state_ == State::flushing) {
    end(EndReason::closed, "closed by the other end", now, Closing::orderly);
  }
}

/// True: there is nothing more to send.
bool Connection::write(Time now) {
  for (int turn = 0; turn < kWritesATurn; ++turn) {
    const auto left = to_send();
    if (left.empty()) return true;
    if (want_write_ || !write_some(left, now)) return false;
  }
  reactor_.make_ready(*this);
  return false;
}

bool Connection::write_some(std::span<const Output> from, Time now) {
  if (plan_ && (plan_->cut_due() || !plan_->may_write(now))) return false;
  const std::size_t limit = plan_ ? plan_->write_limit() : std::numeric_limits<std::size_t>::max();
  const IoResult result = stream_.write(from, limit);
  switch (result.status) {
    case Io::ok:
      break;
    case Io::wait_read:
    case Io::wait_write:
      want_write_ = true;
      return false;
    default:
      writing_broke(result, now);
      return false;
  }
  if (plan_) plan_->sent(result.n);
  peer_->sent(result.n, now);
  return is_open();
}

/// The other end is gone, but what it said before it went may still lie in the socket: a BYE, a 421.
void Connection::writing_broke(const IoResult& result, Time now) {
  if (state_ == State::flushing) return end(EndReason::closed, "closed by the other end", now);
  for (int turn = 0; turn < kLastReads && !deaf(); ++turn) {
    auto room = reactor_.scratch();
    const IoResult last = stream_.read(room);
    if (last.status != Io::ok) break;
    peer_->feed(room.first(last.n), now);
    if (!is_open()) return;
  }
  end(result.status == Io::eof ? EndReason::closed : EndReason::reset, result.why, now);
}

}  // namespace mailproof::net
