#include "host/builtin.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>

#include "core/bytes.h"
#include "core/units.h"
#include "host/admin.h"

namespace mailproof::host {
namespace {

constexpr unsigned kBoxesOfCustomer = 4;

std::string unknown(std::string_view kind, const std::string& name, std::span<const server::Switch> known) {
  std::vector<std::string> names;
  for (const auto& s : known) {
    if (s.name == name) return {};
    names.emplace_back(s.name);
  }
  const auto near = nearest_word(name, names);
  return fmt::format("unknown {} '{}'{}; `mailproof server --list-{}s` lists them", kind, name,
                     near ? fmt::format(", did you mean '{}'?", *near) : "", kind);
}

}  // namespace

std::vector<scenario::PoolAccount> builtin_pool(const BuiltinOptions& options) {
  std::vector<scenario::PoolAccount> pool;
  const auto add = [&](std::string login, std::optional<std::uint64_t> quota) {
    std::string address = login + "@example.test";
    pool.push_back({std::move(login), std::move(address), Secret(options.password), quota});
    return &pool.back();
  };
  for (unsigned i = 1; i <= options.users; ++i) add(fmt::format("user{:04}", i), std::nullopt);
  for (unsigned i = 1; i <= options.small; ++i) add(fmt::format("small{:04}", i), options.small_quota);
  for (unsigned customer = 1; customer <= options.customers; ++customer)
    for (unsigned box = 1; box <= kBoxesOfCustomer; ++box) {
      scenario::PoolAccount* account = add(fmt::format("c{:02}box{}", customer, box), std::nullopt);
      account->customer = fmt::format("c{:02}", customer);
      account->customer_quota = options.customer_quota;
    }
  return pool;
}

server::ServerOptions builtin_server(const BuiltinOptions& options,
                                     const std::vector<scenario::PoolAccount>& accounts) {
  server::ServerOptions out;
  out.seed = options.seed;
  out.defects = {options.defects.begin(), options.defects.end()};
  out.latitudes = {options.latitudes.begin(), options.latitudes.end()};
  for (const auto& account : accounts) {
    out.accounts.push_back({account.login, account.address, account.password, account.quota, account.customer});
    if (account.customer_quota) out.customer_quotas[account.customer] = *account.customer_quota;
  }
  return out;
}

scenario::Target sim_target(const BuiltinOptions& options) {
  scenario::Target target;
  target.name = "sim";
  target.imap = {{Protocol::imap, "sim", 143, TlsMode::none, false, ""},
                 {Protocol::imap, "sim", kSimImapTls, TlsMode::starttls, false, ""},
                 {Protocol::imap, "sim", 993, TlsMode::implicit, false, ""}};
  target.pop3 = {{Protocol::pop3, "sim", 110, TlsMode::none, false, ""},
                 {Protocol::pop3, "sim", kSimPop3Tls, TlsMode::starttls, false, ""},
                 {Protocol::pop3, "sim", 995, TlsMode::implicit, false, ""}};
  target.lmtp.push_back({Protocol::lmtp, "sim", 24, TlsMode::none, false, ""});
  target.smtp = {{Protocol::smtp, "sim", 25, TlsMode::none, false, ""},
                 {Protocol::smtp, "sim", kSimSmtpTls, TlsMode::starttls, false, ""},
                 {Protocol::smtp, "sim", 465, TlsMode::implicit, false, ""}};
  target.delivery = {scenario::Way::lmtp, scenario::Way::smtp, scenario::Way::append};
  target.settle = std::chrono::seconds(5);
  const auto has = [&](std::string_view latitude) {
    return std::find(options.latitudes.begin(), options.latitudes.end(), latitude) != options.latitudes.end();
  };
  if (has("delivery.queues")) target.delivery = {scenario::Way::smtp, scenario::Way::append};
  if (!has("delivery.queues") && !has("delivery.queues-when-full")) target.gives_up_after = std::chrono::seconds(1);
  target.accounts = builtin_pool(options);
  offer_builtin_admin(target);
  return target;
}

std::string check_switches(const BuiltinOptions& options) {
  for (const auto& name : options.defects)
    if (auto message = unknown("defect", name, server::Server::defects()); !message.empty()) return message;
  for (const auto& name : options.latitudes)
    if (auto message = unknown("latitude", name, server::Server::latitudes()); !message.empty()) return message;
  return {};
}

/// Rings when the server's mail queue has something due.
class HostedServer::Queue final : public Alarm, public Waker {
 public:
  Queue(net::Loop& loop, server::Server& server) : loop_(loop), server_(server) {
    server_.attach(this);
    wake();
  }
  ~Queue() override {
    server_.attach(nullptr);
    loop_.set_alarm(*this, std::nullopt);
  }
  void wake() override { loop_.set_alarm(*this, server_.deadline()); }
  void ring(Time now) override {
    server_.advance(now);
    wake();
  }

 private:
  net::Loop& loop_;
  server::Server& server_;
};

/// What every piece of input takes of the server, one after the other over all connections, before it is looked at. It
/// waits here meanwhile, and the loop goes on.
class HostedServer::Slow final : public Peer, public Alarm {
 public:
  Slow(HostedServer& server, std::unique_ptr<Peer> inner, Duration service)
      : server_(server), inner_(std::move(inner)), service_(service) {}
  ~Slow() override { server_.loop_.set_alarm(*this, std::nullopt); }
  void feed(Bytes in, Time now) override {
    server_.busy_until_ = std::max(server_.busy_until_, now) + service_;
    waiting_.push_back({server_.busy_until_, std::string(as_text(in))});
    if (waiting_.size() == 1) arm();
  }
  void ring(Time now) override {
    while (!waiting_.empty() && waiting_.front().at <= now) serve_next(now);
    arm();
    if (waker_ != nullptr) waker_->wake();
  }
  void attach(Waker* waker) override {
    waker_ = waker;
    inner_->attach(waker);
  }
  void opened(Time now) override { inner_->opened(now); }
  std::span<const Output> output() override { return inner_->output(); }
  void sent(std::size_t n, Time now) override { inner_->sent(n, now); }
  void advance(Time now) override { inner_->advance(now); }
  std::optional<Time> deadline() const override { return inner_->deadline(); }
  void secured(const TlsFacts& facts, Time now) override { inner_->secured(facts, now); }
  /// A server does what it was asked, though the client has gone.
  void ended(EndReason reason, std::string_view detail, Time now) override {
    waker_ = nullptr;
    while (!waiting_.empty()) serve_next(now);
    arm();
    inner_->ended(reason, detail, now);
  }
  Wants wants() const override { return inner_->wants(); }

 private:
  struct Piece {
    Time at{};
    std::string octets;
  };
  void serve_next(Time now) {
    const Piece one = std::move(waiting_.front());
    waiting_.pop_front();
    inner_->feed(as_bytes(one.octets), now);
    // What came in clear text behind STARTTLS is no command (RFC 9051 section 6.2.1).
    if (inner_->wants() == Wants::start_tls) waiting_.clear();
  }
  void arm() { server_.loop_.set_alarm(*this, waiting_.empty() ? std::nullopt : std::optional(waiting_.front().at)); }

  HostedServer& server_;
  std::unique_ptr<Peer> inner_;
  const Duration service_;
  Waker* waker_ = nullptr;
  std::deque<Piece> waiting_;
};

HostedServer::HostedServer() = default;

Result<std::unique_ptr<HostedServer>> HostedServer::start(server::ServerOptions options, const std::string& host,
                                                          const std::vector<Listen>& listen,
                                                          const std::string& certificate, const std::string& key,
                                                          Duration service) {
  std::unique_ptr<HostedServer> hosted(new HostedServer());
  std::shared_ptr<net::TlsContext> tls;
  if (!certificate.empty()) {
    auto made = net::TlsContext::server(certificate, key);
    if (!made) return made.error();
    tls = *made;
  }
  options.offer_tls = tls != nullptr;
  hosted->server_ = std::make_unique<server::Server>(std::move(options));
  hosted->queue_ = std::make_unique<Queue>(hosted->loop_, *hosted->server_);
  for (const Listen& one : listen) {
    net::ListenerOptions where;
    where.host = host;
    where.port = one.port;
    where.tls_first = one.tls;
    where.tls = tls;
    const auto accept = [self = hosted.get(), one, service](bool secured) {
      std::unique_ptr<Peer> peer = self->server_->accept(one.protocol, secured, one.needs_tls);
      if (peer != nullptr && service > Duration{}) peer = std::make_unique<Slow>(*self, std::move(peer), service);
      return peer;
    };
    auto listener = net::Listener::listen(hosted->loop_, where, accept);
    if (!listener) return listener.error();
    const TlsMode mode = one.tls ? TlsMode::implicit : one.needs_tls ? TlsMode::starttls : TlsMode::none;
    hosted->endpoints_.push_back({one.protocol, host, (*listener)->port(), mode, false, ""});
    hosted->listeners_.push_back(std::move(*listener));
  }
  return hosted;
}

void HostedServer::serve_in_background() {
  thread_ = std::thread([this] { loop_.run([this] { return stop_.load(); }); });
}

void HostedServer::call(const std::function<void(server::Server&)>& what) {
  std::promise<void> done;
  loop_.post([&] {
    what(*server_);
    done.set_value();
  });
  done.get_future().wait();
}

void HostedServer::drop_connections() {
  for (const auto& listener : listeners_) listener->drop_connections();
}

void HostedServer::pause(Duration span) {
  loop_.post([span] { std::this_thread::sleep_for(span); });
}

HostedServer::~HostedServer() {
  stop_ = true;
  loop_.nudge();
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
  queue_.reset();
}

}  // namespace mailproof::host
