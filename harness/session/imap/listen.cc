#include <algorithm>

#include "core/spare.h"
#include "session/imap/client_impl.h"

namespace mailproof::session {
namespace {

ImapVerb verb_of(std::string_view name) {
  if (name == "SELECT") return ImapVerb::select;
  if (name == "EXAMINE") return ImapVerb::examine;
  if (name == "CLOSE") return ImapVerb::close;
  if (name == "UNSELECT") return ImapVerb::unselect;
  if (name == "LOGOUT") return ImapVerb::logout;
  return ImapVerb::other;
}

}  // namespace

/// As start() has it for our own commands: one that was pipelined is answered once it is the oldest.
CommandId ImapClient::Impl::heard(const Heard& said, Time at) {
  learn(at);
  if (phase == Phase::over) return 0;
  auto command = Spare<ImapPending>::take();
  *command = ImapPending{};
  command->id = ++last_id;
  command->verb = verb_of(said.name);
  command->name = said.name;
  command->tag = said.tag;
  command->mailbox = said.mailbox;
  command->started = true;
  command->asked = at;
  command->sent = at;
  command->wanted = ImapMailboxView::max_messages;  // how many a set names may not be known to who only listens
  const bool selects = command->verb == ImapVerb::select || command->verb == ImapVerb::examine;
  if (queue.empty()) {
    response_bytes = responses = 0;
    if (selects) {
      mailbox.select_sent(command->mailbox);
      moved = 0;
    }
  }
  queue.push_back(std::move(command));
  return last_id;
}

/// It answers an IDLE, or a literal or a SASL exchange, which are none of ours.
void ImapClient::Impl::continuation_heard() {
  const bool idles =
      std::any_of(queue.begin(), queue.end(), [](const auto& command) { return command->name == "IDLE"; });
  if (idles) sink.on_idling(now);
}

void ImapClient::listen(Time now) {
  impl_->learn(now);
  impl_->listening = true;
  impl_->phase = Impl::Phase::ready;
  impl_->was_ready = true;
}

CommandId ImapClient::heard(const Heard& command, Time now) {
  ++impl_->calls;
  const CommandId id = impl_->heard(command, now);
  --impl_->calls;
  return id;
}

}  // namespace mailproof::session
