#include <algorithm>
#include <iterator>

#include "judge/rules/imap_rules.h"
#include "judge/rules/pop3_rules.h"

namespace mailproof::judge {
namespace {

template <void (*Look)(const Pop3Exchanges&, std::vector<Violation>&)>
void pop3_look(const history::WireBytes& bytes, std::vector<Violation>& out) {
  std::vector<Violation> found;
  Look(Pop3Exchanges(bytes), found);
  if (found.size() > kMostViolations) found.resize(kMostViolations);
  std::move(found.begin(), found.end(), std::back_inserter(out));
}

template <void (*Look)(const history::WireBytes&, std::vector<Violation>&)>
void imap_look(const history::WireBytes& bytes, std::vector<Violation>& out) {
  if (bytes.protocol != Protocol::imap) return;
  std::vector<Violation> found;
  Look(bytes, found);
  if (found.size() > kMostViolations) found.resize(kMostViolations);
  std::move(found.begin(), found.end(), std::back_inserter(out));
}

constexpr WireRule pop3(std::string_view name, bool whole_run, std::string_view what,
                        void (*look)(const history::WireBytes&, std::vector<Violation>&)) {
  return {name, Protocol::pop3, whole_run, what, look};
}

constexpr bool kRun = true, kTalk = false;

const WireRule kRules[] = {
    pop3("pop3.status-line-512", kRun,
         "the first line of a response is at most 512 octets with CRLF (RFC 1939 section 3)",
         pop3_look<pop3_rules::status_line_512>),
    pop3("pop3.status-upper-case", kRun, "+OK and -ERR are in upper case (RFC 1939 section 3)",
         pop3_look<pop3_rules::status_upper_case>),
    pop3("pop3.status-only-two", kRun,
         "every response begins with +OK or -ERR, or within AUTH with \"+ \" (RFC 1939 section 3, RFC 5034 section 4)",
         pop3_look<pop3_rules::status_only_two>),
    pop3("pop3.crlf", kRun,
         "status lines and the lines of lists end in CRLF and hold no other CR or LF (RFC 1939 section 3); what "
         "stands in messages is not looked at",
         pop3_look<pop3_rules::crlf>),
    pop3("pop3.response-code-bracket", kRun,
         "where CAPA lists RESP-CODES, text that begins with \"[\" is a response code, so a \"]\" closes it (RFC 2449 "
         "sections 6.4 and 8)",
         pop3_look<pop3_rules::response_code_bracket>),
    pop3(
        "pop3.response-code-grammar", kTalk,
        "a response code is one or more levels between slashes, of printable octets without blank (RFC 2449 section 3)",
        pop3_look<pop3_rules::response_code_grammar>),
    pop3("pop3.auth-code-announced", kTalk,
         "a server that sends [AUTH] lists AUTH-RESP-CODE when CAPA is asked (RFC 3206 section 5)",
         pop3_look<pop3_rules::auth_code_announced>),
    pop3("pop3.capa-tag-syntax", kTalk,
         "a line of CAPA is a tag without dots and parameters behind one blank each, 512 octets at most (RFC "
         "2449 section 3)",
         pop3_look<pop3_rules::capa_tag_syntax>),
    pop3("pop3.capa-subset", kTalk,
         "what CAPA lists before login it lists after login on the same connection (RFC 2449 section 5)",
         pop3_look<pop3_rules::capa_subset>),
    pop3("pop3.retr-size", kRun,
         "the octets of RETR without stuffing are those LIST told on the same connection (RFC 1939 sections 5 and 11)",
         pop3_look<pop3_rules::retr_size>),
    {"imap.crlf", Protocol::imap, kRun,
     "every line ends in CRLF and holds no other CR or LF (RFC 3501 section 2.2, RFC 9051 section 2.2); literals are "
     "passed over",
     imap_look<imap_rules::crlf>},
    {"imap.completion-once", Protocol::imap, kRun,
     "a command is completed once, with its tag (RFC 3501 section 2.2.2, RFC 9051 section 2.2.2)",
     imap_look<imap_rules::completion_once>},
};

}  // namespace

std::span<const WireRule> wire_rules() { return kRules; }

const WireRule* find_wire_rule(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const WireRule& rule) { return rule.name == name; });
  return found == std::end(kRules) ? nullptr : &*found;
}

}  // namespace mailproof::judge
