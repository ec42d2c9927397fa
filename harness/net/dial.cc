#include "net/dial.h"

#include <netinet/in.h>

#include <boost/asio/post.hpp>

namespace mailproof::net {

using boost::asio::ip::tcp;
using boost::system::error_code;

Dial::Dial(boost::asio::io_context& context, std::shared_ptr<const Route> route, Told told)
    : route_(std::move(route)), told_(std::move(told)), socket_(context) {}

std::shared_ptr<Dial> Dial::start(boost::asio::io_context& context, std::shared_ptr<const Route> route, Told told) {
  std::shared_ptr<Dial> dial(new Dial(context, std::move(route), std::move(told)));
  dial->next();
  return dial;
}

void Dial::cancel() {
  told_ = {};
  error_code ignored;
  socket_.close(ignored);
}

error_code Dial::prepare(const tcp::endpoint& to) {
  error_code error, ignored;
  socket_.close(ignored);
  socket_.open(to.protocol(), error);
  if (error) return error;
  socket_.set_option(tcp::no_delay(true), ignored);
  if (!route_->source) return error;
  // The kernel then chooses the port at connect(), by the whole four-tuple: far more connections an address.
  const int on = 1;
  setsockopt(socket_.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  socket_.bind({*route_->source, 0}, error);
  return error;
}

void Dial::next() {
  const tcp::endpoint& to = route_->addresses[next_++];
  auto tell = [self = shared_from_this()](const error_code& error) { self->outcome(error); };
  if (const error_code error = prepare(to)) {
    boost::asio::post(socket_.get_executor(), [tell, error] { tell(error); });
  } else {
    socket_.async_connect(to, std::move(tell));
  }
}

void Dial::outcome(const error_code& error) {
  if (!told_) return;
  if (error && next_ < route_->addresses.size()) return next();
  const Told told = std::exchange(told_, {});
  if (!error) return told({.fd = Fd(socket_.release())});
  std::string trouble = errno_text(error.value());
  if (route_->addresses.size() > 1) {
    trouble += " (tried";
    for (const tcp::endpoint& address : route_->addresses) trouble.append(" ").append(address.address().to_string());
    trouble += ")";
  }
  told({.fd = Fd(), .trouble = std::move(trouble), .timed_out = error == boost::asio::error::timed_out});
}

}  // namespace mailproof::net
