#include "host/admin.h"

#include <fmt/format.h>

#include <utility>

namespace mailproof::host {
namespace {

using Done = std::function<void(const AdminReply&)>;

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
  target.allow = {"failed-logins", "floods", "limits", "restarts"};
}

}  // namespace mailproof::host
