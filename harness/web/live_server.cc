#include "web/live_server.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <list>
#include <mutex>
#include <random>
#include <thread>

namespace mailproof::web {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
// Of one kind of executor, and without permessage-deflate, which is never offered: less to compile.
using Stream = beast::basic_stream<tcp, asio::io_context::executor_type>;
using Socket = Stream::socket_type;
using WebSocket = websocket::stream<Stream, false>;

constexpr std::size_t kMostRequest = 16U << 10;       // octets of a header
constexpr std::size_t kMostConnections = 200;         // who asks for more is closed
constexpr auto kPatience = std::chrono::seconds(30);  // of a connection that says nothing
constexpr std::string_view kLoopbackHosts[] = {"127.0.0.1", "localhost", "[::1]"};

std::string fresh_token() {
  std::random_device random;
  std::string out;
  for (int i = 0; i < 4; ++i) out += fmt::format("{:08x}", random());
  return out;
}

/// The same time for every guess.
bool equal(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    differ |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return differ == 0;
}

std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  const bool v6_only = colon != std::string_view::npos && host.find(']', colon) != std::string_view::npos;
  return colon == std::string_view::npos || v6_only ? host : host.substr(0, colon);
}

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

}  // namespace

struct LiveServer::Inside {
  class Watcher;
  class Connection;

  asio::io_context context{1};
  asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor{context};
  LiveOptions options;
  std::string page, shown_host;
  std::thread thread;
  std::list<std::weak_ptr<Watcher>> watchers;  // this and the state: of the thread
  std::shared_ptr<const std::string> json = std::make_shared<std::string>("{}");
  std::string metrics;
  std::size_t connections = 0;
  std::atomic<std::size_t> watching{0};

  void accept();
  Response answer(const Request& request) const;
  bool allowed(const Request& request, std::string& why) const;
};

/// An open WebSocket. One message is on its way at a time; what comes meanwhile is replaced by what comes later.
class LiveServer::Inside::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(Inside& inside, Stream stream) : inside_(inside), socket_(std::move(stream)) { ++inside_.watching; }
  ~Watcher() { --inside_.watching; }

  void start(const Request& request) {
    beast::get_lowest_layer(socket_).expires_never();
    socket_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    socket_.read_message_max(1024);  // nobody has anything to say
    socket_.async_accept(request, [self = shared_from_this()](beast::error_code error) {
      if (error) return;
      self->open_ = true;
      self->send();
      self->read();
    });
  }
  void changed() {
    waiting_ = true;
    if (open_ && !sending_) send();
  }

 private:
  void read() {
    socket_.async_read(in_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      self->in_.clear();
      self->read();
    });
  }
  void send() {
    waiting_ = false;
    sending_ = inside_.json;
    socket_.text(true);
    socket_.async_write(asio::buffer(*sending_), [self = shared_from_this()](beast::error_code error, std::size_t) {
      self->sending_.reset();
      if (!error && self->waiting_) self->send();
    });
  }
  Inside& inside_;
  WebSocket socket_;
  beast::flat_buffer in_;
  std::shared_ptr<const std::string> sending_;
  bool open_ = false, waiting_ = false;
};

class LiveServer::Inside::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Inside& inside, Socket socket) : inside_(inside), stream_(std::move(socket)) { ++inside_.connections; }
  ~Connection() { --inside_.connections; }

  void read() {
    parser_.emplace();
    parser_->header_limit(kMostRequest);
    parser_->body_limit(0);
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->serve(self->parser_->release());
    });
  }

 private:
  void serve(Request request) {
    const std::string target(request.target());
    std::string why;
    if (websocket::is_upgrade(request) && target.substr(0, target.find('?')) == "/live" &&
        inside_.allowed(request, why)) {
      auto watcher = std::make_shared<Watcher>(inside_, std::move(stream_));
      std::erase_if(inside_.watchers, [](const auto& one) { return one.expired(); });
      inside_.watchers.push_back(watcher);
      return watcher->start(request);
    }
    response_ = inside_.answer(request);
    http::async_write(stream_, *response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error || self->response_->need_eof() || !self->response_->keep_alive()) {
        beast::error_code ignored;
        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        return;
      }
      self->read();
    });
  }
  Inside& inside_;
  Stream stream_;
  beast::flat_buffer buffer_{kMostRequest};
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<Response> response_;
};

/// Loopback is no protection from pages of other sites in a browser on this machine: those name another host, or bring
/// an origin of their own.
bool LiveServer::Inside::allowed(const Request& request, std::string& why) const {
  const std::string target(request.target()), host(request[http::field::host]);
  if (options.token.empty()) {
    const auto named = without_port(host);
    if (std::find(std::begin(kLoopbackHosts), std::end(kLoopbackHosts), named) == std::end(kLoopbackHosts)) {
      why = "this page is for this machine: ask for it at 127.0.0.1\n";
      return false;
    }
  } else {
    std::string_view given(target);
    const auto query = given.find('?');
    given = query == std::string_view::npos ? std::string_view() : given.substr(query + 1);
    while (!given.empty() && !given.starts_with("token=")) {
      const auto next = given.find('&');
      given = next == std::string_view::npos ? std::string_view() : given.substr(next + 1);
    }
    if (!given.empty())
      given = given.substr(6, given.find('&') == std::string_view::npos ? given.npos : given.find('&') - 6);
    const std::string bearer(request[http::field::authorization]);
    if (!equal(given, options.token) && !equal(bearer, "Bearer " + options.token)) {
      why = "a token is wanted: ?token=..., or Authorization: Bearer; mailproof printed it\n";
      return false;
    }
  }
  const std::string origin(request[http::field::origin]);
  if (!origin.empty() && origin != "http://" + host) {
    why = "another site's page may not read this one\n";
    return false;
  }
  return true;
}

Response LiveServer::Inside::answer(const Request& request) const {
  Response out{http::status::ok, request.version()};
  out.set(http::field::server, "mailproof");
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Referrer-Policy", "no-referrer");
  out.keep_alive(request.keep_alive());
  const auto say = [&](http::status status, const char* type, std::string text) {
    out.result(status);
    out.set(http::field::content_type, type);
    out.body() = std::move(text);
    out.prepare_payload();
    if (request.method() == http::verb::head) out.body().clear();
    return out;
  };
  constexpr const char* kText = "text/plain; charset=utf-8";
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    out.set(http::field::allow, "GET, HEAD");
    return say(http::status::method_not_allowed, kText, "only GET and HEAD\n");
  }
  std::string why;
  if (!allowed(request, why)) return say(http::status::forbidden, kText, why);
  const std::string target(request.target()), path = target.substr(0, target.find('?'));
  if (path == "/") return say(http::status::ok, "text/html; charset=utf-8", page);
  if (path == "/state.json") return say(http::status::ok, "application/json", *json);
  if (path == "/metrics") return say(http::status::ok, "text/plain; version=0.0.4; charset=utf-8", metrics);
  return say(http::status::not_found, kText, "there is /, /live, /state.json and /metrics\n");
}

void LiveServer::Inside::accept() {
  acceptor.async_accept([this](beast::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error && connections < kMostConnections) std::make_shared<Connection>(*this, std::move(socket))->read();
    accept();
  });
}

Result<LiveOptions> parse_live(std::string_view address) {
  LiveOptions out;
  const Error wrong("--live " + std::string(address), "expected an address and a port, such as 127.0.0.1:8080 or 8080");
  std::string_view port = address, host;
  if (const auto colon = address.rfind(':');
      colon != std::string_view::npos && address.find(']', colon) == address.npos) {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
  } else if (address.find_first_not_of("0123456789") != std::string_view::npos) {
    host = address;
    port = {};
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size()) return wrong;
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!host.empty()) out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(out.host, error);
  if (error) return wrong;
  if (!parsed.is_loopback()) out.token = fresh_token();
  return out;
}

Result<std::unique_ptr<LiveServer>> LiveServer::start(const LiveOptions& options, std::string page) {
  auto inside = std::make_unique<Inside>();
  inside->options = options;
  inside->page = std::move(page);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  const std::string where = fmt::format("--live {}:{}", options.host, options.port);
  if (error) return Error{where, "not an address: " + error.message()};
  if (!address.is_loopback() && options.token.empty()) return Error{where, "what is not loopback needs a token"};
  const tcp::endpoint endpoint(address, options.port);
  inside->acceptor.open(endpoint.protocol(), error);
  if (!error) inside->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) inside->acceptor.bind(endpoint, error);
  if (!error) inside->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error{where, "cannot listen there: " + error.message()};
  inside->options.port = inside->acceptor.local_endpoint().port();
  inside->shown_host = address.is_v6() ? fmt::format("[{}]", options.host) : options.host;
  inside->accept();
  inside->thread = std::thread([raw = inside.get()] { raw->context.run(); });
  return std::unique_ptr<LiveServer>(new LiveServer(std::move(inside)));
}

LiveServer::LiveServer(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

LiveServer::~LiveServer() {
  inside_->context.stop();
  inside_->thread.join();
}

std::string LiveServer::url() const {
  return fmt::format("http://{}:{}/{}", inside_->shown_host, inside_->options.port,
                     inside_->options.token.empty() ? "" : "?token=" + inside_->options.token);
}

void LiveServer::publish(std::string json, std::string metrics) {
  asio::post(inside_->context, [inside = inside_.get(), json = std::make_shared<const std::string>(std::move(json)),
                                metrics = std::move(metrics)] {
    inside->json = json;
    inside->metrics = metrics;
    for (const auto& one : inside->watchers)
      if (const auto watcher = one.lock()) watcher->changed();
  });
}

std::size_t LiveServer::watching() const { return inside_->watching; }

}  // namespace mailproof::web
