#include "play/devices/login.h"

namespace mailproof::play {

using history::Type;
using history::What;
using session::Smuggled;

namespace {

constexpr Duration kListen = std::chrono::milliseconds(500);

std::string_view word(scenario::Welcome welcome) {
  switch (welcome) {
    case scenario::Welcome::accepted:
      return "accepted";
    case scenario::Welcome::refused:
      return "refused";
    case scenario::Welcome::either:
      return "either";
  }
  return "?";
}

std::string_view word(Smuggled::What what) {
  switch (what) {
    case Smuggled::What::silent:
      return "silent";
    case Smuggled::What::answered:
      return "answered";
    case Smuggled::What::unknown:
      return "unknown";
  }
  return "?";
}

}  // namespace

Welcome::Welcome(Context& context, const scenario::Connect& connect, std::string_view text)
    : context_(context), connect_(connect) {
  auto e = context.event(Type::expect, What::welcome);
  e.code = word(connect.expect);
  if (connect.plaintext) e.flags = "plaintext";
  e.text = text;
  expectation_ = context.append(std::move(e));
}

Endpoint Welcome::endpoint(Protocol protocol, std::optional<TlsMode> tls) const {
  if (!connect_.plaintext) return *context_.endpoint(protocol, tls);
  Endpoint out = *context_.endpoint(protocol, TlsMode::starttls);
  out.tls = TlsMode::none;
  return out;
}

bool Welcome::said_no(const session::Ended& ended) {
  const bool before_it = ended.step == "STARTTLS" || ended.step == "STLS" || ended.step == "TLS";
  return !ended.broken && !before_it && (ended.reason == EndReason::dropped || ended.reason == EndReason::closed);
}

void Welcome::came(std::uint32_t session, const session::Ended* ended, const std::string& device) {
  // Who greets nobody refuses no password: of whether it would be taken without TLS that says nothing.
  const bool greets = ended == nullptr || !connect_.plaintext || ended->step != "greeting";
  const bool said_no = ended != nullptr && greets && Welcome::said_no(*ended);
  if (ended != nullptr && !said_no) {
    outcome(context_, What::welcome, expectation_, Type::info, {}, ended->message(), session);
    return context_.fail("connect", device + ": " + ended->message());
  }
  const auto wanted = connect_.expect;
  const bool fits = wanted == scenario::Welcome::either || (wanted == scenario::Welcome::refused) == said_no;
  outcome(context_, What::welcome, expectation_, fits ? Type::ok : Type::fail, {},
          said_no ? ended->message() : std::string(connect_.plaintext ? "logged in without TLS" : "logged in"),
          session);
  if (!fits && said_no) context_.fail("connect", device + ": " + ended->message());
}

Smuggle::Smuggle(Context& context, std::uint32_t device, std::uint32_t account, const Endpoint& endpoint,
                 const std::string& command, Finish done)
    : context_(context),
      number_(context.new_session(device, endpoint.protocol, account, 0, endpoint)),
      peer_(context.client_config(endpoint, account, number_), command, context.scaled(kListen), *this),
      recorded_(peer_, *context.logs.at(number_ - 1)),
      done_(std::move(done)) {
  auto e = context_.event(Type::obs, What::smuggled, number_);
  e.code = "sent";
  e.text = command;
  context_.append(std::move(e));
  link_ = context_.network.open(endpoint, recorded_);
}

Smuggle::~Smuggle() { link_.reset(); }

void Smuggle::on_smuggled(const Smuggled& result, Time) {
  auto e = context_.event(Type::obs, What::smuggled, number_);
  e.code = word(result.what);
  e.text = result.text;
  e.raw = context_.logs[number_ - 1]->here();
  context_.append(std::move(e));
  if (result.what == Smuggled::What::unknown) context_.fail("starttls", "STARTTLS could not be tried: " + result.text);
  done_();
}

void vanish(Context& context, const std::string& device) {
  auto e = context.event(Type::obs, What::vanish);
  e.text = device;
  context.append(std::move(e));
}

}  // namespace mailproof::play
