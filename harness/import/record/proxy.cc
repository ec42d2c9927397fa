#include "import/record/proxy.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/outbox.h"
#include "net/connection.h"

namespace mailproof::imports {
namespace {

/// What one side may send ahead of what the other takes: who sends more waits, as he would without us.
constexpr std::size_t kMostWaiting = 256U << 10;

}  // namespace

/// One end of a relay, as its connection sees it.
class Proxy::Side final : public Peer, public net::Relaying {
 public:
  Side(std::shared_ptr<Relay> relay, bool to_server) : relay_(std::move(relay)), to_server_(to_server) {}
  ~Side() override;

  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override { return up_ ? out_.output() : std::span<const Output>(); }
  void sent(std::size_t n, Time) override;
  bool takes_more() const override;
  void finished(Time now) override;
  bool finishes() const override { return finishing_ && up_; }
  void advance(Time now) override;
  std::optional<Time> deadline() const override { return until_; }
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override { return wants_; }

  void say(std::string_view octets) {
    out_.text(octets);
    wake();
  }
  void start_tls() {
    wants_ = Wants::start_tls;
    wake();
  }
  /// When all that is to be said was said.
  void close() {
    closing_ = true;
    until_.reset();
    if (out_.size() == 0) wants_ = Wants::close;
    wake();
  }
  /// Nothing more is to be said, but to be heard.
  void finish(Time now) {
    finishing_ = true;
    linger(now);
    wake();
  }
  std::size_t waiting() const { return out_.size(); }
  bool over() const { return over_; }
  void wake() const {
    if (waker_ != nullptr) waker_->wake();
  }

 private:
  void linger(Time now);

  std::shared_ptr<Relay> relay_;
  Outbox out_;
  std::optional<Time> until_;  ///< the server has ended it: then it is over, whether or not the client ends it too
  Waker* waker_ = nullptr;
  Wants wants_ = Wants::nothing;
  bool to_server_;
  bool up_ = false, over_ = false, closing_ = false, finishing_ = false;
};

/// One client's connection and the one that was opened to the server for it.
class Proxy::Relay final : public std::enable_shared_from_this<Relay> {
 public:
  Relay(Proxy& proxy, std::unique_ptr<Observer> observer) : proxy_(proxy), observer_(std::move(observer)) {}

  std::unique_ptr<Peer> begin() {
    auto client = std::make_unique<Side>(shared_from_this(), false);
    client_ = client.get();
    server_ = std::make_unique<Side>(shared_from_this(), true);
    link_ = proxy_.loop_.open(proxy_.passage_.upstream, *server_);
    return client;
  }

  /// The other side has it before the recording looks at it.
  void came(bool from_server, Bytes in, Time now) {
    if (Side* to = other(from_server); to != nullptr && !to->over()) to->say(as_text(in));
    if (observer_ == nullptr) return;
    if (proxy_.recording_.full()) return std::exchange(observer_, nullptr)->blind("the recording is full", now);
    if (from_server)
      observer_->server(as_text(in), now);
    else
      observer_->client(as_text(in), now);
    if (from_server && observer_->take_upgrade()) {
      if (client_ != nullptr) client_->start_tls();
      server_->start_tls();
    }
  }

  Side* other(bool than_server) const { return than_server ? client_ : server_.get(); }
  Duration lingering() const { return proxy_.passage_.lingering; }

  void finished(bool server, Time now) {
    if (!first_by_server_) first_by_server_ = server;
    if (Side* to = other(server); to != nullptr && !to->over()) to->finish(now);
  }

  void end(bool by_server, EndReason reason, Time now) {
    if (auto observer = std::exchange(observer_, nullptr))
      observer->end(reason, first_by_server_.value_or(by_server), now);
    if (client_ != nullptr && !client_->over()) client_->close();
    if (server_ && !server_->over()) server_->close();
    if ((client_ == nullptr || client_->over()) && (!server_ || server_->over())) leave();
  }

  void client_gone() { client_ = nullptr; }

  /// Once nobody is inside it any more.
  void leave() {
    proxy_.loop_.post([self = shared_from_this()] {
      self->cut();
      if (!self->left_) self->proxy_.forget(self.get());
    });
  }
  void left() { left_ = true; }
  void cut() {
    link_.reset();
    server_.reset();
  }

 private:
  Proxy& proxy_;
  std::unique_ptr<Observer> observer_;
  Side* client_ = nullptr;  ///< its connection owns it
  std::unique_ptr<Side> server_;
  std::unique_ptr<Link> link_;
  std::optional<bool> first_by_server_;  ///< who said first that no more comes
  bool left_ = false;                    ///< the proxy
};

Proxy::Side::~Side() {
  if (!to_server_) relay_->client_gone();
}

void Proxy::Side::opened(Time) {
  up_ = true;
  wake();
}

/// A client that never closes, as many a library does not, is not to hold a session open that its server has ended.
void Proxy::Side::linger(Time now) {
  if (!to_server_ && finishing_ && !closing_ && out_.size() == 0) until_ = now + relay_->lingering();
}

void Proxy::Side::advance(Time now) {
  if (!until_ || *until_ > now) return;
  until_.reset();
  relay_->end(true, EndReason::closed, now);
}

void Proxy::Side::sent(std::size_t n, Time now) {
  const bool full = waiting() > kMostWaiting;
  out_.sent(n);
  if (closing_ && out_.size() == 0) wants_ = Wants::close;
  linger(now);
  if (const Side* from = relay_->other(to_server_); full && waiting() <= kMostWaiting && from != nullptr) from->wake();
}

bool Proxy::Side::takes_more() const {
  const Side* to = relay_->other(to_server_);
  return to == nullptr || to->over() || to->waiting() <= kMostWaiting;
}

void Proxy::Side::finished(Time now) { relay_->finished(to_server_, now); }

void Proxy::Side::feed(Bytes in, Time now) {
  linger(now);
  relay_->came(to_server_, in, now);
}

void Proxy::Side::secured(const TlsFacts& facts, Time now) {
  if (!facts.established) return;  // ended() follows
  if (wants_ == Wants::start_tls) wants_ = Wants::nothing;
  if (facts.early_bytes > 0) relay_->end(to_server_, EndReason::dropped, now);
}

void Proxy::Side::ended(EndReason reason, std::string_view, Time now) {
  over_ = true;
  relay_->end(to_server_ && reason != EndReason::dropped, reason, now);
}

Proxy::Proxy(net::Loop& loop, Recording& recording, Passage passage)
    : loop_(loop), recording_(recording), passage_(std::move(passage)) {}

Result<std::unique_ptr<Proxy>> Proxy::open(net::Loop& loop, Recording& recording, Passage passage) {
  std::unique_ptr<Proxy> proxy(new Proxy(loop, recording, std::move(passage)));
  auto listener =
      net::Listener::listen(loop, proxy->passage_.listen, [made = proxy.get()](bool) { return made->accept(); });
  if (!listener) return listener.error();
  proxy->listener_ = std::move(*listener);
  return proxy;
}

Proxy::~Proxy() { close(); }

std::unique_ptr<Peer> Proxy::accept() {
  Conversation about;
  about.protocol = passage_.upstream.protocol;
  about.server = fmt::format("{}:{}", passage_.upstream.host, passage_.upstream.port);
  about.in_the_clear = passage_.upstream.tls == TlsMode::starttls;
  auto relay = std::make_shared<Relay>(*this, recording_.full() ? nullptr : recording_.watch(std::move(about)));
  relays_.insert(relay);
  return relay->begin();
}

void Proxy::forget(Relay* relay) { relays_.erase(relay->shared_from_this()); }

void Proxy::close() {
  listener_.reset();
  for (const auto& relay : std::exchange(relays_, {})) {
    relay->left();
    relay->end(false, EndReason::dropped, loop_.now());
    relay->cut();
  }
}

}  // namespace mailproof::imports
