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

}  // namespace mailproof
