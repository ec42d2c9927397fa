#include "load/mail_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/bytes.h"
#include "load/customer.h"
#include "session/smtp/client.h"

namespace mailproof::load {
namespace {

constexpr Duration kIdle = std::chrono::seconds(2);          // a connection without work is ended after so long
constexpr Duration kAfterFailure = std::chrono::seconds(1);  // and one that failed is tried again
constexpr const char* kHelo = "mailproof.invalid";

}  // namespace

/// One connection.
class MailFlow::Courier final : public session::SmtpSink {
 public:
  Courier(MailFlow& flow, std::size_t number) : flow_(flow) {
    const Endpoint& endpoint = *flow_.endpoint_;
    auto config = flow_.scene_.client_config(endpoint, endpoint.auth ? flow_.sender_ : nullptr, number);
    // What its first message waited is the message's: a connection is meant to begin when it is wanted.
    intended_ = opened_ = flow_.scene_.network.now();
    session_ = flow_.scene_.note_session(0, 0, endpoint.protocol);
    const Endpoint where = config.endpoint;
    client_ = std::make_unique<session::SmtpClient>(std::move(config), kHelo, *this);
    recorder_.opened(fmt::format("{} session {} opens", name(endpoint.protocol), session_), opened_);
    tap_ = std::make_unique<TappedPeer>(*client_, recorder_, &flow_.scene_, name(endpoint.protocol));
    link_ = flow_.scene_.network.open(where, *tap_);
  }
  ~Courier() override {
    link_.reset();
    Scene& scene = flow_.scene_;
    if (!dead_) scene.session_over(session_);
    if (session_ == 0 || sent_ == 0) return;
    scene.deliveries.insert_or_assign(session_, std::move(recorder_));
    if (scene.deliveries.size() > Scene::kMostDeliveries) scene.deliveries.erase(scene.deliveries.begin());
  }

  bool free() const { return ready_ && !dead_ && !broken_ && !parcel_ && !quitting_; }
  bool busy() const { return parcel_.has_value(); }
  bool dead() const { return dead_; }
  bool failed() const { return failed_; }
  bool tired(Time now) const {
    return free() && (sent_ >= flow_.scene_.plan.deliveries.each || now - idle_since_ >= kIdle);
  }
  Time idle_since() const { return idle_since_; }

  /// False: the connection is over, which is told next, and the message is still to be sent.
  bool take(Waiting one, Time now) {
    parcel_ = one.parcel;
    intended_ = one.due;
    Parcel& parcel = flow_.scene_.parcels.at(one.parcel);
    flow_.scene_.parcels.came_to(one.parcel, Parcel::Outcome::sending);
    parcel.delivered_by = session_;
    lost_ = EndReason::none;
    auto text = flow_.scene_.compose(
        one.parcel, flow_.sender_ != nullptr ? flow_.sender_->address : flow_.scene_.accounts[parcel.account].address);
    session::Envelope envelope;
    const std::string& to = flow_.scene_.accounts[parcel.account].address;
    envelope.from = flow_.sender_ != nullptr ? flow_.sender_->address : to;  // addresses come from the pool only
    envelope.to.push_back(to);
    began_ = now;
    class_ = "not handed over";  // until something is said of it
    said_.clear();
    if (client_->send(std::move(envelope), std::move(text)) == 0) {
      flow_.scene_.parcels.came_to(one.parcel, Parcel::Outcome::waiting);
      parcel.delivered_by = 0;
      parcel_.reset();
      broken_ = true;
      return false;
    }
    ++sent_;
    return true;
  }
  void quit(Time now) {
    quitting_ = true;
    intended_ = began_ = now;
    client_->quit();
  }

  /// Nothing more is awaited.
  void give_up(Time now) {
    if (!dead_ && parcel_)
      flow_.scene_.timed_out(flow_.deliver_, {intended_, began_, now}, "no answer when the load ended", &recorder_,
                             flow_.scene_.parcels.at(*parcel_).account);
  }

  void on_ready(Time now) override {
    ready_ = true;
    idle_since_ = now;
    flow_.scene_.done(flow_.connect_, {intended_, opened_, now});
    flow_.serve(now);
  }
  void on_reply(std::string_view, const session::SmtpReply&, Time) override {}
  void on_recipient(session::CommandId, const session::RecipientResult& result, Time) override {
    said_ = printable(result.reply.text);
    lost_ = result.lost;
    if (result.reply.code == 0) return;  // there was none: the connection ended first
    class_ = result.reply.enhanced.empty() ? fmt::format("{}", result.reply.code)
                                           : fmt::format("{} {}", result.reply.code, printable(result.reply.enhanced));
  }
  void on_done(session::CommandId, session::Outcome outcome, Time, Time now) override {
    if (quitting_) {
      if (outcome == session::Outcome::ok) flow_.scene_.done(flow_.quit_, {intended_, began_, now});
      return;
    }
    if (!parcel_) return;
    const std::size_t parcel = *std::exchange(parcel_, std::nullopt);
    Scene& scene = flow_.scene_;
    const Times times{intended_, began_, now};
    const std::uint32_t account = scene.parcels.at(parcel).account;
    idle_since_ = now;
    if (outcome == session::Outcome::ok) {
      scene.accepted(parcel, now);
      scene.done(flow_.deliver_, times);
    } else if (outcome == session::Outcome::fail && lost_ == EndReason::none) {
      scene.parcels.came_to(parcel, Parcel::Outcome::refused);
      scene.example("delivery: " + class_, fmt::format("{}: {}", scene.parcel_text(parcel), said_));
      scene.failed(flow_.deliver_, times, class_, &recorder_, account);
    } else if (outcome == session::Outcome::fail) {
      // The connection ended before the last octet had left us. Nobody refused it, and nobody can have taken it.
      scene.parcels.came_to(parcel, Parcel::Outcome::waiting);
      scene.example("delivery: " + class_, fmt::format("{}: {}", scene.parcel_text(parcel), said_));
      scene.lost(lost_, flow_.deliver_, times, class_, &recorder_, account);
    } else {
      // RFC 1047: it may have been taken all the same.
      scene.parcels.came_to(parcel, Parcel::Outcome::unknown);
      scene.lost(lost_, flow_.deliver_, times, lost_ == EndReason::timeout ? "no answer in time" : "no answer",
                 &recorder_, account);
    }
    flow_.serve(now);
  }
  void on_ended(const session::Ended& end, Time now) override {
    flow_.scene_.session_over(session_);
    dead_ = true;
    if (!end.clean && !ready_) {
      failed_ = true;
      const std::string what = error_class(end);
      flow_.scene_.example(what, end.message());
      flow_.scene_.lost(end.reason, flow_.connect_, {intended_, opened_, now}, what, &recorder_);
    }
    flow_.retry_ = failed_ ? now + kAfterFailure : now;
    flow_.arm();
  }

 private:
  MailFlow& flow_;
  std::unique_ptr<session::SmtpClient> client_;
  FlightRecorder recorder_;
  std::unique_ptr<TappedPeer> tap_;
  std::unique_ptr<Link> link_;
  Time intended_{}, opened_{}, began_{}, idle_since_{};
  std::optional<std::size_t> parcel_;
  std::uint32_t session_ = 0, sent_ = 0;
  std::string class_, said_;
  EndReason lost_ = EndReason::none;  ///< how the connection ended, where that is why nothing was said of the message
  bool ready_ = false, broken_ = false, dead_ = false, failed_ = false, quitting_ = false;
};

std::optional<Protocol> delivery_protocol(const scenario::Plan& plan, const scenario::Target& target) {
  const auto there = [&](scenario::Way way) {
    return way == scenario::Way::lmtp ? !target.lmtp.empty() : way == scenario::Way::smtp && !target.smtp.empty();
  };
  const auto protocol = [](scenario::Way way) { return way == scenario::Way::lmtp ? Protocol::lmtp : Protocol::smtp; };
  if (plan.deliveries.via)
    return there(*plan.deliveries.via) ? std::optional(protocol(*plan.deliveries.via)) : std::nullopt;
  for (const auto way : target.delivery)
    if (there(way)) return protocol(way);
  return std::nullopt;
}

MailFlow::MailFlow(Scene& scene, const Level& level, unsigned job, unsigned jobs, const scenario::PoolAccount* sender)
    : scene_(scene),
      level_(level),
      job_(job),
      jobs_(jobs),
      sender_(sender),
      times_(scene.plan.deliveries, level, scene.settings.seed) {
  const auto protocol = delivery_protocol(scene.plan, scene.target).value_or(Protocol::lmtp);
  endpoint_ = scene.endpoint(protocol, std::nullopt);
  const std::uint32_t most = scene.plan.deliveries.connections;
  most_ = std::max<std::size_t>(1, most / jobs + (job < most % jobs ? 1 : 0));
  connect_ = scene.operation(fmt::format("{}.connect", name(protocol)));
  deliver_ = scene.operation(fmt::format("{}.deliver", name(protocol)));
  quit_ = scene.operation(fmt::format("{}.quit", name(protocol)));
}

MailFlow::~MailFlow() {
  scene_.network.set_alarm(*this, std::nullopt);
  couriers_.clear();
}

void MailFlow::start(Time zero) {
  zero_ = zero;
  if (endpoint_ != nullptr) next_ = draw();
  arm();
}

/// The next arrival of this thread. Every thread draws all of them, so that their number changes none.
std::optional<Duration> MailFlow::draw() {
  while (const auto at = times_.next()) {
    ++next_number_;
    // Whoever is there gets mail: as many accounts as the load is high then.
    const auto there = static_cast<std::uint32_t>(
        std::max(1.0, std::round(static_cast<double>(scene_.plan.accounts) * level_.at(*at))));
    Rng rng(derive_seed(scene_.settings.seed, "recipient", next_number_));
    const std::uint32_t account = rng.below(there);
    if (account % jobs_ != job_) continue;
    next_account_ = account / jobs_;
    if (next_account_ < scene_.accounts.size()) return at;
  }
  return std::nullopt;
}

std::uint64_t MailFlow::draw_size(Rng& rng) const {
  const auto& sizes = scene_.plan.deliveries.sizes;
  double part = static_cast<double>(rng.next()) / 4294967296.0;
  for (const auto& one : sizes) {
    if (part >= one.share && &one != &sizes.back()) {
      part -= one.share;
      continue;
    }
    return one.least + (one.most > one.least ? rng.below(static_cast<std::uint32_t>(one.most - one.least)) : 0);
  }
  return 0;  // as large as it comes
}

void MailFlow::take_due(Time now) {
  while (!closed_ && next_ && zero_ + *next_ <= now) {
    Rng rng(derive_seed(scene_.settings.seed, "size", next_number_));
    const auto size = static_cast<std::uint32_t>(draw_size(rng));
    const std::size_t parcel = scene_.parcels.add(next_number_, next_account_, size);
    waiting_.push_back({parcel, zero_ + *next_});
    ++due_count_;
    next_ = draw();
  }
}

void MailFlow::serve(Time now) {
  for (auto& courier : couriers_) {
    if (waiting_.empty()) break;
    if (!courier->free() || courier->tired(now)) continue;
    const Waiting one = waiting_.front();
    waiting_.pop_front();
    if (!courier->take(one, now)) waiting_.push_front(one);
  }
  arm();
}

void MailFlow::bury() {
  std::erase_if(couriers_, [](const auto& one) { return one->dead(); });
}

void MailFlow::ring(Time now) {
  if (armed_) scene_.lateness.add(now - *armed_);
  armed_.reset();
  const bool held = retry_ && *retry_ > now;
  if (!held) retry_.reset();
  bury();
  take_due(now);
  for (auto& courier : couriers_)
    if (courier->tired(now) || (closed_ && waiting_.empty() && courier->free())) courier->quit(now);
  serve(now);
  std::size_t coming = 0;
  for (const auto& courier : couriers_) coming += courier->busy() || courier->free() ? 0U : 1U;
  while (!held && coming < waiting_.size() && couriers_.size() < most_) {
    couriers_.push_back(std::make_unique<Courier>(*this, couriers_.size()));
    ++coming;
  }
  arm();
}

void MailFlow::arm() {
  std::optional<Time> at;
  const auto sooner = [&](Time other) {
    if (!at || other < *at) at = other;
  };
  if (!closed_ && next_) sooner(zero_ + *next_);
  if (retry_) sooner(*retry_);
  for (const auto& courier : couriers_) {
    if (courier->dead() && !retry_) sooner(scene_.network.now());
    if (!courier->free()) continue;
    if ((closed_ && waiting_.empty()) || courier->tired(scene_.network.now()))
      sooner(scene_.network.now());
    else
      sooner(courier->idle_since() + kIdle);
  }
  if (at == armed_) return;
  armed_ = at;
  scene_.network.set_alarm(*this, at);
}

void MailFlow::close() {
  if (closed_) return;
  take_due(scene_.network.now());
  closed_ = true;
  arm();
}

void MailFlow::give_up() {
  close();
  if (std::exchange(gave_up_, true)) return;
  const Time now = scene_.network.now();
  auto& operation = scene_.operations.at(deliver_);
  for (const Waiting& one : waiting_) {
    operation.due(one.due);
    operation.never(now - one.due, 1, now);
  }
  waiting_.clear();
  arm();
}

bool MailFlow::done() const {
  return closed_ && waiting_.empty() &&
         std::all_of(couriers_.begin(), couriers_.end(), [](const auto& one) { return one->dead(); });
}

void MailFlow::drop() {
  give_up();
  for (const auto& courier : couriers_) courier->give_up(scene_.network.now());
  couriers_.clear();
  scene_.network.set_alarm(*this, std::nullopt);
}

}  // namespace mailproof::load
