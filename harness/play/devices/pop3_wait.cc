#include <fmt/format.h>

#include <algorithm>

#include "play/devices/pop3_device.h"

// `see`: whether messages are in the maildrop, and stay there.

namespace mailproof::play {

using history::Type;
using history::What;

std::vector<std::uint32_t> Pop3Device::not_there(const std::vector<std::uint32_t>& wanted) {
  std::vector<std::uint32_t> out;
  for (const auto message : wanted) {
    const auto& entries = session_->entries();
    const bool there = std::any_of(entries.begin(), entries.end(),
                                   [message](const auto& entry) { return entry.second.message == message; });
    if (!there) out.push_back(message);
  }
  return out;
}

/// A maildrop is as it was at login (RFC 1939 section 3): each look is a session of its own, once a second. One that is
/// refused because somebody else has the maildrop is tried again.
void Pop3Device::see(const Look& look) {
  if (session_ != nullptr && session_->ready()) return look_for(look);
  begin_session(*context_.endpoint(Protocol::pop3, device_.tls)).open([this, look](const Completion& result) {
    Look later = look;  // the time that the server wants between two logins is not the mail's
    later.since += session_->waited();
    later.deadline += session_->waited();
    if (result.ok()) return look_for(later);
    const bool said_no = session_->end().login_refused && !session_->end().broken && session_->too_long().empty();
    if (said_no && context_.network.now() < later.end()) return look_later(later);
    not_let_in(result.text);
    seen(later, Type::info, result.text);
  });
}

void Pop3Device::look_for(const Look& look) {
  listed([this, look](bool ok) {
    if (!ok) return seen(look, Type::info, "the maildrop could not be listed");
    session_->look_at(session_->numbers(), [this, look] {
      const bool there = not_there(look.wanted).empty(), late = context_.network.now() >= look.deadline;
      if (session_->over()) return seen(look, there ? Type::ok : Type::info, "the connection ended");
      session_->quit([this, look, there, late](const Completion&) {
        const Time now = context_.network.now();
        if (!there && look.stays_until)
          return seen(look, Type::fail,
                      fmt::format("not there any more after {} of {}",
                                  format_seconds(look.stays - (*look.stays_until - now)), format_duration(look.stays)),
                      "went");
        if (!there && !late) return look_later(look);
        if (there && look.stays != Duration{} && now < look.stays_until.value_or(now + look.stays)) {
          Look staying = look;
          staying.stays_until = look.stays_until.value_or(now + look.stays);
          return look_later(staying);
        }
        const Duration waited = now - look.since;
        if (there && context_.options.learnt != nullptr) context_.options.learnt->arrived(waited);
        const bool early = !there && look.deadline < look.since + look.bound;
        seen(look, there ? Type::ok : early ? Type::info : Type::fail, early ? waited_only(waited) : "");
      });
    });
  });
}

void Pop3Device::look_later(const Look& look) {
  alarm_ = [this, look] { see(look); };
  context_.network.set_alarm(*this, std::min(context_.network.now() + kLookEvery, look.end()));
}

void Pop3Device::seen(const Look& look, Type how, const std::string& why, const std::string& code) {
  const auto missing = how == Type::ok ? std::vector<std::uint32_t>{} : not_there(look.wanted);
  outcome(context_, What::see, look.expectation, how, missing, why, session_->number(), code);
  look.done();
}

}  // namespace mailproof::play
