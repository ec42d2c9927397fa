// Whether a check is about what the server offers: asked before the talk begins.
#include <fmt/format.h>

#include <algorithm>

#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

}  // namespace

void Talk::look(std::function<void(bool)> then) {
  if (check_.real_tls() && context_.network.simulated()) {
    not_applicable("the simulation has no versions of TLS and no alerts");
    return then(false);
  }
  std::vector<std::string> asked = check_.when;
  asked.insert(asked.end(), check_.unless.begin(), check_.unless.end());
  if (asked.empty()) return then(true);
  if (const Offered* known = offered_before(asked)) return then(applicable(*known));
  looked_ = std::move(then);
  asked_ = std::move(asked);
  look_until_ = context_.network.now() + context_.scaled(kBound);
  ask_what_is_offered();
}

void Talk::ask_what_is_offered() {
  const Endpoint* endpoint = talk_endpoint(context_.target, check_.first);
  const auto session = context_.new_session(kClient, check_.first.protocol, 1, 0, *endpoint, "looking");
  probe_ = std::make_unique<TalkProbe>(context_, session, check_.first, *endpoint, asked_);
  probe_->connection().changed = [this] { again(); };
  probe_->connection().open(*endpoint);
  look_at_.reset();
  context_.network.set_alarm(*this, look_until_);
}

void Talk::looking(Time now) {
  const bool late = now >= look_until_;
  if (look_at_) {  // the maildrop was somebody else's
    if (now < *look_at_) return context_.network.set_alarm(*this, *look_at_);
    return ask_what_is_offered();
  }
  if (!probe_->go_on() && !late) return context_.network.set_alarm(*this, look_until_);
  if (probe_->refused() && !late) {
    look_at_ = now + kLockRetry;
    return context_.network.set_alarm(*this, *look_at_);
  }
  const bool silent = late && !probe_->leaving() && probe_->problem().empty();
  if (silent || !probe_->problem().empty())
    context_.fail("connect", silent ? "no answer to what the server offers" : probe_->problem());
  auto looked = std::exchange(looked_, {});
  if (!context_.problem.empty()) return looked(false);
  if (context_.options.offered != nullptr) (*context_.options.offered)[offered_key()] = probe_->offered();
  looked(applicable(probe_->offered()));
}

std::string Talk::offered_key() const {
  return fmt::format("{} {}", talk_endpoint(context_.target, check_.first)->label(),
                     static_cast<int>(check_.first.tls));
}

/// What was asked before, if it tells enough: before login only what is there is known, not what is not.
const Offered* Talk::offered_before(const std::vector<std::string>& asked) const {
  if (context_.options.offered == nullptr) return nullptr;
  const auto known = context_.options.offered->find(offered_key());
  if (known == context_.options.offered->end()) return nullptr;
  const Offered& offered = known->second;
  const bool enough =
      std::all_of(asked.begin(), asked.end(), [&](const std::string& one) { return offered.knows(one); });
  return enough ? &offered : nullptr;
}

bool Talk::applicable(const Offered& offered) {
  std::string why;
  for (const auto& one : check_.when)
    if (!offered.has(one)) why = fmt::format("the server does not offer {}", one);
  for (const auto& one : check_.unless) {
    if (!offered.has(one)) continue;
    if (one == kDelayedLogins) {
      delays_ = true;
    } else {
      why = fmt::format("the server offers {}", one);
    }
  }
  if (!why.empty()) not_applicable(why);
  return why.empty();
}

void Talk::not_applicable(std::string why) {
  auto e = context_.event(Type::obs, What::not_applicable);
  e.text = std::move(why);
  context_.append(std::move(e));
}

}  // namespace mailproof::play
