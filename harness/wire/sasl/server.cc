#include "wire/sasl/server.h"

#include <utility>

#include "core/bytes.h"
#include "core/hash.h"
#include "wire/sasl/scram_messages.h"

namespace mailproof::sasl {
namespace {

Step failure(std::string why) { return {Step::Kind::failure, std::move(why)}; }
constexpr std::string_view kWrong = "wrong user or password";

class PlainServer final : public Server {
 public:
  explicit PlainServer(ServerFacts facts) : facts_(std::move(facts)) {}
  Mechanism mechanism() const override { return Mechanism::plain; }
  std::string challenge() override { return {}; }
  Step step(std::string_view response) override {
    const std::size_t first = response.find('\0');
    const std::size_t second = first == std::string_view::npos ? first : response.find('\0', first + 1);
    if (second == std::string_view::npos || response.find('\0', second + 1) != std::string_view::npos)
      return failure("PLAIN: not three parts");
    const std::string_view authzid = response.substr(0, first);
    const std::string_view user = response.substr(first + 1, second - first - 1);
    if (!authzid.empty() && authzid != user) return failure("PLAIN: acting for another is not allowed");
    const auto password = facts_.password_of(user);
    if (!password || password->reveal() != response.substr(second + 1)) return failure(std::string(kWrong));
    user_ = user;
    return {Step::Kind::success, {}};
  }

 private:
  ServerFacts facts_;
};

class LoginServer final : public Server {
 public:
  explicit LoginServer(ServerFacts facts) : facts_(std::move(facts)) {}
  Mechanism mechanism() const override { return Mechanism::login; }
  std::string challenge() override { return "Username:"; }
  Step step(std::string_view response) override {
    if (!asked_password_) {
      asked_password_ = true;
      candidate_ = response;
      return {Step::Kind::challenge, "Password:"};
    }
    const auto password = facts_.password_of(candidate_);
    if (!password || password->reveal() != response) return failure(std::string(kWrong));
    user_ = candidate_;
    return {Step::Kind::success, {}};
  }

 private:
  ServerFacts facts_;
  bool asked_password_ = false;
  std::string candidate_;
};

class CramServer final : public Server {
 public:
  explicit CramServer(ServerFacts facts) : facts_(std::move(facts)) {}
  Mechanism mechanism() const override { return Mechanism::cram_md5; }
  std::string challenge() override {
    asked_ = true;
    return facts_.cram_challenge;
  }
  Step step(std::string_view response) override {
    if (!asked_) return failure("CRAM-MD5: no initial response is possible");
    const std::size_t space = response.rfind(' ');
    if (space == std::string_view::npos) return failure("CRAM-MD5: no digest");
    const std::string_view user = response.substr(0, space);
    const auto password = facts_.password_of(user);
    if (!password || !iequals(hmac_md5_hex(password->reveal(), facts_.cram_challenge), response.substr(space + 1)))
      return failure(std::string(kWrong));
    user_ = user;
    return {Step::Kind::success, {}};
  }

 private:
  ServerFacts facts_;
  bool asked_ = false;
};

class ScramServer final : public Server {
 public:
  explicit ScramServer(ServerFacts facts) : facts_(std::move(facts)) {}
  Mechanism mechanism() const override { return Mechanism::scram_sha_256; }
  std::string challenge() override { return {}; }
  Step step(std::string_view response) override {
    switch (state_) {
      case State::start:
        return first(response);
      case State::first_sent:
        return verify(response);
      case State::signed_off:
        if (!response.empty()) return failure("SCRAM: the last response must be empty");
        user_ = first_.user;
        return {Step::Kind::success, {}};
    }
    return failure("SCRAM: over");
  }

 private:
  enum class State { start, first_sent, signed_off };

  Step first(std::string_view response) {
    auto parsed = scram::parse_client_first(response);
    if (!parsed) return failure(parsed.error().message());
    first_ = std::move(*parsed);
    if (!first_.authzid.empty() && first_.authzid != first_.user)
      return failure("SCRAM: acting for another is not allowed");
    nonce_ = first_.nonce + facts_.nonce;
    server_first_ = "r=" + nonce_ + ",s=" + base64(facts_.salt) + ",i=" + std::to_string(facts_.iterations);
    state_ = State::first_sent;
    return {Step::Kind::challenge, server_first_};
  }

  Step verify(std::string_view response) {
    const auto last = scram::parse_client_final(response);
    if (!last) return failure(last.error().message());
    if (last->nonce != nonce_) return failure("SCRAM: the nonce changed");
    if (last->channel_binding != first_.header) return failure("SCRAM: the channel binding changed");
    const auto password = facts_.password_of(first_.user);
    if (!password) return failure(std::string(kWrong));
    SaltedPasswords own;
    const Key& salted = (facts_.cache != nullptr ? facts_.cache : &own)->get(*password, facts_.salt, facts_.iterations);
    const std::string auth_message = first_.bare + ',' + server_first_ + ',' + last->without_proof;
    if (scram::client_proof(salted, auth_message) != last->proof) return failure(std::string(kWrong));
    state_ = State::signed_off;
    return {Step::Kind::challenge, "v=" + base64(scram::server_signature(salted, auth_message))};
  }

  ServerFacts facts_;
  State state_ = State::start;
  scram::ClientFirst first_;
  std::string nonce_;
  std::string server_first_;
};

}  // namespace

std::unique_ptr<Server> make_server(Mechanism mechanism, ServerFacts facts) {
  switch (mechanism) {
    case Mechanism::plain:
      return std::make_unique<PlainServer>(std::move(facts));
    case Mechanism::login:
      return std::make_unique<LoginServer>(std::move(facts));
    case Mechanism::cram_md5:
      return std::make_unique<CramServer>(std::move(facts));
    case Mechanism::scram_sha_256:
      break;
  }
  return std::make_unique<ScramServer>(std::move(facts));
}

}  // namespace mailproof::sasl
