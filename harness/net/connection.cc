#include "net/connection.h"

#include "net/certificate.h"

namespace mailproof::net {

Connection::Connection(Reactor& reactor, std::shared_ptr<const Route> route, std::shared_ptr<TlsContext> context,
                       Limits limits, Peer& peer)
    : reactor_(reactor),
      route_(std::move(route)),
      context_(std::move(context)),
      limits_(limits),
      peer_(&peer),
      relaying_(dynamic_cast<Relaying*>(peer_)),
      tls_first_(route_->tls == TlsMode::implicit) {
  peer_->attach(this);
  reactor_.make_ready(*this);  // dialling may fail at once, and the peer must not hear of it from inside open()
}

Connection::Connection(Reactor& reactor, Fd accepted, bool tls_first, std::shared_ptr<TlsContext> context,
                       Limits limits, std::unique_ptr<Peer> peer, Owner& owner)
    : reactor_(reactor),
      context_(std::move(context)),
      limits_(limits),
      peer_(peer.get()),
      relaying_(dynamic_cast<Relaying*>(peer_)),
      owned_peer_(std::move(peer)),
      owner_(&owner),
      stream_(std::move(accepted)),
      state_(State::connected),
      tls_first_(tls_first) {
  peer_->attach(this);
  reactor_.watch(stream_.fd(), *this, interest_ = EPOLLIN);
  reactor_.make_ready(*this);
}

Connection::~Connection() { close_socket(Closing::plain); }

void Connection::misbehave(const LinkFaults& faults) {
  plan_ = std::make_unique<FaultPlan>(faults);
  wake();
}

void Connection::resume_as(TlsSessions& sessions, std::uint64_t client) {
  if (context_) resumption_ = std::make_unique<Resumption>(Resumption{sessions, {route_.get(), client}});
}

void Connection::drop(bool with_reset) {
  if (state_ == State::over) return;
  drop_ = with_reset ? Drop::reset : Drop::orderly;
  wake();
}

void Connection::abandon() {
  if (peer_ != nullptr) peer_->attach(nullptr);
  peer_ = nullptr;
  state_ = State::over;
  clear();
  close_socket(Closing::plain);
}

void Connection::wake() {
  if (state_ == State::over) return;
  if (working_) {
    again_ = true;
  } else {
    reactor_.make_ready(*this);
  }
}

void Connection::events(std::uint32_t epoll_events, Time now) {
  const bool broken = (epoll_events & (EPOLLHUP | EPOLLERR)) != 0;
  if (broken && deaf() && is_open()) {
    // Nobody reads, so the end has to be learnt without reading; a mere hang-up stays pending and would spin.
    if (const int error = stream_.pending_error(); error != 0) return end(EndReason::reset, errno_text(error), now);
    reactor_.mute(stream_.fd());
    muted_ = true;
    return;
  }
  if (broken || (epoll_events & EPOLLOUT) != 0 || stream_.secure()) want_write_ = false;
  work(now, broken || (epoll_events & EPOLLIN) != 0);
}

void Connection::ready(Time now) { work(now, is_open() && stream_.pending()); }

void Connection::fire(Time now) {
  if (own_deadline_ && *own_deadline_ <= now) {
    if (state_ == State::handshaking)
      return fail_tls(EndReason::timeout, "timeout", "no TLS within " + format_duration(limits_.tls), now);
    return end(EndReason::timeout, "no connection within " + format_duration(limits_.connect), now);
  }
  if (const auto due = opened_ ? peer_->deadline() : std::nullopt; due && *due <= now) {
    working_ = true;
    peer_->advance(now);
    working_ = false;
  }
  work(now, false);
}

void Connection::work(Time now, bool readable) {
  if (state_ == State::over) return;
  working_ = true;
  do {
    again_ = false;
    if (drop_ != Drop::no) {
      const bool reset = drop_ == Drop::reset;
      end(EndReason::dropped, reset ? "reset by us" : "closed by us", now, reset ? Closing::reset : Closing::orderly);
      break;
    }
    switch (state_) {
      case State::fresh:
        begin(now);
        break;
      case State::connected:
        if (tls_first_) {
          start_tls(now);
        } else {
          opened(now);
        }
        break;
      case State::handshaking:
        if (opened_ && peer_->wants() == Wants::close) {
          end(EndReason::dropped, "closed by us", now, Closing::orderly);
        } else {
          continue_handshake(now);
        }
        break;
      case State::open:
        if (readable) read(now);
        if (is_open()) settle(now);
        break;
      case State::flushing:
        settle(now);
        break;
      case State::connecting:
      case State::over:
        break;
    }
    readable = again_ && is_open() && stream_.pending();
  } while (again_ && state_ != State::over);
  working_ = false;
  if (state_ == State::over) return;
  renew_interest();
  renew_timer();
}

void Connection::begin(Time now) {
  if (!route_->trouble.empty()) return end(EndReason::refused, route_->trouble, now);
  state_ = State::connecting;
  own_deadline_ = now + limits_.connect;
  dial_ = Dial::start(reactor_.context(), route_,
                      [this](Dial::Outcome outcome) { dialled(std::move(outcome), reactor_.now()); });
}

void Connection::dialled(Dial::Outcome outcome, Time now) {
  dial_.reset();
  if (!outcome.fd) return end(outcome.timed_out ? EndReason::timeout : EndReason::refused, outcome.trouble, now);
  own_deadline_.reset();
  stream_ = Stream(std::move(outcome.fd));
  reactor_.watch(stream_.fd(), *this, interest_ = EPOLLIN);
  state_ = State::connected;
  work(now, false);
}

void Connection::start_tls(Time now) {
  state_ = State::handshaking;
  if (!context_)
    return fail_tls(EndReason::tls_failed, "no certificate", "TLS asked for, but we have no certificate", now);
  own_deadline_ = now + limits_.tls;
  stream_.start_tls(*context_, route_ ? route_->host : std::string(), route_ ? route_->tls_max : std::string(),
                    resumption_.get());
  continue_handshake(now);
}

void Connection::continue_handshake(Time now) {
  const IoResult result = stream_.handshake();
  now = reactor_.now();  // the arithmetic takes milliseconds, which are part of the handshake
  switch (result.status) {
    case Io::wait_read:
      handshake_writes_ = false;
      return;
    case Io::wait_write:
      handshake_writes_ = true;
      return;
    case Io::ok:
      break;
    case Io::eof:
      return fail_tls(EndReason::tls_failed, "closed during the TLS handshake", "closed during the TLS handshake", now);
    default: {
      const bool refused = certificate_refused(stream_.ssl());
      return fail_tls(
          EndReason::tls_failed, result.why,
          std::string(refused ? "certificate verify failed: " : "TLS handshake failed: ").append(result.why), now);
    }
  }
  handshake_writes_ = false;
  TlsFacts facts = tls_facts(stream_.ssl());
  facts.took = now - (*own_deadline_ - limits_.tls);
  own_deadline_.reset();
  facts.early_bytes = early_bytes_;
  const bool first = tls_first_;
  tls_first_ = false;
  state_ = State::open;
  peer_->secured(facts, now);
  if (state_ != State::open) return;
  if (first) return opened(now);
  again_ = true;
}

void Connection::opened(Time now) {
  state_ = State::open;
  opened_ = true;
  peer_->opened(now);
  if (is_open()) again_ = true;
}

void Connection::fail_tls(EndReason reason, const std::string& error, const std::string& detail, Time now) {
  TlsFacts facts;
  facts.error = error;
  facts.early_bytes = early_bytes_;
  if (stream_.secure()) facts.certificate = peer_certificate(stream_.ssl());
  peer_->secured(facts, now);
  if (state_ != State::over) end(reason, detail, now, Closing::orderly);
}

void Connection::end(EndReason reason, std::string_view detail, Time now, Closing closing) {
  state_ = State::over;
  clear();
  close_socket(closing);
  peer_->ended(reason, detail, now);
  if (owner_ != nullptr) owner_->over(*this);
}

void Connection::close_socket(Closing closing) {
  if (const auto dial = std::exchange(dial_, nullptr)) dial->cancel();
  if (!stream_.is_open()) return;
  switch (closing) {
    case Closing::plain:
      stream_.close();
      break;
    case Closing::orderly:
      stream_.close_orderly();
      break;
    case Closing::reset:
      stream_.close_reset();
      break;
  }
  reactor_.forget();
}

std::optional<Time> Connection::next_due() const {
  std::optional<Time> due = own_deadline_;
  const auto sooner = [&](std::optional<Time> at) {
    if (at && (!due || *at < *due)) due = at;
  };
  if (opened_) sooner(peer_->deadline());
  if (plan_) sooner(plan_->write_at());
  return due;
}

void Connection::renew_interest() {
  if (!stream_.is_open() || (muted_ && deaf())) return;
  std::uint32_t wanted = 0;
  switch (state_) {
    case State::handshaking:
      wanted = handshake_writes_ ? EPOLLIN | EPOLLOUT : EPOLLIN;
      break;
    case State::open: {
      const bool holds_back = (want_write_ || plan_) && waits_for_tls();
      if (!deaf() && !holds_back) wanted = EPOLLIN;
      break;
    }
    default:
      break;
  }
  if (is_open() && want_write_) wanted |= EPOLLOUT;
  if (wanted == interest_ && !muted_) return;
  muted_ = false;
  interest_ = wanted;
  reactor_.rewatch(stream_.fd(), *this, wanted);
}

void Connection::renew_timer() {
  // A timer that is too early costs one look; moving it at every command would cost more.
  const auto due = next_due();
  if (!due) return;
  const auto armed = Timer::due();
  if (!armed || *due < *armed) reactor_.set_timer(*this, *due);
}

}  // namespace mailproof::net
