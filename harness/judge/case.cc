#include "judge/case.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/columns.h"

namespace mailproof::judge {
namespace {

constexpr std::size_t kMostActuals = 5;   ///< told in words; the rest is named only
constexpr std::size_t kMostLives = 3;     ///< lives told in full
constexpr std::size_t kMostEvidence = 9;  ///< excerpts
constexpr std::size_t kMostWire = 8;      ///< lines of wire an excerpt

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end > from) out.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

/// Another fact of the same kind joins the text, as a line of its own, unless it is there already.
void join(std::string& text, const std::string& more) {
  const auto lines = split(text);
  if (std::find(lines.begin(), lines.end(), more) == lines.end()) text += fmt::format("\n{}", more);
}

}  // namespace

bool never_asked(const history::Event& e) {
  return e.type == history::Type::fail && e.text == "the connection was gone before";
}

std::string Case::name_of(std::uint32_t message) const {
  return message == 0 || message > history.messages().size() ? "a message" : history.message(message).name();
}

bool Case::may_be_one(std::uint32_t one, std::uint32_t other) const {
  if (one == other) return true;
  if (!history.info.recorded || one == 0 || other == 0) return false;
  const std::string& id = history.message(one).message_id;
  return !id.empty() && id == history.message(other).message_id;
}

std::string Case::account(std::uint32_t number) const {
  return number == 0 || number > history.info.accounts.size() ? "?" : history.account(number).name;
}

std::string Case::who(const history::Event& e) const {
  if (e.session == 0) return "the play";
  return fmt::format("{} over {}", history.device_name(e), upper(mailproof::name(history.session(e.session).protocol)));
}

std::string Case::when(const history::Event& e) const { return format_seconds(e.at.time_since_epoch()); }

const history::Event& Case::invoke(const history::Event& e) const { return history.asked(e); }

bool Case::by_audit(const history::Event& e) const { return e.session != 0 && history.session(e.session).device == 0; }

namespace {

/// "C: DELE 1", "S: +OK: +OK marked", "S: +OK: expected, and -ERR no came".
std::string talk_line(const history::History& history, const history::Event& e) {
  std::string out = printable(history.asked(e).text, 120);
  if (e.type == history::Type::ok && !e.text.empty()) out += fmt::format("   came: {}", printable(e.text, 120));
  if (e.type == history::Type::fail) out += fmt::format("   not so: {}", printable(e.text, 200));
  return out;
}

}  // namespace

std::string evidence(const history::History& history, std::uint32_t event) {
  const history::Event& e = history.event(event);
  std::string out = e.session == 0 ? std::string("scenario") : history.session(e.session).label;
  if (e.what == history::What::talk)
    return fmt::format("{}, {}: {}", out, format_seconds(e.at.time_since_epoch()), talk_line(history, e));
  out +=
      fmt::format(", {}: {} {}", format_seconds(e.at.time_since_epoch()), history::name(e.what), history::name(e.type));
  if (!e.mailbox.empty()) out += fmt::format(" {}", printable(e.mailbox, 80));
  const history::Columns special = history::columns(e);
  if (special.seq != 0) out += fmt::format(" {}", special.seq);
  if (special.uid != 0) out += fmt::format(" UID {}", special.uid);
  if (!e.set.empty()) out += fmt::format(" {}", printable(e.set, 80));
  if (e.has_flags || !e.flags.empty()) out += fmt::format(" ({})", printable(e.flags, 120));
  if (!e.code.empty()) out += fmt::format(" {}", printable(e.code, 40));
  // What breaks a rule is many lines, and all of it stands in the finding.
  if (!e.text.empty() && e.what != history::What::rule) out += fmt::format(": {}", printable(e.text, 200));
  return out;
}

/// What the wire had when an answer or unasked data came. A command that is only being asked has nothing there yet; of
/// content, and of a line of a talk that came as it should, the rest of the event tells all.
std::vector<std::string> wire(const history::History& history, std::uint32_t event) {
  const history::Event& e = history.event(event);
  const bool content = e.what == history::What::message || e.what == history::What::report ||
                       (e.what == history::What::talk && e.type != history::Type::fail);
  if (!history.excerpt || e.session == 0 || e.raw.length == 0 || e.type == history::Type::invoke || content) return {};
  auto lines = split(history.excerpt(e.session, e.raw));
  if (lines.size() > kMostWire) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostWire));
  return lines;
}

std::span<const std::uint32_t> Case::sights(std::uint32_t message) const {
  const std::size_t messages = history.messages().size();
  if (sights_from_.empty()) {
    const auto shows = [&](const history::Event& e) { return e.message != 0 && e.message <= messages; };
    sights_from_.resize(messages + 2);
    for (const history::Event& e : history.about(history::What::message))
      if (shows(e)) ++sights_from_[e.message + 1];
    for (std::size_t i = 1; i < sights_from_.size(); ++i) sights_from_[i] += sights_from_[i - 1];
    sights_.resize(sights_from_.back());
    std::vector<std::uint32_t> next = sights_from_;
    for (const history::Event& e : history.about(history::What::message))
      if (shows(e)) sights_[next[e.message]++] = e.index;
  }
  if (message == 0 || message > messages) return {};
  return std::span(sights_).subspan(sights_from_[message], sights_from_[message + 1] - sights_from_[message]);
}

Case::Names::Names(std::vector<Finding>& findings, std::size_t place)
    : findings_(findings), place_(place), places_(0, Hash{{&findings, place}}, Same{{&findings, place}}) {
  if (place == findings.size()) return;
  for (std::uint32_t i = 0; i < findings[place].messages.size(); ++i) places_.insert(i);
}

bool Case::Names::add(std::string name) {
  if (places_.contains(std::string_view(name))) return false;
  std::vector<std::string>& names = findings_[place_].messages;
  names.push_back(std::move(name));
  places_.insert(static_cast<std::uint32_t>(names.size() - 1));
  return true;
}

/// The finding of this id, with what else is to be told there now.
Case::Begun& Case::begun(const std::string& id, Facts& facts, const FindingClass& known) {
  auto entry = begun_.find(id);
  if (entry == begun_.end()) {
    const auto at = std::find_if(out_.begin(), out_.end(), [&](const Finding& f) { return f.id == id; });
    const auto place = static_cast<std::size_t>(at - out_.begin());
    entry = begun_.emplace(id, Begun{0, place, Names(out_, place)}).first;
  }
  Begun& out = entry->second;
  const std::size_t before = out.times++;
  if (out.place == out_.size()) {
    Finding& made = out_.emplace_back();
    made.id = id;
    made.severity = known.severity;
    made.requirement = known.requirement;
    made.expected = std::move(facts.expected);
    made.actual = std::move(facts.actual);
  } else if (before < kMostActuals) {
    join(out_[out.place].expected, facts.expected);
    join(out_[out.place].actual, facts.actual);
  } else if (before == kMostActuals) {
    out_[out.place].actual += "\n... and more of the same kind";
  }
  return out;
}

Finding& Case::find(std::string_view class_name, Facts facts) {
  const FindingClass& known = finding_class(judge_, class_name);
  const std::string id = fmt::format("{}/{}/{}{}", history.info.scenario, judge_, class_name, facts.suffix);
  Begun& joined = begun(id, facts, known);
  Finding* const at = &out_[joined.place];
  for (const std::uint32_t event : facts.events) {
    if (event == 0 || event > history.events().size() || at->evidence.size() >= kMostEvidence) continue;
    if (std::find(at->events.begin(), at->events.end(), event) != at->events.end()) continue;
    at->events.push_back(event);
    std::string told = evidence(history, event);
    for (const std::string& line : wire(history, event))
      if (std::none_of(at->evidence.begin(), at->evidence.end(),
                       [&](const std::string& earlier) { return earlier.find(line) != std::string::npos; }))
        told += fmt::format("\n  {}", line);
    at->evidence.push_back(std::move(told));
  }
  if (facts.message != 0 && joined.messages.add(name_of(facts.message)) && at->messages.size() <= kMostLives) {
    const auto life = ledger.life(facts.message);
    at->life.insert(at->life.end(), life.begin(), life.end());
  }
  newest_ = facts.suffix.empty() ? &joined : nullptr;
  newest_class_ = known.name;
  return *at;
}

/// Whether find() would add the name of the message to the newest finding, and nothing else: then that is done.
bool Case::only_named(std::string_view class_name, std::uint32_t message, std::initializer_list<std::uint32_t> events) {
  if (newest_ == nullptr || newest_class_ != class_name || newest_->times <= kMostActuals) return false;
  const Finding& at = out_[newest_->place];
  const bool shown = at.evidence.size() >= kMostEvidence || std::all_of(events.begin(), events.end(), [&](auto event) {
                       return event == 0 || std::find(at.events.begin(), at.events.end(), event) != at.events.end();
                     });
  if (!shown || at.messages.size() < kMostLives) return false;
  ++newest_->times;
  if (message != 0) newest_->messages.add(name_of(message));
  return true;
}

}  // namespace mailproof::judge
