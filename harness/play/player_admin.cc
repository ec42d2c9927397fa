#include <fmt/format.h>

#include "play/player.h"

namespace mailproof::play {

using history::Type;
using history::What;
using scenario::Verb;

namespace {

/// The account of the scenario's that belongs to this customer: any of them leads to the target's name for it.
std::string customer_of(const scenario::Scenario& scenario, const std::vector<scenario::PoolAccount>& leased,
                        std::size_t customer) {
  for (std::size_t i = 0; i < scenario.accounts.size(); ++i)
    if (scenario.accounts[i].customer == customer) return leased.at(i).customer;
  return {};
}

}  // namespace

void Player::perform_admin(const scenario::Step& step, Finish done) {
  AdminRequest request;
  std::uint32_t account = 0;
  std::optional<std::size_t> customer;
  if (const auto* limit = step.maybe<scenario::SetQuota>()) customer = limit->customer;
  switch (step.verb) {
    case Verb::set_quota:
      request.octets = step.get<scenario::SetQuota>().quota;
      if (customer) {
        request.verb = AdminVerb::set_customer_quota;
        request.customer = customer_of(scenario_, context_.accounts, *customer);
        AdminRequest before = request;
        before.octets = scenario_.customers[*customer].quota;
        request.undo = std::make_shared<const AdminRequest>(before);
        undo_.push_back(std::move(before));
      } else {
        request.verb = AdminVerb::set_quota;
        const std::size_t whose = step.get<scenario::SetQuota>().account.value();
        const auto& pool = context_.accounts.at(whose);
        request.login = pool.login;
        request.address = pool.address;
        account = static_cast<std::uint32_t>(whose + 1);
        AdminRequest before = request;
        before.octets = pool.quota;
        request.undo = std::make_shared<const AdminRequest>(before);
        undo_.push_back(std::move(before));
      }
      break;
    case Verb::restart:
      request.verb = AdminVerb::restart;
      break;
    case Verb::kill:
      request.verb = AdminVerb::kill;
      break;
    default:
      request.verb = AdminVerb::pause;
      request.span = step.get<scenario::LetPass>().span;
      break;
  }
  auto e = context_.event(Type::invoke, What::admin);
  e.code = name(request.verb);
  e.account = account;
  if (customer) e.text = scenario_.customers[*customer].name;
  if (request.verb == AdminVerb::pause) e.facts = history::BoundFacts{request.span};
  if (request.octets) e.facts = history::LimitFacts{*request.octets};
  const std::uint32_t asked = context_.append(std::move(e));
  if (options_.admin == nullptr) {
    context_.fail("admin", "nobody can administer this target");
    return done();
  }
  options_.admin->perform(request, [this, asked, verb = request.verb, done = std::move(done)](const AdminReply& reply) {
    if (done_) return;
    auto answer = context_.event(reply.status == 0 ? Type::ok : Type::fail, What::admin);
    answer.command = asked;
    answer.text = reply.text;
    context_.append(std::move(answer));
    if (reply.status != 0)
      context_.fail(
          "admin", fmt::format("the admin command {} failed with status {}: {}", name(verb), reply.status, reply.text));
    done();
  });
}

/// The limits go back to what the pool says, the last change first.
void Player::restore_quotas(Finish done) {
  if (undo_.empty() || options_.admin == nullptr) return done();
  const AdminRequest request = std::move(undo_.back());
  undo_.pop_back();
  options_.admin->perform(request, [this, done = std::move(done)](const AdminReply& reply) {
    if (reply.status != 0) context_.fail("admin", fmt::format("a quota could not be set back: {}", reply.text));
    if (!done_) restore_quotas(done);
  });
}

}  // namespace mailproof::play
