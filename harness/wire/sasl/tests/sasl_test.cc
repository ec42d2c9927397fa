#include <gtest/gtest.h>

#include "core/hash.h"
#include "wire/sasl/client.h"
#include "wire/sasl/server.h"

namespace mailproof::sasl {
namespace {

using Kind = Step::Kind;
constexpr Mechanism kAll[] = {Mechanism::plain, Mechanism::login, Mechanism::cram_md5, Mechanism::scram_sha_256};

ServerFacts facts(std::string user, std::string password) {
  ServerFacts f;
  f.password_of = [user, password](std::string_view who) {
    return who == user ? std::optional(Secret(password)) : std::nullopt;
  };
  f.nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  f.salt = *unbase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  f.cram_challenge = "<1896.697170952@postoffice.example.net>";
  return f;
}

TEST(Mechanisms, TheStrongestOfferedIsChosen) {
  EXPECT_EQ(choose(kAll, true), Mechanism::scram_sha_256);
  const Mechanism plain_first[] = {Mechanism::login, Mechanism::plain};
  EXPECT_EQ(choose(plain_first, true), Mechanism::plain);
  EXPECT_EQ(choose(plain_first, false), std::nullopt);
  const Mechanism cram[] = {Mechanism::plain, Mechanism::cram_md5};
  EXPECT_EQ(choose(cram, false), Mechanism::cram_md5);
  EXPECT_EQ(choose({}, true), std::nullopt);
}

TEST(Mechanisms, NamesReadBack) {
  for (const Mechanism m : kAll) EXPECT_EQ(parse_mechanism(name(m)), m);
  EXPECT_EQ(parse_mechanism("scram-sha-256"), Mechanism::scram_sha_256);
  EXPECT_EQ(parse_mechanism("SCRAM-SHA-256-PLUS"), std::nullopt);
  EXPECT_EQ(parse_mechanism("SCRAM-SHA-1"), std::nullopt);
}

// RFC 4616 section 4
TEST(Plain, KnownAnswer) {
  const auto client = make_client(Mechanism::plain, {"tim", Secret("tanstaaftanstaaf"), ""}, "", nullptr);
  EXPECT_EQ(client->initial()->reveal(), std::string("\0tim\0tanstaaftanstaaf", 21));
  const auto other = make_client(Mechanism::plain, {"Kurt", Secret("xipj3plmq"), "Ursel"}, "", nullptr);
  EXPECT_EQ(other->initial()->reveal(), std::string("Ursel\0Kurt\0xipj3plmq", 20));
}

// RFC 2195 section 2
TEST(CramMd5, KnownAnswer) {
  const auto client = make_client(Mechanism::cram_md5, {"tim", Secret("tanstaaftanstaaf"), ""}, "", nullptr);
  EXPECT_FALSE(client->initial());
  EXPECT_EQ(client->respond("<1896.697170952@postoffice.reston.mci.net>")->reveal(),
            "tim b913a602c7eda7a495b4e6e7334d3890");
}

// RFC 7677 section 3
TEST(Scram, KnownAnswerOfBothSides) {
  const auto client =
      make_client(Mechanism::scram_sha_256, {"user", Secret("pencil"), ""}, "rOprNGfwEbeRWgbNEkqO", nullptr);
  const auto server = make_server(Mechanism::scram_sha_256, facts("user", "pencil"));
  const auto first = client->initial();
  EXPECT_EQ(first->reveal(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const Step challenge = server->step(first->reveal());
  EXPECT_EQ(challenge.data, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto last = client->respond(challenge.data);
  ASSERT_TRUE(last);
  EXPECT_EQ(
      last->reveal(),
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  const Step signature = server->step(last->reveal());
  EXPECT_EQ(signature.kind, Kind::challenge);
  EXPECT_EQ(signature.data, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  const auto empty = client->respond(signature.data);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->empty());
  EXPECT_EQ(server->step("").kind, Kind::success);
  EXPECT_EQ(server->user(), "user");
  EXPECT_TRUE(client->accepted());
}

struct Outcome {
  bool accepted = false;
  std::string why;
};

/// Lets both sides talk until one of them is through.
Outcome converse(Client& client, Server& server, bool initial_response) {
  std::optional<Secret> said;
  if (initial_response) said = client.initial();
  Step step{Kind::challenge, {}};
  if (said) {
    step = server.step(said->reveal());
  } else {
    step.data = server.challenge();
  }
  for (int round = 0; round < 8 && step.kind == Kind::challenge; ++round) {
    const auto answer = client.respond(step.data);
    if (!answer) return {false, "client: " + answer.error().message()};
    step = server.step(answer->reveal());
  }
  if (step.kind != Kind::success) return {false, "server: " + step.data};
  const auto accepted = client.accepted();
  return {accepted.has_value(), accepted ? "" : accepted.error().message()};
}

TEST(Exchange, EveryMechanismWithAndWithoutInitialResponse) {
  for (const Mechanism m : kAll) {
    for (const bool initial : {false, true}) {
      const auto client =
          make_client(m, {"a=b,c@example.test", Secret("pä ss,=word"), ""}, "rOprNGfwEbeRWgbNEkqO", nullptr);
      const auto server = make_server(m, facts("a=b,c@example.test", "pä ss,=word"));
      const Outcome o = converse(*client, *server, initial);
      EXPECT_TRUE(o.accepted) << name(m) << ": " << o.why;
      EXPECT_EQ(server->user(), "a=b,c@example.test");
    }
  }
}

TEST(Exchange, WrongPasswordOrUserIsRefused) {
  for (const Mechanism m : kAll) {
    for (const char* user : {"user0001", "nobody"}) {
      const auto client = make_client(m, {user, Secret("wrong"), ""}, "rOprNGfwEbeRWgbNEkqO", nullptr);
      const auto server = make_server(m, facts("user0001", "right"));
      const Outcome o = converse(*client, *server, true);
      EXPECT_FALSE(o.accepted);
      EXPECT_EQ(o.why, "server: wrong user or password") << name(m);
      EXPECT_EQ(server->user(), "");
    }
  }
}

TEST(Exchange, ActingForAnotherIsRefused) {
  for (const Mechanism m : {Mechanism::plain, Mechanism::scram_sha_256}) {
    const auto client = make_client(m, {"user", Secret("pencil"), "boss"}, "rOprNGfwEbeRWgbNEkqO", nullptr);
    const auto server = make_server(m, facts("user", "pencil"));
    EXPECT_NE(converse(*client, *server, true).why.find("acting for another"), std::string::npos);
  }
}

std::unique_ptr<Client> scram_client() {
  auto client = make_client(Mechanism::scram_sha_256, {"user", Secret("pencil"), ""}, "rOprNGfwEbeRWgbNEkqO", nullptr);
  client->initial();
  return client;
}

TEST(Scram, ClientRefusesWhatAnAttackerWouldSend) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "no nonce"},
      {"garbage", "no nonce"},
      {"e=other-error", "reports an error"},
      {"m=x,r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z,i=4096", "mandatory extension"},
      {"r=someOtherNonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "does not extend ours"},
      {"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "does not extend ours"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,i=4096", "no salt"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=!!!!,i=4096", "not base64"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z", "no iteration count"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z,i=0", "positive number"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z,i=-1", "positive number"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z,i=99999999999", "positive number"},
      {"r=rOprNGfwEbeRWgbNEkqOabc,s=W22Z,i=2000000000", "more than the 600000"},
  };
  for (const auto& [challenge, why] : bad) {
    const auto client = scram_client();
    const auto answer = client->respond(challenge);
    ASSERT_FALSE(answer) << challenge;
    EXPECT_NE(answer.error().message().find(why), std::string::npos) << answer.error().message();
    EXPECT_FALSE(client->accepted());
  }
}

TEST(Scram, ClientWantsTheServersProof) {
  const auto client = scram_client();
  EXPECT_FALSE(client->accepted());
  ASSERT_TRUE(client->respond("r=rOprNGfwEbeRWgbNEkqOabc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
  EXPECT_FALSE(client->accepted());
  const auto forged = client->respond("v=" + base64(std::string(32, 'x')));
  ASSERT_FALSE(forged);
  EXPECT_NE(forged.error().message().find("does not know the password"), std::string::npos);
  EXPECT_FALSE(client->accepted());
}

TEST(Scram, ServerRefusesMalformedMessages) {
  for (const char* first : {"", "n", "n,", "n,,", "p=tls-unique,,n=user,r=x", "n,,n=user", "n,,n=us=er,r=x",
                            "n,,m=1,n=user,r=x", "x,,n=user,r=x"}) {
    EXPECT_EQ(make_server(Mechanism::scram_sha_256, facts("user", "pencil"))->step(first).kind, Kind::failure) << first;
  }
  for (const char* last : {"", "c=biws", "c=biws,r=wrong,p=eA==", "c=biws,p=eA==", "c=!,r=x,p=eA==", "p=eA=="}) {
    const auto server = make_server(Mechanism::scram_sha_256, facts("user", "pencil"));
    ASSERT_EQ(server->step("n,,n=user,r=abc").kind, Kind::challenge);
    EXPECT_EQ(server->step(last).kind, Kind::failure) << last;
  }
}

TEST(Plain, ServerRefusesMalformedMessages) {
  for (const std::string_view message : {std::string_view(""), std::string_view("user"), std::string_view("\0user", 5),
                                         std::string_view("\0user\0pencil\0x", 14)}) {
    EXPECT_EQ(make_server(Mechanism::plain, facts("user", "pencil"))->step(message).kind, Kind::failure);
  }
}

TEST(Clients, EndlessChallengesAreRefused) {
  for (const Mechanism m : kAll) {
    const auto client = make_client(m, {"user", Secret("pencil"), ""}, "rOprNGfwEbeRWgbNEkqO", nullptr);
    int answered = 0;
    while (answered < 10 && client->respond("<x@y>")) ++answered;
    EXPECT_LE(answered, 2) << name(m);
  }
}

TEST(SaltedPasswords, AreComputedOnce) {
  SaltedPasswords cache;
  const Key once = cache.get(Secret("pencil"), "salt", 4096);
  EXPECT_EQ(cache.get(Secret("pencil"), "salt", 4096), once);
  EXPECT_EQ(cache.computed(), 1U);
  EXPECT_NE(cache.get(Secret("pencil"), "salt2", 4096), once);
  EXPECT_NE(cache.get(Secret("pencil"), "salt", 4097), once);
  EXPECT_NE(cache.get(Secret("tpencil"), "sal", 4096), once);
  EXPECT_EQ(cache.computed(), 4U);
}

}  // namespace
}  // namespace mailproof::sasl
