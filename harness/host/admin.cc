#include "host/admin.h"

#include <fmt/format.h>

#include <utility>

namespace mailproof::host {
namespace {

using Done = std::function<void(const AdminReply&)>;

/// A target's command that takes longer is killed: a restart of a big server may well take a minute.
constexpr Duration kCommandBound = std::chrono::minutes(2);

std::string filled(std::string text, const AdminRequest& request) {
  const std::pair<std::string_view, std::string> values[] = {
      {"{login}", request.login},
      {"{address}", request.address},
      {"{customer}", request.customer},
      {"{octets}", std::to_string(request.octets.value_or(0))},
      {"{milliseconds}", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(request.span).count())}};
  for (const auto& [word, value] : values)
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size()))
      text.replace(at, word.size(), value);
  return text;
}

/// A target's command knows its own server; it is not told our passwords.
std::vector<std::string> hidden(const scenario::Target& target) {
  std::vector<std::string> out(target.password_envs.begin(), target.password_envs.end());
  out.emplace_back("MAILPROOF_PASSWORD");
  return out;
}

class CommandAdmin final : public Admin {
 public:
  CommandAdmin(const scenario::Target& target, net::Loop& loop) : target_(target), commands_(loop, hidden(target)) {}

  void perform(const AdminRequest& request, Done done) override {
    if (request.verb != AdminVerb::kill) return run(request, std::move(done));
    run(request, [this, done = std::move(done)](const AdminReply& reply) {
      if (reply.status != 0) return done(reply);
      run({AdminVerb::restart, "", "", "", {}, {}, nullptr}, done);
    });
  }

 private:
  void run(const AdminRequest& request, Done done) {
    const auto command = target_.admin.find(std::string(name(request.verb)));
    if (command == target_.admin.end() || command->second.empty())
      return done({-1, fmt::format("the target file has no admin command {}", name(request.verb))});
    std::vector<std::string> arguments;
    for (const auto& argument : command->second) arguments.push_back(filled(argument, request));
    commands_.run(std::move(arguments), request.input, kCommandBound, [done](const net::CommandResult& result) {
      done({result.status, result.output});
    });
  }

  const scenario::Target& target_;
  net::Commands commands_;
};

AdminReply changed(bool found, std::string_view what) {
  return found ? AdminReply{} : AdminReply{67, fmt::format("no such {}", what)};
}

/// Sets a limit, or nothing when the request is about something else.
std::optional<AdminReply> set_limit(server::Server& server, const AdminRequest& request) {
  if (request.verb == AdminVerb::set_quota) return changed(server.set_quota(request.login, request.octets), "account");
  if (request.verb == AdminVerb::set_customer_quota)
    return changed(server.set_customer_quota(request.customer, request.octets), "customer");
  return std::nullopt;
}

/// Rings when a pause is over.
class PauseEnd final : public Alarm {
 public:
  explicit PauseEnd(Network& network) : network_(network) {}
  ~PauseEnd() override { network_.set_alarm(*this, std::nullopt); }
  void at(Time end, Done done) {
    done_ = std::move(done);
    network_.set_alarm(*this, end);
  }
  void ring(Time) override {
    if (const Done done = std::exchange(done_, {})) done({});
  }

 private:
  Network& network_;
  Done done_;
};

class SimAdmin final : public Admin {
 public:
  SimAdmin(server::Server& server, sim::SimNetwork& network) : server_(server), network_(network), pause_(network) {}

  void perform(const AdminRequest& request, Done done) override {
    if (const auto reply = set_limit(server_, request)) return done(*reply);
    if (request.verb == AdminVerb::pause) {
      network_.stand_still(network_.now() + request.span);
      return pause_.at(network_.now() + request.span, std::move(done));
    }
    if (request.verb == AdminVerb::kill) server_.killed();
    network_.reset_connections();
    done({});
  }

 private:
  server::Server& server_;
  sim::SimNetwork& network_;
  PauseEnd pause_;
};

class HostedAdmin final : public Admin {
 public:
  HostedAdmin(HostedServer& server, net::Loop& loop) : server_(server), loop_(loop), pause_(loop) {}

  void perform(const AdminRequest& request, Done done) override {
    if (request.verb == AdminVerb::pause) {
      server_.pause(request.span);
      return pause_.at(loop_.now() + request.span, std::move(done));
    }
    AdminReply reply;
    server_.call([&](server::Server& server) {
      if (const auto limit = set_limit(server, request)) {
        reply = *limit;
        return;
      }
      if (request.verb == AdminVerb::kill) server.killed();
      server_.drop_connections();
      server.disconnected();
    });
    done(reply);
  }

 private:
  HostedServer& server_;
  net::Loop& loop_;
  PauseEnd pause_;
};

}  // namespace

std::unique_ptr<Admin> make_command_admin(const scenario::Target& target, net::Loop& loop) {
  return std::make_unique<CommandAdmin>(target, loop);
}

std::unique_ptr<Admin> make_sim_admin(server::Server& server, sim::SimNetwork& network) {
  return std::make_unique<SimAdmin>(server, network);
}

std::unique_ptr<Admin> make_hosted_admin(HostedServer& server, net::Loop& loop) {
  return std::make_unique<HostedAdmin>(server, loop);
}

void offer_builtin_admin(scenario::Target& target) {
  for (const AdminVerb verb :
       {AdminVerb::set_quota, AdminVerb::set_customer_quota, AdminVerb::restart, AdminVerb::kill, AdminVerb::pause})
    target.admin[std::string(name(verb))] = {};
  target.allow = {"failed-logins", "floods", "restarts"};
}

}  // namespace mailproof::host
