#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/network.h"
#include "net/fd.h"

namespace mailproof::net {

/// Where a client connection goes; pinned, shared by all connections to one endpoint.
struct Route {
  std::string host;                                       ///< as configured; what a certificate is checked against
  std::vector<boost::asio::ip::tcp::endpoint> addresses;  ///< tried in this order
  std::optional<boost::asio::ip::address> source;
  TlsMode tls = TlsMode::none;
  std::string tls_max;  ///< see Endpoint
  std::string trouble;  ///< why nothing can be dialled ("cannot find this host: ...")
};

/// Takes up a connection: one address after the other until one answers.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  struct Outcome {
    Fd fd;                   ///< connected and non-blocking, or none
    std::string trouble{};   ///< why none
    bool timed_out = false;  ///< by the kernel
  };
  using Told = std::function<void(Outcome)>;

  /// `told` is called from the context's run, once; the route must have addresses.
  static std::shared_ptr<Dial> start(boost::asio::io_context& context, std::shared_ptr<const Route> route, Told told);
  void cancel();  ///< it is not told

 private:
  Dial(boost::asio::io_context& context, std::shared_ptr<const Route> route, Told told);
  void next();
  boost::system::error_code prepare(const boost::asio::ip::tcp::endpoint& to);
  void outcome(const boost::system::error_code& error);

  std::shared_ptr<const Route> route_;
  Told told_;
  boost::asio::ip::tcp::socket socket_;
  std::size_t next_ = 0;
};

}  // namespace mailproof::net
