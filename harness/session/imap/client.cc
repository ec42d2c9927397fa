#include "session/imap/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "session/imap/client_impl.h"

namespace mailproof::session {
namespace {

constexpr Duration idle_refresh = std::chrono::minutes(29);  // RFC 2177 section 3
/// A line this many times over the limit is not worth waiting for its end.
constexpr std::uint64_t endless_factor = 16;
constexpr std::size_t last_line_kept = 160;

imap::FramerLimits limits_of(const ClientConfig& config) {
  imap::FramerLimits limits;
  limits.line = config.max_line;
  limits.literal = config.max_literal;
  return limits;
}

std::shared_ptr<const std::vector<std::string>> no_capabilities() {
  static const auto none = std::make_shared<const std::vector<std::string>>();
  return none;
}

}  // namespace

ImapClient::Impl::Impl(std::shared_ptr<const ClientConfig> config_in, Login login, ImapSink& sink_in)
    : common(std::move(config_in)),
      config(*common),
      entry(std::make_unique<ImapEntry>()),
      sink(sink_in),
      framer(imap::Framer::Reads::responses, *this, limits_of(config)),
      capabilities(no_capabilities()) {
  entry->login = std::move(login);
}

void ImapClient::Impl::learn(Time at) {
  now = at;
  if (!time_unknown) return;
  time_unknown = false;
  patience.begin(at);
  for (const auto& command : queue)
    if (!command->asked) command->asked = at;
}

void ImapClient::Impl::wake() const {
  if (calls == 0 && waker != nullptr) waker->wake();
}

void ImapClient::Impl::opened(Time at) {
  learn(at);
  if (phase != Phase::connecting) return;
  phase = Phase::greeting;
  patience.begin(at);
}

void ImapClient::Impl::feed(std::string_view in, Time at) {
  learn(at);
  received += in.size();
  if (phase == Phase::over) return;
  if (phase == Phase::securing) {
    deviate("tls.bytes-behind-starttls", in);
    return;
  }
  // Only in the middle of a session does a trickle of bytes count as progress; a bring-up step has one bound for all of
  // it.
  if (phase == Phase::ready) patience.received(in.size(), at);
  response_bytes += in.size();
  const std::size_t looked_at = framer.feed(in);
  if (watch != nullptr) watch->look();
  if (phase == Phase::over) return;
  report_deviations();
  if (phase == Phase::securing && looked_at < in.size()) deviate("tls.bytes-behind-starttls", in.substr(looked_at));
  if (framer.dead()) return broken("a literal's announcement that cannot be read; what follows may be message text");
  if (framer.skipped() > endless_factor * config.max_line)
    return beyond(fmt::format("a line of more than {} octets", config.max_line + framer.skipped()));
  if (response_bytes > config.max_response_bytes)
    return beyond(fmt::format("more than {} octets without an end", config.max_response_bytes));
  pump();
}

void ImapClient::Impl::sent(std::size_t n, Time at) {
  learn(at);
  out.sent(n);
  sent_bytes += n;
  if (phase == Phase::ready) patience.sent(n, at);
  for (const auto& command : queue)
    if (command->last_byte != 0 && sent_bytes >= command->last_byte && !command->sent) command->sent = at;
}

std::optional<Time> ImapClient::Impl::deadline() const {
  if (phase == Phase::over) return std::nullopt;
  if (gave_up || time_unknown) return now;
  std::optional<Time> at = bye_at;
  const auto sooner = [&at](Time t) { at = at ? std::min(*at, t) : t; };
  if (phase == Phase::greeting || phase == Phase::bring_up || phase == Phase::securing)
    sooner(patience.due(config.greeting_bound));
  if (phase == Phase::ready && idle_state == Idle::on) sooner(idle_since + idle_refresh);
  if (phase == Phase::ready && idle_state != Idle::on && busy()) sooner(patience.due(config.command_bound));
  return at;
}

void ImapClient::Impl::advance(Time at) {
  learn(at);
  if (phase == Phase::over) return;
  if (gave_up) {
    Ended end;
    end.reason = EndReason::dropped;
    end.why = *gave_up;
    return finish(std::move(end));
  }
  const auto due = deadline();
  if (!due || at < *due) return pump();
  if (bye_at && at >= *bye_at) return refused(fmt::format("the server said BYE: {}", printable(*bye_text)));
  if (phase == Phase::ready && idle_state == Idle::on) {
    refreshing_idle = true;
    return send_done();
  }
  Ended end;
  end.reason = EndReason::timeout;
  const Duration bound = phase == Phase::ready ? config.command_bound : config.greeting_bound;
  const std::string what = phase == Phase::greeting ? "no greeting" : phase == Phase::securing ? "no TLS" : "no reply";
  end.why = patience.answered() ? fmt::format("no end of the reply within {}", format_duration(patience.waited(*due)))
                                : fmt::format("{} within {}", what, format_duration(bound));
  if (framer.in_literal()) end.why += fmt::format(", {} octets of a literal missing", framer.literal_octets_missing());
  finish(std::move(end));
}

std::string ImapClient::Impl::step() const {
  if (phase == Phase::connecting) return bring_up_step.empty() ? "connect" : std::string(bring_up_step);
  if (phase == Phase::greeting) return "greeting";
  if (phase == Phase::securing) return "STARTTLS";
  if (phase == Phase::bring_up) return std::string(bring_up_step);
  if (!completing.empty()) return std::string(completing);
  const ImapPending* command = oldest();
  return command == nullptr ? "between commands" : std::string(command->name);
}

void ImapClient::Impl::broken(std::string why) {
  Ended end;
  end.reason = EndReason::dropped;
  end.broken = true;
  end.why = std::move(why);
  finish(std::move(end));
}

void ImapClient::Impl::beyond(std::string why) {
  Ended end;
  end.reason = EndReason::dropped;
  end.broken = end.beyond = true;
  end.why = std::move(why);
  finish(std::move(end));
}

void ImapClient::Impl::refused(std::string why) {
  Ended end;
  end.reason = EndReason::dropped;
  end.why = std::move(why);
  finish(std::move(end));
}

void ImapClient::Impl::ended(EndReason reason, std::string_view detail, Time at) {
  learn(at);
  if (phase == Phase::over) return;
  Ended end;
  end.reason = reason;
  if (gave_up) {
    end.why = *gave_up;
  } else {
    end.why = detail.empty() ? fmt::format("connection {}", name(reason)) : std::string(detail);
    if (bye_text != nullptr) end.why += fmt::format(" after BYE: {}", printable(*bye_text));
    if (framer.in_literal())
      end.why += fmt::format(", {} octets of a literal missing", framer.literal_octets_missing());
    else if (!framer.at_line_begin())
      end.why += ", in the middle of a line";
  }
  finish(std::move(end));
}

void ImapClient::Impl::give_up(std::string_view why) {
  if (phase == Phase::over || gave_up) return;
  gave_up = std::make_unique<std::string>(why);
  out.clear();
  wants = Wants::close;
  wake();
}

void ImapClient::Impl::finish(Ended end) {
  if (phase == Phase::over) return;
  if (const std::string longer = watch == nullptr ? "" : watch->suspicion(); !longer.empty()) {
    // What we wait for came long ago, within the literal: not silence, but a wrong count (RFC 3501 section 4.3).
    end.broken = end.broken || (end.reason == EndReason::timeout && framer.in_literal());
    end.why = longer + "; " + end.why;
  }
  end.ready = was_ready;
  end.login_refused = login_refused;
  end.where = config.endpoint.label();
  end.step = step();
  end.seen = printable(framer.unfinished().empty() ? std::string_view(last_line) : framer.unfinished(), last_line_kept);
  report_deviations();
  phase = Phase::over;
  framer.stop();
  out.clear();
  wants = Wants::close;
  if (content_open) {
    content_open = false;
    sink.on_content_end();
  }
  while (!queue.empty()) {
    const auto command = take(0);
    ImapCompletion completion;
    completion.text = end.why;
    completion.lost = end.reason;
    report(*command, completion);
  }
  sink.on_ended(end, now);
  wake();
}

void ImapClient::Impl::deviate(std::string_view code, std::string_view excerpt) {
  Deviation deviation;
  deviation.code = code;
  deviation.excerpt = printable(excerpt, 80);
  deviation.offset = received;
  sink.on_deviation(deviation, now);
}

/// An extension's command may well be answered by data of its name.
bool ImapClient::Impl::was_asked_for() const {
  return scratch != nullptr && std::any_of(queue.begin(), queue.end(), [this](const auto& command) {
           return command->started && iequals(command->name, scratch->response.name);
         });
}

void ImapClient::Impl::report_deviations() {
  const std::uint64_t count = framer.deviations().count();
  if (count == deviations_reported) return;
  const std::uint64_t from = std::exchange(deviations_reported, count);
  framer.deviations().for_each(
      [this](const imap::Deviation& d) {
        if (d.code == imap::DeviationCode::unknown_response && was_asked_for()) return;
        Deviation deviation;
        deviation.code = imap::name(d.code);
        deviation.excerpt = d.told();
        deviation.offset = d.stream_offset;
        sink.on_deviation(deviation, now);
      },
      from);
}

namespace {

/// While one lives, the driver is in a call and will look at the peer afterwards by itself.
class InCall {
 public:
  explicit InCall(int& depth) : depth_(depth) { ++depth_; }
  ~InCall() { --depth_; }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;

 private:
  int& depth_;
};

}  // namespace

ImapClient::ImapClient(ClientConfig config, ImapSink& sink) {
  Login login = std::exchange(config.login, {});
  impl_ = std::make_unique<Impl>(std::make_shared<const ClientConfig>(std::move(config)), std::move(login), sink);
}
ImapClient::ImapClient(std::shared_ptr<const ClientConfig> common, Login login, ImapSink& sink)
    : impl_(std::make_unique<Impl>(std::move(common), std::move(login), sink)) {}
ImapClient::~ImapClient() = default;

void ImapClient::attach(Waker* waker) { impl_->waker = waker; }
void ImapClient::opened(Time now) {
  const InCall call(impl_->calls);
  impl_->opened(now);
}
void ImapClient::feed(Bytes in, Time now) {
  const InCall call(impl_->calls);
  impl_->feed(as_text(in), now);
}
std::span<const Output> ImapClient::output() { return impl_->out.output(); }
void ImapClient::sent(std::size_t n, Time now) {
  const InCall call(impl_->calls);
  impl_->sent(n, now);
}
void ImapClient::advance(Time now) {
  const InCall call(impl_->calls);
  impl_->advance(now);
}
std::optional<Time> ImapClient::deadline() const { return impl_->deadline(); }
void ImapClient::secured(const TlsFacts& facts, Time now) {
  const InCall call(impl_->calls);
  impl_->secured(facts, now);
}
void ImapClient::ended(EndReason reason, std::string_view detail, Time now) {
  const InCall call(impl_->calls);
  impl_->ended(reason, detail, now);
}
Wants ImapClient::wants() const { return impl_->wants; }

void ImapClient::pipelining(bool on) {
  impl_->pipelining = on;
  impl_->pump();
  impl_->wake();
}
void ImapClient::give_up(std::string_view why) { impl_->give_up(why); }
bool ImapClient::ready() const { return impl_->phase == Impl::Phase::ready; }
bool ImapClient::idling() const { return impl_->idle_state == Impl::Idle::on; }
bool ImapClient::in_idle() const { return idling() || impl_->idle_state == Impl::Idle::done_sent; }
bool ImapClient::busy() const { return impl_->busy(); }
bool ImapClient::has(std::string_view capability) const { return impl_->has(capability); }
bool ImapClient::qresync() const { return impl_->qresync_enabled; }
const std::vector<std::string>& ImapClient::capabilities() const { return *impl_->capabilities; }
const ImapView& ImapClient::view() const { return impl_->mailbox.view(); }
std::uint64_t ImapClient::received() const { return impl_->received; }

}  // namespace mailproof::session
