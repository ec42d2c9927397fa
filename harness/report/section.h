#pragma once
#include <string>
#include <string_view>

namespace mailproof::report {

/// What the id of a conformance check says of it: "pop3.2449-8.1.2.login-delay" stands for RFC 2449 section 8.1.2,
/// "x.uidl-stable-over-flags" is about several protocols and belongs to no section.
struct Section {
  std::string file;     ///< id of the conformance file: "pop3.2449-8.1.2", "x"
  std::string rfc;      ///< "2449"; "" = none
  std::string section;  ///< "8.1.2"
  bool operator==(const Section&) const = default;
  /// By protocol, RFC and section number: 2.10 comes behind 2.9. Those without an RFC come last.
  bool operator<(const Section& other) const;
  /// "RFC 2449 section 8.1.2", "mixed".
  std::string title() const;
};

/// An empty file: the id is not that of a check.
Section section_of(std::string_view id);

}  // namespace mailproof::report
