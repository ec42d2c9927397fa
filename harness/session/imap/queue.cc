#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/spare.h"
#include "session/imap/client_impl.h"

namespace mailproof::session {

namespace {

constexpr std::size_t most_kept = 4096;  ///< octets of a command that is kept for its memory

void write_tag(std::string& into, std::uint32_t number) {
  std::array<char, 11> tag = {'a'};
  const auto end = std::to_chars(tag.data() + 1, tag.data() + tag.size(), number).ptr;
  into.assign(tag.data(), end);
}

}  // namespace

void ImapPending::give_back(std::unique_ptr<ImapPending> done) {
  const bool small = (done->writer == nullptr || done->writer->memory() <= most_kept) &&
                     done->mailbox.capacity() <= most_kept &&
                     done->source_uids.ranges().capacity() <= most_kept / sizeof(imap::SequenceSet::Range) &&
                     done->destination_uids.ranges().capacity() <= most_kept / sizeof(imap::SequenceSet::Range);
  if (small) Spare<ImapPending>::give(std::move(done));
}

void ImapPending::rest() { Spare<imap::CommandWriter>::give(std::move(writer)); }

// The queue of commands: when each goes out, what its "+" and its tagged reply mean.

/// Under the next tag.
void ImapClient::Impl::begin(ImapPending& command) {
  write_tag(command.tag, ++last_tag);
  if (!command.writer) command.writer = Spare<imap::CommandWriter>::take();
  command.writer->begin(command.tag, command.name, literals);
}

ImapPending& ImapClient::Impl::prepare(std::string_view name, ImapVerb verb) {
  if (!written) written = Spare<ImapPending>::take();
  ImapPending& c = *written;
  c.id = 0;
  c.verb = verb;
  c.name = name;
  c.mailbox.clear();
  c.started = false;
  c.last_byte = 0;
  c.asked.reset();
  c.sent.reset();
  c.uidvalidity = 0;
  c.source_uids.clear();
  c.destination_uids.clear();
  c.wanted = 0;
  begin(c);
  return c;
}

CommandId ImapClient::Impl::enqueue(ImapPending& command) {
  if (phase == Phase::over || gave_up) return 0;
  command.writer->end();
  command.id = ++last_id;
  if (calls > 0)
    command.asked = now;
  else
    time_unknown = true;
  queue.push_back(std::move(written));
  pump();
  wake();
  return command.id;
}

/// Commands of the bring-up go before everything that was asked for meanwhile.
void ImapClient::Impl::enqueue_own(ImapPending& command) {
  command.writer->end();
  command.asked = now;
  patience.begin(now);
  queue.insert(queue.begin(), std::move(written));
  start(command);
}

ImapPending* ImapClient::Impl::oldest() { return queue.empty() ? nullptr : queue.front().get(); }
const ImapPending* ImapClient::Impl::oldest() const { return queue.empty() ? nullptr : queue.front().get(); }

bool ImapClient::Impl::busy() const { return queue.size() > (idle_state == Idle::on ? 1U : 0U); }

std::unique_ptr<ImapPending> ImapClient::Impl::take(std::size_t index) {
  auto command = std::move(queue[index]);
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(index));
  return command;
}

void ImapClient::Impl::pump() {
  if (listening || phase != Phase::ready || gave_up) return;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    ImapPending& command = *queue[i];
    if (command.started) {
      const bool blocks = command.verb == ImapVerb::idle || command.verb == ImapVerb::logout || command.waiting();
      if (!blocks) continue;
      if (command.verb == ImapVerb::idle && i + 1 < queue.size()) finish_idle();
      return;
    }
    if (i > 0 && !pipelining) return;
    if (i == 0 && calls > 0) patience.begin(now);
    start(command);
  }
}

void ImapClient::Impl::start(ImapPending& command) {
  command.started = true;
  // What was offered may have changed since the command was written, but a literal's form cannot be wrong: "{n}" always
  // serves.
  if (command.verb == ImapVerb::idle) idle_state = Idle::asked;
  if (&command == oldest()) {
    response_bytes = 0;
    responses = 0;
    if (command.verb == ImapVerb::select || command.verb == ImapVerb::examine) {
      mailbox.select_sent(command.mailbox);
      moved = 0;
    }
  }
  hand_over(command);
}

void ImapClient::Impl::hand_over(ImapPending& command) {
  if (command.writer->send(out)) return;
  command.last_byte = sent_bytes + out.size();
}

void ImapClient::Impl::continuation(std::string_view text) {
  if (listening) return continuation_heard();
  const auto waiting =
      std::find_if(queue.begin(), queue.end(), [](const auto& c) { return c->started && c->waiting(); });
  if (waiting != queue.end()) return hand_over(**waiting);
  ImapPending* command = oldest();
  if (command != nullptr && command->verb == ImapVerb::authenticate) return authenticate_continues(text);
  if (idle_state == Idle::asked) return idle_continues();
  deviate("imap.continuation.unexpected", text);
}

void ImapClient::Impl::idle_continues() {
  idle_state = Idle::on;
  idle_since = now;
  // Most sessions rest like this most of the time, and thousands of them at once.
  for (const auto& command : queue)
    if (command->started && command->verb == ImapVerb::idle) command->rest();
  last_line.shrink_to_fit();
  if (!std::exchange(refreshing_idle, false)) sink.on_idling(now);
  const bool more_behind = queue.size() > 1;
  if (phase != Phase::over && idle_state == Idle::on && (finish_idle_asked || more_behind)) send_done();
}

void ImapClient::Impl::send_done() {
  out.text("DONE\r\n");
  idle_state = Idle::done_sent;
  patience.begin(now);
  response_bytes = 0;
  responses = 0;
}

void ImapClient::Impl::finish_idle() {
  if (phase == Phase::over || idle_state == Idle::none) return;
  finish_idle_asked = true;
  if (idle_state != Idle::on) return;
  time_unknown = time_unknown || calls == 0;
  send_done();
  wake();
}

/// IDLE goes on under a new tag (RFC 2177 section 3: at least every 29 minutes). False when it is over instead.
bool ImapClient::Impl::restart_idle(ImapPending& idle) {
  if (!refreshing_idle || finish_idle_asked || queue.size() > 1) return false;
  begin(idle);
  idle.writer->end();
  start(idle);
  return true;
}

void ImapClient::Impl::complete(const imap::Response& r) {
  const auto found =
      std::find_if(queue.begin(), queue.end(), [&](const auto& c) { return c->started && c->tag == r.tag; });
  if (found == queue.end()) return deviate("imap.tag.unknown", r.tag);
  ImapPending& command = **found;
  completing = command.name;
  response_bytes = 0;
  responses = 0;
  patience.begin(now);
  const bool ok = r.status == imap::Status::ok;
  if (command.verb == ImapVerb::idle) {
    if (ok && restart_idle(command)) return;
    idle_state = Idle::none;
    finish_idle_asked = false;
    refreshing_idle = false;
  }
  if (r.code) untagged_code(r.code);
  if (r.code && (r.code.is("COPYUID") || r.code.is("APPENDUID"))) copied(command, r.code);
  const bool selected = command.verb == ImapVerb::select || command.verb == ImapVerb::examine;
  if (selected && r.status == imap::Status::bad)
    mailbox.select_not_tried();
  else if (selected)
    mailbox.select_done(ok, command.verb == ImapVerb::examine || r.code.is("READ-ONLY"));
  // BAD was not even tried: what was selected still is.
  const bool refused = command.verb == ImapVerb::unselect && r.status != imap::Status::bad;
  if ((command.verb == ImapVerb::close && ok) || refused) mailbox.closed();

  auto done = take(static_cast<std::size_t>(found - queue.begin()));
  if (done->id == 0) {
    bring_up_completed(*done, r);
  } else {
    ImapCompletion completion;
    // The EXAMINE of no mailbox is meant to be refused.
    const bool as_meant = ok || (done->verb == ImapVerb::unselect && r.status == imap::Status::no);
    completion.outcome = as_meant ? Outcome::ok : Outcome::fail;
    completion.status = imap::name(r.status);
    completion.code = r.code.name;
    if (completion.code.empty() && done->uidvalidity != 0) completion.code = "COPYUID";
    completion.text = r.text;
    report(*done, std::move(completion));
  }
  if (phase == Phase::over) return;
  const bool clean_end = done->verb == ImapVerb::logout && ok;
  // RFC 3501 section 6.1.3: the server MUST send BYE before the OK.
  if (clean_end && bye_text == nullptr) deviate("imap.logout.without-bye", last_line);
  ImapPending::give_back(std::move(done));
  if (clean_end) {
    Ended end;
    end.reason = EndReason::dropped;
    end.clean = true;
    return finish(std::move(end));
  }
  completing = {};
  // The next one becomes the oldest: a SELECT that was pipelined is answered from here on.
  if (ImapPending* next = oldest(); next != nullptr && next->started && !mailbox.selecting() &&
                                    (next->verb == ImapVerb::select || next->verb == ImapVerb::examine)) {
    mailbox.select_sent(next->mailbox);
    moved = 0;
  }
  pump();
}

void ImapClient::Impl::report(ImapPending& done, ImapCompletion completion) {
  if (done.id == 0) return;
  completion.id = done.id;
  completion.command = done.name;
  completion.uidvalidity = done.uidvalidity;
  if (!done.source_uids.empty()) completion.source_uids = done.source_uids;
  if (!done.destination_uids.empty()) completion.destination_uids = done.destination_uids;
  completion.sent = done.sent.value_or(done.asked.value_or(now));
  sink.on_done(completion, now);
}

}  // namespace mailproof::session
