#include "cli/builtin.h"

#include <fmt/format.h>

#include <atomic>

#include "core/units.h"

namespace mailproof::cli {
namespace {

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
  };
  for (unsigned i = 1; i <= options.users; ++i) add(fmt::format("user{:04}", i), std::nullopt);
  for (unsigned i = 1; i <= options.small; ++i) add(fmt::format("small{:04}", i), options.small_quota);
  return pool;
}

server::ServerOptions builtin_server(const BuiltinOptions& options,
                                     const std::vector<scenario::PoolAccount>& accounts) {
  server::ServerOptions out;
  out.seed = options.seed;
  out.defects = {options.defects.begin(), options.defects.end()};
  out.latitudes = {options.latitudes.begin(), options.latitudes.end()};
  for (const auto& account : accounts)
    out.accounts.push_back({account.login, account.address, account.password, account.quota});
  return out;
}

scenario::Target sim_target(const BuiltinOptions& options) {
  scenario::Target target;
  target.name = "sim";
  for (const TlsMode mode : {TlsMode::none, TlsMode::starttls, TlsMode::implicit}) {
    target.imap.push_back(
        {Protocol::imap, "sim", static_cast<std::uint16_t>(mode == TlsMode::implicit ? 993 : 143), mode, false, ""});
    target.pop3.push_back(
        {Protocol::pop3, "sim", static_cast<std::uint16_t>(mode == TlsMode::implicit ? 995 : 110), mode, false, ""});
  }
  target.lmtp.push_back({Protocol::lmtp, "sim", 24, TlsMode::none, false, ""});
  target.smtp.push_back({Protocol::smtp, "sim", 25, TlsMode::none, false, ""});
  target.delivery = {scenario::Way::lmtp, scenario::Way::smtp, scenario::Way::append};
  target.settle = std::chrono::seconds(5);
  target.accounts = builtin_pool(options);
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

HostedServer::HostedServer() = default;

Result<std::unique_ptr<HostedServer>> HostedServer::start(server::ServerOptions options, const std::string& host,
                                                          const std::vector<Listen>& listen,
                                                          const std::string& certificate, const std::string& key) {
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
    auto listener = net::Listener::listen(hosted->loop_, where,
                                          [server = hosted->server_.get(), protocol = one.protocol](bool secured) {
                                            return server->accept(protocol, secured);
                                          });
    if (!listener) return listener.error();
    hosted->endpoints_.push_back(
        {one.protocol, host, (*listener)->port(), one.tls ? TlsMode::implicit : TlsMode::none, false, ""});
    hosted->listeners_.push_back(std::move(*listener));
  }
  return hosted;
}

void HostedServer::serve_in_background() {
  thread_ = std::thread([this] { loop_.run([this] { return stop_.load(); }); });
}

HostedServer::~HostedServer() {
  stop_ = true;
  loop_.nudge();
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
  queue_.reset();
}

}  // namespace mailproof::cli
