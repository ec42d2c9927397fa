#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace mailproof::net {

/// Names to addresses, asked once a host and then pinned: the same list for the whole run, and no look-up in a
/// measured path. The first question may block. Failures are pinned too.
class Resolver {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  explicit Resolver(boost::asio::io_context& context) : context_(context) {}
  const Result<Addresses>& resolve(const std::string& host);

 private:
  boost::asio::io_context& context_;
  std::map<std::string, Result<Addresses>, std::less<>> known_;
};

}  // namespace mailproof::net
