#include "report/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/bytes.h"
#include "core/words.h"
#include "history/heard.h"
#include "judge/heard.h"
#include "report/groups.h"
#include "report/witnesses.h"

namespace mailproof::report {
namespace {

constexpr Word<Fate> kEndings[] = {{"still there", Fate::present},
                                   {"removed by a client", Fate::removed_by_client},
                                   {"removed by a client's own rule", Fate::expired_by_client_policy},
                                   {"moved by a client", Fate::moved},
                                   {"refused", Fate::refused},
                                   {"put off", Fate::deferred},
                                   {"perhaps queued", Fate::queued},
                                   {"bounced", Fate::bounced},
                                   {"dropped as a duplicate", Fate::suppressed_duplicate},
                                   {"lost", Fate::lost},
                                   {"unknown", Fate::unknown}};
static_assert(complete(kEndings));

constexpr std::string_view kAltered = "altered", kDoubled = "doubled", kCameBack = "came back",
                           kLeaked = "seen by somebody else", kKept = "not removed though asked for",
                           kTaken = "taken though nobody asked", kWrong = "told wrongly";
constexpr std::array kMarks{kAltered, kDoubled, kCameBack, kLeaked, kKept, kTaken, kWrong};

/// What a finding of this class says of the message it names, beside what became of that; "" = nothing.
std::string_view mark_of(std::string_view finding_class) {
  if (finding_class == "content/altered") return kAltered;
  if (finding_class == "duplicates/duplicated") return kDoubled;
  if (finding_class == "duplicates/resurrected") return kCameBack;
  if (finding_class == "isolation/leak") return kLeaked;
  if (finding_class.starts_with("removal/more-than-") || finding_class == "removal/without-quit" ||
      finding_class == "removal/unasked")
    return kTaken;
  if (finding_class.starts_with("removal/") && finding_class.ends_with("-ok-but-there")) return kKept;
  constexpr std::array kViews =
      std::to_array<std::string_view>({"agreement", "content", "expectation", "flags", "identity", "idle", "maildrop",
                                       "pop3-session", "uidl", "uidplus", "view"});
  const auto judge = finding_class.substr(0, finding_class.find('/'));
  return std::find(kViews.begin(), kViews.end(), judge) != kViews.end() ? kWrong : std::string_view();
}

bool counts(const judge::Finding& finding) { return finding.severity != judge::Severity::latitude; }

/// Of what was seen of several messages the lines about this one.
std::string about(const std::string& actual, const std::string& message) {
  std::string out;
  for (std::string_view rest = actual; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto at = line.find(message);
    const auto end = at == std::string_view::npos ? at : at + message.size();
    const bool whole = at != std::string_view::npos &&
                       (end >= line.size() || line[end] < '0' || line[end] > '9');  // mail.1 is not mail.12
    if (whole) out += fmt::format("{}{}", out.empty() ? "" : "\n", line);
  }
  return out.empty() ? actual : out;
}

bool names(const judge::Finding& finding, const std::string& message) {
  return std::find(finding.messages.begin(), finding.messages.end(), message) != finding.messages.end();
}

/// Of a recording: what was there when it was seen last, and was missed after that. The event that misses it first; 0 =
/// somewhere it was not missed.
std::uint32_t missed(const std::vector<judge::Absence>& absences, std::uint32_t message, const history::LifeEnd& end) {
  if (end.fate != Fate::present) return 0;
  std::uint32_t first = 0;
  for (const history::LifeEnd::Place& place : end.places) {
    if (place.last_seen == 0) return 0;
    const auto found = std::find_if(absences.begin(), absences.end(), [&](const judge::Absence& one) {
      return one.message == message && one.account == end.account && one.mailbox == place.mailbox &&
             one.event > place.last_seen;
    });
    if (found == absences.end()) return 0;
    first = first == 0 ? found->event : std::min(first, found->event);
  }
  return first;
}

class Writer {
 public:
  Writer(const history::History& history, const history::Ledger& ledger, std::uint32_t message, const WireFinder& wire,
         Explanation& out)
      : history_(history), message_(message), wire_(wire), out_(out) {
    if (history.info.recorded) absences_ = judge::heard_absences(history, ledger);
  }

  void line(const history::LifeLine& life) {
    const history::Event& e = history_.event(life.event);
    Explanation::Line& line = out_.lines.emplace_back();
    line.at = std::chrono::duration<double>(e.at.time_since_epoch()).count();
    line.event = e.index;
    line.sure = life.sure;
    line.word = life.word;
    line.device = history_.device_name(e);
    line.text = life.text;
    if (e.session == 0) return;
    if (wire_) line.wire = wire_(e);
    line.session = session(e.session);
    if (line.wire) out_.sessions[line.session - 1].log = line.wire->file;
  }

  void end(const history::LifeEnd& life) {
    Explanation::End& end = out_.ends.emplace_back();
    end.account = life.account == 0 ? "?" : history_.account(life.account).name;
    end.words = ending(life.fate);
    end.asked = life.asked;
    end.sure = life.fate == Fate::unknown ? history::Sure::unknown : history::Sure::certain;
    const std::uint32_t absent = missed(absences_, message_, life);
    if (absent != 0) {  // by whom is not known
      end.words = ending(Fate::unknown);
      end.sure = history::Sure::unknown;
    }
    Witnesses said = witnesses(history_, message_, life.account);
    end.logs = std::move(said.said);
    // What was heard comes before what was logged.
    if (said.became && (life.fate == Fate::unknown || life.fate == Fate::queued || absent != 0)) {
      end.words = ending(*said.became);
      end.sure = history::Sure::inferred;
    }
    for (const history::LifeEnd::Place& place : life.places) {
      std::string text = fmt::format("{}: {}", place.mailbox,
                                     !place.listed       ? "not listed in the end"
                                     : place.copies == 0 ? "no copy"
                                     : place.copies == 1 ? "a copy"
                                                         : fmt::format("{} copies", place.copies));
      if (place.last_seen != 0) text += "; last seen " + when(place.last_seen);
      if (place.first_absent != 0)
        text += fmt::format("{} first absent {}", place.last_seen != 0 ? "," : ";", when(place.first_absent));
      end.places.push_back(std::move(text));
    }
    if (absent != 0) end.places.push_back(fmt::format("gone {}: by whom was not heard", when(absent)));
  }

  /// Accounts of which nothing was heard of this message, and logs say something.
  void ends_in_logs(std::span<const history::LifeEnd> heard) {
    std::set<std::uint32_t> accounts;
    for (const history::Event& e : history_.events())
      if (e.what == history::What::observed && e.message == message_ && e.account != 0) accounts.insert(e.account);
    for (const history::LifeEnd& one : heard) accounts.erase(one.account);
    for (const std::uint32_t account : accounts) {
      history::LifeEnd nothing;
      nothing.account = account;
      nothing.fate = Fate::unknown;
      end(nothing);
      if (out_.ends.back().logs.empty()) out_.ends.pop_back();
    }
  }

  std::string when(std::uint32_t event) const {
    const history::Event& e = history_.event(event);
    std::string out = "at " + format_seconds(e.at.time_since_epoch());
    if (e.session != 0) out += " by " + history_.session(e.session).label;
    return out;
  }

 private:
  std::size_t session(std::uint32_t number) {
    const auto [at, fresh] = sessions_.emplace(number, out_.sessions.size() + 1);
    if (fresh) {
      const history::SessionInfo& info = history_.session(number);
      out_.sessions.push_back({info.label, info.endpoint, "",
                               std::string(info.device == 0 ? "audit" : history_.device(info.device).name),
                               std::string(name(info.protocol))});
    }
    return at->second;
  }

  const history::History& history_;
  const std::uint32_t message_;
  const WireFinder& wire_;
  Explanation& out_;
  std::vector<judge::Absence> absences_;
  std::map<std::uint32_t, std::size_t> sessions_;
};

/// Of sessions that were heard and not played: what of this message's life they leave open.
class Gaps {
 public:
  Gaps(const history::History& history, const history::Life& life) : history_(history), life_(life) {}

  std::vector<std::string> all() {
    for (const history::LifeEnd& end : life_.ends) accounts_.insert(end.account);
    arrival();
    sessions();
    if (!history_.info.all_clients)
      out_.emplace_back("what sessions did that were not heard: somebody else may have put it there, or taken it");
    return std::move(out_);
  }

 private:
  void arrival() {
    constexpr std::array kArrivals = std::to_array<std::string_view>({"accepted", "saved", "copied", "moved"});
    const bool came = std::any_of(life_.lines.begin(), life_.lines.end(), [&](const history::LifeLine& line) {
      return std::find(kArrivals.begin(), kArrivals.end(), line.word) != kArrivals.end();
    });
    if (!came) out_.emplace_back("how it came there: it was there before, or it came by a session that was not heard");
  }

  void sessions() {
    for (const history::Event& e : history_.events()) {
      if (e.session == 0 || !accounts_.contains(history_.session(e.session).account)) continue;
      const std::string& label = history_.session(e.session).label;
      const std::string at = format_seconds(e.at.time_since_epoch());
      if (e.what == history::What::connect && e.type == history::Type::ok && e.code == history::kMiddle)
        out_.push_back(fmt::format("what {} did before {}: it is heard from its middle on", label, at));
      if (e.what == history::What::end && e.code == history::kBlind)
        out_.push_back(fmt::format("what {} did after {}: {}", label, at, printable(e.text, 120)));
    }
  }

  const history::History& history_;
  const history::Life& life_;
  std::set<std::uint32_t> accounts_;
  std::vector<std::string> out_;
};

}  // namespace

std::string_view ending(Fate fate) { return word_for(kEndings, fate); }

std::span<const std::string_view> endings() {
  static const auto all = [] {
    std::array<std::string_view, std::size(kEndings)> out;
    std::transform(std::begin(kEndings), std::end(kEndings), out.begin(), [](const auto& one) { return one.word; });
    return out;
  }();
  return all;
}

std::span<const std::string_view> marks() { return kMarks; }

std::string Explanation::verdict() const {
  std::string out;
  for (const End& end : ends)
    out += fmt::format("{}{}{}{}", out.empty() ? "" : ", ", end.words, ends.size() > 1 ? " for " + end.account : "",
                       end.sure == history::Sure::inferred ? " (inferred from a log)" : "");
  if (out.empty()) out = ending(Fate::unknown);
  for (const std::string_view mark : this->marks) out += fmt::format(", {}", mark);
  return out;
}

Explanation explain(const history::History& history, const history::Ledger& ledger, std::uint32_t message,
                    std::span<const judge::Finding> findings, const WireFinder& wire) {
  Explanation out;
  const history::MessageInfo& info = history.message(message);
  out.scenario = history.info.scenario;
  out.title = history.info.title;
  out.copy = history.info.copy;
  out.message = info.name();
  out.size = info.size;
  const history::Life life = ledger.whole_life(message);
  Writer writer(history, ledger, message, wire, out);
  for (const history::LifeLine& line : life.lines) writer.line(line);
  for (const history::LifeEnd& end : life.ends) writer.end(end);
  writer.ends_in_logs(life.ends);
  for (const history::LocalCopy& copy : life.local)
    out.local.push_back(fmt::format("{} (downloaded at {})", copy.device,
                                    format_seconds(history.event(copy.event).at.time_since_epoch())));
  out.nothing_left = life.nothing_left;
  if (history.info.recorded) out.not_known = Gaps(history, life).all();
  for (const judge::Finding& finding : findings) {
    if (!names(finding, out.message)) continue;
    out.found.push_back({finding.id, about(finding.actual, out.message), finding.severity});
    if (out.command.empty()) out.command = finding.reproduce;
    const std::string_view mark =
        finding.severity == judge::Severity::fail ? mark_of(class_of(finding.id, out.scenario)) : std::string_view();
    if (!mark.empty() && std::find(out.marks.begin(), out.marks.end(), mark) == out.marks.end())
      out.marks.push_back(mark);
  }
  return out;
}

std::vector<std::uint32_t> unexpected(const history::History& history, const history::Ledger& ledger,
                                      std::span<const judge::Finding> findings) {
  std::set<std::string> named;
  for (const judge::Finding& finding : findings)
    if (counts(finding)) named.insert(finding.messages.begin(), finding.messages.end());
  std::set<std::uint32_t> out;
  for (std::uint32_t message = 1; message <= history.messages().size(); ++message)
    if (named.contains(history.message(message).name())) out.insert(message);
  for (const history::Cell& cell : ledger.cells())
    if (!out.contains(cell.message) && cell.message != 0 && ledger.fate(cell.message, cell.account) == Fate::lost)
      out.insert(cell.message);
  std::map<std::uint32_t, std::vector<judge::Absence>> absences;
  if (history.info.recorded)
    for (judge::Absence& one : judge::heard_absences(history, ledger)) absences[one.message].push_back(std::move(one));
  for (const auto& [message, of] : absences) {
    if (out.contains(message)) continue;
    for (const history::LifeEnd& end : ledger.whole_life(message).ends)
      if (missed(of, message, end) != 0) out.insert(message);
  }
  return {out.begin(), out.end()};
}

}  // namespace mailproof::report
