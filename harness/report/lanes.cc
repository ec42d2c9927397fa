#include "report/lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/bytes.h"
#include "history/columns.h"
#include "report/escape.h"

namespace mailproof::report {
namespace {

using history::Event;
using history::Type;
using history::What;

constexpr std::size_t kMostText = 120;  ///< octets of what a server or a step says

/// Steps of the scenario and what the play itself does beside them.
bool about_the_play(const Event& e) { return e.session == 0; }

/// Sessions that end as they should; what the audit does before it looks, and around it: it says nothing while it
/// works.
bool routine(const Event& e, bool audit) {
  switch (e.what) {
    case What::baseline:
    case What::noop:
    case What::pop_noop:
      return e.type != Type::fail;
    case What::end:
      return e.flags == "clean";
    case What::connect:
    case What::logout:
    case What::list:
    case What::status:
    case What::mailbox:
      return audit && e.type != Type::fail && e.type != Type::info;
    default:
      return false;
  }
}

/// Its numbers are the mailbox's, not a message's.
bool opens_mailbox(const Event& e) { return e.what == What::select || e.what == What::examine; }

/// "DELE 2", "FETCH 1:2 of INBOX (mail.1)": what was asked, or what a row is about.
std::string subject(const history::History& history, const Event& e) {
  std::string out(history::name(e.what));
  if (e.type != Type::obs) out = upper(out);
  if (e.what == What::pop_list || e.what == What::pop_uidl || e.what == What::pop_noop) out = out.substr(4);
  if (!e.set.empty()) out += fmt::format(" {}", shortened(e.set, 40));
  const bool opened = opens_mailbox(e);
  const history::Columns special = history::columns(e);
  if (special.uid != 0 && e.set.empty() && !opened) out += fmt::format(" UID {}", special.uid);
  if (special.seq != 0 && special.uid == 0 && !opened && e.what != What::deliver && e.what != What::stat)
    out += fmt::format(" {}", special.seq);
  const bool pop = e.session != 0 && history.session(e.session).protocol == Protocol::pop3;
  if (!e.mailbox.empty() && !pop) out += fmt::format(" {}", shortened(e.mailbox, 40));
  if (!e.other_mailbox.empty()) out += fmt::format(" to {}", shortened(e.other_mailbox, 40));
  if (e.has_flags || !e.flags.empty()) out += fmt::format(" ({})", shortened(e.flags, 60));
  if (e.message != 0 && e.message <= history.messages().size())
    out += fmt::format(" {}", history.message(e.message).name());
  return out;
}

std::string answer(const Event& e) {
  std::string out(history::name(e.type));
  if (const auto& told = e.get<history::SelectFacts>(); opens_mailbox(e) && e.type == Type::ok)
    out += fmt::format(" EXISTS {} UIDNEXT {}", told.exists, told.uidnext);
  if (!e.code.empty()) out += fmt::format(" {}", shortened(e.code, 40));
  if (!e.text.empty()) out += fmt::format(": {}", shortened(e.text, kMostText));
  return out;
}

Lanes::Kind kind_of(const Event& e) {
  switch (e.type) {
    case Type::invoke:
    case Type::expect:
      return Lanes::Kind::asked;
    case Type::ok:
      return Lanes::Kind::ok;
    case Type::fail:
      return Lanes::Kind::refused;
    case Type::info:
      return Lanes::Kind::unknown;
    case Type::obs:
    case Type::fault:
      return Lanes::Kind::saw;
  }
  return Lanes::Kind::saw;
}

class Drawing {
 public:
  explicit Drawing(const history::History& history) : history_(history) {
    for (const auto& device : history.info.devices) lane_of(device.name);
  }

  void add(const Event& e) {
    const std::size_t lane = about_the_play(e) ? Lanes::kAll : lane_of(name_of(e));
    if (lane != Lanes::kAll && routine(e, out_.names[lane] == "audit")) return;
    if (e.type == Type::expect) {
      expected_.emplace(e.index, &e);
      return;
    }
    if (const auto expected = expected_.find(e.command); expected != expected_.end() && completes(e)) {
      put(e, lane, e.type == Type::ok ? Lanes::Kind::met : Lanes::Kind::missed, met_text(e, *expected->second));
    } else if (lane == Lanes::kAll) {
      put(e, lane, e.what == What::step ? Lanes::Kind::step : Lanes::Kind::play, play_text(e));
    } else if (e.what == What::final_dot && last_.command == e.command && !out_.events.empty()) {
      out_.events.back().text += ", final dot sent";
    } else if (e.type == Type::obs && e.what == What::talk) {
      put(e, lane, Lanes::Kind::asked, shortened(e.text, kMostText));
    } else if (e.type == Type::obs) {
      saw(e, lane);
    } else if (e.type == Type::invoke) {
      put(e, lane, Lanes::Kind::asked, asked_text(e));
      last_.command = e.index;
    } else {
      answered(e, lane);
    }
  }

  Lanes take(std::size_t most) {
    move_audit_last();
    if (out_.events.size() > most) {
      const std::size_t end = most / 4, begin = most - end;
      out_.left_out = out_.events.size() - most;
      out_.gap = begin;
      const auto from = out_.events.begin() + static_cast<std::ptrdiff_t>(begin);
      out_.events.erase(from, from + static_cast<std::ptrdiff_t>(out_.left_out));
    }
    return std::move(out_);
  }

 private:
  static bool completes(const Event& e) { return e.type == Type::ok || e.type == Type::fail || e.type == Type::info; }

  std::string name_of(const Event& e) const {
    const std::string& label = history_.session(e.session).label;
    return label.substr(0, label.find('#'));
  }

  std::size_t lane_of(const std::string& name) {
    const auto at = std::find(out_.names.begin(), out_.names.end(), name);
    if (at != out_.names.end()) return static_cast<std::size_t>(at - out_.names.begin());
    out_.names.push_back(name);
    return out_.names.size() - 1;
  }

  /// The session's number where the device has more than one: "#2".
  std::string asked_text(const Event& e) const {
    std::string out = subject(history_, e);
    if (e.what == What::connect) out += fmt::format(" {}", history_.session(e.session).label);
    if (!e.text.empty() && (e.what == What::connect || e.what == What::deliver || e.what == What::search))
      out += fmt::format(" {}", shortened(e.text, kMostText));
    return out;
  }

  std::string play_text(const Event& e) const {
    std::string out =
        e.what == What::step ? fmt::format("step {}: ", e.step) : fmt::format("{}: ", history::name(e.what));
    if (e.type != Type::obs) out += fmt::format("{} ", history::name(e.type));
    if (!e.code.empty()) out += fmt::format("{} ", shortened(e.code, 40));
    if (e.what == What::settle) out += format_seconds(e.get<history::BoundFacts>().bound);
    return out + shortened(e.text, 2 * kMostText);
  }

  std::string met_text(const Event& e, const Event& expected) const {
    std::string out = e.type == Type::ok ? "as expected: " : e.type == Type::fail ? "missed: " : "could not be asked: ";
    out += expected.text.empty() ? std::string(history::name(expected.what)) : shortened(expected.text, kMostText);
    if (e.type == Type::ok)
      return expected.what == What::talk && !e.text.empty()
                 ? fmt::format("{} \xe2\x86\x92 {}", out, shortened(e.text, kMostText))
                 : out;
    std::string names;
    for (const std::uint32_t n : history::parse_numbers(e.set))
      if (n != 0 && n <= history_.messages().size() && names.size() < kMostText)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", history_.message(n).name());
    if (!names.empty()) out += fmt::format(": {}", names);
    return e.text.empty() ? out : fmt::format("{}; {}", out, shortened(e.text, kMostText));
  }

  /// An answer stands beside what was asked, unless something else happened in between.
  void answered(const Event& e, std::size_t lane) {
    if (last_.command == e.command && e.command != 0 && !out_.events.empty()) {
      Lanes::Event& asked = out_.events.back();
      asked.kind = kind_of(e);
      asked.text += fmt::format(" \xe2\x86\x92 {}", answer(e));
      last_ = {};
      return;
    }
    put(e, lane, kind_of(e), fmt::format("{} \xe2\x86\x92 {}", subject(history_, e), answer(e)));
  }

  /// Rows of one kind that follow each other are one entry with a number.
  void saw(const Event& e, std::size_t lane) {
    if (last_.lane == lane && last_.what == e.what && last_.rows != 0 && !out_.events.empty()) {
      ++last_.rows;
      out_.events.back().text =
          fmt::format("{} \xc3\x97 {}; the last: {}", last_.rows, history::name(e.what), saw_text(e));
      return;
    }
    put(e, lane, Lanes::Kind::saw, saw_text(e));
    last_ = {lane, e.what, 1, 0};
  }

  std::string saw_text(const Event& e) const {
    std::string out = subject(history_, e);
    if (!e.code.empty()) out += fmt::format(" {}", shortened(e.code, 40));
    if (!e.text.empty() && e.what != What::row) out += fmt::format(": {}", shortened(e.text, kMostText));
    return out;
  }

  void put(const Event& e, std::size_t lane, Lanes::Kind kind, std::string text) {
    out_.events.push_back(
        {std::chrono::duration<double>(e.at.time_since_epoch()).count(), lane, kind, std::move(text)});
    last_ = {};
  }

  void move_audit_last() {
    const auto audit = std::find(out_.names.begin(), out_.names.end(), "audit");
    if (audit == out_.names.end() || audit + 1 == out_.names.end()) return;
    const auto was = static_cast<std::size_t>(audit - out_.names.begin());
    std::rotate(audit, audit + 1, out_.names.end());
    for (auto& event : out_.events) {
      if (event.lane == Lanes::kAll || event.lane < was) continue;
      event.lane = event.lane == was ? out_.names.size() - 1 : event.lane - 1;
    }
  }

  /// What the last entry was, for what joins it.
  struct Last {
    std::size_t lane = Lanes::kAll;
    What what = What::step;
    std::size_t rows = 0;
    std::uint32_t command = 0;
  };

  const history::History& history_;
  Lanes out_;
  Last last_;
  std::map<std::uint32_t, const Event*> expected_;
};

}  // namespace

Lanes lanes_of(const history::History& history, std::size_t most) {
  Drawing drawing(history);
  for (const Event& e : history.events()) drawing.add(e);
  return drawing.take(most);
}

}  // namespace mailproof::report
