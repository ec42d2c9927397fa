#include "net/resolver.h"

#include <boost/asio/ip/tcp.hpp>

namespace mailproof::net {
namespace {

std::string text_of(const boost::system::error_code& error) {
  if (error == boost::asio::error::host_not_found) return "its name is not known";
  if (error == boost::asio::error::host_not_found_try_again) return "no answer in name resolution, for now";
  return error.message();
}

Result<Resolver::Addresses> look_up(boost::asio::io_context& context, const std::string& host) {
  boost::system::error_code error;
  const auto found = boost::asio::ip::tcp::resolver(context).resolve(host, "", error);
  if (error) return Error(host, "cannot find this host: " + text_of(error));
  Resolver::Addresses addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address());
  return addresses;
}

}  // namespace

const Result<Resolver::Addresses>& Resolver::resolve(const std::string& host) {
  auto known = known_.find(host);
  if (known == known_.end()) known = known_.emplace(host, look_up(context_, host)).first;
  return known->second;
}

}  // namespace mailproof::net
