// A check of an RFC's section: every line of its talk came as it must, and no wire rule was broken.
#include <fmt/format.h>

#include <map>

#include "core/bytes.h"
#include "history/talk_ends.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/strangers.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

constexpr std::size_t kMostDialogue = 8;

class Conformance {
 public:
  Conformance(Case& c, const history::CheckInfo& check) : c_(c), check_(check), strangers_(c) {}

  void run() {
    for (const Event& e : c_.history.events()) {
      switch (e.what) {
        case What::talk:
          if (e.type == Type::fail) wrong(e, expected_by(c_.invoke(e)), e.text);
          if (e.type == Type::info) silent(e);
          break;
        case What::rule:
          if (e.type == Type::fail) wrong(e, e.get<history::RuleFacts>().wants, e.text);
          break;
        case What::problem:
          if (check_.talk) problem(e);
          break;
        default:
          break;
      }
    }
    if (earlier_ != nullptr && !ended_early_) late(*earlier_);
  }

 private:
  static std::string expected_by(const Event& line) { return line.set.empty() ? line.text : line.set; }

  /// What did not come: in this play of the check, or in the one before it.
  void silent(const Event& e) {
    if (e.code.starts_with(history::kEarlier)) {
      earlier_ = &e;
      return;
    }
    ended_early_ = true;
    std::string actual = e.text;
    if (e.code == "preparation") {
      const std::string line = c_.invoke(e).text;
      c_.find("not-prepared",
              {expected_by(c_.invoke(e)), printable_lines(fmt::format("{}\n({} only prepares)", actual, line)),
               with_dialogue(e), 0, ""});
      return;
    }
    if (e.code == "unsaid") {
      c_.find("unclear", {expected_by(c_.invoke(e)),
                          printable_lines(fmt::format("{}\n(whether the check is applicable was not said)", actual)),
                          with_dialogue(e), 0, ""});
      return;
    }
    if (e.code != history::kSilent && history::is_talk_end(e.code)) {
      c_.find(e.code, {expected_by(c_.invoke(e)), printable_lines(actual), with_dialogue(e), 0, ""});
      return;
    }
    if (earlier_ != nullptr) actual += fmt::format("\nplayed before with a third of the patience: {}", earlier_->text);
    c_.find(history::kSilent, {expected_by(c_.invoke(e)), printable_lines(actual), with_dialogue(e), 0, ""});
  }

  void late(const Event& earlier) {
    const std::string line = c_.invoke(earlier).text;
    if (earlier.code.ends_with(history::kNotNow)) return;  // and a moment later it could
    if (earlier.code.ends_with(history::kHungUp)) {
      c_.find(history::kHungUp, {expected_by(c_.invoke(earlier)),
                                 printable_lines(earlier.text + "; played once more, it did not"),
                                 {earlier.index},
                                 0,
                                 ""});
      return;
    }
    c_.find("late", {expected_by(c_.invoke(earlier)),
                     printable_lines(fmt::format("{}; played once more with three times the patience, it came{}",
                                                 earlier.text, how_late(line))),
                     {earlier.index},
                     0,
                     ""});
  }

  /// By the line that was late: from the command before it to what came.
  std::string how_late(const std::string& line) const {
    Duration longest{};
    std::map<std::uint32_t, Time> asked;
    for (const Event& e : c_.history.events()) {
      if (e.what != What::talk || e.session == 0) continue;
      if (e.type == Type::obs) asked[e.session] = e.at;
      const bool came = e.type == Type::ok && c_.invoke(e).text == line && asked.contains(e.session);
      if (came) longest = std::max(longest, e.at - asked[e.session]);
      if (e.type == Type::ok) asked[e.session] = e.at;
    }
    return longest == Duration::zero() ? "" : fmt::format(" after {}", format_seconds(longest));
  }

  void wrong(const Event& e, std::string expected, const std::string& actual) {
    ended_early_ = true;
    if (check_.level == "MAY") return;  // play recorded it as observed
    if (const Event* stranger = e.what == What::talk ? strangers_.came() : nullptr) {
      c_.find("others-mail", {std::move(expected), came_in(c_, *stranger), {e.index, stranger->index}, 0, ""});
      return;
    }
    const bool binds = check_.level == "MUST" || !check_.harm.empty();
    Finding& finding =
        c_.find(binds ? "broken" : "not-followed",
                {std::move(expected), printable_lines(actual + observed_before(e)), with_dialogue(e), 0, ""});
    finding.requirement = check_.requirement;
  }

  /// What the talk recorded on its way there.
  std::string observed_before(const Event& e) const {
    std::string out;
    for (const Event& earlier : c_.history.events())
      if (earlier.what == What::observed && earlier.index < e.index) out += fmt::format("\nobserved: {}", earlier.text);
    return out;
  }

  /// The lines of the talk that led there, where the wire does not show them beside this one: those on other
  /// connections, and all of them for a line that compares.
  std::vector<std::uint32_t> with_dialogue(const Event& e) const {
    std::vector<std::uint32_t> out;
    for (const Event& earlier : c_.history.events())
      if (e.what == What::talk && earlier.what == What::talk && earlier.index < e.index &&
          earlier.type != Type::expect && (e.session == 0 || earlier.session != e.session))
        out.push_back(earlier.index);
    if (out.size() > kMostDialogue) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(kMostDialogue));
    out.push_back(e.index);
    return out;
  }

  void problem(const Event& e) {
    if (e.code == "mailbox") {
      ended_early_ = true;
      c_.find("not-prepared", {"the mailbox as the check asks for it", printable(e.text, 400), {e.index}, 0, ""});
      return;
    }
    const bool ours = e.code == "interrupted" || e.code == "stalled";
    ended_early_ = true;
    if (e.code == "foreign") {
      c_.find("others-mail", {"a mailbox with the check's own mail", printable(e.text, 400), {e.index}, 0, ""});
      return;
    }
    c_.find(ours ? "unclear" : "not-played", {"a check played to its end", printable(e.text, 400), {e.index}, 0, ""});
  }

  /// Made safe, its own line breaks kept.
  static std::string printable_lines(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      out += fmt::format("{}{}", out.empty() ? "" : "\n", printable(text.substr(0, end), 600));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
  }

  Case& c_;
  const history::CheckInfo& check_;
  const Event* earlier_ = nullptr;  ///< what was silent in the play before this one
  bool ended_early_ = false;        ///< something else is to be said of this play
  Strangers strangers_;
};

}  // namespace

void judge_conformance(const history::History& history, const history::Ledger& ledger, Findings& out) {
  if (!history.info.check) return;
  Case c(history, ledger, "conformance", out);
  Conformance(c, *history.info.check).run();
  Case session(history, ledger, "session", out);
  if (history.info.check->talk) another_run(session);  // the judge of sessions looks at no talk
  if (history.info.check->talk) judge_deviations(history, ledger, out);
}

}  // namespace mailproof::judge
