#include "session/line_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailproof::session {
namespace {

constexpr std::size_t kSeenKept = 200;

}  // namespace

void LineClient::opened(Time now) {
  now_ = now;
  if (over_) return;
  in_call_ = true;
  on_open(now);
  in_call_ = false;
}

void LineClient::feed(Bytes in, Time now) {
  now_ = now;
  received_ += in.size();
  if (over_ || in.empty()) return;
  in_call_ = true;
  patience_.received(in.size(), now);
  arm();
  if (upgrading()) {
    came_behind(as_text(in));
  } else {
    on_bytes(as_text(in), now);
    if (!over_ && config_.share != nullptr && config_.share->spent()) end_beyond(config_.share->why());
  }
  in_call_ = false;
}

/// Never parsed, and not taken for ever either: every octet is a sign of life, which the bound on TLS waits for.
void LineClient::came_behind(std::string_view in) {
  behind_ += in.size();
  note("tls.bytes-behind-starttls", in, received_ - in.size());
  if (!over_ && behind_ > config_.max_line)
    end(EndReason::dropped, fmt::format("more than {} octets in the clear where TLS was agreed", config_.max_line),
        true);
}

void LineClient::sent(std::size_t n, Time now) {
  now_ = now;
  n = std::min(n, out_.size());
  out_.sent(n);
  handed_ += n;
  if (over_) return;
  in_call_ = true;
  patience_.sent(n, now);
  arm();
  on_handed(now);
  in_call_ = false;
}

void LineClient::arm() {
  if (std::exchange(unarmed_, false)) patience_.begin(now_);
  if (bound_) deadline_ = patience_.due(*bound_);
}

void LineClient::await(Duration bound) {
  bound_ = bound;
  if (in_call_) {
    patience_.begin(now_);
    deadline_ = patience_.due(bound);
    unarmed_ = false;
  } else {
    unarmed_ = !deadline_;
  }
}

void LineClient::await_nothing() {
  bound_.reset();
  deadline_.reset();
  unarmed_ = false;
}

void LineClient::soon() {
  soon_ = true;
  wake();
}

std::optional<Time> LineClient::deadline() const {
  if (over_) return std::nullopt;
  return unarmed_ || soon_ ? std::optional(now_) : deadline_;
}

void LineClient::advance(Time now) {
  now_ = now;
  if (over_) return;
  in_call_ = true;
  if (unarmed_ || soon_) {
    arm();
    if (std::exchange(soon_, false)) on_soon(now);
  } else if (deadline_ && now >= *deadline_ && !on_late(now)) {
    end(EndReason::timeout, patience_.answered() ? fmt::format("no end of the reply within {}",
                                                               format_duration(patience_.waited(*deadline_)))
                                                 : fmt::format("nothing came within {}", format_duration(*bound_)));
  }
  in_call_ = false;
}

void LineClient::start_tls(std::string_view behind) {
  wants_ = Wants::start_tls;
  if (!behind.empty()) came_behind(behind);
}

void LineClient::secured(const TlsFacts& facts, Time now) {
  now_ = now;
  if (over_) return;
  in_call_ = true;
  on_secured(facts, now);
  if (over_) {
    in_call_ = false;
    return;
  }
  if (facts.early_bytes != 0) note("tls.bytes-behind-starttls", fmt::format("{} octets", facts.early_bytes), received_);
  if (!facts.established) {
    if (!upgrading()) step("TLS");
    end(EndReason::tls_failed, facts.error.empty() ? "TLS was not established" : facts.error);
  } else if (upgrading()) {
    wants_ = Wants::nothing;
    on_tls(now);
  }
  in_call_ = false;
}

void LineClient::ended(EndReason reason, std::string_view detail, Time now) {
  now_ = now;
  if (over_) return;
  in_call_ = true;
  Ended end;
  end.reason = reason;
  end.why = detail.empty() ? fmt::format("connection {}", name(reason)) : std::string(detail);
  finish(std::move(end));
  in_call_ = false;
}

void LineClient::give_up(std::string_view why) {
  if (!over_) end(EndReason::dropped, std::string(why));
}

void LineClient::end(EndReason reason, std::string why, bool broken) {
  Ended end;
  end.reason = broken ? EndReason::dropped : reason;
  end.broken = broken;
  end.why = std::move(why);
  finish(std::move(end));
}

void LineClient::end_beyond(std::string why) {
  Ended end;
  end.reason = EndReason::dropped;
  end.broken = end.beyond = true;
  end.why = std::move(why);
  finish(std::move(end));
}

void LineClient::end_clean() {
  Ended end;
  end.reason = EndReason::dropped;
  end.clean = true;
  finish(std::move(end));
}

void LineClient::finish(Ended end) {
  if (std::exchange(over_, true)) return;
  end.ready = ready_;
  end.login_refused = login_refused_;
  end.where = config_.endpoint.label();
  end.step = step_;
  end.seen = printable(seen_);
  // Nothing more is said: bytes of a command that was not sent whole must not follow the verdict on it.
  out_.clear();
  wants_ = Wants::close;
  await_nothing();
  on_over(end, now_);
  wake();
}

void LineClient::saw(std::string_view line) { seen_.assign(line.substr(0, kSeenKept)); }

void LineClient::note(std::string_view code, std::string_view excerpt, std::uint64_t offset) {
  on_lax({code, printable(excerpt, 80), offset}, now_);
}

void LineClient::wake() {
  if (waker_ != nullptr && !in_call_) waker_->wake();
}

}  // namespace mailproof::session
