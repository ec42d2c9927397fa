#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "play/devices/login.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Welcome;
using session::Ended;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// How a login came out: nothing = it was let in.
struct Login {
  const char* name;
  std::optional<Ended> ended;
  bool answer = true;  ///< the server decided about it
};

Ended ended(EndReason reason, const char* step, bool login_refused = false, bool broken = false) {
  Ended out;
  out.reason = reason;
  out.step = step;
  out.login_refused = login_refused;
  out.broken = broken;
  out.where = "imap 127.0.0.1:143";
  out.why = "that is why";
  return out;
}

class Welcomed : public testing::TestWithParam<std::tuple<Login, Welcome>> {};

TEST_P(Welcomed, OnlyAnAnswerOfTheServersIsHeldAgainstIt) {
  const auto& [login, wanted] = GetParam();
  SimRig rig("accounts: [alice]\ndevices: {phone: {imap: alice}}\nsteps: [phone: {connect: now}]\n");
  history::History history;
  history::Ledger ledger(history);
  Messages messages(history, 1, 2, rig.options.date);
  Context context{*rig.network, rig.target, history, ledger, messages, rig.options, rig.leased, {}, {}, 0, false, {}};
  const scenario::Connect connect{wanted, false};
  play::Welcome welcome(context, connect, "phone: {connect: now}");
  welcome.came(0, login.ended ? &*login.ended : nullptr, "phone");

  ASSERT_GE(history.events().size(), 2U);
  EXPECT_EQ(history.events()[0].type, Type::expect);
  const auto& outcome = history.events()[1];
  EXPECT_EQ(outcome.what, What::welcome);
  EXPECT_EQ(outcome.command, 1U);
  const bool in = !login.ended;
  const Type expected = !login.answer                         ? Type::info
                        : wanted == Welcome::either           ? Type::ok
                        : (wanted == Welcome::accepted) == in ? Type::ok
                                                              : Type::fail;
  EXPECT_EQ(outcome.type, expected) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr(in ? "logged in" : "that is why"));
  // Who is not let in cannot go on, unless the story says that this may be.
  const bool goes_on = in || (login.answer && wanted != Welcome::accepted);
  EXPECT_EQ(context.problem.empty(), goes_on) << context.problem;
}

std::string name_of(const testing::TestParamInfo<std::tuple<Login, Welcome>>& made) {
  constexpr const char* words[] = {"Accepted", "Refused", "Either"};
  return std::string(std::get<0>(made.param).name) + words[static_cast<std::size_t>(std::get<1>(made.param))];
}

INSTANTIATE_TEST_SUITE_P(
    EveryEnd, Welcomed,
    testing::Combine(testing::Values(Login{"LetIn", std::nullopt},
                                     Login{"LoginRefused", ended(EndReason::dropped, "PASS", true)},
                                     Login{"NoWayToLogIn", ended(EndReason::dropped, "LOGIN")},
                                     Login{"ClosedAtTheLogin", ended(EndReason::closed, "LOGIN")},
                                     Login{"GreetedWithBye", ended(EndReason::closed, "greeting")},
                                     Login{"ConnectionRefused", ended(EndReason::refused, "connect"), false},
                                     Login{"NobodyAnswers", ended(EndReason::timeout, "greeting"), false},
                                     Login{"Reset", ended(EndReason::reset, "AUTHENTICATE"), false},
                                     Login{"CertificateRefused", ended(EndReason::tls_failed, "connect"), false},
                                     Login{"StarttlsRefused", ended(EndReason::dropped, "STARTTLS"), false},
                                     Login{"StlsNotOffered", ended(EndReason::dropped, "STLS"), false},
                                     Login{"Garbage", ended(EndReason::dropped, "greeting", false, true), false}),
                     testing::Values(Welcome::accepted, Welcome::refused, Welcome::either)),
    name_of);

constexpr std::string_view kStory = R"(
accounts: [alice]
devices:
  phone: {imap: alice, tls: starttls}
  pc:    {pop3: alice, tls: starttls}
  home:  {pop3: alice}
steps:
)";

std::vector<std::string> outcomes(const SimRig& rig) {
  std::vector<std::string> out;
  for (const auto& line : rig.told(What::welcome))
    if (!line.starts_with("expect")) out.push_back(line.substr(0, line.find(' ')));
  return out;
}

TEST(Connect, PlaintextIsRefusedWhereTlsMustComeFirst) {
  SimRig rig(std::string(kStory) +
             "  - phone: {connect: plaintext, expect: refused}\n"
             "  - pc: {connect: plaintext, expect: refused}\n"
             "  - phone: {connect: now, expect: accepted}\n"
             "  - pc: {connect: now}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(outcomes(rig), ElementsAre("ok", "ok", "ok", "ok"));
  EXPECT_THAT(rig.told(What::welcome)[0], StartsWith("expect refused phone: "));
  for (const auto& log : rig.player->logs()) {
    const std::string all = log->excerpt({0, 100'000});
    EXPECT_THAT(all, testing::Not(HasSubstr("LOGIN user-alice"))) << "no password goes where LOGINDISABLED stands";
  }
}

TEST(Connect, PlaintextThatIsTakenIsMissedAndSaidAsWhatItIs) {
  SimRig rig(std::string(kStory) +
                 "  - phone: {connect: plaintext, expect: refused}\n"
                 "  - phone: {connect: now}\n",
             [](server::ServerOptions& options) { options.latitudes.emplace("imap.takes-plaintext-login"); });
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.told(What::welcome)[1], StartsWith("fail  logged in without TLS"));
  EXPECT_THAT(outcomes(rig), ElementsAre("fail", "ok")) << "and the story goes on";
  const auto& events = rig.player->history().events();
  const auto logout = std::find_if(events.begin(), events.end(), [&](const history::Event& e) {
    return e.what == What::logout && rig.player->history().device_name(e) == "phone";
  });
  ASSERT_NE(logout, events.end());
  EXPECT_EQ(logout->step, 1U) << "a session in clear text is given up at once";
}

TEST(Connect, WhetherASecondPop3SessionIsLetInIsTheServersChoice) {
  for (const bool let_in : {false, true}) {
    SimRig rig(std::string(kStory) +
                   "  - home: {connect: now, expect: accepted}\n"
                   "  - pc: {connect: now, expect: either}\n",
               [&](server::ServerOptions& options) {
                 if (let_in) options.latitudes.emplace("pop3.snapshot-maildrop");
               });
    rig.play();
    EXPECT_EQ(rig.problem(), "");
    EXPECT_THAT(outcomes(rig), ElementsAre("ok", "ok"));
    EXPECT_THAT(rig.told(What::welcome)[3], HasSubstr(let_in ? "logged in" : "IN-USE"));
  }
}

TEST(Connect, AServerThatIsNotThereRefusesNoLogin) {
  for (const char* expected : {"refused", "accepted", "either"}) {
    SimRig rig(fmt::format("{}  - home: {{connect: now, expect: {}}}\n", kStory, expected));
    rig.options.baseline = false;
    rig.ports->closed = {110};
    rig.play();
    EXPECT_THAT(outcomes(rig), ElementsAre("info"));
    EXPECT_THAT(rig.problem(), HasSubstr("connection refused"));
  }
}

/// LOGINDISABLED takes the command LOGIN away; AUTHENTICATE PLAIN sends the password as well.
TEST(Connect, EveryWayToSendThePasswordWithoutTlsIsTried) {
  const auto block = [](Protocol protocol, const char* line, WrongAction action) {
    return WrongBlock{.at = WrongBlock::At::regex, .protocol = protocol, .text = line, .actions = {std::move(action)}};
  };
  const auto edit = [](const char* pattern, const char* text) {
    return WrongAction{.kind = WrongAction::Kind::edit, .text = text, .pattern = pattern};
  };
  const auto say = [](const char* text) { return WrongAction{.kind = WrongAction::Kind::say, .text = text}; };
  for (const Protocol protocol : {Protocol::imap, Protocol::pop3}) {
    const bool imap = protocol == Protocol::imap;
    SimRig rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, pop3, tls]\n" + std::string(kStory) +
                                   (imap ? "  - phone: {connect: plaintext, expect: refused}\n"
                                         : "  - pc: {connect: plaintext, expect: refused}\n"),
                               "play.yaml"),
               {},
               {{imap ? std::vector{WrongBlock{.at = WrongBlock::At::greeting,
                                               .protocol = protocol,
                                               .actions = {edit("LOGINDISABLED", "LOGINDISABLED AUTH=PLAIN")}},
                                    block(protocol, "AUTHENTICATE PLAIN", say("${tag} OK in\r\n"))}
                      : std::vector{block(protocol, "^CAPA", edit("^SASL", "SASL PLAIN")),
                                    block(protocol, "^AUTH PLAIN", say("+OK in\r\n"))}}});
    rig.options.baseline = false;
    rig.play();
    ASSERT_FALSE(outcomes(rig).empty());
    EXPECT_EQ(outcomes(rig).front(), "fail") << name(protocol) << ": " << rig.problem();
  }
}

TEST(Smuggling, SaysWhatWasHeardUnderTls) {
  for (const bool defect : {false, true}) {
    SimRig rig(std::string(kStory) +
                   "  - phone: {smuggle: NOOP}\n"
                   "  - pc: {smuggle: CAPA}\n",
               [&](server::ServerOptions& options) {
                 if (defect) options.defects = {"imap.starttls-obeys-clear-text", "pop3.stls-obeys-clear-text"};
               });
    rig.play();
    EXPECT_EQ(rig.problem(), "");
    const auto told = rig.told(What::smuggled);
    ASSERT_EQ(told.size(), 4U);
    EXPECT_EQ(told[0], "obs sent NOOP");
    EXPECT_THAT(told[1], StartsWith(defect ? "obs answered t2 OK" : "obs silent no answer came"));
    EXPECT_EQ(told[2], "obs sent CAPA");
    EXPECT_THAT(told[3], StartsWith(defect ? "obs answered +OK" : "obs silent no answer came"));
  }
}

TEST(Smuggling, WithoutTlsItIsNotTried) {
  SimRig rig(std::string(kStory) + "  - phone: {smuggle: NOOP}\n",
             [](server::ServerOptions& options) { options.offer_tls = false; });
  rig.options.baseline = false;
  rig.play();
  EXPECT_THAT(rig.problem(), StartsWith("STARTTLS could not be tried: TLS is refused: t1 "));
  EXPECT_THAT(rig.told(What::smuggled).back(), StartsWith("obs unknown"));
}

}  // namespace
}  // namespace mailproof::play
