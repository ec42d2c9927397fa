#include "play/tests/sim_rig.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "wire/text/dot_stuffing.h"

namespace mailproof::play {

void ScriptedAdmin::perform(const AdminRequest& request, std::function<void(const AdminReply&)> done) {
  const std::string& whose = request.customer.empty() ? request.login : request.customer;
  asked.push_back(fmt::format("{}{}{}{}", name(request.verb), whose.empty() ? "" : " ", whose,
                              request.octets ? fmt::format(" {}", *request.octets) : ""));
  requests.push_back(request);
  const auto reply = [answer = answer, request, done = std::move(done)] {
    done(answer ? answer(request) : AdminReply{});
  };
  if (takes == Duration{}) return reply();
  pending_ = reply;
  network_.set_alarm(*this, network_.now() + takes);
}

void ScriptedAdmin::ring(Time) { std::exchange(pending_, {})(); }

void put_into(server::Server& server, const std::string& address, std::string_view message, Time now) {
  const auto peer = server.accept(Protocol::lmtp, false);
  std::string heard;
  const auto hear = [&] {
    std::size_t size = 0;
    for (const Output& piece : peer->output()) {
      heard += as_text(piece.bytes);
      size += piece.bytes.size();
    }
    peer->sent(size, now);
  };
  peer->attach(nullptr);
  peer->opened(now);
  std::string data;
  text::DotWriter writer;
  writer.write(message, [&](std::string_view piece) { data += piece; });
  data += writer.end();
  for (const std::string& bytes : {std::string("LHLO agent.example.test\r\nMAIL FROM:<>\r\n"),
                                   fmt::format("RCPT TO:<{}>\r\nDATA\r\n", address), data}) {
    hear();
    peer->feed(as_bytes(bytes), now);
  }
  hear();
  EXPECT_NE(heard.rfind("\r\n250 2."), std::string::npos) << heard;
  peer->ended(EndReason::closed, "", now);
}

/// Ends its peer at once, as a refused connection does.
class WithClosedPorts::Refused final : public Link, private Alarm {
 public:
  Refused(Network& network, Peer& peer) : network_(network), peer_(peer) { network_.set_alarm(*this, network_.now()); }
  ~Refused() override { network_.set_alarm(*this, std::nullopt); }
  void misbehave(const LinkFaults&) override {}
  void drop(bool) override {}

 private:
  void ring(Time now) override { peer_.ended(EndReason::refused, "connection refused", now); }
  Network& network_;
  Peer& peer_;
};

std::unique_ptr<Link> WithClosedPorts::open(const Endpoint& endpoint, Peer& peer) {
  if (std::find(closed.begin(), closed.end(), endpoint.port) == closed.end()) return network_.open(endpoint, peer);
  return std::make_unique<Refused>(network_, peer);
}

SimRig::SimRig(std::string_view story, const std::function<void(server::ServerOptions&)>& with)
    : SimRig(scenario::parse(fmt::format("id: play.test\ntitle: a test\n"
                                         "needs: [imap, pop3, delivery, smtp, lmtp, quota, bounce, tls, admin]\n{}",
                                         story),
                             "play.yaml"),
             with) {}

SimRig::SimRig(scenario::Loaded loaded, const std::function<void(server::ServerOptions&)>& with,
               std::vector<WrongDialogue> dialogues) {
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  if (loaded.scenarios.size() == 1) scenario = std::move(loaded.scenarios.front());

  target.name = "test";
  target.imap = {{Protocol::imap, "sim", 143, TlsMode::none, false, ""},
                 {Protocol::imap, "sim", kStarttlsImap, TlsMode::starttls, false, ""}};
  target.pop3 = {{Protocol::pop3, "sim", 110, TlsMode::none, false, ""},
                 {Protocol::pop3, "sim", kStarttlsPop3, TlsMode::starttls, false, ""}};
  target.lmtp = {{Protocol::lmtp, "sim", 24, TlsMode::none, false, ""}};
  target.smtp = {{Protocol::smtp, "sim", 25, TlsMode::none, false, ""},
                 {Protocol::smtp, "sim", kStarttlsSmtp, TlsMode::starttls, false, ""}};
  target.delivery = {scenario::Way::lmtp};
  target.settle = std::chrono::seconds(5);
  target.gives_up_after = std::chrono::seconds(1);

  server::ServerOptions on_server;
  for (const auto& account : scenario.accounts) {
    scenario::PoolAccount made{"user-" + account.name, account.name + "@example.test", Secret("pass"), account.quota};
    if (account.customer) {
      made.customer = "target-" + scenario.customers[*account.customer].name;
      made.customer_quota = scenario.customers[*account.customer].quota;
      on_server.customer_quotas[made.customer] = *made.customer_quota;
    }
    on_server.accounts.push_back({made.login, made.address, made.password, made.quota, made.customer});
    leased.push_back(std::move(made));
  }
  if (with) with(on_server);
  server = std::make_unique<server::Server>(std::move(on_server));
  sim::SimNetwork::Options on_network{.seed = 7, .tls_ports = {kStarttlsImap, kStarttlsPop3}};
  if (!dialogues.empty()) {
    wrong = std::make_unique<sim::WrongServer>(std::move(dialogues));
    on_network.wrap = [this](Protocol protocol, std::unique_ptr<Peer> peer, const sim::SimNetwork::Reset& reset) {
      return wrong->wrap(protocol, std::move(peer), reset);
    };
  }
  network = std::make_unique<sim::SimNetwork>(*server, std::move(on_network));
  ports = std::make_unique<WithClosedPorts>(*network);
  admin = std::make_unique<ScriptedAdmin>(*network);
  options.admin = admin.get();
  // A SCRAM login costs 4,096 HMACs, and some tests play all that is shipped.
  static sasl::SaltedPasswords salted_passwords;
  options.salted_passwords = &salted_passwords;
}

void SimRig::play() {
  player = std::make_unique<Player>(scenario, target, leased, *ports, options);
  if (scenario.id.empty()) return;  // it could not be read, and has failed by that
  player->start();
  if (!network->run([this] { return player->done(); })) player->stalled();
}

std::vector<std::string> SimRig::told(history::What what) const {
  std::vector<std::string> lines;
  for (const auto& e : player->history().events())
    if (e.what == what) lines.push_back(fmt::format("{} {} {}", name(e.type), e.code, e.text));
  return lines;
}

const history::Event& SimRig::last(history::What what) const {
  const auto& events = player->history().events();
  const auto at = std::find_if(events.rbegin(), events.rend(), [what](const auto& e) { return e.what == what; });
  static const history::Event none;
  if (at == events.rend()) ADD_FAILURE() << "no event of the kind " << name(what);
  return at == events.rend() ? none : *at;
}

int SimRig::logins(std::string_view device) const {
  const auto& history = player->history();
  const auto& events = history.events();
  return static_cast<int>(std::count_if(events.begin(), events.end(), [&](const history::Event& e) {
    return e.what == history::What::connect && e.type == history::Type::ok && history.device_name(e) == device;
  }));
}

}  // namespace mailproof::play
