#include "load/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/bytes.h"

namespace mailproof::load {
namespace {

const Endpoint* submission(const scenario::Target& target) {
  for (const Endpoint& one : target.smtp)
    if (one.auth) return &one;
  return target.smtp.empty() ? nullptr : &target.smtp.front();
}

}  // namespace

LetterNumbers letter_numbers(const scenario::Plan& plan) {
  constexpr unsigned kBits = 31;  // below Parcels::kCustomers
  LetterNumbers out;
  for (const auto& entry : plan.mix) {
    const auto writes = [&](const std::string& name) { return plan.profile(name).send.has_value(); };
    const auto count = std::count_if(entry.devices.begin(), entry.devices.end(), writes);
    out.writers = std::max(out.writers, static_cast<std::uint32_t>(count));
  }
  const std::uint64_t devices = std::uint64_t{plan.accounts_needed()} * out.writers;
  const auto taken = static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(devices, 1) - 1));
  out.bits = kBits - std::min(kBits, taken);
  return out;
}

Writer::Writer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
               std::uint32_t who, unsigned bits, std::uint64_t seed, Customer& device)
    : scene_(scene),
      sending_(*profile.send),
      endpoint_(submission(scene.target)),
      account_(account),
      who_(who),
      bits_(bits),
      number_(number),
      rng_(seed),
      device_(device) {}

Writer::~Writer() { drop(); }

void Writer::come(Time due) {
  present_ = true;
  due_ = next(due);
  arm();
}

bool Writer::owes() const { return present_ && due_ && *due_ < scene_.stopped_at && numbers_left(); }

void Writer::leave(Time now) {
  present_ = false;
  // At the end of the measured time: letters that nobody came to while one was still on its way.
  for (; scene_.over && due_ && *due_ < scene_.stopped_at && numbers_left(); due_ = next(*due_))
    scene_.missed(scene_.operation("submission.send"), *due_, now);
  due_.reset();
  arm();
}

void Writer::drop() {
  present_ = false;
  if (client_ != nullptr && !dead_) {
    if (parcel_ && scene_.parcels.at(*parcel_).outcome == Parcel::Outcome::sending)
      scene_.timed_out(scene_.operation("submission.send"), {began_, began_, scene_.network.now()},
                       "no answer when the load ended", &recorder_, account_);
    scene_.session_over(session_);
  }
  link_.reset();
  client_.reset();
  scene_.network.set_alarm(*this, std::nullopt);
}

Time Writer::next(Time due) {
  const double part = 2 * static_cast<double>(rng_.next()) / 4294967296.0 - 1;
  const Duration every = scene_.paced(sending_.every);
  return due + every + Duration(static_cast<std::int64_t>(static_cast<double>(every.count()) * part * sending_.jitter));
}

std::uint32_t Writer::next_number() { return Parcels::kCustomers | (who_ << bits_ | ++written_); }

void Writer::arm() {
  std::optional<Time> at;
  if (dead_)
    at = scene_.network.now();
  else if (client_ == nullptr && present_ && due_ && scene_.begins(*due_) && numbers_left())
    at = due_;
  scene_.network.set_alarm(*this, at);
}

void Writer::ring(Time now) {
  if (dead_) {
    if (session_ != 0) {
      scene_.deliveries.insert_or_assign(session_, std::move(recorder_));
      if (scene_.deliveries.size() > Scene::kMostDeliveries) scene_.deliveries.erase(scene_.deliveries.begin());
      recorder_ = FlightRecorder();
    }
    link_.reset();
    client_.reset();
    dead_ = false;
  }
  if (client_ == nullptr && present_ && due_ && *due_ <= now && scene_.begins(*due_) && numbers_left()) {
    const Time due = *due_;
    due_ = next(due);
    write(due);
  }
  arm();
}

void Writer::write(Time due) {
  const auto others = static_cast<std::uint32_t>(scene_.accounts.size());
  std::uint32_t to = rng_.below(others);
  if (to == account_ && others > 1) to = (to + 1) % others;
  const auto width = static_cast<std::uint32_t>(sending_.most - sending_.least);
  const std::size_t parcel = scene_.parcels.add(
      next_number(), to, static_cast<std::uint32_t>(sending_.least) + (width != 0 ? rng_.below(width) : 0));
  scene_.parcels.at(parcel).by_customer = true;
  parcel_ = parcel;
  quitting_ = false;
  class_ = "not handed over";  // until something is said of it
  lost_ = EndReason::none;
  intended_ = due;
  opened_ = scene_.network.now();
  auto config = scene_.client_config(*endpoint_, endpoint_->auth ? &scene_.accounts[account_] : nullptr, account_);
  session_ = scene_.note_session(account_, number_, Protocol::smtp);
  scene_.parcels.at(parcel).delivered_by = session_;
  const Endpoint where = config.endpoint;
  client_ = std::make_unique<session::SmtpClient>(std::move(config), "mailproof.invalid", *this);
  recorder_.opened(fmt::format("smtp session {} opens", session_), opened_);
  tap_ = std::make_unique<TappedPeer>(*client_, recorder_, &scene_, "submission");
  link_ = scene_.network.open(where, *tap_);
  scene_.let_resume(*link_, device_.profile(), account_, number_);
}

void Writer::on_ready(Time now) {
  scene_.done(scene_.operation("submission.connect"), {intended_, opened_, now});
  began_ = now;
  const Parcel& parcel = scene_.parcels.at(*parcel_);
  scene_.parcels.came_to(*parcel_, Parcel::Outcome::sending);
  session::Envelope envelope;
  envelope.from = scene_.accounts[account_].address;
  envelope.to.push_back(scene_.accounts[parcel.account].address);
  client_->send(std::move(envelope), scene_.compose(*parcel_, scene_.accounts[account_].address));
}

void Writer::on_recipient(session::CommandId, const session::RecipientResult& result, Time) {
  lost_ = result.lost;
  if (result.reply.code == 0) return;  // there was none: the connection ended first
  class_ = result.reply.enhanced.empty() ? fmt::format("{}", result.reply.code)
                                         : fmt::format("{} {}", result.reply.code, printable(result.reply.enhanced));
}

void Writer::on_done(session::CommandId, session::Outcome outcome, Time, Time now) {
  const Times times{began_, began_, now};
  if (quitting_) {
    if (outcome == session::Outcome::ok) scene_.done(scene_.operation("submission.quit"), times);
    return;
  }
  if (!parcel_) return;
  const std::size_t parcel = *std::exchange(parcel_, std::nullopt);
  const auto operation = scene_.operation("submission.send");
  if (outcome == session::Outcome::ok) {
    scene_.accepted(parcel, now);
    scene_.done(operation, times);
    if (!sending_.save_to.empty()) {
      const std::size_t copy = scene_.parcels.add(next_number(), account_, scene_.parcels.at(parcel).size);
      Parcel& one = scene_.parcels.at(copy);
      one.by_customer = one.saved = true;
      device_.save(copy, now);
    }
  } else if (outcome == session::Outcome::fail && lost_ == EndReason::none) {
    scene_.parcels.came_to(parcel, Parcel::Outcome::refused);
    scene_.failed(operation, times, class_, &recorder_, account_);
  } else if (outcome == session::Outcome::fail) {  // nobody refused it, and nobody can have taken it
    scene_.parcels.came_to(parcel, Parcel::Outcome::waiting);
    scene_.lost(lost_, operation, times, class_, &recorder_, account_);
  } else {
    scene_.parcels.came_to(parcel, Parcel::Outcome::unknown);
    scene_.lost(lost_, operation, times, lost_ == EndReason::timeout ? "no answer in time" : "no answer", &recorder_,
                account_);
  }
  quitting_ = true;
  began_ = now;
  client_->quit();
}

void Writer::on_ended(const session::Ended& end, Time now) {
  scene_.session_over(session_);
  dead_ = true;
  if (!end.clean && parcel_) {
    // Nothing of it was sent: it stays unsent, as a letter that stays in the outbox.
    parcel_.reset();
    const std::string what = error_class(end);
    scene_.example(what, end.message());
    scene_.lost(end.reason, scene_.operation("submission.connect"), {intended_, opened_, now}, what, &recorder_,
                account_);
  }
  arm();
}

}  // namespace mailproof::load
