#include "core/names.h"

namespace mailproof {

std::string_view name(EndReason reason) { return word_for(kEndReasons, reason); }
std::string_view name(Protocol protocol) { return word_for(kProtocols, protocol); }
std::string_view name(TlsMode mode) { return word_for(kTlsModes, mode); }
std::string_view name(AdminVerb verb) { return word_for(kAdminVerbs, verb); }
std::string_view name(Fate fate) { return word_for(kFates, fate); }
std::string_view name(Pop3Delete policy) { return word_for(kPop3Deletes, policy); }
std::string_view name(Pop3Download policy) { return word_for(kPop3Downloads, policy); }

std::string Endpoint::label() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(name(protocol)) + " " + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace mailproof
