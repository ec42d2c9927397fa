#include "play/devices/imap_device.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "scenario/plan/profile.h"

namespace mailproof::play {

namespace {

/// The quickest by which this device comes back in any of these steps.
scenario::Resync quickest(const std::vector<scenario::Step>& steps, std::uint32_t device) {
  auto out = scenario::Resync::full;
  for (const auto& step : steps) {
    if (const auto* go = step.maybe<scenario::Go>(); go != nullptr && step.device + 1 == device)
      out = std::max(out, go->resync);
    out = std::max(out, quickest(step.together, device));
  }
  return out;
}

}  // namespace

std::unique_ptr<Actor> make_imap_device(Context& context, const scenario::Scenario& scenario, std::uint32_t device) {
  return std::make_unique<ImapDevice>(context, scenario.devices.at(device - 1), device,
                                      quickest(scenario.steps, device));
}

ImapDevice::ImapDevice(Context& context, const scenario::Device& device, std::uint32_t number, scenario::Resync resync)
    : context_(context),
      device_(device),
      number_(number),
      account_(static_cast<std::uint32_t>(device.account + 1)),
      resync_(resync) {}

ImapDevice::~ImapDevice() { context_.network.set_alarm(*this, std::nullopt); }

namespace {

/// What a client of this kind fetches of messages that came, each thing once.
std::vector<MailboxReader::Fetch> fetched_by(const scenario::Profile& profile) {
  using scenario::Of;
  using When = scenario::ProfileStep::When;
  std::vector<MailboxReader::Fetch> out;
  for (const auto* steps : {&profile.news, &profile.poll, &profile.login})
    for (const auto& step : *steps) {
      const bool of_new = step.of == Of::fresh || step.of == Of::listed || step.of == Of::unread ||
                          step.of == Of::first_new || (step.of == Of::newest && step.by_uid);
      const bool there = std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.items == step.text; });
      if (step.ask != scenario::Ask::fetch || !of_new || (step.when != When::always && step.when != When::fresh) ||
          there)
        continue;
      out.push_back({step.text, step.of == Of::first_new, step.singly, step.needs});
    }
  return out;
}

}  // namespace

std::string ImapDevice::box(const std::string& named) const {
  if (!named.empty()) return named;
  if (session_ != nullptr && session_->ready() && !session_->view().mailbox.empty() && !device_.webmail)
    return session_->view().mailbox;
  return device_.idle.empty() ? "INBOX" : device_.idle;
}

RecordedImap& ImapDevice::begin_session(const Endpoint& endpoint, const std::string& mechanism) {
  not_enabled_.clear();
  sessions_.push_back(
      std::make_unique<RecordedImap>(context_, number_, account_, 0, endpoint, mechanism, device_.profile.get()));
  session_ = sessions_.back().get();
  readers_.push_back(std::make_unique<MailboxReader>(*session_));
  reader_ = readers_.back().get();
  if (device_.profile != nullptr) reader_->fetch_as(fetched_by(*device_.profile));
  reader_->changed = [this, session = session_] {
    if (session == session_) news();
  };
  return *session_;
}

/// A login in so many words: a new session, which the server may refuse where the scenario says so. One without TLS is
/// given up again at once.
void ImapDevice::connect(const scenario::Connect& connect, const std::string& text, Finish done) {
  const auto welcome = std::make_shared<Welcome>(context_, connect, text);
  log_out([this, &connect, welcome, done = std::move(done)] {
    connect_by(connect.plaintext ? "LOGIN" : "", connect, welcome, done);
  });
}

/// Without TLS the command LOGIN is one way to send the password, and AUTHENTICATE PLAIN another, where that is
/// offered.
void ImapDevice::connect_by(const std::string& mechanism, const scenario::Connect& connect,
                            const std::shared_ptr<Welcome>& welcome, Finish done) {
  RecordedImap& session = begin_session(welcome->endpoint(Protocol::imap, device_.tls), mechanism);
  session.open([this, mechanism, &connect, &session, welcome, done](const Completion& result) {
    if (!result.ok() && mechanism == "LOGIN" && Welcome::said_no(session.end()) && session.client().has("AUTH=PLAIN"))
      return connect_by("PLAIN", connect, welcome, done);
    welcome->came(session.number(), result.ok() ? nullptr : &session.end(), device_.name);
    if (result.ok() && connect.plaintext) return log_out(done);
    if (result.ok() && resync_ != scenario::Resync::full) return enable([done](bool) { done(); });
    done();
  });
}

void ImapDevice::connected(Then then) {
  if (session_ != nullptr && session_->ready()) return then(true);
  if (offline_) {
    context_.fail("offline", device_.name + " is offline: it needs `go: online` before this step");
    return then(false);
  }
  begin_session(*context_.endpoint(Protocol::imap, device_.tls))
      .open([this, then = std::move(then)](const Completion& result) {
        if (result.ok() && resync_ != scenario::Resync::full) return enable(then);
        if (!result.ok()) context_.fail("connect", device_.name + ": " + result.text);
        then(result.ok());
      });
}

void ImapDevice::in_mailbox(const std::string& mailbox, Then then) {
  connected([this, mailbox, then = std::move(then)](bool ok) {
    if (!ok) return then(false);
    if (iequals(session_->view().mailbox, mailbox) && !session_->view().read_only) return reader_->catch_up(then);
    reader_->open(mailbox, false, then);
  });
}

void ImapDevice::log_out(Finish done) {
  if (session_ == nullptr || !session_->ready()) return done();
  session_->logout([done = std::move(done)](const Completion&) { done(); });
}

void ImapDevice::start_idle(Finish done) {
  if (!session_->client().has("IDLE")) return done();  // it will ask with NOOP instead
  if (session_->client().idling()) return done();      // it listens already
  session_->hooks.idling = [this, done] {
    if (const auto once = std::exchange(session_->hooks.idling, {})) done();
  };
  session_->idle([this, done](const Completion&) {
    if (const auto once = std::exchange(session_->hooks.idling, {})) done();  // it ended before it began
  });
}

void ImapDevice::rest(Finish done) {
  if (device_.webmail) return log_out(std::move(done));
  if (device_.idle.empty() || offline_ || session_ == nullptr || session_->over() || session_->client().idling())
    return done();
  in_mailbox(device_.idle, [this, done = std::move(done)](bool ok) {
    if (!ok) return done();
    start_idle(done);
  });
}

/// Something in the view changed. While a step's own commands run they see to it themselves.
void ImapDevice::news() {
  if (busy_) {
    news_ = true;
    return;
  }
  if (session_ == nullptr || session_->over()) {
    if (const auto step = std::exchange(postponed_, {})) step();
    return;
  }
  busy_ = true;
  reader_->catch_up([this](bool) {
    const bool idle = !device_.idle.empty() && !postponed_ && !session_->over() && !session_->client().idling() &&
                      !session_->client().busy();
    const auto settled = [this] {
      busy_ = false;
      if (std::exchange(news_, false)) return news();
      if (const auto step = std::exchange(postponed_, {})) return step();
      check_wait();
    };
    if (idle && iequals(session_->view().mailbox, device_.idle)) return start_idle(settled);
    settled();
  });
}

void ImapDevice::prepare(Finish done) {
  if (device_.idle.empty() && resync_ == scenario::Resync::full) return done();
  busy_ = true;
  if (device_.idle.empty())
    return connected([this, done = std::move(done)](bool) {
      busy_ = false;
      done();
    });
  in_mailbox(device_.idle, [this, done = std::move(done)](bool ok) {
    const auto finished = [this, done] {
      busy_ = false;
      done();
    };
    if (!ok) return finished();
    start_idle(finished);
  });
}

namespace {

/// Whether the step asks for something to be changed: of which messages. Nothing: no.
std::optional<std::vector<std::uint32_t>> changed_by(const scenario::Step& step, const Context& context) {
  using scenario::Verb;
  switch (step.verb) {
    case Verb::read:
    case Verb::flag:
    case Verb::unflag:
    case Verb::remove:
    case Verb::move:
    case Verb::copy:
    case Verb::upload:
      return std::visit(
          [&](const auto& takes) -> std::vector<std::uint32_t> {
            if constexpr (std::is_base_of_v<scenario::OfMessages, std::decay_t<decltype(takes)>>)
              return context.messages.numbers(takes.messages);
            return {};
          },
          step.takes);
    case Verb::expunge:
    case Verb::save:
    case Verb::create:
    case Verb::rename:
    case Verb::remove_mailbox: {
      std::vector<std::uint32_t> all(context.history.messages().size());
      std::iota(all.begin(), all.end(), 1U);
      return all;
    }
    default:
      return std::nullopt;
  }
}

LinkFaults faults_of(const scenario::Cut& cut) {
  LinkFaults faults;
  if (cut.when == scenario::Cut::When::before_reply) faults.cut_after_received = 1;
  if (cut.when == scenario::Cut::When::after_bytes) faults.cut_after_sent = cut.bytes;
  return faults;
}

}  // namespace

void ImapDevice::perform(const scenario::Step& step, Finish done) {
  if (step.verb == scenario::Verb::see || step.verb == scenario::Verb::lose) return wait_for(step, std::move(done));
  if (busy_) {  // it is looking at what came in: a fetch of the step's beside that would have its rows mixed with these
    postponed_ = [this, &step, done = std::move(done)] { perform(step, done); };
    return;
  }
  busy_ = true;
  const bool over_before = session_ != nullptr && session_->over();
  if (step.cut.when != scenario::Cut::When::none) {
    return connected([this, &step, done = std::move(done)](bool ok) {
      if (ok) session_->misbehave(faults_of(step.cut));
      const Finish over = [this, done] {
        session_->misbehave({});  // what is left of it is not the next step's
        rest([this, done] {
          busy_ = false;
          news_ = false;
          done();
        });
      };
      ok ? act(step, over) : over();
    });
  }
  act(step, [this, &step, before = over_before ? session_ : nullptr, done = std::move(done)] {
    const bool cut = session_ != nullptr && session_ != before && cut_short(session_->end());
    if (const auto changed = changed_by(step, context_); cut && changed)
      undone(context_, *changed, session_number(), ended_by_server(session_->end()));
    ask_quota(step, [this, done] {
      rest([this, done] {
        busy_ = false;
        news_ = false;
        done();
      });
    });
  });
}

void ImapDevice::ask_quota(const scenario::Step& step, Finish done) {
  using scenario::Verb;
  constexpr std::array changing = {Verb::remove, Verb::expunge, Verb::move,   Verb::copy,
                                   Verb::save,   Verb::upload,  Verb::rename, Verb::remove_mailbox};
  const bool changed = std::find(changing.begin(), changing.end(), step.verb) != changing.end();
  if (!changed || context_.options.load || session_ == nullptr || !session_->ready() || session_->client().idling() ||
      !session_->client().has("QUOTA"))
    return done();
  session_->quota("INBOX", [done = std::move(done)](const Completion&) { done(); });
}

void ImapDevice::leave(Finish done) {
  busy_ = true;
  log_out(std::move(done));
}

}  // namespace mailproof::play
