#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "judge/judge.h"

namespace mailproof::judge {

/// A class of findings: what a judge can say. The table is complete; a test proves that each is planted somewhere.
struct FindingClass {
  std::string_view judge;
  std::string_view name;
  Severity severity;
  std::string_view requirement;
};
std::span<const FindingClass> finding_classes();
/// Throws std::logic_error where the table does not have it: a judge that invents a class is broken.
const FindingClass& finding_class(std::string_view judge, std::string_view name);

/// What a judge works with: the history, the ledger, and where findings go.
class Case {
 public:
  Case(const history::History& h, const history::Ledger& l, std::string_view judge, std::vector<Finding>& out)
      : history(h), ledger(l), judge_(judge), out_(out) {}

  const history::History& history;
  const history::Ledger& ledger;

  struct Facts {
    std::string expected, actual;
    std::vector<std::uint32_t> events;  ///< the two or three that conflict; 0 is left out
    std::uint32_t message = 0;          ///< the one concerned; 0 = none
    std::string suffix;                 ///< after the class in the id: ".imap.crlf.bare_lf"
  };
  /// One finding a class and scenario: further messages join the first one's finding.
  Finding& find(std::string_view finding_class, Facts facts);

  std::string name_of(std::uint32_t message) const;  ///< "mail.2"
  std::string account(std::uint32_t number) const;   ///< "alice"
  std::string who(const history::Event& e) const;    ///< "pc over POP3"
  std::string when(const history::Event& e) const;   ///< "0.120 s"
  const history::Event& invoke(const history::Event& e) const;
  bool by_audit(const history::Event& e) const;  ///< a fresh session, no device of the scenario
  /// Two numbers of what may be one message: of others' mail with one Message-ID.
  bool may_be_one(std::uint32_t one, std::uint32_t other) const;
  /// The events that show content of one of our messages, in order. All are found when the first is asked for, so that
  /// a judge may ask for every message and still looks at each event a fixed number of times.
  std::span<const std::uint32_t> sights(std::uint32_t message) const;

 private:
  /// A finding that was begun, for whatever joins it.
  struct Begun {
    std::size_t times = 0;
    std::size_t place = 0;  ///< in out_
    std::unordered_set<std::string> messages;
  };
  Begun& begun(const std::string& id, Facts& facts, const FindingClass& known);

  std::string_view judge_;
  std::vector<Finding>& out_;
  std::map<std::string, Begun> begun_;
  mutable std::vector<std::uint32_t> sights_;       ///< by message, in order
  mutable std::vector<std::uint32_t> sights_from_;  ///< by message: where its own begin; one more for the end
};

/// "label, 0.120 s: expunge ok INBOX: Done".
std::string evidence(const history::History& history, std::uint32_t event);
/// The lines that the wire log has there; none where they would say nothing.
std::vector<std::string> wire(const history::History& history, std::uint32_t event);

/// True for the ok, fail or info that ends what was asked.
bool completes(const history::Event& e);
/// It failed because the session was over before (kGone of play/recorded/recorder.h): the server was never asked.
bool never_asked(const history::Event& e);

}  // namespace mailproof::judge
