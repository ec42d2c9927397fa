#include "core/admin.h"
#include "core/network.h"

namespace mailproof {

std::string_view name(EndReason reason) {
  switch (reason) {
    case EndReason::none:
      return "none";
    case EndReason::closed:
      return "closed";
    case EndReason::reset:
      return "reset";
    case EndReason::refused:
      return "refused";
    case EndReason::timeout:
      return "timeout";
    case EndReason::tls_failed:
      return "tls-failed";
    case EndReason::dropped:
      return "dropped";
  }
  return "?";
}

std::string_view name(Protocol protocol) {
  switch (protocol) {
    case Protocol::imap:
      return "imap";
    case Protocol::pop3:
      return "pop3";
    case Protocol::smtp:
      return "smtp";
    case Protocol::lmtp:
      return "lmtp";
  }
  return "?";
}

std::string_view name(TlsMode mode) {
  switch (mode) {
    case TlsMode::none:
      return "none";
    case TlsMode::starttls:
      return "starttls";
    case TlsMode::implicit:
      return "implicit";
  }
  return "?";
}

std::string Endpoint::label() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(name(protocol)) + " " + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string_view name(AdminVerb verb) {
  switch (verb) {
    case AdminVerb::set_quota:
      return "set_quota";
    case AdminVerb::set_customer_quota:
      return "set_customer_quota";
    case AdminVerb::restart:
      return "restart";
    case AdminVerb::kill:
      return "kill";
    case AdminVerb::pause:
      return "pause";
    case AdminVerb::deliver:
      return "deliver";
  }
  return "?";
}

}  // namespace mailproof
