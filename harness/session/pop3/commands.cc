#include <fmt/format.h>

#include <array>

#include "session/pop3/impl.h"
#include "wire/pop3/listing.h"

namespace mailproof::session {

using Body = pop3::ResponseReader::Body;
using Event = pop3::ResponseReader::Event;
using Kind = pop3::StatusLine::Kind;

std::string_view Pop3Client::Impl::name(Verb verb) {
  switch (verb) {
    case Verb::stat:
      return "STAT";
    case Verb::list:
    case Verb::list_one:
      return "LIST";
    case Verb::uidl:
    case Verb::uidl_one:
      return "UIDL";
    case Verb::retr:
      return "RETR";
    case Verb::top:
      return "TOP";
    case Verb::dele:
      return "DELE";
    case Verb::rset:
      return "RSET";
    case Verb::noop:
      return "NOOP";
    case Verb::last:
      return "LAST";
    case Verb::capa:
      return "CAPA";
    case Verb::quit:
      return "QUIT";
  }
  return "?";
}

CommandId Pop3Client::Impl::ask(Verb verb, std::uint32_t number, std::uint32_t lines) {
  if (over()) return 0;
  Command command;
  command.id = ++last_id_;
  command.verb = verb;
  command.number = number;
  command.lines = lines;
  queue_.push(command);
  pump();
  return command.id;
}

void Pop3Client::Impl::pump() {
  if (!is_ready()) return;
  const bool ahead = pipelining_ && capabilities_.has("PIPELINING");
  bool wrote = false;
  while (written_commands_ < queue_.size() && (written_commands_ == 0 || ahead)) {
    if (written_commands_ > 0 && queue_[written_commands_ - 1].verb == Verb::quit) break;
    write(queue_[written_commands_++]);
    wrote = true;
  }
  if (queue_.empty()) return await_nothing();
  step(name(queue_.front().verb));
  await(config().command_bound);
  if (wrote) wake();
}

void Pop3Client::Impl::write(Command& command) {
  std::array<char, 64> line{};
  auto* end = line.data();
  const auto room = line.size();
  const std::string_view verb = name(command.verb);
  if (command.verb == Verb::top) {
    end = fmt::format_to_n(line.data(), room, "{} {} {}\r\n", verb, command.number, command.lines).out;
  } else if (command.number != 0) {
    end = fmt::format_to_n(line.data(), room, "{} {}\r\n", verb, command.number).out;
  } else {
    end = fmt::format_to_n(line.data(), room, "{}\r\n", verb).out;
  }
  out_.text({line.data(), static_cast<std::size_t>(end - line.data())});
  command.end = written();
}

void Pop3Client::Impl::on_handed(Time now) {
  while (sent_commands_ < written_commands_ && queue_[sent_commands_].end <= handed())
    queue_[sent_commands_++].sent_at = now;
}

void Pop3Client::Impl::on_bytes(std::string_view in, Time) {
  while (!over() && !upgrading()) {
    const Event event = reader_.next(in);
    if (event == Event::more) break;
    switch (event) {
      case Event::more:
        break;
      case Event::status:
        saw(reader_.chunk());
        count_response();
        if (over()) break;
        if (stage_ == Stage::ready) {
          command_status(reader_.status());
        } else {
          bring_up_status(reader_.status(), in);
        }
        break;
      case Event::line:
        count_response();
        if (!over()) row(reader_.chunk());
        break;
      case Event::chunk:
        sink_.on_content(reader_.chunk());
        break;
      case Event::end:
        body_end();
        break;
      case Event::garbage:
        saw(reader_.chunk());
        end(EndReason::dropped, "not a POP3 response", true);
        break;
    }
  }
  if (!over()) check_limits();
  if (!over()) forward_deviations();
}

void Pop3Client::Impl::command_status(const pop3::StatusLine& status) {
  if (sent_commands_ == 0) return note("pop3.response.unasked", status.text, received());
  if (status.kind == Kind::challenge) return end(EndReason::dropped, "a challenge where none is due", true);
  const Command& command = queue_.front();
  if (status.kind == Kind::err) return complete(Outcome::fail, status.code_text, status.text);
  switch (command.verb) {
    case Verb::retr:
    case Verb::top:
      kept_text_ = status.text;
      reader_.expect(Body::text);
      sink_.on_content_begin(command.number, command.verb == Verb::top, now());
      return;
    case Verb::capa:
      capabilities_.clear();
      capability_lines_.clear();
      [[fallthrough]];
    case Verb::list:
    case Verb::uidl:
      kept_text_ = status.text;
      return reader_.expect(Body::lines);
    case Verb::stat:
    case Verb::list_one:
    case Verb::uidl_one:
      told_one(command, status.text);
      break;
    default:
      break;
  }
  if (!over()) complete(Outcome::ok, status.code_text, status.text);
}

/// The answer of STAT, or of LIST and UIDL with a message number.
void Pop3Client::Impl::told_one(const Command& command, std::string_view text) {
  if (command.verb == Verb::stat) {
    if (const auto drop = pop3::parse_drop_listing(text)) return sink_.on_stat(drop->messages, drop->octets, now());
    return note("pop3.stat.malformed", text, received());
  }
  row(text);
}

void Pop3Client::Impl::row(std::string_view line) {
  if (stage_ != Stage::ready || queue_.front().verb == Verb::capa) {
    if (capability_lines_.size() < pop3::Capabilities::kMost) capability_lines_.emplace_back(line);
    return capabilities_.add(line);
  }
  const Verb verb = queue_.front().verb;
  if (verb == Verb::list || verb == Verb::list_one) {
    if (const auto scan = pop3::parse_scan_listing(line)) return sink_.on_list(scan->number, scan->octets, now());
    return note("pop3.list.malformed", line, received());
  }
  const auto listing = pop3::parse_unique_id_listing(line);
  if (!listing || !listing->well_formed) note("pop3.uidl.malformed", line, received());
  if (listing) sink_.on_uidl(listing->number, listing->uid, now());
}

void Pop3Client::Impl::body_end() {
  if (stage_ != Stage::ready) {
    capa_known_ = true;
    tell_capabilities();
    return over() ? void() : capabilities_known();
  }
  const Verb verb = queue_.front().verb;
  if (verb == Verb::capa) capa_known_ = true;
  if (verb == Verb::retr || verb == Verb::top) sink_.on_content_end(reader_.body_stats().octets, now());
  if (!over()) complete(Outcome::ok, {}, kept_text_);
}

Pop3Client::Impl::Command Pop3Client::Impl::pop() {
  if (written_commands_ > 0) --written_commands_;
  if (sent_commands_ > 0) --sent_commands_;
  return queue_.pop();
}

void Pop3Client::Impl::complete(Outcome outcome, std::string_view code, std::string_view text) {
  const Command done = pop();
  command_from_ = received();
  responses_ = 0;
  sink_.on_done({done.id, name(done.verb), done.number, outcome, code, text, done.sent_at}, now());
  if (over()) return;
  // RFC 1939 section 6: whatever QUIT came to, the session is over.
  if (done.verb == Verb::quit) return end_clean();
  pump();
}

void Pop3Client::Impl::on_over(const Ended& end, Time now) {
  forward_deviations();
  if (reader_.in_body() && end.reason == EndReason::closed) note("pop3.text.no-terminator", {}, received());
  while (!queue_.empty()) {
    const bool whole = sent_commands_ > 0;
    const Command lost = pop();
    const std::string why = whole ? end.why : fmt::format("never sent: {}", end.why);
    sink_.on_done({lost.id,
                   name(lost.verb),
                   lost.number,
                   whole ? Outcome::info : Outcome::fail,
                   {},
                   why,
                   lost.sent_at,
                   end.reason},
                  now);
  }
  sink_.on_ended(end, now);
}

void Pop3Client::Impl::count_response() {
  if (++responses_ > config().max_responses)
    return end_beyond(fmt::format("more than {} lines", config().max_responses));
  if (config().share != nullptr && config().share->spent()) end_beyond(config().share->why());
}

void Pop3Client::Impl::check_limits() {
  if (reader_.unfinished_octets() > config().max_line) {
    saw(reader_.unfinished_line());
    return end(EndReason::dropped, fmt::format("a line of more than {} octets", config().max_line), true);
  }
  if (received() - command_from_ > config().max_response_bytes)
    end_beyond(fmt::format("a response of more than {} octets", config().max_response_bytes));
}

void Pop3Client::Impl::forward_deviations() {
  if (reader_.deviations().empty()) return;
  for (const text::Deviation& d : reader_.deviations().take()) sink_.on_deviation({d.code, d.excerpt, d.offset}, now());
}

}  // namespace mailproof::session
