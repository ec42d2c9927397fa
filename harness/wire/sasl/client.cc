#include "wire/sasl/client.h"

#include <utility>

#include "core/hash.h"
#include "wire/sasl/scram_messages.h"

namespace mailproof::sasl {
namespace {

Error unexpected(Mechanism mechanism) {
  return Error{std::string(name(mechanism)), "the server sent a challenge where none is due"};
}

/// RFC 4616: message = [authzid] NUL authcid NUL passwd
class PlainClient final : public Client {
 public:
  explicit PlainClient(Credentials credentials) : credentials_(std::move(credentials)) {}
  Mechanism mechanism() const override { return Mechanism::plain; }
  std::optional<Secret> initial() override {
    said_ = true;
    std::string message = credentials_.authzid;
    message += '\0';
    message += credentials_.user;
    message += '\0';
    message += credentials_.password.reveal();
    return Secret(std::move(message));
  }
  Result<Secret> respond(std::string_view) override {
    if (said_) return unexpected(mechanism());
    return *initial();
  }
  Result<void> accepted() override { return {}; }

 private:
  Credentials credentials_;
  bool said_ = false;
};

/// LOGIN (draft-murchison-sasl-login): two prompts whose text means nothing; user name, then password.
class LoginClient final : public Client {
 public:
  explicit LoginClient(Credentials credentials) : credentials_(std::move(credentials)) {}
  Mechanism mechanism() const override { return Mechanism::login; }
  std::optional<Secret> initial() override { return std::nullopt; }
  Result<Secret> respond(std::string_view) override {
    switch (step_++) {
      case 0:
        return Secret(credentials_.user);
      case 1:
        return credentials_.password;
      default:
        return unexpected(mechanism());
    }
  }
  Result<void> accepted() override { return {}; }

 private:
  Credentials credentials_;
  int step_ = 0;
};

/// RFC 2195: user SP hmac-md5(password, challenge) in lower-case hex.
class CramClient final : public Client {
 public:
  explicit CramClient(Credentials credentials) : credentials_(std::move(credentials)) {}
  Mechanism mechanism() const override { return Mechanism::cram_md5; }
  std::optional<Secret> initial() override { return std::nullopt; }
  Result<Secret> respond(std::string_view challenge) override {
    if (std::exchange(said_, true)) return unexpected(mechanism());
    if (challenge.empty()) return Error{"CRAM-MD5", "the challenge is empty"};
    return Secret(credentials_.user + ' ' + hmac_md5_hex(credentials_.password.reveal(), challenge));
  }
  Result<void> accepted() override {
    if (!said_) return Error{"CRAM-MD5", "the server reported success without a challenge"};
    return {};
  }

 private:
  Credentials credentials_;
  bool said_ = false;
};

/// RFC 5802 section 5 with SHA-256 (RFC 7677), without channel binding.
class ScramClient final : public Client {
 public:
  ScramClient(Credentials credentials, std::string nonce, SaltedPasswords* cache)
      : credentials_(std::move(credentials)), nonce_(std::move(nonce)), cache_(cache) {}
  Mechanism mechanism() const override { return Mechanism::scram_sha_256; }

  std::optional<Secret> initial() override {
    state_ = State::first_sent;
    header_ = credentials_.authzid.empty() ? "n,," : "n,a=" + scram::encode_name(credentials_.authzid) + ',';
    bare_ = "n=" + scram::encode_name(credentials_.user) + ",r=" + nonce_;
    return Secret(header_ + bare_);
  }

  Result<Secret> respond(std::string_view challenge) override {
    switch (state_) {
      case State::start:
        return *initial();
      case State::first_sent:
        return final_message(challenge);
      case State::final_sent:
        return check_signature(challenge);
      case State::verified:
        break;
    }
    return unexpected(mechanism());
  }

  Result<void> accepted() override {
    if (state_ != State::verified)
      return Error{"SCRAM", "the server reported success without proving that it knows the password"};
    return {};
  }

 private:
  enum class State { start, first_sent, final_sent, verified };

  Result<Secret> final_message(std::string_view challenge) {
    const auto first = scram::parse_server_first(challenge);
    if (!first) return first.error();
    if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size())
      return Error{"SCRAM", "the server's nonce does not extend ours"};
    if (first->iterations > kMostIterations)
      return Error{"SCRAM", "iteration count " + std::to_string(first->iterations) + " is more than the " +
                                std::to_string(kMostIterations) + " that are counted here"};
    SaltedPasswords own;
    const Key& salted = (cache_ != nullptr ? cache_ : &own)->get(credentials_.password, first->salt, first->iterations);
    const std::string without_proof = "c=" + base64(header_) + ",r=" + first->nonce;
    const std::string auth_message = bare_ + ',' + std::string(challenge) + ',' + without_proof;
    expected_ = scram::server_signature(salted, auth_message);
    state_ = State::final_sent;
    return Secret(without_proof + ",p=" + base64(scram::client_proof(salted, auth_message)));
  }

  Result<Secret> check_signature(std::string_view challenge) {
    if (challenge.starts_with("e=")) return Error{"SCRAM", "the server reports: " + printable(challenge.substr(2), 80)};
    if (!challenge.starts_with("v=")) return Error{"SCRAM", "server-final-message: no signature"};
    const auto signature = unbase64(challenge.substr(2, challenge.find(',') - 2));
    if (!signature || *signature != expected_)
      return Error{"SCRAM", "the server's signature is wrong: it does not know the password"};
    state_ = State::verified;
    return Secret();
  }

  Credentials credentials_;
  std::string nonce_;
  SaltedPasswords* cache_;
  State state_ = State::start;
  std::string header_;
  std::string bare_;
  std::string expected_;
};

}  // namespace

std::unique_ptr<Client> make_client(Mechanism mechanism, Credentials credentials, std::string nonce,
                                    SaltedPasswords* cache) {
  switch (mechanism) {
    case Mechanism::plain:
      return std::make_unique<PlainClient>(std::move(credentials));
    case Mechanism::login:
      return std::make_unique<LoginClient>(std::move(credentials));
    case Mechanism::cram_md5:
      return std::make_unique<CramClient>(std::move(credentials));
    case Mechanism::scram_sha_256:
      break;
  }
  return std::make_unique<ScramClient>(std::move(credentials), std::move(nonce), cache);
}

}  // namespace mailproof::sasl
