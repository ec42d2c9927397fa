#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::mime {

struct Parameter {
  std::string name;   ///< lower-case
  std::string value;  ///< unquoted
};

/// A structured MIME field: a value and parameters, comments removed (RFC 2045 section 5.1, RFC 2183).
struct ParameterizedValue {
  std::string value;  ///< lower-case: "attachment", "multipart/report"
  std::vector<Parameter> parameters;
  /// The first of that (lower-case) name, or empty.
  std::string_view parameter(std::string_view name) const;
};
/// Takes what it can read: parameters behind a mistake are lost. At most 64 parameters.
ParameterizedValue parse_parameterized(std::string_view field_body);

struct ContentType {
  std::string type = "text";      ///< lower-case
  std::string subtype = "plain";  ///< lower-case
  std::vector<Parameter> parameters;
  std::string_view parameter(std::string_view name) const;
  bool is(std::string_view type_, std::string_view subtype_) const { return type == type_ && subtype == subtype_; }
};
/// A malformed value reads as text/plain with charset us-ascii (RFC 2045 section 5.2).
ContentType parse_content_type(std::string_view field_body);

}  // namespace mailproof::mime
