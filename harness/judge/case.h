#pragma once
#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// What is not as expected, in words.
struct Words {
  std::string expected, actual;
};

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
  /// The same where there may be a great many messages: when enough was told the next ones are only named, and `words`
  /// is not called.
  template <class ToldWords>
  void find_each(std::string_view finding_class, std::uint32_t message, std::initializer_list<std::uint32_t> events,
                 ToldWords&& words) {
    if (only_named(finding_class, message, events)) return;
    Words told = words();
    find(finding_class, {std::move(told.expected), std::move(told.actual), events, message, ""});
  }

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
  /// The names of messages that a finding has: their places in its list, found by name.
  class Names {
   public:
    Names(std::vector<Finding>& findings, std::size_t place);
    bool add(std::string name);  ///< false: it is there

   private:
    struct Of {
      const std::vector<Finding>* findings;
      std::size_t place;
      std::string_view operator()(std::uint32_t name) const { return (*findings)[place].messages[name]; }
      std::string_view operator()(std::string_view name) const { return name; }
    };
    struct Hash : Of {
      using is_transparent = void;
      std::size_t operator()(const auto& name) const { return std::hash<std::string_view>()(Of::operator()(name)); }
    };
    struct Same : Of {
      using is_transparent = void;
      bool operator()(const auto& one, const auto& other) const { return Of::operator()(one) == Of::operator()(other); }
    };
    std::vector<Finding>& findings_;
    std::size_t place_;
    boost::unordered_flat_set<std::uint32_t, Hash, Same> places_;
  };
  /// A finding that was begun, for whatever joins it.
  struct Begun {
    std::size_t times = 0;
    std::size_t place = 0;  ///< in out_
    Names messages;
  };
  Begun& begun(const std::string& id, Facts& facts, const FindingClass& known);
  bool only_named(std::string_view finding_class, std::uint32_t message, std::initializer_list<std::uint32_t> events);

  std::string_view judge_;
  std::vector<Finding>& out_;
  std::map<std::string, Begun> begun_;
  Begun* newest_ = nullptr;  ///< of these the one that was joined last, and its class
  std::string_view newest_class_;
  mutable std::vector<std::uint32_t> sights_;       ///< by message, in order
  mutable std::vector<std::uint32_t> sights_from_;  ///< by message: where its own begin; one more for the end
};

/// "label, 0.120 s: expunge ok INBOX: Done".
std::string evidence(const history::History& history, std::uint32_t event);
/// The lines that the wire log has there; none where they would say nothing.
std::vector<std::string> wire(const history::History& history, std::uint32_t event);

/// True for the ok, fail or info that ends what was asked.
constexpr bool completes(history::Type type) {
  return type == history::Type::ok || type == history::Type::fail || type == history::Type::info;
}
inline bool completes(const history::Event& e) { return completes(e.type); }
/// It failed because the session was over before (kGone of play/recorded/recorder.h): the server was never asked.
bool never_asked(const history::Event& e);

}  // namespace mailproof::judge
