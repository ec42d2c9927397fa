#include "load/customer.h"

#include <fmt/format.h>

#include "core/bytes.h"
#include "core/network.h"

namespace mailproof::load {

namespace {
/// The class of what was asked and not answered when the load was ended.
constexpr std::string_view kUnderWay = "no answer when the load ended";
}  // namespace

void Customer::open(Peer& session, const Endpoint& endpoint, Time intended) {
  intended_ = round_intended_ = intended;
  opened_ = login_from_ = scene_.network.now();
  ready_ = greeted_ = false;
  current_ = 0;
  session_ = scene_.note_session(account_, number_, profile_.protocol);
  recorder_.opened(fmt::format("{} session {} opens", protocol(), session_), opened_);
  link_ = scene_.network.open(endpoint, tap_.emplace(session, recorder_, &scene_, protocol()));
  scene_.let_resume(*link_, profile_, account_, number_);
}

void Customer::count_broken(Time now, std::string_view error_class, bool refused, EndReason how) {
  const auto count = [&](std::string_view what, Time intended, Time start) {
    const auto id = scene_.operation(fmt::format("{}.{}", protocol(), what));
    const Times times{intended, std::max(intended, start), now};
    refused ? scene_.failed(id, times, error_class) : scene_.lost(how, id, times, error_class);
  };
  if (!ready_ && greeted_) count("login", login_from_, login_from_);
  if (std::exchange(rounding_, false)) count("round", round_intended_, opened_);
}

void Customer::close_link() {
  link_.reset();
  tap_.reset();
  forget_session();
  dead_ = false;
}

void Customer::bury() {
  if (dead_) close_link();
}

void Customer::drop() {
  present_ = false;
  if (connected() && !dead_) {
    const Time now = scene_.network.now();
    if (!ready_)
      scene_.timed_out(scene_.operation(fmt::format("{}.connect", protocol())), {intended_, opened_, now}, kUnderWay,
                       &recorder_, account_);
    else if (current_ != 0)
      scene_.timed_out(operation_, {intended_, intended_, now}, kUnderWay, &recorder_, account_);
    count_broken(now, kUnderWay, false, EndReason::timeout);  // so long was waited for it at least
    scene_.session_over(session_);
  }
  close_link();
  arm(std::nullopt);
}

std::string error_class(const session::Ended& end) {
  if (end.login_refused) return "login refused";
  return fmt::format("{}: {}", end.step.empty() ? "connect" : end.step, name(end.reason));
}

std::string with_identity(const std::string& items) {
  constexpr std::string_view kFields = "HEADER.FIELDS (";
  const auto at = items.find(kFields);
  if (at == std::string::npos) return items;
  const auto end = items.find(')', at);
  if (end == std::string::npos) return items;
  std::string out = items;
  const std::string fields = " " + items.substr(at + kFields.size(), end - at - kFields.size()) + " ";
  std::string added;
  for (const std::string_view field : {"X-Mailproof", "Message-ID", "Subject"}) {
    bool there = false;
    for (std::size_t from = 0; from < fields.size() && !there; ++from)
      there = fields[from] == ' ' && istarts_with(std::string_view(fields).substr(from + 1), field) &&
              fields[from + 1 + field.size()] == ' ';
    if (!there) added += fmt::format(" {}", field);
  }
  out.insert(end, added);
  return out;
}

}  // namespace mailproof::load
