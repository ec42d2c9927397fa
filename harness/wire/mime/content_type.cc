#include "wire/mime/content_type.h"

#include <cstddef>

#include "core/bytes.h"
#include "wire/mime/tokens.h"

namespace mailproof::mime {
namespace {

constexpr std::string_view kTspecials = "()<>@,;:\\\"/[]?=";  // RFC 2045 section 5.1
constexpr std::size_t kMostParameters = 64;

std::string_view find(const std::vector<Parameter>& parameters, std::string_view name) {
  for (const Parameter& p : parameters)
    if (p.name == name) return p.value;
  return {};
}

/// *( ";" attribute "=" value ); value = token / quoted-string
std::vector<Parameter> take_parameters(std::string_view& rest) {
  std::vector<Parameter> parameters;
  while (parameters.size() < kMostParameters) {
    skip_cfws(rest);
    if (!rest.starts_with(';')) break;
    rest.remove_prefix(1);
    skip_cfws(rest);
    if (rest.empty() || rest.starts_with(';')) continue;
    Parameter p;
    p.name = lower(take_until(rest, kTspecials));
    skip_cfws(rest);
    if (p.name.empty() || !rest.starts_with('=')) break;
    rest.remove_prefix(1);
    skip_cfws(rest);
    if (rest.starts_with('"')) {
      p.value = take_quoted(rest);
    } else {
      // Unquoted values with tspecials are wrong and common: boundary=a/b=c. Only what would end the value ends it.
      p.value = take_until(rest, ";(\"");
    }
    parameters.push_back(std::move(p));
  }
  return parameters;
}

}  // namespace

std::string_view ParameterizedValue::parameter(std::string_view name) const { return find(parameters, name); }
std::string_view ContentType::parameter(std::string_view name) const { return find(parameters, name); }

ParameterizedValue parse_parameterized(std::string_view rest) {
  ParameterizedValue parsed;
  skip_cfws(rest);
  parsed.value = lower(take_until(rest, "()<>@,;:\\\"[]?="));
  parsed.parameters = take_parameters(rest);
  return parsed;
}

/// content = type "/" subtype *(";" parameter)
ContentType parse_content_type(std::string_view rest) {
  ContentType parsed;
  skip_cfws(rest);
  const std::string type = lower(take_until(rest, kTspecials));
  skip_cfws(rest);
  const bool slash = rest.starts_with('/');
  if (slash) rest.remove_prefix(1);
  skip_cfws(rest);
  const std::string subtype = lower(take_until(rest, kTspecials));
  if (type.empty() || !slash || subtype.empty()) {
    parsed.parameters.push_back({"charset", "us-ascii"});
    return parsed;
  }
  parsed.type = type;
  parsed.subtype = subtype;
  parsed.parameters = take_parameters(rest);
  return parsed;
}

}  // namespace mailproof::mime
